#include "bundle.hpp"

#include <algorithm>
#include <cstring>

namespace cryptorch {
namespace {

constexpr uint64_t kMagic = 0x31444E5542544343;  // "CCTBUND1"

class Writer {
 public:
  void word(uint64_t value) {
    bytes_.resize(bytes_.size() + 8);
    store_little(bytes_.data() + bytes_.size() - 8, value);
  }
  void raw(const void* data, size_t bytes) {
    const size_t start = bytes_.size();
    bytes_.resize(start + (bytes + 7) / 8 * 8);
    if (bytes) std::memcpy(bytes_.data() + start, data, bytes);
  }
  std::vector<std::byte> done() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

class BundleReader {
 public:
  explicit BundleReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[noreturn]] static void fail(const char* what) {
    throw Error(Code::bad_plan, std::string("malformed bundle: ") + what);
  }
  uint64_t word() {
    uint64_t value = 0;
    raw(&value, 8);
    return value;
  }
  // A count of things that take at least `bytes` bytes each.
  size_t count(size_t bytes) {
    const uint64_t value = word();
    if (value > bytes_.size() / bytes) fail("a count is larger than the file");
    return value;
  }
  void raw(void* to, size_t bytes) {
    const size_t padded = (bytes + 7) / 8 * 8;
    if (padded > bytes_.size()) fail("it ends early");
    if (bytes) std::memcpy(to, bytes_.data(), bytes);
    bytes_ = bytes_.subspan(padded);
  }
  bool done() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
};

LocalRole decode_role(BundleReader& reader) {
  LocalRole role;
  role.plan.resize(reader.count(8));
  for (int64_t& word : role.plan) word = static_cast<int64_t>(reader.word());
  role.keys.resize(reader.count(16));
  for (Seed& seed : role.keys) reader.raw(seed.data(), seed.size());
  role.inputs.resize(reader.count(16));
  for (LocalInput& input : role.inputs) {
    const uint64_t type = reader.word();
    if (type > 4) BundleReader::fail("unknown type of an input");
    input.type = static_cast<Element>(type);
    const size_t width = element_bytes(input.type);
    const size_t elements = reader.count(std::max<size_t>(width, 1));
    input.data.resize(elements * width);
    reader.raw(input.data.data(), input.data.size());
  }
  role.integers.resize(reader.count(8));
  for (uint32_t& io : role.integers) io = static_cast<uint32_t>(reader.word());
  return role;
}

}  // namespace

std::vector<std::byte> encode_bundle(const LocalConfig& config) {
  Writer out;
  out.word(kMagic);
  out.word(config.address.epoch);
  out.word(config.address.run);
  out.word(config.share_seed ? 1 : 0);
  out.raw((config.share_seed ? *config.share_seed : Seed{}).data(), sizeof(Seed));
  out.word(config.roles.size());
  for (const LocalRole& role : config.roles) {
    out.word(role.plan.size());
    for (const int64_t word : role.plan) out.word(static_cast<uint64_t>(word));
    out.word(role.keys.size());
    for (const Seed& seed : role.keys) out.raw(seed.data(), seed.size());
    out.word(role.inputs.size());
    for (const LocalInput& input : role.inputs) {
      const size_t width = element_bytes(input.type);
      out.word(static_cast<uint64_t>(input.type));
      out.word(width ? input.data.size() / width : 0);
      out.raw(input.data.data(), width ? input.data.size() : 0);
    }
    out.word(role.integers.size());
    for (const uint32_t io : role.integers) out.word(io);
  }
  return out.done();
}

LocalConfig decode_bundle(std::span<const std::byte> bytes) {
  BundleReader reader(bytes);
  if (reader.word() != kMagic) BundleReader::fail("it does not start with CCTBUND1");
  LocalConfig config;
  config.address.epoch = reader.word();
  const uint64_t run = reader.word();
  if (run > 0xFFFFFFFF) BundleReader::fail("run number out of range");
  config.address.run = static_cast<uint32_t>(run);
  const bool shared = reader.word() != 0;
  Seed seed;
  reader.raw(seed.data(), seed.size());
  if (shared) config.share_seed = seed;
  config.roles.resize(reader.count(32));
  for (LocalRole& role : config.roles) role = decode_role(reader);
  if (!reader.done()) BundleReader::fail("it goes on after its last role");
  return config;
}

}  // namespace cryptorch
