// Two-dimensional convolution with zero padding: out = s * conv(X, K) + c * C, X [N, C, H, W], K [O, C /
// groups, kh, kw], out and C [N, O, OH, OW]. For each image and group it is the product of K, (O / groups) x
// (C / groups kh kw), with the matrix whose columns are the windows (image.hpp), which are packed from the
// image as the product needs them. Attributes: N, C, H, W, O, kh, kw, sh, sw, dh, dw, pt, pl, OH, OW, groups,
// s, c.
#include "depthwise.hpp"
#include "image.hpp"
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr int64_t kMostSize = int64_t{1} << 24;
constexpr int64_t kMostReach = int64_t{1} << 30;  // of a window: coordinates fit 32 bits
constexpr uint64_t kUnitColumns = 192;            // a unit of work: so many pixels of
constexpr uint64_t kUnitRows = 96;                // so many channels

struct Shape {
  int64_t n, c, h, w, o, kh, kw, sh, sw, dh, dw, pt, pl, oh, ow, groups;

  explicit Shape(const int64_t* a)
      : n(a[0]),
        c(a[1]),
        h(a[2]),
        w(a[3]),
        o(a[4]),
        kh(a[5]),
        kw(a[6]),
        sh(a[7]),
        sw(a[8]),
        dh(a[9]),
        dw(a[10]),
        pt(a[11]),
        pl(a[12]),
        oh(a[13]),
        ow(a[14]),
        groups(a[15]) {}
  bool empty() const { return !(n && o && oh && ow); }
  uint64_t depth() const { return (uint64_t)(c / groups * kh * kw); }
  uint64_t rows() const { return (uint64_t)(o / groups); }
  uint64_t columns() const { return (uint64_t)(oh * ow); }
  // Too few filters for a product of matrices: units are rows of the result then.
  bool thin() const { return rows() <= 2; }
  uint64_t row_tiles() const { return ceil_div(rows(), kUnitRows); }
  uint64_t column_tiles() const { return ceil_div(columns(), kUnitColumns); }
};

const char* check(const Args& args) {
  CT_REQUIRE(args.ins == 2 || args.ins == 3, "wrong number of operands");
  CT_TRY(check_counts(args, args.ins, 1, 18));
  for (int i = 0; i < 16; ++i)
    CT_REQUIRE(args.attr[i] >= 0 && args.attr[i] <= kMostSize, "a size is out of range");
  const Shape s(args.attr);
  CT_REQUIRE(s.sh >= 1 && s.sw >= 1 && s.dh >= 1 && s.dw >= 1, "a stride or dilation is 0");
  CT_REQUIRE(s.oh * s.sh + s.kh * s.dh <= kMostReach && s.ow * s.sw + s.kw * s.dw <= kMostReach,
             "a window is too large");
  CT_REQUIRE(s.groups >= 1 && s.c % s.groups == 0 && s.o % s.groups == 0,
             "groups do not divide the channels");
  const Size result = Size::of(s.n) * Size::of(s.o) * Size::of(s.oh) * Size::of(s.ow);
  const Size image = Size::of(s.n) * Size::of(s.c) * Size::of(s.h) * Size::of(s.w);
  const Size kernel = Size::of(s.o) * Size::of(s.c / s.groups) * Size::of(s.kh) * Size::of(s.kw);
  CT_TRY(check_memory(args.out[0], result));
  if (!result.value()) return nullptr;
  CT_TRY(check_memory(args.in[0], image));
  CT_TRY(check_memory(args.in[1], kernel));
  return args.ins == 3 ? check_memory(args.in[2], result) : nullptr;
}

