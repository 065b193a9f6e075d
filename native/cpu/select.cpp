// A bit times a value, where the bit is b ^ beta: b is public, beta is the dealer's.
//   select:       (b ^ beta) * (v + c); v was opened as hat = v + r, the dealer shared beta and beta * r
//   (betar):
//                 t = (hat + c) * beta - betar shares beta * (v + c), and the result is b ? (v + c) - t : t.
//                 Attribute: c.
//   bits_to_ring: public bits as ring values 0 and 1.
#include "bits.hpp"
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
  uint64_t* keep = scratch.words(kBlock);
  const Sink& out = args.out[0];
  const uint64_t c = (uint64_t)args.attr[0];
  const uint64_t own = args.lead ? c : 0;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* x[4];
    for (int i = 0; i < 4; ++i)
      x[i] = load_ring(args.in[i + 1], out.elements, first, count, out.bits, buffers[i]);
    const uint64_t *v = x[0], *hat = x[1], *beta = x[2], *betar = x[3];
    bit_masks(load_planes(args.in[0], first / kBlock, 1, 0, 1, bit), keep);
    uint64_t* target = ring_target(out, first, packed);
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t masked = (hat[i] + c) * beta[i] - betar[i];
      target[i] = (keep[i] & (v[i] + own - masked)) + (~keep[i] & masked);
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
  uint64_t* masks = scratch.words(kBlock);
  const Sink& out = args.out[0];
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    bit_masks(load_planes(args.in[0], first / kBlock, 1, 0, 1, bit), masks);
    uint64_t* target = ring_target(out, first, packed);
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) target[i] = masks[i] & 1;
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(select, check_select, element_units, ring_scratch<6>, run_select)
CT_KERNEL(bits_to_ring, check_bits, element_units, ring_scratch<2>, run_bits)

}  // namespace cryptorch::CT_TARGET
