// Sums of products: out = sum of c_i a_i b_i + sum of d_j x_j, element by element. Attributes: pairs, c_1,
// ..., c_pairs, addends, d_1, ..., d_addends; operands: a_1, b_1, ..., then the addends.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr uint64_t kMostTerms = 64;

const char* check(const Args& args) {
  CT_REQUIRE(args.attrs >= 2, "wrong number of attributes");
  const Size pairs = Size::of(args.attr[0]);
  CT_REQUIRE(pairs.fits(kMostTerms) && pairs.value() + 2 <= args.attrs, "wrong number of pairs");
  const Size addends = Size::of(args.attr[pairs.value() + 1]);
  CT_REQUIRE(addends.fits(kMostTerms), "wrong number of addends");
  const uint64_t attrs = pairs.value() + addends.value() + 2, ins = 2 * pairs.value() + addends.value();
  CT_TRY(check_counts(args, (uint32_t)ins, 1, (uint32_t)attrs));
  CT_TRY(check_result(args.out[0]));
  for (uint32_t i = 0; i < args.ins; ++i) CT_TRY(check_ring(args.in[i], args.out[0].elements));
  return nullptr;
}

CT_INLINE void add_product(uint64_t c, const uint64_t* a, const uint64_t* b, uint32_t count, uint64_t* sum) {
  if (c == 1) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) sum[i] += a[i] * b[i];
  } else if (c == ~uint64_t{0}) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) sum[i] -= a[i] * b[i];
  } else {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) sum[i] += c * a[i] * b[i];
  }
}

CT_INLINE void add_term(uint64_t d, const uint64_t* x, uint32_t count, uint64_t* sum) {
  if (d == 1) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) sum[i] += x[i];
  } else if (d == ~uint64_t{0}) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) sum[i] -= x[i];
  } else {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) sum[i] += d * x[i];
  }
}

void run(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* left = scratch.ring();
  uint64_t* right = scratch.ring();
  uint64_t* sum = scratch.ring();
  const Sink& out = args.out[0];
  const uint32_t pairs = (uint32_t)args.attr[0];
  const int64_t* c = args.attr + 1;
  const int64_t* d = args.attr + pairs + 2;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const auto load = [&](uint32_t i, uint64_t* buffer) {
      return load_ring(args.in[i], out.elements, first, count, out.bits, buffer);
    };
    __builtin_memset(sum, 0, count * sizeof(uint64_t));
    for (uint32_t i = 0; i < pairs; ++i) {
      const uint64_t* a = load(2 * i, left);
      add_product((uint64_t)c[i], a, load(2 * i + 1, right), count, sum);
    }
    for (uint32_t i = 2 * pairs; i < args.ins; ++i)
      add_term((uint64_t)d[i - 2 * pairs], load(i, left), count, sum);
    uint64_t* target = ring_target(out, first, sum);
    if (sum != target) __builtin_memcpy(target, sum, count * sizeof(uint64_t));
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(mulsum, check, element_units, ring_scratch<2>, run)

}  // namespace cryptorch::CT_TARGET
