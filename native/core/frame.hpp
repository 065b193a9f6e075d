// The header of a frame: 24 bytes, little-endian, in front of every payload.
//   payload bytes u64 | sequence u32 (per direction of a link) | exchange u32 | clock u32 | crc32c of the
//   payload or 0 u32
// The clock is Lamport's: rounds are the depth of the exchange graph, so they are counted, not estimated.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace cryptorch {

constexpr size_t kHeaderBytes = 24;
using HeaderBytes = std::array<std::byte, kHeaderBytes>;

struct FrameHeader {
  uint64_t bytes;
  uint32_t sequence;
  uint32_t exchange;
  uint32_t clock;
  uint32_t crc;
};

template <typename T>
void store_little(std::byte* to, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<std::byte>(value >> (8 * i));
}

template <typename T>
T load_little(const std::byte* from) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(static_cast<T>(from[i]) << (8 * i));
  return value;
}

inline HeaderBytes encode_header(const FrameHeader& header) {
  HeaderBytes out;
  store_little(out.data(), header.bytes);
  store_little(out.data() + 8, header.sequence);
  store_little(out.data() + 12, header.exchange);
  store_little(out.data() + 16, header.clock);
  store_little(out.data() + 20, header.crc);
  return out;
}

inline FrameHeader decode_header(const HeaderBytes& in) {
  return {load_little<uint64_t>(in.data()), load_little<uint32_t>(in.data() + 8),
          load_little<uint32_t>(in.data() + 12), load_little<uint32_t>(in.data() + 16),
          load_little<uint32_t>(in.data() + 20)};
}

}  // namespace cryptorch
