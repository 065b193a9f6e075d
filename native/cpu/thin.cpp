#include "thin.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr uint64_t kDepth = 1024;  // of a block of the vectors
constexpr uint64_t kWidth = 1024;  // of a block of results, where results are added up in memory
constexpr uint32_t kStreams = 4;   // rows of the matrix at a time

// The matrix lies row by row: each row, times an element of a vector, is added to that vector's results.
// `few` is packed, `depth` elements per vector.
void by_rows(const Thin& t, const uint64_t* few, uint64_t k0, uint64_t depth, uint64_t j0, uint64_t width) {
  for (uint64_t v = 0; v < t.vectors; ++v) {
    uint64_t* out = t.out + v * t.out_row + j0;
    const uint64_t* x = few + v * depth;
    const uint64_t* row = t.matrix + k0 * t.depth_step + j0;
    uint64_t k = 0;
    for (; k + kStreams <= depth; k += kStreams, row += kStreams * t.depth_step) {
      const uint64_t *r0 = row, *r1 = r0 + t.depth_step, *r2 = r1 + t.depth_step, *r3 = r2 + t.depth_step;
      const uint64_t x0 = x[k], x1 = x[k + 1], x2 = x[k + 2], x3 = x[k + 3];
      CT_ELEMENTWISE
      for (uint64_t j = 0; j < width; ++j) out[j] += x0 * r0[j] + x1 * r1[j] + x2 * r2[j] + x3 * r3[j];
    }
    for (; k < depth; ++k, row += t.depth_step) {
      const uint64_t factor = x[k];
      CT_ELEMENTWISE
      for (uint64_t j = 0; j < width; ++j) out[j] += factor * row[j];
    }
  }
}

// The matrix lies column by column: each result is the scalar product of a column and a vector. Four columns
// at a time.
template <uint64_t vectors>
void by_columns(const Thin& t, const uint64_t* few, uint64_t k0, uint64_t depth) {
  const uint64_t* column = t.matrix + k0;
  for (uint64_t j = 0; j < t.many; j += 4, column += 4 * t.many_step) {
    const uint64_t here = at_most(4, t.many - j);
    const uint64_t* c[4];
    for (uint64_t i = 0; i < 4; ++i) c[i] = column + (i < here ? i : 0) * t.many_step;
    uint64_t sum[vectors][4] = {};
    Piece wide[vectors][4] = {};
    uint64_t k = 0;
    for (; k + kPieceWords <= depth; k += kPieceWords) {
      CT_UNROLL for (uint64_t v = 0; v < vectors; ++v) {
        const Piece x = *(const Piece*)(few + v * depth + k);
        CT_UNROLL for (uint64_t i = 0; i < 4; ++i) wide[v][i] += x * *(const Piece*)(c[i] + k);
      }
    }
    for (; k < depth; ++k) {
      for (uint64_t v = 0; v < vectors; ++v) {
        for (uint64_t i = 0; i < 4; ++i) sum[v][i] += few[v * depth + k] * c[i][k];
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
    if (t.many_step == 1 && t.depth_step != 1) {
      for (uint64_t j0 = 0; j0 < t.many; j0 += kWidth)
        by_rows(t, few, k0, depth, j0, at_most(kWidth, t.many - j0));
      continue;
    }
    switch (t.vectors) {
      case 1:
        by_columns<1>(t, few, k0, depth);
        break;
      case 2:
        by_columns<2>(t, few, k0, depth);
        break;
      case 3:
        by_columns<3>(t, few, k0, depth);
        break;
      default:
        by_columns<4>(t, few, k0, depth);
        break;
    }
  }
}

}  // namespace cryptorch::CT_TARGET
