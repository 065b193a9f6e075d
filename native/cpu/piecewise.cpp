// A piecewise polynomial of a value v that was opened under a mask, by the signs G_i = [v < t_i] that last
// gates of comparisons give (last_gate.hpp):
//   p(v) = d_0(v) + sum over i >= 1 of (1 - G_i) d_i(v)
// where d_0 is the lowest piece and d_i the difference of two neighbours. With v = V - rho + w 2^z tau as in
// polynomial.cpp, (1 - G) d(v) is the sum over j of (-1)^j d_j(V) (rho^j - G rho^j) and of w (-1)^j (d_j(V +
// 2^z) - d_j(V)) (tau rho^j - G tau rho^j): the dealer shares the powers, and the products of wire masks with
// them (folding.hpp).
//
// Operands: hat; shares of rho, ..., rho^d; of tau, tau rho, ..., tau rho^(d-1), or none; then for every
// threshold, with e the degree of its difference: the opened wires; the products of their masks, plain, times
// rho, ..., rho^e; times tau,
// ..., tau rho^(e-1), or none.
// Attributes: f, offset, m, d, groups, thresholds; then of d_0, d_1, ...: its degree, and coefficients from
// the lowest.
#include "folding.hpp"
#include "kernels.hpp"
#include "taylor.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr uint32_t kMostThresholds = 8;
constexpr uint32_t kFirstPiece = 6;

const char* check(const Args& args) {
  CT_REQUIRE(args.attrs >= kFirstPiece, "wrong number of attributes");
  CT_REQUIRE(args.attr[2] >= 1 && args.attr[2] <= 64, "width of the opening is not 1 to 64");
  CT_REQUIRE(args.attr[0] >= 0 && args.attr[0] < args.attr[2], "shift reaches the width of the opening");
  CT_REQUIRE(args.attr[3] >= 0 && args.attr[3] <= (int64_t)kMostDegree, "degree is not 0 to 8");
  CT_TRY(check_last_gate(args.attr[4]));
  CT_REQUIRE(args.attr[5] >= 1 && args.attr[5] <= (int64_t)kMostThresholds, "thresholds are not 1 to 8");
  const uint32_t degree = (uint32_t)args.attr[3], thresholds = (uint32_t)args.attr[5];
  uint32_t attrs = kFirstPiece, powers = degree, fixed = 1;
  for (uint32_t i = 0; i <= thresholds; ++i) {
    CT_REQUIRE(attrs < args.attrs, "wrong number of attributes");
    CT_REQUIRE(args.attr[attrs] >= 0 && args.attr[attrs] <= args.attr[3], "a piece has a higher degree");
    const uint32_t own = (uint32_t)args.attr[attrs];
    attrs += own + 2;
    if (i) powers += own, fixed += 2;
  }
  const bool repairs = args.ins != fixed + powers;
  CT_TRY(check_counts(args, fixed + (repairs ? 2 * powers : powers), 1, attrs));
  CT_TRY(check_result(args.out[0]));
  const LastGate gate{(uint32_t)args.attr[4]};
  const uint64_t elements = args.out[0].elements;
  uint32_t at = 0;
  while (at <= (repairs ? 2 * degree : degree)) CT_TRY(check_ring(args.in[at++], elements));
  attrs = kFirstPiece + 2 + (uint32_t)args.attr[kFirstPiece];
  for (uint32_t i = 0; i < thresholds; ++i) {
    const uint32_t own = (uint32_t)args.attr[attrs];
    attrs += own + 2;
    CT_TRY(check_planes(args.in[at++], elements, gate.wires()));
    for (uint32_t j = 0; j <= (repairs ? 2 * own : own); ++j)
      CT_TRY(check_products(args.in[at++], elements, gate));
  }
  return nullptr;
}

size_t scratch_bytes(const Args& args) {
  const LastGate gate{(uint32_t)args.attr[4]};
  const uint64_t degree = (uint64_t)args.attr[3];
  const uint64_t words = (2 * degree + 3) * kRingBuffer + (2 * (degree + 1) + 5) * kBlock;
  return words * sizeof(uint64_t) + Folding::scratch_bytes(gate);
}

