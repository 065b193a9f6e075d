// Truncation of a value (truncate.cpp) by f bits and its product with the complement of a sign that the last
// gate of a comparison gives (last_gate.hpp): shares of
//   (1 - G) (t + c),   t = V - rf + [h < 2^(m-1)] top 2^(m-f),   V = (h >> f) - (offset >> f)
// from the opened wires of the gate, the opening hat of the value, shares of rf, of top, and of the products
// of wire masks, plain, times rf and times top (folding.hpp).
// Attributes: f, offset, m, groups, c.
#include "folding.hpp"
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check(const Args& args) {
  CT_TRY(check_counts(args, 7, 1, 5));
  CT_TRY(check_result(args.out[0]));
  CT_REQUIRE(args.attr[2] >= 1 && args.attr[2] <= 64, "width of the opening is not 1 to 64");
  CT_REQUIRE(args.attr[0] >= 0 && args.attr[0] < args.attr[2], "shift is not below the width of the opening");
  CT_TRY(check_last_gate(args.attr[3]));
  const LastGate gate{(uint32_t)args.attr[3]};
  const uint64_t elements = args.out[0].elements;
  CT_TRY(check_planes(args.in[0], elements, gate.wires()));
  for (uint32_t i = 1; i < 4; ++i) CT_TRY(check_ring(args.in[i], elements));
  for (uint32_t i = 4; i < 7; ++i) CT_TRY(check_products(args.in[i], elements, gate));
  return nullptr;
}

size_t scratch_bytes(const Args& args) {
  const LastGate gate{(uint32_t)args.attr[3]};
  return 3 * kRingScratch + 4 * kBlock * sizeof(uint64_t) + Folding::scratch_bytes(gate);
}

void run(const Args& args, void* memory) {
  const LastGate gate{(uint32_t)args.attr[3]};
  Scratch scratch(memory);
  uint64_t* buffers[3] = {scratch.ring(), scratch.ring(), scratch.ring()};
  uint64_t* packed = scratch.words(kBlock);
  uint64_t* one = scratch.words(kBlock);
  uint64_t* negative = scratch.words(kBlock);
  uint64_t* masked = scratch.words(kBlock);
  Folding folding(gate, scratch);
  const Sink& out = args.out[0];
  const uint32_t f = (uint32_t)args.attr[0], m = (uint32_t)args.attr[2], up = m - 1 - f;
  const uint64_t offset = (uint64_t)args.attr[1], mask = low_bits(m);
  const uint64_t base = (offset >> f) - (uint64_t)args.attr[4];
  // Bits of top that the ring of the result sees.
  const uint32_t top_bits = out.bits > m - f ? out.bits - (m - f) : 0;
  const bool repair = top_bits && !(is_zero(args.in[3]) && is_zero(args.in[6]));
  const uint64_t lead = args.lead;
  for (uint32_t i = 0; i < kBlock; ++i) one[i] = lead;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    folding.open(args.in[0], first / kBlock);
    const uint64_t* hat = load_ring(args.in[1], out.elements, first, count, m, buffers[0]);
    const uint64_t* rf = load_ring(args.in[2], out.elements, first, count, out.bits, buffers[1]);
    uint64_t* target = ring_target(out, first, packed);

    const uint64_t* sum = folding.apply(args.in[4], one, out.bits, first, count);
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) negative[i] = lead - sum[i];
    sum = folding.apply(args.in[5], rf, out.bits, first, count);
    if (!repair) {
      CT_ELEMENTWISE
      for (uint32_t i = 0; i < count; ++i) {
        const uint64_t value = (((hat[i] + offset) & mask) >> f) - base;
        target[i] = value * negative[i] - (rf[i] - sum[i]);
      }
    } else {
      CT_ELEMENTWISE
      for (uint32_t i = 0; i < count; ++i) masked[i] = rf[i] - sum[i];
      const uint64_t* top = load_ring(args.in[3], out.elements, first, count, top_bits, buffers[2]);
      sum = folding.apply(args.in[6], top, top_bits, first, count);
      CT_ELEMENTWISE
      for (uint32_t i = 0; i < count; ++i) {
        const uint64_t h = (hat[i] + offset) & mask;
        const uint64_t wrapped = (h >> (m - 1)) - 1;  // all ones or zero
        target[i] = ((h >> f) - base) * negative[i] - masked[i] + (wrapped & ((top[i] - sum[i]) << up << 1));
      }
    }
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(truncate_select, check, element_units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
