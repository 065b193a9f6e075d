// The AES S-box on eight bytes at a time, computed rather than looked up: the inverse in GF(2^8) as x^254,
// then the affine map. No memory access and no branch depends on the data.
#pragma once
#include <cstdint>

namespace cryptorch {

// Products of the bytes of `a` and `b` in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
static inline uint64_t gf_multiply8(uint64_t a, uint64_t b) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  uint64_t product = 0;
  for (int bit = 0; bit < 8; ++bit) {
    product ^= a & (((b >> bit) & kOnes) * 0xFF);
    const uint64_t carry = (a >> 7) & kOnes;
    a = ((a & ~(kOnes << 7)) << 1) ^ (carry * 0x1B);
  }
  return product;
}

static inline uint64_t aes_sbox8(uint64_t x) {
  const uint64_t x2 = gf_multiply8(x, x);
  const uint64_t x3 = gf_multiply8(x2, x);
  const uint64_t x6 = gf_multiply8(x3, x3);
  const uint64_t x12 = gf_multiply8(x6, x6);
  const uint64_t x14 = gf_multiply8(x12, x2);
  const uint64_t x15 = gf_multiply8(x12, x3);
  uint64_t power = x15;
  for (int i = 0; i < 4; ++i) power = gf_multiply8(power, power);  // x^240
  const uint64_t inverse = gf_multiply8(power, x14);               // x^254
  uint64_t out = inverse;
  uint64_t turned = inverse;
  for (int i = 0; i < 4; ++i) {  // the affine map: the byte and its rotations by 1 to 4
    turned = ((turned << 1) & 0xFEFEFEFEFEFEFEFE) | ((turned >> 7) & 0x0101010101010101);
    out ^= turned;
  }
  return out ^ 0x6363636363636363;
}

}  // namespace cryptorch
