// XOR of bit planes: out = x_1 ^ ... ^ x_k ^ (lead and constant ? all ones : 0). Attribute: constant.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr uint32_t kMostTerms = 16;
constexpr uint32_t kChunk = 64;  // planes at a time

const char* check(const Args& args) {
  CT_REQUIRE(args.ins <= kMostTerms, "too many terms");
  CT_TRY(check_counts(args, args.ins, 1, 1));
  const Sink& out = args.out[0];
  CT_TRY(check_planes(out, out.elements, out.planes));
  for (uint32_t i = 0; i < args.ins; ++i) CT_TRY(check_planes(args.in[i], out.elements, out.planes));
  return nullptr;
}

size_t scratch_bytes(const Args&) { return 2 * kChunk * sizeof(Plane); }

void run(const Args& args, void* memory) {
  Scratch scratch(memory);
  Plane* buffer = scratch.planes(kChunk);
  Plane* sum = scratch.planes(kChunk);
  const Sink& out = args.out[0];
  const Plane constant = splat(args.lead && args.attr[0] ? ~uint64_t{0} : 0);
  for_blocks(args, [&](uint64_t first, uint32_t) {
    const uint64_t block = first / kBlock;
    for (uint32_t plane = 0; plane < out.planes; plane += kChunk) {
      const uint32_t count = (uint32_t)at_most(kChunk, out.planes - plane);
      for (uint32_t k = 0; k < count; ++k) sum[k] = constant;
      for (uint32_t i = 0; i < args.ins; ++i) {
        const Plane* x = load_planes(args.in[i], block, out.planes, plane, count, buffer);
        for (uint32_t k = 0; k < count; ++k) sum[k] ^= x[k];
      }
      for (uint32_t k = 0; k < count; ++k) store_plane(out, block, plane + k, sum[k]);
    }
  });
}

}  // namespace

CT_KERNEL(xor_planes, check, element_units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
