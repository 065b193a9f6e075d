// A bit times a value, where the bit is b ^ beta: b is public, beta is the dealer's.
//   select:       (b ^ beta) * (v + c); v was opened as hat = v + r, the dealer shared beta and beta * r (betar):
//                 t = (hat + c) * beta - betar shares beta * (v + c), and the result is b ? (v + c) - t : t. Attribute: c.
//   bits_to_ring: public bits as ring values 0 and 1.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check_select(const Args& args) {
  CT_TRY(check_counts(args, 5, 1, 1));
  CT_TRY(check_result(args.out[0]));
  for (uint32_t i = 1; i < 5; ++i) CT_TRY(check_ring(args.in[i], args.out[0].elements));
  return check_planes(args.in[0], args.out[0].elements, 1);
}

void run_select(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* buffers[4];
  for (uint64_t*& buffer : buffers) buffer = scratch.ring();
  uint64_t* packed = scratch.ring();
  Plane* bit = scratch.planes(1);
  const Sink& out = args.out[0];
  const uint64_t c = (uint64_t)args.attr[0];
  const uint64_t own = args.lead ? c : 0;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* x[4];
    for (int i = 0; i < 4; ++i) x[i] = load_ring(args.in[i + 1], out.elements, first, count, out.bits, buffers[i]);
    const uint64_t *v = x[0], *hat = x[1], *beta = x[2], *betar = x[3];
    const uint64_t* b = (const uint64_t*)load_planes(args.in[0], first / kBlock, 1, 0, 1, bit);
    uint64_t* target = ring_target(out, first, packed);
    for (uint32_t word = 0; word * 64 < count; ++word) {
      const uint64_t bits = b[word];
      const uint32_t from = word * 64, here = (uint32_t)at_most(64, count - from);
      CT_ELEMENTWISE
      for (uint32_t j = 0; j < here; ++j) {
        const uint32_t i = from + j;
        const uint64_t masked = (hat[i] + c) * beta[i] - betar[i];
        const uint64_t kept = 0 - ((bits >> j) & 1);
        target[i] = (kept & (v[i] + own - masked)) + (~kept & masked);
      }
    }
    finish_ring(out, first, count, target);
  });
}

const char* check_bits(const Args& args) {
  CT_TRY(check_counts(args, 1, 1, 0));
  CT_TRY(check_result(args.out[0]));
  return check_planes(args.in[0], args.out[0].elements, 1);
}

void run_bits(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* packed = scratch.ring();
  Plane* bit = scratch.planes(1);
  const Sink& out = args.out[0];
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* b = (const uint64_t*)load_planes(args.in[0], first / kBlock, 1, 0, 1, bit);
    uint64_t* target = ring_target(out, first, packed);
    for (uint32_t word = 0; word * 64 < count; ++word) {
      const uint64_t bits = b[word];
      const uint32_t from = word * 64, here = (uint32_t)at_most(64, count - from);
      CT_ELEMENTWISE
      for (uint32_t j = 0; j < here; ++j) target[from + j] = (bits >> j) & 1;
    }
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(select, check_select, element_units, ring_scratch<5>, run_select)
CT_KERNEL(bits_to_ring, check_bits, element_units, ring_scratch<1>, run_bits)

}  // namespace cryptorch::CT_TARGET
