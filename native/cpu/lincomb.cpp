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

// out = sum + c x.
CT_INLINE void next_term(const uint64_t* sum, uint64_t c, const uint64_t* x, uint32_t count, uint64_t* out) {
  if (c == 1) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) out[i] = sum[i] + x[i];
  } else if (c == ~uint64_t{0}) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) out[i] = sum[i] - x[i];
  } else {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) out[i] = sum[i] + c * x[i];
  }
}

// A whole block of such an operand can be put together where the result goes: nothing is written behind it.
CT_INLINE bool fits_result(const Source& s, uint64_t elements, uint32_t count) {
  return count == kBlock && s.bits == 64 && s.inner == 1 && s.mid >= elements;
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
    // read, so it is the last term that goes there.
    const uint64_t* sum = nullptr;
    for (uint32_t i = 0; i < args.ins; ++i) {
      const bool last = i + 1 == args.ins;
      const uint64_t c = (uint64_t)args.attr[i + 1];
      const bool as_it_is = !i && c == 1 && !constant;
      const bool direct = as_it_is && last && fits_result(args.in[0], out.elements, count);
      const uint64_t* x =
          load_ring(args.in[i], out.elements, first, count, out.bits, direct ? target : buffer);
      if ((direct && x == target) || (as_it_is && !last && x != buffer)) {
        sum = x;
        continue;
      }
      uint64_t* to = last ? target : sums;
      if (i) {
        next_term(sum, c, x, count, to);
      } else {
        first_term(constant, c, x, count, to);
      }
      sum = to;
    }
    if (!args.ins) {
      CT_ELEMENTWISE
      for (uint32_t i = 0; i < count; ++i) target[i] = constant;
    }
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(lincomb, check, element_units, ring_scratch<1>, run)

}  // namespace cryptorch::CT_TARGET
