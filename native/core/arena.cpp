#include "arena.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "error.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace cryptorch {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kTail = 64;  // readable bytes behind a region: vector loads may run past the last element
constexpr uint64_t kHuge = uint64_t{8} << 20;

// Counters only: nothing depends on them.
std::atomic<uint64_t> live_regions{0};
std::atomic<uint64_t> live_bytes{0};

uint64_t machine_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGE_SIZE);
  if (pages <= 0 || size <= 0) return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(size);
}

[[noreturn]] void fail(uint64_t needed, uint64_t limit) {
  std::string message = "out of memory: " + std::to_string(needed) + " bytes are needed";
  if (limit) message += ", " + std::to_string(limit) + " are allowed";
  throw Error(Code::out_of_memory, message,
              {{"needed", static_cast<int64_t>(needed)}, {"limit", static_cast<int64_t>(limit)}});
}

// Regions are no heap blocks, so an address sanitizer has to be told what lies outside; and what may be read
// behind a region must not have been written.
void fence([[maybe_unused]] std::byte* data, [[maybe_unused]] uint64_t size, [[maybe_unused]] size_t mapped) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(data + size + kTail, mapped - size - kTail);
#endif
}

void check_fence([[maybe_unused]] std::byte* data, [[maybe_unused]] uint64_t size,
                 [[maybe_unused]] size_t mapped) {
#if defined(__SANITIZE_ADDRESS__)
  const std::byte* tail = data + size;
  if (std::any_of(tail, tail + kTail, [](std::byte b) { return b != std::byte{0}; })) std::abort();
  ASAN_UNPOISON_MEMORY_REGION(data, mapped);
#endif
}

}  // namespace

void wipe(void* data, size_t bytes) {
  if (!bytes) return;
  std::memset(data, 0, bytes);
  __asm__ __volatile__("" : : "r"(data) : "memory");  // the stores are observable from here on
}

void require_memory(uint64_t needed, uint64_t limit) {
  if (!limit) limit = machine_memory();
  if (needed > limit) fail(needed, limit);
}

LiveMemory live_memory() {
  return {live_regions.load(std::memory_order_relaxed), live_bytes.load(std::memory_order_relaxed)};
}

Region::Region(Region&& other) noexcept { *this = std::move(other); }

Region& Region::operator=(Region&& other) noexcept {
  if (this != &other) {
    release();
    arena_ = std::exchange(other.arena_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_ = std::exchange(other.mapped_, 0);
  }
  return *this;
}

void Region::release() {
  if (!data_) return;
  check_fence(data_, size_, mapped_);
  wipe(data_, size_);
  munmap(data_, mapped_);
  arena_->live_.fetch_sub(size_, std::memory_order_relaxed);
  live_regions.fetch_sub(1, std::memory_order_relaxed);
  live_bytes.fetch_sub(size_, std::memory_order_relaxed);
  data_ = nullptr;
}

Arena::Arena(uint64_t limit) : limit_(limit ? limit : machine_memory()) {}

Region Arena::allocate(uint64_t bytes) {
  constexpr uint64_t most = std::numeric_limits<uint64_t>::max() / 4;
  const uint64_t live = live_.load(std::memory_order_relaxed);
  if (bytes > most || live > most || live + bytes > limit_) fail(live + std::min(bytes, most), limit_);

  Region region;
  const uint64_t mapped = (bytes + kTail + kPage - 1) / kPage * kPage;
  void* data = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) fail(live + bytes, 0);
#ifdef MADV_HUGEPAGE
  if (mapped >= kHuge) madvise(data, mapped, MADV_HUGEPAGE);
#endif
#ifdef MADV_DONTDUMP
  madvise(data, mapped, MADV_DONTDUMP);  // shares do not belong in a core dump
#endif
  fence(static_cast<std::byte*>(data), bytes, mapped);
  region.arena_ = this;
  region.data_ = static_cast<std::byte*>(data);
  region.size_ = bytes;
  region.mapped_ = mapped;
  live_regions.fetch_add(1, std::memory_order_relaxed);
  live_bytes.fetch_add(bytes, std::memory_order_relaxed);
  const uint64_t now = live_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  uint64_t peak = peak_.load(std::memory_order_relaxed);
  while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return region;
}

}  // namespace cryptorch
