// State on disk: whole or not at all, for its owner only, and no damage goes unnoticed.
#include "../core/state_file.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "harness.hpp"

namespace cryptorch {
namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/cryptorch-state-XXXXXX";
    if (!mkdtemp(name)) std::abort();
    path = name;
  }
  ~Folder() {
    for (const std::string& name : names()) unlink((path + "/" + name).c_str());
    rmdir(path.c_str());
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    DIR* folder = opendir(path.c_str());
    while (const dirent* entry = readdir(folder)) {
      if (entry->d_name[0] != '.') found.push_back(entry->d_name);
    }
    closedir(folder);
    return found;
  }
  std::string path;
};

std::vector<std::byte> bytes_of(size_t count, uint32_t seed) {
  std::vector<std::byte> out(count);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<std::byte>(seed * 31 + i * 7 + (i >> 8));
  return out;
}

std::vector<char> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write(const std::string& path, const std::vector<char>& data) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(data.data(), static_cast<std::streamsize>(data.size()));
}

}  // namespace

TEST("a state is loaded as it was saved, by its owner only") {
  const Folder folder;
  const std::string path = folder.path + "/state";
  for (const size_t size : {size_t{0}, size_t{1}, size_t{64}, size_t{3} << 20}) {
    const auto header = bytes_of(size % 100, 1), state = bytes_of(size, 2);
    save_state(path, header, state);
    std::vector<std::byte> loaded(size);
    CHECK(load_state(path, loaded) == header && loaded == state);
    struct stat info;
    CHECK(!stat(path.c_str(), &info) && (info.st_mode & 0777) == 0600);
    CHECK(folder.names().size() == 1);
  }
}

TEST("any damage is found, and leaves the state in memory alone") {
  const Folder folder;
  const std::string path = folder.path + "/state";
  const auto header = bytes_of(40, 1), state = bytes_of(200, 2);
  save_state(path, header, state);
  const std::vector<char> whole = read(path);
  const std::vector<std::byte> before(200, std::byte{9});
  const auto refused = [&] {
    std::vector<std::byte> memory = before;
    CHECK_ERROR(Code::bad_state, load_state(path, memory));
    CHECK(memory == before);
  };
  for (size_t i = 0; i < whole.size(); ++i) {
    auto damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1 << i % 8);
    write(path, damaged);
    refused();
    write(path, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i)});
    refused();
  }
  auto longer = whole;
  longer.push_back(0);
  write(path, longer);
  refused();
  write(path, whole);
  std::vector<std::byte> other(208);
  CHECK_ERROR(Code::bad_state, load_state(path, other));
}

TEST("a state that cannot be written leaves the old one") {
  const Folder folder;
  const std::string path = folder.path + "/state";
  CHECK_ERROR(Code::file, save_state(folder.path + "/none/state", {}, {}));
  std::vector<std::byte> memory(10);
  CHECK_ERROR(Code::file, load_state(path, memory));
  save_state(path, {}, bytes_of(10, 4));
  CHECK_ERROR(Code::invalid_option, save_state(path, bytes_of(2 << 20, 1), {}));
  CHECK_ERROR(Code::file, save_state(folder.path, {}, bytes_of(10, 5)));
  CHECK(load_state(path, memory).empty() && memory == bytes_of(10, 4));
  CHECK(folder.names().size() == 1);
}

}  // namespace cryptorch
