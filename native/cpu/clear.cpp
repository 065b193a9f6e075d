// Cleartext counterparts of the protocols, bit for bit what the parties' shares add up to.
//   clear_truncate: the rounding of an opening under mask r (see truncate.cpp). Attributes: f, offset.
//   clear_select:   keeps y + c where x + t is not negative as an m-bit number, else 0. Attributes: t, c, m.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check_truncate(const Args& args) {
  CT_TRY(check_counts(args, 2, 1, 2));
  CT_REQUIRE(args.attr[0] >= 0 && args.attr[0] <= 63, "shift is not 0 to 63");
  CT_TRY(check_result(args.out[0]));
  CT_TRY(check_ring(args.in[0], args.out[0].elements));
  return check_ring(args.in[1], args.out[0].elements);
}

void run_truncate(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* left = scratch.ring();
  uint64_t* right = scratch.ring();
  uint64_t* packed = scratch.ring();
  const Sink& out = args.out[0];
  const uint32_t f = (uint32_t)args.attr[0];
  const uint64_t offset = (uint64_t)args.attr[1];
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* z = load_ring(args.in[0], out.elements, first, count, 64, left);
    const uint64_t* r = load_ring(args.in[1], out.elements, first, count, 64, right);
    uint64_t* target = ring_target(out, first, packed);
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t h = z[i] + r[i] + offset;
      const uint64_t wrapped = ~(uint64_t)((int64_t)h >> 63);
      target[i] = (h >> f) - (r[i] >> f) + (wrapped & (r[i] >> 63 << (63 - f) << 1)) - (offset >> f);
    }
    finish_ring(out, first, count, target);
  });
}

const char* check_select(const Args& args) {
  CT_REQUIRE(args.ins == 1 || args.ins == 2, "wrong number of operands");
  CT_TRY(check_counts(args, args.ins, 1, 3));
  CT_REQUIRE(args.attr[2] >= 1 && args.attr[2] <= 64, "width of the sign is not 1 to 64");
  CT_TRY(check_result(args.out[0]));
  for (uint32_t i = 0; i < args.ins; ++i) CT_TRY(check_ring(args.in[i], args.out[0].elements));
  return nullptr;
}

void run_select(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* left = scratch.ring();
  uint64_t* right = scratch.ring();
  uint64_t* packed = scratch.ring();
  const Sink& out = args.out[0];
  const uint64_t t = (uint64_t)args.attr[0], c = (uint64_t)args.attr[1];
  const uint32_t up = 64 - (uint32_t)args.attr[2];
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* x = load_ring(args.in[0], out.elements, first, count, 64, left);
    const uint64_t* y = args.ins == 2 ? load_ring(args.in[1], out.elements, first, count, 64, right) : x;
    uint64_t* target = ring_target(out, first, packed);
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) {
      const uint64_t negative = (uint64_t)((int64_t)((x[i] + t) << up) >> 63);
      target[i] = ~negative & (y[i] + c);
    }
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(clear_truncate, check_truncate, element_units, ring_scratch<2>, run_truncate)
CT_KERNEL(clear_select, check_select, element_units, ring_scratch<2>, run_select)

}  // namespace cryptorch::CT_TARGET
