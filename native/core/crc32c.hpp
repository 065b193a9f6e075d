// CRC-32C (Castagnoli, reflected, RFC 3720): finds accidental damage to files and to frames on plain TCP. It
// protects against nobody.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace cryptorch {

// Continues `crc`, the checksum of what came before; 0 at the start.
uint32_t crc32c(std::span<const std::byte> data, uint32_t crc = 0);

// The same without the processor's instruction for it.
uint32_t crc32c_portable(std::span<const std::byte> data, uint32_t crc = 0);

}  // namespace cryptorch
