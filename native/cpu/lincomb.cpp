// Linear combinations with public coefficients: out = lead * constant + sum of c_i x_i. This one kernel adds,
// subtracts, negates, shifts left, expands shares, writes masked values into a frame, combines the frames of
// all parties, and makes the dealer's corrections. Attributes: constant, c_1, ..., c_k.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr uint32_t kMostTerms = 16;

const char* check(const Args& args) {
  CT_REQUIRE(args.ins <= kMostTerms, "too many terms");
  CT_TRY(check_counts(args, args.ins, 1, args.ins + 1));
  CT_TRY(check_result(args.out[0]));
  for (uint32_t i = 0; i < args.ins; ++i) CT_TRY(check_ring(args.in[i], args.out[0].elements));
  return nullptr;
}

CT_INLINE void first_term(uint64_t constant, uint64_t c, const uint64_t* x, uint32_t count, uint64_t* out) {
  if (c == 1) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) out[i] = constant + x[i];
  } else if (c == ~uint64_t{0}) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) out[i] = constant - x[i];
  } else {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) out[i] = constant + c * x[i];
  }
}

CT_INLINE void more_terms(uint64_t c, const uint64_t* x, uint32_t count, uint64_t* out) {
  if (c == 1) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) out[i] += x[i];
  } else if (c == ~uint64_t{0}) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) out[i] -= x[i];
  } else {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) out[i] += c * x[i];
  }
}

void run(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* sums = scratch.ring();
  const Sink& out = args.out[0];
  const uint64_t constant = args.lead ? (uint64_t)args.attr[0] : 0;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    uint64_t* target = ring_target(out, first, sums);
    // The result may lie where one of the operands does: nothing is written there before all of them are
    // read.
    uint64_t* sum = args.ins > 1 ? sums : target;
    for (uint32_t i = 0; i < args.ins; ++i) {
      const uint64_t* x = load_ring(args.in[i], out.elements, first, count, out.bits, buffer);
      if (i) {
        more_terms((uint64_t)args.attr[i + 1], x, count, sum);
      } else {
        first_term(constant, (uint64_t)args.attr[1], x, count, sum);
      }
    }
    if (!args.ins) {
      CT_ELEMENTWISE
      for (uint32_t i = 0; i < count; ++i) sum[i] = constant;
    }
    if (sum != target) __builtin_memcpy(target, sum, count * sizeof(uint64_t));
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(lincomb, check, element_units, ring_scratch<1>, run)

}  // namespace cryptorch::CT_TARGET
