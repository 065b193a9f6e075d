// Batched matrix products: out[b] = s * op(A[b]) op(B[b]) + c * C[b], where op transposes or not. A[b] starts
// sa elements after A[b - 1] (0: all are the same), likewise B. Attributes: batch, m, k, n, ta, tb, sa, sb,
// s, c.
#include "gemm.hpp"
#include "kernels.hpp"
#include "thin.hpp"
#include "transpose.hpp"

namespace cryptorch::CT_TARGET {
namespace {

struct Shape {
  uint64_t batch, m, k, n;
  bool ta, tb;
  uint64_t sa, sb;

  explicit Shape(const int64_t* attr)
      : batch((uint64_t)attr[0]),
        m((uint64_t)attr[1]),
        k((uint64_t)attr[2]),
        n((uint64_t)attr[3]),
        ta(attr[4] != 0),
        tb(attr[5] != 0),
        sa((uint64_t)attr[6]),
        sb((uint64_t)attr[7]) {}

  // Work is split by rows; by panels of columns where there are few rows.
  bool by_columns() const { return batch * m <= kMostVectors && n > 4 * kPanelColumns; }
};

const char* check(const Args& args) {
  CT_REQUIRE(args.ins == 2 || args.ins == 3, "wrong number of operands");
  CT_TRY(check_counts(args, args.ins, 1, 10));
  Size d[4] = {0, 0, 0, 0}, sa = Size::of(args.attr[6]), sb = Size::of(args.attr[7]);
  for (int i = 0; i < 4; ++i) {
    d[i] = Size::of(args.attr[i]);
    CT_REQUIRE(d[i].fits(kMostElements), "a matrix is too large");
  }
  CT_REQUIRE(sa.fits(kMostElements) && sb.fits(kMostElements), "a stride is out of range");
  CT_REQUIRE(args.attr[4] == 0 || args.attr[4] == 1, "a flag is neither 0 nor 1");
  CT_REQUIRE(args.attr[5] == 0 || args.attr[5] == 1, "a flag is neither 0 nor 1");
  const Size result = d[0] * d[1] * d[3];
  CT_TRY(check_memory(args.out[0], result));
  CT_REQUIRE((d[0] * d[1]).fits(kMostElements) && (d[1] * d[2]).fits(kMostElements) &&
                 (d[2] * d[3]).fits(kMostElements),
             "a matrix is too large");
  if (!result.value()) return nullptr;
  const Size last(d[0].value() - 1);
  if (d[2].value()) {
    CT_TRY(check_memory(args.in[0], last * sa + d[1] * d[2]));
    CT_TRY(check_memory(args.in[1], last * sb + d[2] * d[3]));
  }
  return args.ins == 3 ? check_memory(args.in[2], result) : nullptr;
}

uint64_t units(const Args& args, uint64_t* grain) {
  const Shape s(args.attr);
  *grain = 1;
  if (!(s.batch && s.m && s.n)) return 0;
  const uint64_t work = s.k + 1;
  if (s.by_columns()) {
    *grain = 1 + 65536 / (s.batch * s.m * kPanelColumns * work);
    return ceil_div(s.n, kPanelColumns);
  }
  *grain = kTileRows * (1 + 65536 / (s.n * work > 65536 ? 65536 : s.n * work) / kTileRows);
  return s.batch * s.m;
}

size_t scratch_bytes(const Args& args) {
  const Shape s(args.attr);
  const size_t bytes = gemm_scratch(s.m, s.k, s.n);
  return bytes > thin_scratch() ? bytes : thin_scratch();
}

struct Matrix {
  const uint64_t* data;
  uint64_t row, column;  // strides
};

// Columns of a row-major matrix that are copied at a time: so much of each row is read in one go, for the
// sake of the processor's prefetcher.
constexpr uint64_t kTogether = 8 * kPanelColumns;

void pack_b(const void* context, uint64_t k, uint64_t depth, uint64_t column, uint64_t count,
            uint64_t* panels) {
  const Matrix& b = *(const Matrix*)context;
  const uint64_t* from = b.data + k * b.row + column * b.column;
  const uint64_t panel = depth * kPanelColumns;
  const uint64_t full = count / kPanelColumns * kPanelColumns, rest = count - full;
  if (rest) __builtin_memset(panels + full * depth, 0, panel * sizeof(uint64_t));
  if (b.column != 1) {
    for (uint64_t j = 0; j < count; j += kPanelColumns, panels += panel) {
      copy_transposed(from + j * b.column, b.column, (uint32_t)at_most(kPanelColumns, count - j), depth,
                      panels, kPanelColumns);
    }
    return;
  }
  for (uint64_t j0 = 0; j0 < full; j0 += kTogether) {
    const uint64_t end = at_most(j0 + kTogether, full);
    for (uint64_t i = 0; i < depth; ++i) {
      const uint64_t* row = from + i * b.row;
      for (uint64_t j = j0; j < end; j += kPanelColumns) {
        uint64_t* to = panels + j * depth + i * kPanelColumns;
        CT_UNROLL for (uint32_t p = 0; p < kPanelColumns; ++p) to[p] = row[j + p];
      }
    }
  }
  for (uint64_t i = 0; i < depth && rest; ++i) {
    for (uint64_t j = 0; j < rest; ++j)
      panels[full * depth + i * kPanelColumns + j] = from[i * b.row + full + j];
  }
}

// Rows and columns of a product with few rows or few columns; false if it has many of both.
bool thin(const Gemm& g, const Matrix& b, uint64_t row, uint64_t rows, uint64_t column, uint64_t columns,
          void* memory) {
  const uint64_t* a = g.a + row * g.a_row;
  const uint64_t* right = b.data + column * b.column;
  uint64_t* out = g.out + row * g.out_row + column;
  Thin t;
  if (rows <= kMostVectors) {
    t = {rows, g.depth, columns, a, g.a_row, g.a_depth, right, b.row, b.column, out, g.out_row, 1, g.scale};
  } else if (columns <= kMostVectors && g.a_depth == 1) {
    t = {columns, g.depth, rows, right, b.column, b.row, a, 1, g.a_row, out, 1, g.out_row, g.scale};
  } else {
    return false;
  }
  for (uint64_t i = 0; i < rows; ++i) {
    const uint64_t at = (row + i) * g.out_row + column;
    for (uint64_t j = 0; j < columns; ++j) g.out[at + j] = g.c ? g.c_scale * g.c[at + j] : 0;
  }
  thin_product(t, memory);
  return true;
}

void run(const Args& args, void* memory) {
  const Shape s(args.attr);
  const bool add = args.ins == 3 && args.attr[9];
  const auto product = [&](uint64_t batch, uint64_t row, uint64_t rows, uint64_t column, uint64_t columns) {
    const uint64_t* a = (const uint64_t*)args.in[0].data + batch * s.sa;
    const Matrix b = {(const uint64_t*)args.in[1].data + batch * s.sb, s.tb ? 1 : s.n, s.tb ? s.k : 1};
    const uint64_t at = batch * s.m * s.n;
    const Gemm g = {s.m,
                    s.k,
                    s.n,
                    a,
                    s.ta ? 1 : s.k,
                    s.ta ? s.m : 1,
                    pack_b,
                    &b,
                    (uint64_t*)args.out[0].data + at,
                    add ? (const uint64_t*)args.in[2].data + at : nullptr,
                    s.n,
                    (uint64_t)args.attr[8],
                    add ? (uint64_t)args.attr[9] : 0};
    if (!thin(g, b, row, rows, column, columns, memory)) gemm(g, row, rows, column, columns, memory);
  };
  if (s.by_columns()) {
    const uint64_t column = args.first * kPanelColumns;
    const uint64_t columns = at_most(args.count * kPanelColumns, s.n - column);
    for (uint64_t batch = 0; batch < s.batch; ++batch) product(batch, 0, s.m, column, columns);
    return;
  }
  for (uint64_t at = args.first, end = args.first + args.count; at < end;) {
    const uint64_t batch = at / s.m, row = at % s.m, rows = at_most(s.m - row, end - at);
    product(batch, row, rows, 0, s.n);
    at += rows;
  }
}

}  // namespace

CT_KERNEL(matmul, check, units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
