#include "state_file.hpp"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "arena.hpp"
#include "crc32c.hpp"
#include "error.hpp"
#include "frame.hpp"

namespace cryptorch {
namespace {

constexpr uint64_t kMagic = 0x3154415453544343;  // "CCTSTAT1"
constexpr size_t kPrefix = 32;
constexpr uint64_t kMostHeader = 1 << 20;
constexpr size_t kBuffer = 1 << 20;

[[noreturn]] void fail(const char* what, const std::string& path, int error) {
  throw Error(Code::file, std::string(what) + " " + path + ": " + strerror(error), {{"path", path}});
}

[[noreturn]] void bad(const std::string& path, const char* what) {
  throw Error(Code::bad_state, path + " " + what, {{"path", path}});
}

class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0) : path_(path) {
    do {
      fd_ = open(path.c_str(), flags | O_CLOEXEC, mode);
    } while (fd_ < 0 && errno == EINTR);
    if (fd_ < 0) fail("cannot open", path, errno);
  }
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(std::span<const std::byte> data) {
    while (!data.empty()) {
      const ssize_t count = ::write(fd_, data.data(), std::min(data.size(), kBuffer));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail("cannot write", path_, count ? errno : EIO);
      data = data.subspan(static_cast<size_t>(count));
    }
  }

  // False at the end of the file.
  bool read(std::span<std::byte> data) {
    while (!data.empty()) {
      const ssize_t count = ::read(fd_, data.data(), std::min(data.size(), kBuffer));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("cannot read", path_, errno);
      if (!count) return false;
      data = data.subspan(static_cast<size_t>(count));
    }
    return true;
  }

  void sync() {
    if (fsync(fd_)) fail("cannot write", path_, errno);
  }
  void rewind_to(uint64_t offset) {
    if (lseek(fd_, static_cast<off_t>(offset), SEEK_SET) < 0) fail("cannot read", path_, errno);
  }
  uint64_t size() const {
    struct stat info;
    if (fstat(fd_, &info)) fail("cannot read", path_, errno);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const std::string path_;
  int fd_ = -1;
};

// Memory for shares on their way.
struct Buffer {
  std::vector<std::byte> data = std::vector<std::byte>(kBuffer);
  ~Buffer() { wipe(data.data(), data.size()); }
};

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash ? path.substr(0, slash) : "/";
}

std::string temporary_name(const std::string& path) {
  uint64_t random = 0;
  if (getentropy(&random, sizeof(random))) throw Error(Code::internal, "no randomness from the system");
  return path + ".tmp-" + std::to_string(getpid()) + "-" + std::to_string(random);
}

}  // namespace

void save_state(const std::string& path, std::span<const std::byte> header,
                std::span<const std::byte> state) {
  if (header.size() > kMostHeader) throw Error(Code::invalid_option, "the header of the state is too long");
  std::array<std::byte, kPrefix> prefix;
  store_little(prefix.data(), kMagic);
  store_little(prefix.data() + 8, uint64_t{header.size()});
  store_little(prefix.data() + 16, uint64_t{state.size()});
  store_little(prefix.data() + 24, crc32c(state));
  const uint32_t crc = crc32c(header, crc32c(std::span(prefix).first(28)));
  store_little(prefix.data() + 28, crc);

  const std::string temporary = temporary_name(path);
  try {
    File file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    file.write(prefix);
    file.write(header);
    file.write(state);
    file.sync();
    if (rename(temporary.c_str(), path.c_str())) fail("cannot replace", path, errno);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  File(folder_of(path), O_RDONLY | O_DIRECTORY).sync();
}

std::vector<std::byte> load_state(const std::string& path, std::span<std::byte> state) {
  File file(path, O_RDONLY);
  const uint64_t size = file.size();
  std::array<std::byte, kPrefix> prefix;
  if (size < kPrefix || !file.read(prefix)) bad(path, "is too short for a state");
  if (load_little<uint64_t>(prefix.data()) != kMagic) bad(path, "is not a state");
  const auto header_bytes = load_little<uint64_t>(prefix.data() + 8);
  const auto state_bytes = load_little<uint64_t>(prefix.data() + 16);
  if (header_bytes > kMostHeader || header_bytes > size - kPrefix ||
      state_bytes != size - kPrefix - header_bytes) {
    bad(path, "is damaged: its length is wrong");
  }
  std::vector<std::byte> header(header_bytes);
  if (!file.read(header)) bad(path, "is damaged: it is too short");
  if (crc32c(header, crc32c(std::span(prefix).first(28))) != load_little<uint32_t>(prefix.data() + 28)) {
    bad(path, "is damaged: the checksum of its header is wrong");
  }
  if (state_bytes != state.size()) bad(path, "belongs to another program: the size of its state differs");

  Buffer buffer;
  uint32_t crc = 0;
  for (uint64_t left = state_bytes; left;) {
    const auto part = std::span(buffer.data).first(std::min<uint64_t>(left, kBuffer));
    if (!file.read(part)) bad(path, "is damaged: it is too short");
    crc = crc32c(part, crc);
    left -= part.size();
  }
  if (crc != load_little<uint32_t>(prefix.data() + 24)) bad(path, "is damaged: its checksum is wrong");
  file.rewind_to(kPrefix + header_bytes);
  if (!file.read(state)) bad(path, "changed while it was read");
  return header;
}

}  // namespace cryptorch
