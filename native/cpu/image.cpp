#include "image.hpp"

namespace cryptorch::CT_TARGET {
namespace {

// The pixels of a panel: where the first tap of each lies (perhaps outside of the image), and runs of pixels
// whose taps are `step` apart in memory. With stride 1 and an output as wide as the image, a run goes on over
// rows.
struct Pixels {
  int32_t row[kPanelColumns], column[kPanelColumns];
  int64_t offset[kPanelColumns];
  uint32_t runs, start[kPanelColumns + 1];

  Pixels(const Image& x, uint64_t first, uint32_t count) : runs(0) {
    int64_t oh = (int64_t)first / x.ow, ow = (int64_t)first % x.ow;
    for (uint32_t p = 0; p < count; ++p) {
      row[p] = (int32_t)(oh * x.sh - x.pt);
      column[p] = (int32_t)(ow * x.sw - x.pl);
      offset[p] = row[p] * x.w + column[p];
      if (!p || offset[p] != offset[p - 1] + x.sw) start[runs++] = p;
      if (++ow == x.ow) ow = 0, ++oh;
    }
    for (uint32_t p = count; p < kPanelColumns; ++p) row[p] = column[p] = -1, offset[p] = 0;
    start[runs] = count;
  }
};

#if defined(__AVX512F__)

// Lanes of `inside` of one run, for pixels 8 half .. 8 half + 7; `from` is where pixel 0 of the panel would
// be.
CT_INLINE __m512i load_run(__m512i old, const uint64_t* from, int64_t step, uint32_t half, __mmask8 inside) {
  if (step == 1) return _mm512_mask_loadu_epi64(old, inside, from + 8 * half);
  const uint32_t spread = _pdep_u32(inside, 0x5555);
  const __m512i low = _mm512_maskz_loadu_epi64((__mmask8)spread, from + 16 * half);
  const __m512i high = _mm512_maskz_loadu_epi64((__mmask8)(spread >> 8), from + 16 * half + 8);
  const __m512i even = _mm512_permutex2var_epi64(low, _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), high);
  return _mm512_mask_mov_epi64(old, inside, even);
}

struct Taps {
  __m512i row, column;
  __m512i height, width;

  Taps(const Image& x, const Pixels& pixels)
      : row(_mm512_loadu_si512(pixels.row)),
        column(_mm512_loadu_si512(pixels.column)),
        height(_mm512_set1_epi32((int32_t)x.h)),
        width(_mm512_set1_epi32((int32_t)x.w)) {}
  // Pixels whose tap `down`, `right` is inside of the image.
  CT_INLINE __mmask16 inside(int64_t down, int64_t right) const {
    const __mmask16 rows =
        _mm512_cmplt_epu32_mask(_mm512_add_epi32(row, _mm512_set1_epi32((int32_t)down)), height);
    return _mm512_mask_cmplt_epu32_mask(rows, _mm512_add_epi32(column, _mm512_set1_epi32((int32_t)right)),
                                        width);
  }
};

CT_INLINE void pack_tap(const Pixels& pixels, const Taps& taps, uint32_t valid, const uint64_t* image,
                        int64_t step, int64_t down, int64_t right, uint64_t* panel) {
  const uint32_t inside = taps.inside(down, right) & valid;
  __m512i x[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  if (step <= 2) {
    for (uint32_t r = 0; r < pixels.runs; ++r) {
      const uint32_t start = pixels.start[r];
      const uint32_t here = inside & ((1u << pixels.start[r + 1]) - (1u << start));
      const uint64_t* from = image + pixels.offset[start] - (int64_t)start * step;
      if (here & 0xFF) x[0] = load_run(x[0], from, step, 0, (__mmask8)here);
      if (here >> 8) x[1] = load_run(x[1], from, step, 1, (__mmask8)(here >> 8));
    }
  } else {
    for (uint32_t half = 0; half < 2; ++half) {
      const __m512i offset = _mm512_loadu_si512(pixels.offset + 8 * half);
      x[half] = _mm512_mask_i64gather_epi64(x[half], (__mmask8)(inside >> (8 * half)), offset, image, 8);
    }
  }
  _mm512_store_si512(panel, x[0]);
  _mm512_store_si512(panel + 8, x[1]);
}

#else

struct Taps {
  int32_t height, width;
  Taps(const Image& x, const Pixels&) : height((int32_t)x.h), width((int32_t)x.w) {}
};

CT_INLINE void pack_tap(const Pixels& pixels, const Taps& taps, uint32_t valid, const uint64_t* image,
                        int64_t, int64_t down, int64_t right, uint64_t* panel) {
  for (uint32_t p = 0; p < kPanelColumns; ++p) {
    const bool inside = (valid >> p & 1) &&
                        (uint32_t)(pixels.row[p] + (int32_t)down) < (uint32_t)taps.height &&
                        (uint32_t)(pixels.column[p] + (int32_t)right) < (uint32_t)taps.width;
    panel[p] = inside ? image[pixels.offset[p]] : 0;
  }
}

#endif

void pack_panel(const Image& x, uint64_t k, uint64_t depth, uint64_t column, uint32_t count,
                uint64_t* panel) {
  const Pixels pixels(x, column, count);
  const Taps taps(x, pixels);
  const uint32_t valid = (1u << count) - 1;
  int64_t j = (int64_t)k % x.kw, i = (int64_t)k / x.kw % x.kh;
  const uint64_t* channel = x.data + (int64_t)k / x.kw / x.kh * x.h * x.w;
  for (uint64_t row = 0; row < depth; ++row, panel += kPanelColumns) {
    const int64_t down = i * x.dh, right = j * x.dw;
    pack_tap(pixels, taps, valid, channel + down * x.w + right, x.sw, down, right, panel);
    if (++j < x.kw) continue;
    j = 0;
    if (++i < x.kh) continue;
    i = 0;
    channel += x.h * x.w;
  }
}

}  // namespace

void pack_image(const void* image, uint64_t k, uint64_t depth, uint64_t column, uint64_t count,
                uint64_t* panels) {
  if (!depth) return;
  for (uint64_t j = 0; j < count; j += kPanelColumns, panels += depth * kPanelColumns) {
    pack_panel(*(const Image*)image, k, depth, column + j, (uint32_t)at_most(kPanelColumns, count - j),
               panels);
  }
}

}  // namespace cryptorch::CT_TARGET
