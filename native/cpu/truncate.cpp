// Truncation by f bits of a value that was opened in m bits under a mask r (hat = value + r mod 2^m, h = hat
// + offset mod 2^m; rf shares r >> f, top shares bit m - 1 of r). For 0 <= value + offset < 2^(m-1), adding
// the mask wrapped past 2^m exactly when top = 1 and h < 2^(m-1), so
//   truncate:        (h >> f) - (offset >> f) - rf + [h < 2^(m-1)] top 2^(m-f)
//   shift_right:     (x mod 2^bits) >> f of a public value or a dealer's mask
// all on shares: terms that are public are added by the lead only. In a ring of m - f bits or less the wrap
// does not show, and top may be a zero operand. Attributes: f, offset, m; of shift_right: f.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check_shift(const Args& args, uint32_t ins, uint32_t attrs) {
  CT_TRY(check_counts(args, ins, 1, attrs));
  CT_REQUIRE(args.attr[0] >= 0 && args.attr[0] <= 63, "shift is not 0 to 63");
  CT_TRY(check_result(args.out[0]));
  if (attrs == 3) {
    CT_REQUIRE(args.attr[2] >= 1 && args.attr[2] <= 64, "width of the opening is not 1 to 64");
    CT_REQUIRE(args.attr[0] < args.attr[2], "shift reaches the width of the opening");
  }
  for (uint32_t i = 0; i < ins; ++i) CT_TRY(check_ring(args.in[i], args.out[0].elements));
  return nullptr;
}

const char* check_shift_right(const Args& args) { return check_shift(args, 1, 1); }
const char* check_truncate(const Args& args) { return check_shift(args, 3, 3); }

void run_shift_right(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* packed = scratch.ring();
  const Sink& out = args.out[0];
  const uint32_t f = (uint32_t)args.attr[0];
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    uint64_t* target = ring_target(out, first, packed);
    const uint64_t* x = load_ring(args.in[0], out.elements, first, count, 64, buffer);
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) target[i] = x[i] >> f;
    finish_ring(out, first, count, target);
  });
}

void run_truncate(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* buffers[3] = {scratch.ring(), scratch.ring(), scratch.ring()};
  uint64_t* packed = scratch.ring();
  const Sink& out = args.out[0];
  const uint32_t f = (uint32_t)args.attr[0];
  const uint64_t offset = (uint64_t)args.attr[1], base = offset >> f;
  const uint32_t m = (uint32_t)args.attr[2], up = m - 1 - f;
  const uint64_t mask = low_bits(m);
  const uint64_t lead = args.lead ? ~uint64_t{0} : 0;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* x[3];
    for (int i = 0; i < 3; ++i)
      x[i] = load_ring(args.in[i], out.elements, first, count, i ? out.bits : m, buffers[i]);
    const uint64_t *hat = x[0], *rf = x[1], *top = x[2];
    uint64_t* target = ring_target(out, first, packed);
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t h = (hat[i] + offset) & mask;
      const uint64_t wrapped = (h >> (m - 1)) - 1;  // all ones or zero
      target[i] = (wrapped & (top[i] << up << 1)) - rf[i] + (lead & ((h >> f) - base));
    }
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(shift_right, check_shift_right, element_units, ring_scratch<1>, run_shift_right)
CT_KERNEL(truncate, check_truncate, element_units, ring_scratch<3>, run_truncate)

}  // namespace cryptorch::CT_TARGET
