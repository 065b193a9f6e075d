// Memory of a role: regions that start at multiples of 64 bytes, hold zeros when handed out, and are wiped
// when given back. An Arena counts what its regions take and refuses what goes over its limit; it must
// outlive its regions.
//
// A plan places every value at a fixed offset of one of three regions (state, material, work), so a run
// allocates nothing.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cryptorch {

// Overwrites memory with zeros; not optimised away.
void wipe(void* data, size_t bytes);

class Arena;

class Region {
 public:
  Region() = default;
  Region(Region&& other) noexcept;
  Region& operator=(Region&& other) noexcept;
  ~Region() { release(); }

  std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }

 private:
  friend class Arena;
  void release();

  Arena* arena_ = nullptr;
  std::byte* data_ = nullptr;
  uint64_t size_ = 0;  // asked for
  size_t mapped_ = 0;  // asked for, and room behind it that wide loads may touch
};

class Arena {
 public:
  // A limit of 0 stands for the memory of the machine.
  explicit Arena(uint64_t limit = 0);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Throws out_of_memory, with the bytes needed, where the limit or the system says no.
  Region allocate(uint64_t bytes);

  uint64_t live() const { return live_.load(std::memory_order_relaxed); }
  uint64_t peak() const { return peak_.load(std::memory_order_relaxed); }
  uint64_t limit() const { return limit_; }

 private:
  friend class Region;
  uint64_t limit_;
  std::atomic<uint64_t> live_{0};
  std::atomic<uint64_t> peak_{0};
};

// Regions of all arenas of this process that have not been given back, and the bytes asked for them: both are
// zero when nothing runs and no session is open.
struct LiveMemory {
  uint64_t regions;
  uint64_t bytes;
};
LiveMemory live_memory();

// Throws out_of_memory if `needed` is more than `limit` (0: the memory of the machine).
void require_memory(uint64_t needed, uint64_t limit);

}  // namespace cryptorch
