// Windows of images [P, H, W], for pooling; tap (i, j) of window (oh, ow) is (oh sh - pt + i dh, ow sw - pl +
// j dw).
//   windows:  [kh kw, P, OH, OW], tap by tap; a tap outside of the image repeats the first one of its window
//   inside pool_sum: [P, OH, OW], the sum of the taps inside of the image
// Attributes: P, H, W, kh, kw, sh, sw, dh, dw, pt, pl, OH, OW. Units are rows of the result.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr int64_t kMostSize = int64_t{1} << 36;
constexpr int64_t kMostSide = int64_t{1} << 24;

struct Shape {
  int64_t p, h, w, kh, kw, sh, sw, dh, dw, pt, pl, oh, ow;

  explicit Shape(const int64_t* a)
      : p(a[0]),
        h(a[1]),
        w(a[2]),
        kh(a[3]),
        kw(a[4]),
        sh(a[5]),
        sw(a[6]),
        dh(a[7]),
        dw(a[8]),
        pt(a[9]),
        pl(a[10]),
        oh(a[11]),
        ow(a[12]) {}
};

// The first tap of a window that is inside, along one axis of `size`; `taps` if none is.
CT_INLINE int64_t first_tap(int64_t start, int64_t taps, int64_t dilation, int64_t size) {
  const int64_t tap = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  return tap < taps && start + tap * dilation < size ? tap : taps;
}

const char* check_shape(const Args& args, bool windows) {
  CT_TRY(check_counts(args, 1, 1, 13));
  CT_REQUIRE(args.attr[0] >= 0 && args.attr[0] <= kMostSize, "a size is out of range");
  for (int i = 1; i < 13; ++i)
    CT_REQUIRE(args.attr[i] >= 0 && args.attr[i] <= kMostSide, "a size is out of range");
  const Shape s(args.attr);
  CT_REQUIRE(s.sh >= 1 && s.sw >= 1 && s.dh >= 1 && s.dw >= 1, "a stride or dilation is 0");
  Size result = Size::of(s.p) * Size::of(s.oh) * Size::of(s.ow);
  if (windows) result = result * Size::of(s.kh) * Size::of(s.kw);
  CT_TRY(check_memory(args.out[0], result));
  if (!result.value()) return nullptr;
  CT_TRY(check_memory(args.in[0], Size::of(s.p) * Size::of(s.h) * Size::of(s.w)));
  if (!windows) return nullptr;
  for (int64_t oh = 0; oh < s.oh; ++oh) {
    CT_REQUIRE(first_tap(oh * s.sh - s.pt, s.kh, s.dh, s.h) < s.kh, "a window is outside of the image");
  }
  for (int64_t ow = 0; ow < s.ow; ++ow) {
    CT_REQUIRE(first_tap(ow * s.sw - s.pl, s.kw, s.dw, s.w) < s.kw, "a window is outside of the image");
  }
  return nullptr;
}

const char* check_windows(const Args& args) { return check_shape(args, true); }
const char* check_pool_sum(const Args& args) { return check_shape(args, false); }

size_t scratch_bytes(const Args&) { return 0; }

uint64_t units_windows(const Args& args, uint64_t* grain) {
  const Shape s(args.attr);
  *grain = 1 + 16384 / (uint64_t)(s.ow + 1);
  return s.ow ? (uint64_t)(s.kh * s.kw * s.p * s.oh) : 0;
}

uint64_t units_pool_sum(const Args& args, uint64_t* grain) {
  const Shape s(args.attr);
  *grain = 1 + 16384 / ((uint64_t)(s.ow + 1) * at_most((uint64_t)(s.kh * s.kw) + 1, 65536));
  return s.ow ? (uint64_t)(s.p * s.oh) : 0;
}

void run_windows(const Args& args, void*) {
  const Shape s(args.attr);
  const uint64_t* in = (const uint64_t*)args.in[0].data;
  for (uint64_t unit = args.first, end = args.first + args.count; unit < end; ++unit) {
    const int64_t oh = (int64_t)unit % s.oh, p = (int64_t)unit / s.oh % s.p, tap = (int64_t)unit / s.oh / s.p;
    const int64_t i = tap / s.kw, j = tap % s.kw, top = oh * s.sh - s.pt;
    const int64_t first_row = top + first_tap(top, s.kh, s.dh, s.h) * s.dh, row = top + i * s.dh;
    const bool row_inside = row >= 0 && row < s.h;
    const uint64_t* image = in + p * s.h * s.w;
    uint64_t* out = (uint64_t*)args.out[0].data + (int64_t)unit * s.ow;
    int64_t left = -s.pl;
    for (int64_t ow = 0; ow < s.ow; ++ow, left += s.sw) {
      const int64_t column = left + j * s.dw;
      const bool inside = row_inside && column >= 0 && column < s.w;
      out[ow] = inside ? image[row * s.w + column]
                       : image[first_row * s.w + left + first_tap(left, s.kw, s.dw, s.w) * s.dw];
    }
  }
}

void run_pool_sum(const Args& args, void*) {
  const Shape s(args.attr);
  const uint64_t* in = (const uint64_t*)args.in[0].data;
  for (uint64_t unit = args.first, end = args.first + args.count; unit < end; ++unit) {
    const int64_t oh = (int64_t)unit % s.oh, p = (int64_t)unit / s.oh, top = oh * s.sh - s.pt;
    const uint64_t* image = in + p * s.h * s.w;
    uint64_t* out = (uint64_t*)args.out[0].data + (int64_t)unit * s.ow;
    for (int64_t ow = 0; ow < s.ow; ++ow) out[ow] = 0;
    for (int64_t i = first_tap(top, s.kh, s.dh, s.h); i < s.kh && top + i * s.dh < s.h; ++i) {
      const uint64_t* row = image + (top + i * s.dh) * s.w;
      int64_t left = -s.pl;
      for (int64_t ow = 0; ow < s.ow; ++ow, left += s.sw) {
        uint64_t sum = 0;
        for (int64_t j = first_tap(left, s.kw, s.dw, s.w); j < s.kw && left + j * s.dw < s.w; ++j)
          sum += row[left + j * s.dw];
        out[ow] += sum;
      }
    }
  }
}

}  // namespace

CT_KERNEL(windows, check_windows, units_windows, scratch_bytes, run_windows)
CT_KERNEL(pool_sum, check_pool_sum, units_pool_sum, scratch_bytes, run_pool_sum)

}  // namespace cryptorch::CT_TARGET
