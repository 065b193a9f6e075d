// Packed values: `bits` bits per element, one little-endian bit stream. Blocks of 512 elements start at whole
// words.
#pragma once
#include "aes.hpp"

namespace cryptorch::CT_TARGET {

// Mixes elements start .. start + count - 1 of the stream into out; bits 1..63.
void unpack(const void* stream, uint32_t bits, uint64_t start, uint32_t count, Mix mix, uint64_t* out);

// Writes `count` values (reduced to `bits` bits) from the start of `stream` on, zeros up to the next whole
// word.
void pack(const uint64_t* values, uint32_t bits, uint32_t count, void* stream);

}  // namespace cryptorch::CT_TARGET
