#include "prg.hpp"

#include "aes_sbox.hpp"

namespace cryptorch {

void expand_key(const uint8_t seed[16], Key* key) {
  uint8_t* w = key->round_keys;
  for (int i = 0; i < 16; ++i) w[i] = seed[i];
  uint8_t constant = 1;
  for (int at = 16; at < 176; at += 4) {
    uint8_t word[4] = {w[at - 4], w[at - 3], w[at - 2], w[at - 1]};
    if (at % 16 == 0) {
      const uint64_t rotated =
          uint64_t{word[1]} | uint64_t{word[2]} << 8 | uint64_t{word[3]} << 16 | uint64_t{word[0]} << 24;
      const uint64_t substituted = aes_sbox8(rotated);
      for (int i = 0; i < 4; ++i) word[i] = static_cast<uint8_t>(substituted >> (8 * i));
      word[0] ^= constant;
      constant = static_cast<uint8_t>(constant << 1 ^ (constant >> 7) * 0x1B);
    }
    for (int i = 0; i < 4; ++i) w[at + i] = w[at + i - 16] ^ word[i];
  }
}

}  // namespace cryptorch
