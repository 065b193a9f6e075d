// Matrix products over Z_2^64: out = s * A B + c * C, for blocks of rows of A and columns of B.
//
// B is copied into panels of kPanelColumns columns that stay in cache, A into panels of a few rows; a
// register tile then walks down both. Where the columns of B come from is the caller's business, so that a
// convolution packs its panels from the image. Sums mod 2^64 do not depend on their order: any split gives
// the same result.
#pragma once
#include "target.hpp"

namespace cryptorch::CT_TARGET {

#if defined(__AVX512F__)
constexpr uint32_t kTileRows = 12;
constexpr uint32_t kPanelColumns = 16;
#elif defined(__AVX2__)
constexpr uint32_t kTileRows = 2;
constexpr uint32_t kPanelColumns = 8;
#else
constexpr uint32_t kTileRows = 2;
constexpr uint32_t kPanelColumns = 4;
#endif

struct Gemm {
  uint64_t rows, depth, columns;  // of the whole product
  const uint64_t* a;              // element (i, k) at a[i * a_row + k * a_depth]
  uint64_t a_row, a_depth;
  // Copies rows k .. k + depth - 1 of columns column .. column + count - 1 of B to panels of kPanelColumns
  // columns, one after the other: element (k', j') of a panel at k' * kPanelColumns + j', zeros where the
  // last one ends.
  void (*pack_b)(const void* context, uint64_t k, uint64_t depth, uint64_t column, uint64_t count,
                 uint64_t* panels);
  const void* context;
  uint64_t* out;      // element (i, j) at out[i * out_row + j]
  const uint64_t* c;  // like out, or null
  uint64_t out_row;
  uint64_t scale, c_scale;
};

// Scratch bytes for a product of this size.
size_t gemm_scratch(uint64_t rows, uint64_t depth, uint64_t columns);

// Rows row .. row + rows - 1 and columns column .. column + columns - 1 of the result.
void gemm(const Gemm& g, uint64_t row, uint64_t rows, uint64_t column, uint64_t columns, void* scratch);

}  // namespace cryptorch::CT_TARGET
