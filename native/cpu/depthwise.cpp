#include "depthwise.hpp"

namespace cryptorch::CT_TARGET {
namespace {

// The first output pixel >= 0 whose tap at `start` + pixel * stride is >= 0, or >= `size` for the end of the
// range.
CT_INLINE int64_t first_at(int64_t bound, int64_t start, int64_t stride, int64_t most) {
  const int64_t pixel = start >= bound ? 0 : (bound - start + stride - 1) / stride;
  return pixel < most ? pixel : most;
}

}  // namespace

void depthwise(const Image& x, int64_t channels, const uint64_t* kernel, uint64_t scale, const uint64_t* c,
               uint64_t c_scale, int64_t oh, int64_t rows, uint64_t* out) {
  for (int64_t end = oh + rows; oh < end; ++oh) {
    uint64_t* row = out + oh * x.ow;
    for (int64_t i = 0; i < x.ow; ++i) row[i] = c ? c_scale * c[oh * x.ow + i] : 0;
    for (int64_t channel = 0; channel < channels; ++channel) {
      for (int64_t i = 0; i < x.kh; ++i) {
        const int64_t down = oh * x.sh - x.pt + i * x.dh;
        if (down < 0 || down >= x.h) continue;
        for (int64_t j = 0; j < x.kw; ++j) {
          const int64_t start = j * x.dw - x.pl;
          const int64_t from = first_at(0, start, x.sw, x.ow), to = first_at(x.w, start, x.sw, x.ow);
          const uint64_t factor = scale * kernel[(channel * x.kh + i) * x.kw + j];
          const uint64_t* image = x.data + (channel * x.h + down) * x.w + start;
          if (x.sw == 1) {
            CT_ELEMENTWISE
            for (int64_t p = from; p < to; ++p) row[p] += factor * image[p];
          } else {
            CT_ELEMENTWISE
            for (int64_t p = from; p < to; ++p) row[p] += factor * image[p * x.sw];
          }
        }
      }
    }
  }
}

}  // namespace cryptorch::CT_TARGET
