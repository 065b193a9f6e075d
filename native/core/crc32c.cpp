#include "crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace cryptorch {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

// Tables for eight bytes at a time: table[k][b] is the checksum of byte b followed by k zero bytes.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint32_t crc = tables[k - 1][byte];
      tables[k][byte] = crc >> 8 ^ tables[0][crc & 255];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

uint32_t update_byte(uint32_t crc, std::byte byte) {
  return crc >> 8 ^ kTables[0][(crc ^ static_cast<uint32_t>(byte)) & 255];
}

uint32_t by_tables(const std::byte* data, size_t bytes, uint32_t crc) {
  for (; bytes >= 8; bytes -= 8, data += 8) {
    uint32_t next = 0;
    for (size_t k = 0; k < 8; ++k) {
      const uint32_t own = k < 4 ? crc >> (8 * k) & 255 : 0;
      next ^= kTables[7 - k][(own ^ static_cast<uint32_t>(data[k])) & 255];
    }
    crc = next;
  }
  for (; bytes; --bytes, ++data) crc = update_byte(crc, *data);
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t by_instruction(const std::byte* data, size_t bytes, uint32_t crc) {
  uint64_t wide = crc;
  for (; bytes >= 8; bytes -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (; bytes; --bytes, ++data) crc = _mm_crc32_u8(crc, static_cast<uint8_t>(*data));
  return crc;
}
#endif

}  // namespace

uint32_t crc32c(std::span<const std::byte> data, uint32_t crc) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~by_instruction(data.data(), data.size(), ~crc);
#endif
  return crc32c_portable(data, crc);
}

uint32_t crc32c_portable(std::span<const std::byte> data, uint32_t crc) {
  return ~by_tables(data.data(), data.size(), ~crc);
}

}  // namespace cryptorch
