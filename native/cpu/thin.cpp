#include "thin.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr uint64_t kDepth = 1024;  // of a block of the vectors
constexpr uint64_t kWidth = 512;   // of a block of results, where results are added up in memory

// Adds to the results of all vectors at columns j0 .. j0 + width - 1 what `streams` rows of the matrix give;
// each piece of a row is multiplied for every vector while it is in a register. `few` is packed, `step`
// elements per vector.
template <uint64_t vectors, uint64_t streams>
CT_INLINE void add_rows(const Thin& t, const uint64_t* few, uint64_t step, const uint64_t* row, uint64_t j0,
                        uint64_t width) {
  uint64_t* out = t.out + j0;
  uint64_t j = 0;
  for (; j + kPieceWords <= width; j += kPieceWords) {
    Piece r[streams];
    CT_UNROLL for (uint64_t s = 0; s < streams; ++s) r[s] = *(const Piece*)(row + s * t.depth_step + j);
    CT_UNROLL for (uint64_t v = 0; v < vectors; ++v) {
      Piece sum = *(const Piece*)(out + v * t.out_row + j);
      CT_UNROLL for (uint64_t s = 0; s < streams; ++s) sum += few[v * step + s] * r[s];
      *(Piece*)(out + v * t.out_row + j) = sum;
    }
  }
  for (; j < width; ++j) {
    for (uint64_t v = 0; v < vectors; ++v) {
      for (uint64_t s = 0; s < streams; ++s)
        out[v * t.out_row + j] += few[v * step + s] * row[s * t.depth_step + j];
    }
  }
}

// The matrix lies row by row.
template <uint64_t vectors>
void by_rows(const Thin& t, const uint64_t* few, uint64_t k0, uint64_t depth) {
  for (uint64_t j0 = 0; j0 < t.many; j0 += kWidth) {
    const uint64_t width = at_most(kWidth, t.many - j0);
    const uint64_t* row = t.matrix + k0 * t.depth_step + j0;
    uint64_t k = 0;
    for (; k + 4 <= depth; k += 4, row += 4 * t.depth_step)
      add_rows<vectors, 4>(t, few + k, depth, row, j0, width);
    for (; k < depth; ++k, row += t.depth_step) add_rows<vectors, 1>(t, few + k, depth, row, j0, width);
  }
}

// The matrix lies column by column: each result is the scalar product of a column and a vector. A few columns
// at a time, so that their sums fill the registers.
template <uint64_t vectors>
void by_columns(const Thin& t, const uint64_t* few, uint64_t k0, uint64_t depth) {
  constexpr uint64_t kColumns = vectors <= 4 ? 4 : 2;
  const uint64_t* column = t.matrix + k0;
  for (uint64_t j = 0; j < t.many; j += kColumns, column += kColumns * t.many_step) {
    const uint64_t here = at_most(kColumns, t.many - j);
    const uint64_t* c[kColumns];
    for (uint64_t i = 0; i < kColumns; ++i) c[i] = column + (i < here ? i : 0) * t.many_step;
    uint64_t sum[vectors][kColumns] = {};
    Piece wide[vectors][kColumns] = {};
    uint64_t k = 0;
    for (; k + kPieceWords <= depth; k += kPieceWords) {
      CT_UNROLL for (uint64_t v = 0; v < vectors; ++v) {
        const Piece x = *(const Piece*)(few + v * depth + k);
        CT_UNROLL for (uint64_t i = 0; i < kColumns; ++i) wide[v][i] += x * *(const Piece*)(c[i] + k);
      }
    }
    for (; k < depth; ++k) {
      for (uint64_t v = 0; v < vectors; ++v) {
        for (uint64_t i = 0; i < kColumns; ++i) sum[v][i] += few[v * depth + k] * c[i][k];
      }
    }
    for (uint64_t v = 0; v < vectors; ++v) {
      for (uint64_t i = 0; i < here; ++i) {
        uint64_t total = sum[v][i];
        CT_UNROLL for (uint32_t w = 0; w < kPieceWords; ++w) total += wide[v][i][w];
        t.out[v * t.out_row + (j + i) * t.out_step] += total;
      }
    }
  }
}

template <uint64_t vectors>
void block(const Thin& t, const uint64_t* few, uint64_t k0, uint64_t depth) {
  if (t.many_step == 1 && t.depth_step != 1) {
    by_rows<vectors>(t, few, k0, depth);
  } else {
    by_columns<vectors>(t, few, k0, depth);
  }
}

constexpr void (*kBlocks[])(const Thin&, const uint64_t*, uint64_t, uint64_t) = {
    block<1>, block<2>, block<3>, block<4>, block<5>, block<6>, block<7>, block<8>};
static_assert(sizeof(kBlocks) / sizeof(kBlocks[0]) == kMostVectors);

}  // namespace

size_t thin_scratch() { return kMostVectors * kDepth * sizeof(uint64_t); }

void thin_product(const Thin& t, void* scratch) {
  uint64_t* few = (uint64_t*)scratch;
  for (uint64_t k0 = 0; k0 < t.depth; k0 += kDepth) {
    const uint64_t depth = at_most(kDepth, t.depth - k0);
    for (uint64_t v = 0; v < t.vectors; ++v) {
      const uint64_t* from = t.few + v * t.few_row + k0 * t.few_depth;
      for (uint64_t k = 0; k < depth; ++k) few[v * depth + k] = t.scale * from[k * t.few_depth];
    }
    kBlocks[t.vectors - 1](t, few, k0, depth);
  }
}

}  // namespace cryptorch::CT_TARGET
