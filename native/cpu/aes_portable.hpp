// AES-128 of one block in portable code, for processors without AES instructions. Runs in constant time.
#pragma once
#include <cstdint>

#include "../core/aes_sbox.hpp"
#include "../core/prg.hpp"

namespace cryptorch {

static inline uint64_t aes_bytes(const uint8_t* bytes) {
  uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word |= uint64_t{bytes[i]} << (8 * i);
  return word;
}

// The state is a column after the other, 4 bytes each, in two little-endian words, like the block itself.
static inline void aes_portable(const Key& key, uint64_t state[2]) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  state[0] ^= aes_bytes(key.round_keys);
  state[1] ^= aes_bytes(key.round_keys + 8);
  for (int round = 1; round <= 10; ++round) {
    const uint64_t s[2] = {aes_sbox8(state[0]), aes_sbox8(state[1])};
    uint64_t t[2] = {0, 0};
    for (int i = 0; i < 16; ++i) {  // shift rows: byte i comes from the column `row` further
      const int from = (i + 4 * (i % 4)) % 16;
      t[i / 8] |= ((s[from / 8] >> (8 * (from % 8))) & 0xFF) << (8 * (i % 8));
    }
    for (int w = 0; w < 2; ++w) {
      if (round < 10) {  // mix columns: 2 a0 + 3 a1 + a2 + a3 in every rotation, columns of 32 bits
        const auto turn = [](uint64_t x, int bits) {
          const uint64_t low = 0xFFFFFFFF >> bits, mask = low | low << 32;
          return ((x >> bits) & mask) | ((x << (32 - bits)) & ~mask);
        };
        const uint64_t a = t[w], b = turn(a, 8);
        const uint64_t sum = a ^ b;
        const uint64_t twice = ((sum & ~(kOnes << 7)) << 1) ^ (((sum >> 7) & kOnes) * 0x1B);
        t[w] = twice ^ b ^ turn(a, 16) ^ turn(a, 24);
      }
      state[w] = t[w] ^ aes_bytes(key.round_keys + 16 * round + 8 * w);
    }
  }
}

}  // namespace cryptorch
