// CRC-32C against the published value, its own definition bit by bit, and any way of cutting the data.
#include "../core/crc32c.hpp"

#include <cstring>
#include <vector>

#include "harness.hpp"

namespace cryptorch {
namespace {

uint32_t by_definition(std::span<const std::byte> data) {
  uint32_t crc = ~0u;
  for (const std::byte byte : data) {
    crc ^= static_cast<uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
  }
  return ~crc;
}

}  // namespace

TEST("crc32c is that of RFC 3720") {
  const char text[] = "123456789";
  CHECK(crc32c(std::as_bytes(std::span(text, 9))) == 0xE3069283);
  CHECK(crc32c({}) == 0);
  const std::vector<std::byte> zeros(32);
  CHECK(crc32c(zeros) == 0x8A9136AA);
}

TEST("crc32c can be continued at any place, and agrees with its definition") {
  std::vector<std::byte> data(300);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 131 + (i >> 3));
  for (size_t bytes = 0; bytes <= data.size(); bytes += 7) {
    const auto whole = std::span<const std::byte>(data).first(bytes);
    const uint32_t expected = by_definition(whole);
    CHECK(crc32c(whole) == expected);
    CHECK(crc32c_portable(whole) == expected);
    for (size_t cut = 0; cut <= bytes; cut += 11) {
      CHECK(crc32c(whole.subspan(cut), crc32c(whole.first(cut))) == expected);
    }
  }
}

}  // namespace cryptorch
