// Columns of the matrix of windows of an image: column p holds, for the output pixel p = (oh, ow), the image
// at (oh sh - pt + i dh, ow sw - pl + j dw) of channel c in row (c kh + i) kw + j; zero outside of the image.
#pragma once
#include "gemm.hpp"

namespace cryptorch::CT_TARGET {

struct Image {
  const uint64_t* data;  // the first channel
  int64_t h, w, kh, kw, sh, sw, dh, dw, pt, pl, ow;
};

// Gemm::pack_b for an Image.
void pack_image(const void* image, uint64_t k, uint64_t depth, uint64_t column, uint64_t count,
                uint64_t* panels);

}  // namespace cryptorch::CT_TARGET
