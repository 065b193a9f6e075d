// Convolutions with one or two filters per group: row by row of the result, tap by tap, without packing
// anything.
#pragma once
#include "image.hpp"

namespace cryptorch::CT_TARGET {

// out[oh][ow] = scale * sum over channels and taps of kernel and image, plus c_scale * c, for `rows` rows
// from row `oh` on. `out` and `c` (or null) are the whole result of one filter.
void depthwise(const Image& x, int64_t channels, const uint64_t* kernel, uint64_t scale, const uint64_t* c,
               uint64_t c_scale, int64_t oh, int64_t rows, uint64_t* out);

}  // namespace cryptorch::CT_TARGET
