// Data movement: out[outbase + i . outstrides] = in[inbase + i . instrides] for all i of each piece, one
// operand per piece; transposition, slicing, concatenation, repetition. With `fill` the result is lead *
// constant elsewhere. Attributes: fill, constant, pieces, per piece: rank, outbase, inbase, (dim, outstride,
// instride) per axis.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr int64_t kMostRank = 16;
constexpr int64_t kMostPieces = 1 << 16;

struct Axis {
  int64_t dim, out, in;
};

// The attributes of one piece.
struct Piece {
  int64_t rank, out, in;
  const Axis* axes;

  explicit Piece(const int64_t* attributes)
      : rank(attributes[0]), out(attributes[1]), in(attributes[2]), axes((const Axis*)(attributes + 3)) {}
  const int64_t* after() const { return (const int64_t*)(axes + rank); }
  uint64_t elements() const {
    uint64_t count = 1;
    for (int64_t a = 0; a < rank; ++a) count *= (uint64_t)axes[a].dim;
    return count;
  }
};

// Whether all indices base + sum of i * stride are inside of 0 .. elements - 1.
bool inside(const Piece& piece, int64_t base, int64_t Axis::*stride, uint64_t elements) {
  __int128 low = base, high = base;
  for (int64_t a = 0; a < piece.rank; ++a) {
    const __int128 reach = (__int128)(piece.axes[a].dim - 1) * (piece.axes[a].*stride);
    (reach < 0 ? low : high) += reach;
  }
  return low >= 0 && high < (__int128)elements;
}

const char* check(const Args& args) {
  CT_REQUIRE(args.attrs >= 3, "wrong number of attributes");
  CT_REQUIRE(args.attr[0] == 0 || args.attr[0] == 1, "a flag is neither 0 nor 1");
  CT_REQUIRE(args.attr[2] >= 0 && args.attr[2] <= kMostPieces, "wrong number of pieces");
  CT_TRY(check_counts(args, (uint32_t)args.attr[2], 1, args.attrs));
  const Sink& out = args.out[0];
  CT_TRY(check_memory(out, Size(out.elements)));
  uint64_t left = args.attrs - 3, total = 0;
  const int64_t* at = args.attr + 3;
  for (uint32_t p = 0; p < args.ins; ++p) {
    CT_REQUIRE(left >= 3 && at[0] >= 0 && at[0] <= kMostRank && left >= 3 + 3 * (uint64_t)at[0],
               "wrong rank of a piece");
    const Piece piece(at);
    Size size = 1;
    for (int64_t a = 0; a < piece.rank; ++a) size = size * Size::of(piece.axes[a].dim);
    CT_REQUIRE(size.fits(out.elements - total), "pieces are larger than the result");
    total += size.value();
    if (size.value()) {
      CT_REQUIRE(inside(piece, piece.out, &Axis::out, out.elements), "a piece reaches outside of the result");
      CT_REQUIRE(inside(piece, piece.in, &Axis::in, args.in[p].elements),
                 "a piece reaches outside of its operand");
      CT_TRY(check_memory(args.in[p], Size(args.in[p].elements)));
    }
    left -= 3 + 3 * (uint64_t)at[0];
    at = piece.after();
  }
  CT_REQUIRE(!left, "wrong number of attributes");
  return nullptr;
}

// Elements of all pieces, one after the other. Filling comes first, so it is not shared out.
uint64_t units(const Args& args, uint64_t* grain) {
  if (args.attr[0]) {
    *grain = 1;
    return args.out[0].elements ? 1 : 0;
  }
  *grain = 16384;
  uint64_t total = 0;
  const int64_t* at = args.attr + 3;
  for (uint32_t p = 0; p < args.ins; ++p) {
    const Piece piece(at);
    total += piece.elements();
    at = piece.after();
  }
  return total;
}

size_t scratch_bytes(const Args&) { return 0; }

// Elements first .. first + count - 1 of a piece, the last axis fastest.
void move(const Piece& piece, uint64_t first, uint64_t count, const uint64_t* in, uint64_t* out) {
  int64_t index[kMostRank], to = piece.out, from = piece.in;
  uint64_t rest = first;
  for (int64_t a = piece.rank - 1; a >= 0; --a) {
    index[a] = (int64_t)(rest % (uint64_t)piece.axes[a].dim);
    rest /= (uint64_t)piece.axes[a].dim;
    to += index[a] * piece.axes[a].out;
    from += index[a] * piece.axes[a].in;
  }
  if (!piece.rank) {
    out[to] = in[from];
    return;
  }
  const Axis& inner = piece.axes[piece.rank - 1];
  int64_t& place = index[piece.rank - 1];
  for (;;) {
    const int64_t now = (int64_t)at_most((uint64_t)(inner.dim - place), count);
    if (inner.out == 1 && inner.in == 1) {
      __builtin_memmove(out + to, in + from, (size_t)now * sizeof(uint64_t));
    } else {
      for (int64_t i = 0; i < now; ++i) out[to + i * inner.out] = in[from + i * inner.in];
    }
    count -= (uint64_t)now;
    if (!count) return;
    to -= place * inner.out;
    from -= place * inner.in;
    place = 0;
    for (int64_t a = piece.rank - 2; a >= 0; --a) {
      to += piece.axes[a].out;
      from += piece.axes[a].in;
      if (++index[a] < piece.axes[a].dim) break;
      to -= index[a] * piece.axes[a].out;
      from -= index[a] * piece.axes[a].in;
      index[a] = 0;
    }
  }
}

void run(const Args& args, void*) {
  uint64_t* out = (uint64_t*)args.out[0].data;
  const bool fill = args.attr[0] != 0;
  if (fill) {
    const uint64_t constant = args.lead ? (uint64_t)args.attr[1] : 0;
    for (uint64_t i = 0; i < args.out[0].elements; ++i) out[i] = constant;
  }
  const uint64_t first = fill ? 0 : args.first, end = fill ? ~uint64_t{0} : args.first + args.count;
  uint64_t start = 0;
  const int64_t* at = args.attr + 3;
  for (uint32_t p = 0; p < args.ins && start < end; ++p) {
    const Piece piece(at);
    const uint64_t size = piece.elements(), stop = start + size;
    const uint64_t from = first > start ? first : start, to = at_most(end, stop);
    if (from < to) move(piece, from - start, to - from, (const uint64_t*)args.in[p].data, out);
    start = stop;
    at = piece.after();
  }
}

}  // namespace

CT_KERNEL(copy, check, units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
