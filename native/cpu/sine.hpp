// The sine of a whole number of parts of a turn, in integers alone, so that every instruction set, and every
// machine, gets the same bits.
//
// An angle is a word: 2^64 are a turn, so that multiples of angles are taken modulo a turn by themselves.
// Its 32 leading bits count. With y the distance from the nearest half turn, 2^30 a quarter,
//   sin = +- y (c1 - y^2 (c3 - y^2 (c5 - y^2 (c7 - y^2 c9))))
// in factors of 31 bits. The c are those of the odd polynomial of degree 9 with the least largest error on a
// quarter, 3.4e-9. With what is rounded down, and the bits of the angle that are dropped, the error stays
// below 2^-26 (native/test/kernel_test_fourier.cpp).
#pragma once
#include "target.hpp"

namespace cryptorch::CT_TARGET {

constexpr uint32_t kSineBits = 30;

// c1, ..., c9 with 30 fractional bits.
constexpr uint64_t kSinePolynomial[] = {1686629674, 693597876, 85564854, 5016767, 161942};

// Products of the low halves of words.
static CT_INLINE Piece product_of_halves(Piece a, Piece b) {
#if defined(__AVX512F__)
  return (Piece)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (Piece)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (Piece)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
#endif
}

// 2^bits sin(angle), rounded to an integer; bits from 1 to kSineBits.
static CT_INLINE Piece sine(Piece angle, uint32_t bits) {
  const uint64_t half = uint64_t{1} << 31;
  const Piece turn = angle >> 32, negative = Piece{} - (turn >> 31);
  const Piece place = turn & (half - 1), folded = Piece{} - (place >> 30);
  const Piece y = ((place ^ folded) - folded) + (folded & half);
  const Piece square = product_of_halves(y, y) >> 30;
  Piece sum = kSinePolynomial[4] - Piece{};
  CT_UNROLL for (uint32_t i = 4; i-- > 0;) sum = kSinePolynomial[i] - (product_of_halves(sum, square) >> 30);
  const Piece magnitude = (product_of_halves(sum, y) + ((uint64_t{1} << 59) >> bits)) >> (60 - bits);
  return (magnitude ^ negative) - negative;
}

}  // namespace cryptorch::CT_TARGET