void run(const Args& args, void* memory) {
  const uint32_t f = (uint32_t)args.attr[0], m = (uint32_t)args.attr[2], degree = (uint32_t)args.attr[3];
  const LastGate gate{(uint32_t)args.attr[4]};
  const uint32_t thresholds = (uint32_t)args.attr[5];
  const uint64_t offset = (uint64_t)args.attr[1], base = offset >> f, mask = low_bits(m);
  const uint64_t step = uint64_t{2} << (m - f - 1);
  const Sink& out = args.out[0];
  // Bits of tau that the ring of the result sees.
  const uint32_t top_bits = out.bits > m - f ? out.bits - (m - f) : 1;
  uint32_t plain = 1 + degree;
  for (uint32_t i = 0, at = kFirstPiece; i <= thresholds; ++i) {
    if (i) plain += 2 + (uint32_t)args.attr[at];
    at += (uint32_t)args.attr[at] + 2;
  }
  const bool repairs = args.ins != plain;
  const uint32_t powers = repairs ? 2 * degree : degree;

  Scratch scratch(memory);
  // The spare half of each buffer is the next one, which is loaded later.
  uint64_t* buffers = scratch.words((2 * degree + 3) * kRingBuffer);
  uint64_t* v = scratch.words(kBlock);
  uint64_t* shifted_v = scratch.words(kBlock);
  uint64_t* wrapped = scratch.words(kBlock);
  uint64_t* one = scratch.words(kBlock);
  uint64_t* sum = scratch.words(kBlock);
  uint64_t* rows = scratch.words((degree + 1) * kBlock);
  uint64_t* shifted = scratch.words((degree + 1) * kBlock);
  Folding folding(gate, scratch);
  for (uint32_t i = 0; i < kBlock; ++i) one[i] = args.lead;

  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* hat = load_ring(args.in[0], out.elements, first, count, m, buffers);
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t h = (hat[i] + offset) & mask;
      v[i] = (h >> f) - base;
      shifted_v[i] = v[i] + step;
      wrapped[i] = (h >> (m - 1)) - 1;  // all ones or zero
    }
    // 1, rho, ..., rho^d, tau, ..., tau rho^(d-1).
    const uint64_t* power[2 * kMostDegree + 1] = {one};
    for (uint32_t j = 1; j <= powers; ++j)
      power[j] = load_ring(args.in[j], out.elements, first, count, j > degree ? top_bits : out.bits,
                           buffers + j * kRingBuffer);

    const int64_t* piece = args.attr + kFirstPiece;
    const auto shift_piece = [&](uint32_t own) {
      taylor_shift(piece + 1, own, v, count, rows);
      if (repairs) taylor_difference(piece + 1, own, shifted_v, wrapped, count, rows, shifted);
    };
    const auto own_powers = [&](uint32_t own, auto body) {
      for (uint32_t j = 0; j <= own; ++j) body(power[j], out.bits, j % 2 != 0, rows + j * kBlock);
      for (uint32_t j = 0; repairs && j < own; ++j)
        body(power[degree + 1 + j], top_bits, j % 2 != 0, shifted + j * kBlock);
    };
    __builtin_memset(sum, 0, count * sizeof(uint64_t));
    uint32_t own = (uint32_t)piece[0];
    shift_piece(own);
    own_powers(own, [&](const uint64_t* x, uint32_t, bool minus, const uint64_t* row) {
      add_product(minus, row, x, count, sum);
    });
    uint32_t at = 1 + powers;
    for (uint32_t t = 0; t < thresholds; ++t) {
      piece += own + 2;
      own = (uint32_t)piece[0];
      shift_piece(own);
      folding.open(args.in[at++], first / kBlock);
      own_powers(own, [&](const uint64_t* x, uint32_t width, bool minus, const uint64_t* row) {
        const uint64_t* negative = folding.apply(args.in[at++], x, width, first, count);
        if (minus) {
          CT_ELEMENTWISE
          for (uint32_t i = 0; i < count; ++i) sum[i] -= row[i] * (x[i] - negative[i]);
        } else {
          CT_ELEMENTWISE
          for (uint32_t i = 0; i < count; ++i) sum[i] += row[i] * (x[i] - negative[i]);
        }
      });
    }
    uint64_t* target = ring_target(out, first, sum);
    if (sum != target) __builtin_memcpy(target, sum, count * sizeof(uint64_t));
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(piecewise, check, element_units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
