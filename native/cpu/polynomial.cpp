// A polynomial p of a value v that was opened under a mask, from shares of powers of the mask:
//   v = V - rho + w 2^z tau, with V = ((hat + offset mod 2^m) >> f) - (offset >> f), rho = r >> f, tau = bit
//   m - 1 of r, z = m - f, and w = 1 where hat + offset mod 2^m < 2^(m-1) (truncate.cpp) p(v) = sum_j (-1)^j
//   p_j(V) rho^j + w sum_j (-1)^j (p_j(V + 2^z) - p_j(V)) tau rho^j,  p_j the j-th derivative over j!
// The public p_j(V) are a Taylor shift by repeated synthetic division. The second sum is over multiples of
// 2^z, so that shares of tau rho^j are needed in z bits less. Where the ring of the result has no more than z
// bits they are left out; so are all masks where v = hat is public or a cleartext.
//
// Operands: hat; shares of rho, ..., rho^d, or none; shares of tau, tau rho, ..., tau rho^(d-1), or none.
// Attributes: f, offset, m, d, then the coefficients of p from the lowest.
#include "kernels.hpp"
#include "taylor.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check(const Args& args) {
  CT_REQUIRE(args.attrs >= 4, "wrong number of attributes");
  CT_REQUIRE(args.attr[3] >= 1 && args.attr[3] <= (int64_t)kMostDegree, "degree is not 1 to 8");
  const uint32_t degree = (uint32_t)args.attr[3];
  CT_REQUIRE(args.ins == 1 || args.ins == 1 + degree || args.ins == 1 + 2 * degree,
             "wrong number of operands");
  CT_TRY(check_counts(args, args.ins, 1, degree + 5));
  CT_REQUIRE(args.attr[2] >= 1 && args.attr[2] <= 64, "width of the opening is not 1 to 64");
  CT_REQUIRE(args.attr[0] >= 0 && args.attr[0] < args.attr[2], "shift reaches the width of the opening");
  CT_TRY(check_result(args.out[0]));
  for (uint32_t i = 0; i < args.ins; ++i) CT_TRY(check_ring(args.in[i], args.out[0].elements));
  return nullptr;
}

size_t scratch_bytes(const Args& args) {
  const uint64_t rows = 2 * ((uint64_t)args.attr[3] + 1) + 2;
  return kRingScratch + rows * kBlock * sizeof(uint64_t);
}

void run(const Args& args, void* memory) {
  const uint32_t f = (uint32_t)args.attr[0], m = (uint32_t)args.attr[2], degree = (uint32_t)args.attr[3];
  const uint64_t offset = (uint64_t)args.attr[1], base = offset >> f, mask = low_bits(m);
  const uint64_t step = uint64_t{2} << (m - f - 1);
  const int64_t* coefficients = args.attr + 4;
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* v = scratch.words(kBlock);
  uint64_t* wrapped = scratch.words(kBlock);
  uint64_t* rows = scratch.words((degree + 1) * kBlock);
  uint64_t* shifted = scratch.words((degree + 1) * kBlock);
  const Sink& out = args.out[0];
  const bool repairs = args.ins > 1 + degree;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const auto load = [&](uint32_t i, uint32_t width) {
      return load_ring(args.in[i], out.elements, first, count, width, buffer);
    };
    const uint64_t* hat = load(0, m);
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t h = (hat[i] + offset) & mask;
      v[i] = (h >> f) - base;
      wrapped[i] = (h >> (m - 1)) - 1;  // all ones or zero
    }
    taylor_shift(coefficients, degree, v, count, rows);
    if (repairs) {
      for (uint32_t i = 0; i < count; ++i) v[i] += step;
      taylor_difference(coefficients, degree, v, wrapped, count, rows, shifted);
    }
    // The lowest row becomes the sum: it is what stands there, at the lead.
    uint64_t* sum = rows;
    if (!args.lead) __builtin_memset(sum, 0, count * sizeof(uint64_t));
    const uint32_t powers = args.ins > 1 ? degree : 0;
    for (uint32_t j = 1; j <= powers; ++j)
      add_product(j % 2, rows + j * kBlock, load(j, out.bits), count, sum);
    if (repairs) {
      for (uint32_t j = 0; j < degree; ++j)
        add_product(j % 2, shifted + j * kBlock, load(1 + degree + j, out.bits), count, sum);
    }
    uint64_t* target = ring_target(out, first, sum);
    if (sum != target) __builtin_memcpy(target, sum, count * sizeof(uint64_t));
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(polynomial, check, element_units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
