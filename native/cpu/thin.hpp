// Products of a matrix with a few vectors (batch 1, or one output column): each element of the matrix is used
// a few times only, so it is read once, in the order in which it lies in memory, and never copied.
#pragma once
#include "target.hpp"

namespace cryptorch::CT_TARGET {

constexpr uint64_t kMostVectors = 8;

struct Thin {
  uint64_t vectors, depth, many;  // at most kMostVectors vectors of `depth` elements, `many` results for each
  const uint64_t* few;            // element (v, k) at few[v * few_row + k * few_depth]
  uint64_t few_row, few_depth;
  const uint64_t* matrix;  // element (k, j) at matrix[k * depth_step + j * many_step]; one of them is 1
  uint64_t depth_step, many_step;
  uint64_t* out;  // result (v, j) at out[v * out_row + j * out_step], added to what is there
  uint64_t out_row, out_step;
  uint64_t scale;
};

// out += scale * few * matrix. If many_step is 1, out_step must be 1. `scratch` has thin_scratch() bytes.
void thin_product(const Thin& t, void* scratch);
size_t thin_scratch();

}  // namespace cryptorch::CT_TARGET
