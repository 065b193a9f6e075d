// The state of a role from a file: it is refused and memory stays as it is, or it is what the file says. The
// first byte tells which checksums are put right before the file is written, since none is found by chance.
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "../core/crc32c.hpp"
#include "../core/frame.hpp"
#include "../core/state_file.hpp"
#include "fuzz.hpp"

using namespace cryptorch;
using fuzz::require;

namespace {

constexpr size_t kPrefix = 32;
constexpr uint64_t kMostState = 1 << 16;

// A file in memory.
class File {
 public:
  explicit File(std::span<const std::byte> data) : fd_(memfd_create("state", MFD_CLOEXEC)) {
    require(fd_ >= 0 && write(fd_, data.data(), data.size()) == static_cast<ssize_t>(data.size()), "a file");
  }
  ~File() { close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void repair(std::span<std::byte> file, bool state, bool header) {
  if (file.size() < kPrefix) return;
  const auto bytes = load_little<uint64_t>(file.data() + 8);
  if (bytes > file.size() - kPrefix) return;
  if (state) store_little(file.data() + 24, crc32c(file.subspan(kPrefix + bytes)));
  if (header) store_little(file.data() + 28, crc32c(file.subspan(kPrefix, bytes), crc32c(file.first(28))));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (!size) return 0;
  const auto rest = std::as_bytes(std::span(data + 1, size - 1));
  std::vector<std::byte> bytes(rest.begin(), rest.end());
  repair(bytes, data[0] & 1, data[0] & 2);
  uint64_t expected = data[0] >> 2;
  if (bytes.size() >= kPrefix && (data[0] & 4)) expected = load_little<uint64_t>(bytes.data() + 16);
  std::vector<std::byte> state(std::min(expected, kMostState), std::byte{0xA5});
  const std::vector<std::byte> before = state;
  const File file(bytes);
  std::vector<std::byte> header;
  if (!fuzz::accepts(Code::bad_state, [&] { header = load_state(file.path(), state); })) {
    require(state == before, "memory that is left alone");
    return 0;
  }
  require(bytes.size() == kPrefix + header.size() + state.size(), "all of the file");
  require(std::equal(header.begin(), header.end(), bytes.begin() + kPrefix), "the header of the file");
  require(std::equal(state.begin(), state.end(), bytes.end() - static_cast<std::ptrdiff_t>(state.size())),
          "the state of the file");
  return 0;
}