// Tiles in the order image, group, pixels, channels; or rows of the result in the order image, channel, row.
uint64_t units(const Args& args, uint64_t* grain) {
  const Shape s(args.attr);
  *grain = 1;
  if (s.empty()) return 0;
  if (s.thin()) {
    *grain = 1 + 65536 / ((uint64_t)s.ow * at_most(s.depth() + 1, 65536));
    return (uint64_t)(s.n * s.o * s.oh);
  }
  const uint64_t work =
      at_most(s.rows(), kUnitRows) * at_most(s.columns(), kUnitColumns) * at_most(s.depth() + 1, 65536);
  *grain = 1 + 65536 / work;
  return (uint64_t)(s.n * s.groups) * s.column_tiles() * s.row_tiles();
}

size_t scratch_bytes(const Args& args) {
  const Shape s(args.attr);
  return s.empty() || s.thin() ? 0 : gemm_scratch(s.rows(), s.depth(), s.columns());
}

Image image_of(const Args& args, const Shape& s, uint64_t n, uint64_t group) {
  const uint64_t channel = n * (uint64_t)s.c + group * (uint64_t)(s.c / s.groups);
  return {(const uint64_t*)args.in[0].data + channel * (uint64_t)(s.h * s.w),
          s.h,
          s.w,
          s.kh,
          s.kw,
          s.sh,
          s.sw,
          s.dh,
          s.dw,
          s.pt,
          s.pl,
          s.ow};
}

void run_thin(const Args& args, const Shape& s, bool add) {
  const uint64_t filters = (uint64_t)s.o, height = (uint64_t)s.oh;
  for (uint64_t at = args.first, end = args.first + args.count; at < end;) {
    const uint64_t n = at / height / filters, filter = at / height % filters, row = at % height;
    const uint64_t rows = at_most(height - row, end - at), result = (n * filters + filter) * s.columns();
    depthwise(image_of(args, s, n, filter / s.rows()), s.c / s.groups,
              (const uint64_t*)args.in[1].data + filter * s.depth(), (uint64_t)args.attr[16],
              add ? (const uint64_t*)args.in[2].data + result : nullptr, (uint64_t)args.attr[17],
              (int64_t)row, (int64_t)rows, (uint64_t*)args.out[0].data + result);
    at += rows;
  }
}

void run(const Args& args, void* memory) {
  const Shape s(args.attr);
  const bool add = args.ins == 3 && args.attr[17];
  if (s.thin()) return run_thin(args, s, add);
  const uint64_t rows = s.rows(), depth = s.depth(), columns = s.columns();
  const uint64_t row_tiles = s.row_tiles(), column_tiles = s.column_tiles(), groups = (uint64_t)s.groups;
  for (uint64_t at = args.first, end = args.first + args.count; at < end;) {
    const uint64_t image = at / row_tiles / column_tiles;  // and group
    const uint64_t column_tile = at / row_tiles % column_tiles, row_tile = at % row_tiles;
    // Either some tiles of channels of one tile of pixels, or all channels of several.
    uint64_t tall = row_tiles - row_tile, wide = 1;
    if (end - at < tall) {
      tall = end - at;
    } else if (!row_tile) {
      wide = at_most((end - at) / row_tiles, column_tiles - column_tile);
    }
    at += tall * wide;

    const uint64_t n = image / groups, group = image % groups;
    const Image x = image_of(args, s, n, group);
    const uint64_t result = (n * (uint64_t)s.o + group * rows) * columns;
    const Gemm g = {rows,
                    depth,
                    columns,
                    (const uint64_t*)args.in[1].data + group * rows * depth,
                    depth,
                    1,
                    pack_image,
                    &x,
                    (uint64_t*)args.out[0].data + result,
                    add ? (const uint64_t*)args.in[2].data + result : nullptr,
                    columns,
                    (uint64_t)args.attr[16],
                    add ? (uint64_t)args.attr[17] : 0};
    const uint64_t row = row_tile * kUnitRows, column = column_tile * kUnitColumns;
    gemm(g, row, at_most(tall * kUnitRows, rows - row), column,
         at_most(wide * kUnitColumns, columns - column), memory);
  }
}

}  // namespace

CT_KERNEL(conv2d, check, units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
