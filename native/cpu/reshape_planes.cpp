// The bits of p planes of n elements as q planes of m elements, p n = q m: bit i of plane k is bit k n + i of
// the whole before and after. Splits comparisons that were made side by side, and joins bits that are opened
// together.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check(const Args& args) {
  CT_TRY(check_counts(args, 1, 1, 0));
  const Source& in = args.in[0];
  const Sink& out = args.out[0];
  CT_REQUIRE(in.elements <= kMostElements, "an operand is too large");
  CT_TRY(check_planes(in, in.elements, in.planes));
  CT_TRY(check_planes(out, out.elements, out.planes));
  CT_REQUIRE(in.data && in.layout == Layout::planes && !in.prgs && !in.correction,
             "an operand is not memory");
  CT_REQUIRE(in.elements * in.planes == out.elements * out.planes, "a result has another number of bits");
  return nullptr;
}

size_t scratch_bytes(const Args&) { return 0; }

// `count` <= 64 bits from bit `at` of the whole on.
uint64_t bits_at(const Source& in, uint64_t at, uint32_t count) {
  const uint64_t* data = (const uint64_t*)in.data;
  uint64_t plane = at / in.elements, element = at % in.elements, bits = 0;
  for (uint32_t have = 0; have < count;) {
    const uint64_t block = element / kBlock;
    const uint32_t words = words_of_block(in.elements, block), within = element % 64;
    const uint64_t word = data[block * in.planes * kPlaneWords + plane * words + element % kBlock / 64];
    const uint32_t take = (uint32_t)at_most(at_most(64 - within, count - have), in.elements - element);
    bits |= (word >> within & low_bits(take)) << have;
    have += take;
    element += take;
    if (element == in.elements) element = 0, ++plane;
  }
  return bits;
}

void run(const Args& args, void*) {
  const Sink& out = args.out[0];
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    for (uint32_t plane = 0; plane < out.planes; ++plane) {
      Plane bits = splat(0);
      for (uint32_t i = 0; i < count; i += 64) {
        words_of(&bits)[i / 64] =
            bits_at(args.in[0], plane * out.elements + first + i, (uint32_t)at_most(64, count - i));
      }
      store_plane(out, first / kBlock, plane, bits);
    }
  });
}

}  // namespace

CT_KERNEL(reshape_planes, check, element_units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
