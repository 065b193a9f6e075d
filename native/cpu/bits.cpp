#include "bits.hpp"

#include "transpose.hpp"

namespace cryptorch::CT_TARGET {
namespace {

#if defined(__GFNI__) && defined(__AVX512VBMI__)

// Where the bytes (lane, byte) of a register go: to (byte, lane), and to (byte, 7 - lane).
alignas(64) const uint8_t kTurned[64] = {0, 8,  16, 24, 32, 40, 48, 56, 1, 9,  17, 25, 33, 41, 49, 57,
                                         2, 10, 18, 26, 34, 42, 50, 58, 3, 11, 19, 27, 35, 43, 51, 59,
                                         4, 12, 20, 28, 36, 44, 52, 60, 5, 13, 21, 29, 37, 45, 53, 61,
                                         6, 14, 22, 30, 38, 46, 54, 62, 7, 15, 23, 31, 39, 47, 55, 63};
alignas(64) const uint8_t kTurnedReversed[64] = {
    56, 48, 40, 32, 24, 16, 8,  0,  57, 49, 41, 33, 25, 17, 9,  1,  58, 50, 42, 34, 26, 18,
    10, 2,  59, 51, 43, 35, 27, 19, 11, 3,  60, 52, 44, 36, 28, 20, 12, 4,  61, 53, 45, 37,
    29, 21, 13, 5,  62, 54, 46, 38, 30, 22, 14, 6,  63, 55, 47, 39, 31, 23, 15, 7};

CT_INLINE __m512i turn_bytes(__m512i x) { return _mm512_permutexvar_epi8(_mm512_load_si512(kTurned), x); }

// Bit r of byte j of lane l to bit l of byte r of lane j. The affine map of the unit vectors by a matrix of 8
// x 8 bits reads its columns; the instruction counts its rows from the last byte on, hence the reversed
// order.
CT_INLINE __m512i turn_bits(__m512i x) {
  const __m512i matrices = _mm512_permutexvar_epi8(_mm512_load_si512(kTurnedReversed), x);
  return _mm512_gf2p8affine_epi64_epi8(_mm512_set1_epi64((int64_t)0x8040201008040201), matrices, 0);
}

#endif

}  // namespace

#if defined(__GFNI__) && defined(__AVX512VBMI__)

void bit_planes(const uint64_t* values, uint32_t width, Plane planes[64]) {
  // Element 64 g + 8 i + l, bit 8 j + r. Register (g, i) holds lanes l of bytes j of bits r; wanted: register
  // (j, r) with lanes g of bytes i of bits l.
  alignas(64) __m512i middle[8][8];  // (j, i): lanes g, bytes r, bits l
  for (int i = 0; i < 8; ++i) {
    __m512i x[8];
    CT_UNROLL for (int g = 0; g < 8; ++g) { x[g] = turn_bits(_mm512_loadu_si512(values + 64 * g + 8 * i)); }
    __m512i y[8];
    transpose_words(x, y);
    CT_UNROLL for (int j = 0; j < 8; ++j) middle[j][i] = y[j];
  }
  for (uint32_t j = 0; 8 * j < width; ++j) {
    // For fixed j: 8 registers i of (lanes g, bytes r) to 8 registers r of (lanes g, bytes i).
    __m512i x[8], y[8];
    CT_UNROLL for (int i = 0; i < 8; ++i) x[i] = middle[j][i];
    transpose_words(x, y);                                          // register g, lanes i, bytes r
    CT_UNROLL for (int g = 0; g < 8; ++g) x[g] = turn_bytes(y[g]);  // register g, lanes r, bytes i
    transpose_words(x, y);                                          // register r, lanes g, bytes i
    CT_UNROLL for (int r = 0; r < 8; ++r) planes[8 * j + r].piece[0] = (Piece)y[r];
  }
}

#else

void bit_planes(const uint64_t* values, uint32_t, Plane planes[64]) {
  for (uint32_t k = 0; k < 64; ++k) {
    for (uint32_t g = 0; g < kPlaneWords; ++g) words_of(planes + k)[g] = values[64 * g + k];
  }
  // Eight transpositions of 64 x 64 bits side by side: swap ever smaller blocks off the diagonal.
  uint64_t mask = 0x00000000FFFFFFFF;
  for (uint32_t j = 32; j; j >>= 1, mask ^= mask << j) {
    for (uint32_t k = 0; k < 64; k = (k + j + 1) & ~j) {
      CT_UNROLL for (uint32_t i = 0; i < kPieces; ++i) {
        Piece &low = planes[k].piece[i], &high = planes[k + j].piece[i];
        const Piece t = ((low >> j) ^ high) & mask;
        low ^= t << j;
        high ^= t;
      }
    }
  }
}

#endif

void bit_masks(const Plane* plane, uint64_t* masks) {
  for (uint32_t w = 0; w < kPlaneWords; ++w) {
    const uint64_t word = words_of(plane)[w];
    for (uint32_t j = 0; j < 64; j += 8, masks += 8) {
#if defined(__AVX512F__)
      _mm512_storeu_si512(masks, _mm512_maskz_set1_epi64((__mmask8)(word >> j), -1));
#else
      for (uint32_t k = 0; k < 8; ++k) masks[k] = 0 - ((word >> (j + k)) & 1);
#endif
    }
  }
}

}  // namespace cryptorch::CT_TARGET
