// Transpositions of words.
#pragma once
#include "target.hpp"

namespace cryptorch::CT_TARGET {

#if defined(__AVX512F__)

// Transposes 8 x 8 words.
static CT_INLINE void transpose_words(const __m512i* in, __m512i* out) {
  __m512i a[8], b[8];
  CT_UNROLL for (int i = 0; i < 4; ++i) {
    a[2 * i] = _mm512_unpacklo_epi64(in[2 * i], in[2 * i + 1]);
    a[2 * i + 1] = _mm512_unpackhi_epi64(in[2 * i], in[2 * i + 1]);
  }
  CT_UNROLL for (int i = 0; i < 2; ++i) {
    CT_UNROLL for (int j = 0; j < 2; ++j) {
      b[4 * i + j] = _mm512_shuffle_i64x2(a[4 * i + j], a[4 * i + 2 + j], 0x88);
      b[4 * i + 2 + j] = _mm512_shuffle_i64x2(a[4 * i + j], a[4 * i + 2 + j], 0xDD);
    }
  }
  // b[0]: columns 0 and 4 of rows 0..3, b[1]: 1 and 5, b[2]: 2 and 6, b[3]: 3 and 7; b[4..7] the same of
  // rows 4..7.
  CT_UNROLL for (int j = 0; j < 4; ++j) {
    out[j] = _mm512_shuffle_i64x2(b[j], b[4 + j], 0x88);
    out[4 + j] = _mm512_shuffle_i64x2(b[j], b[4 + j], 0xDD);
  }
}

// to[i * to_row + r] = from[r * from_row + i] for `rows` r (up to 16) and `count` i.
static inline void copy_transposed(const uint64_t* from, uint64_t from_row, uint32_t rows, uint64_t count,
                                   uint64_t* to, uint64_t to_row) {
  for (uint32_t r0 = 0; r0 < rows; r0 += 8) {
    const uint32_t tall = rows - r0 < 8 ? rows - r0 : 8;
    const __mmask8 lanes = (__mmask8)((1u << tall) - 1);
    const uint64_t* in = from + r0 * from_row;
    uint64_t* out = to + r0;
    for (uint64_t i = 0; i < count; i += 8, in += 8, out += 8 * to_row) {
      const uint32_t wide = count - i < 8 ? (uint32_t)(count - i) : 8;
      const __mmask8 mask = (__mmask8)((1u << wide) - 1);
      __m512i x[8], y[8];
      CT_UNROLL for (uint32_t r = 0; r < 8; ++r) {
        x[r] = _mm512_maskz_loadu_epi64(r < tall ? mask : 0, in + (r < tall ? r * from_row : 0));
      }
      transpose_words(x, y);
      CT_UNROLL for (uint32_t k = 0; k < 8; ++k) {
        if (k < wide) _mm512_mask_storeu_epi64(out + k * to_row, lanes, y[k]);
      }
    }
  }
}

#else

static inline void copy_transposed(const uint64_t* from, uint64_t from_row, uint32_t rows, uint64_t count,
                                   uint64_t* to, uint64_t to_row) {
  for (uint32_t r = 0; r < rows; ++r, from += from_row) {
    for (uint64_t i = 0; i < count; ++i) to[i * to_row + r] = from[i];
  }
}

#endif

}  // namespace cryptorch::CT_TARGET
