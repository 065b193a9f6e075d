// The register tile of a matrix product: acc = A B for `rows` rows of A, element (r, k) at a[r * a_row + k *
// a_depth], and kPanelColumns columns of a panel of B. In a packed panel of A the strides are 1 and `rows`,
// which the compiler knows.
#pragma once
#include "gemm.hpp"

namespace cryptorch::CT_TARGET {

#if defined(__AVX512F__)

template <int rows, bool packed>
void gemm_tile(uint64_t depth, const uint64_t* a, uint64_t a_row, uint64_t a_depth, const uint64_t* b,
               uint64_t* acc) {
  if (packed) a_row = 1, a_depth = rows;
  __m512i sum[rows][2];
  CT_UNROLL for (int r = 0; r < rows; ++r) sum[r][0] = sum[r][1] = _mm512_setzero_si512();
  for (uint64_t k = 0; k < depth; ++k) {
    const __m512i b0 = _mm512_load_si512(b), b1 = _mm512_load_si512(b + 8);
    CT_UNROLL for (int r = 0; r < rows; ++r) {
      const __m512i x = _mm512_set1_epi64((int64_t)a[(uint64_t)r * a_row]);
      sum[r][0] = _mm512_add_epi64(sum[r][0], _mm512_mullo_epi64(x, b0));
      sum[r][1] = _mm512_add_epi64(sum[r][1], _mm512_mullo_epi64(x, b1));
    }
    a += a_depth;
    b += kPanelColumns;
  }
  CT_UNROLL for (int r = 0; r < rows; ++r) {
    _mm512_store_si512(acc + r * kPanelColumns, sum[r][0]);
    _mm512_store_si512(acc + r * kPanelColumns + 8, sum[r][1]);
  }
}

#elif defined(__AVX2__)

// a b = a0 b0 + 2^32 (a0 b1 + a1 b0) for halves of 32 bits; the two sums are kept apart until the end. A
// multiplication reads the low half of a lane, so the high halves of A are broadcast from 4 bytes further.
template <int rows, bool packed>
void gemm_tile(uint64_t depth, const uint64_t* a, uint64_t a_row, uint64_t a_depth, const uint64_t* b,
               uint64_t* acc) {
  if (packed) a_row = 1, a_depth = rows;
  __m256i low[rows][2], cross[rows][2];
  CT_UNROLL for (int r = 0; r < rows; ++r) {
    CT_UNROLL for (int v = 0; v < 2; ++v) low[r][v] = cross[r][v] = _mm256_setzero_si256();
  }
  for (uint64_t k = 0; k < depth; ++k) {
    const __m256i b0[2] = {_mm256_load_si256((const __m256i*)b), _mm256_load_si256((const __m256i*)b + 1)};
    const __m256i b1[2] = {_mm256_srli_epi64(b0[0], 32), _mm256_srli_epi64(b0[1], 32)};
    CT_UNROLL for (int r = 0; r < rows; ++r) {
      const __m256i a0 = _mm256_set1_epi64x((int64_t)a[(uint64_t)r * a_row]), a1 = _mm256_srli_epi64(a0, 32);
      CT_UNROLL for (int v = 0; v < 2; ++v) {
        low[r][v] = _mm256_add_epi64(low[r][v], _mm256_mul_epu32(a0, b0[v]));
        cross[r][v] = _mm256_add_epi64(cross[r][v], _mm256_mul_epu32(a0, b1[v]));
        cross[r][v] = _mm256_add_epi64(cross[r][v], _mm256_mul_epu32(a1, b0[v]));
      }
    }
    a += a_depth;
    b += kPanelColumns;
  }
  CT_UNROLL for (int r = 0; r < rows; ++r) {
    CT_UNROLL for (int v = 0; v < 2; ++v) {
      const __m256i sum = _mm256_add_epi64(low[r][v], _mm256_slli_epi64(cross[r][v], 32));
      _mm256_store_si256((__m256i*)(acc + r * kPanelColumns) + v, sum);
    }
  }
}

#else

// Scalar multiplications: SSE2 has no 64-bit one, and three 32-bit ones on two lanes are slower.
template <int rows, bool packed>
__attribute__((optimize("no-tree-vectorize"))) void gemm_tile(uint64_t depth, const uint64_t* a,
                                                              uint64_t a_row, uint64_t a_depth,
                                                              const uint64_t* b, uint64_t* acc) {
  if (packed) a_row = 1, a_depth = rows;
  uint64_t sum[rows][kPanelColumns] = {};
  for (uint64_t k = 0; k < depth; ++k) {
    CT_UNROLL for (int r = 0; r < rows; ++r) {
      CT_UNROLL for (uint32_t j = 0; j < kPanelColumns; ++j) sum[r][j] += a[(uint64_t)r * a_row] * b[j];
    }
    a += a_depth;
    b += kPanelColumns;
  }
  CT_UNROLL for (int r = 0; r < rows; ++r) {
    CT_UNROLL for (uint32_t j = 0; j < kPanelColumns; ++j) acc[r * (int)kPanelColumns + (int)j] = sum[r][j];
  }
}

#endif

}  // namespace cryptorch::CT_TARGET
