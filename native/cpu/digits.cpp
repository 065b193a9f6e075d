// One-hot digits of a dealer's mask r: for each digit of w bits, 2^w - 1 planes, plane v being [digit = v]
// for v = 1,
// ..., 2^w - 1 (that of 0 follows from the others); then, if wanted, one plane with bit `sign` of r.
// Attributes: count, (low, width) per digit, sign or -1.
#include "bits.hpp"
#include "digit_list.hpp"
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check(const Args& args) {
  CT_REQUIRE(args.attrs >= 2 && args.attr[0] >= 0 && args.attr[0] <= (int64_t)kMostDigits,
             "wrong number of digits");
  const uint32_t count = (uint32_t)args.attr[0];
  CT_TRY(check_counts(args, 1, 1, 2 * count + 2));
  uint32_t planes = 0;
  CT_TRY(check_digits(args.attr + 1, count, 2, &planes));
  CT_TRY(check_sign_bit(args.attr[args.attrs - 1]));
  planes += args.attr[args.attrs - 1] >= 0;
  CT_TRY(check_planes(args.out[0], args.out[0].elements, planes));
  return check_ring(args.in[0], args.out[0].elements);
}

size_t scratch_bytes(const Args&) {
  return kRingScratch + kBlock * sizeof(uint64_t) + (64 + kMostDigitValues) * sizeof(Plane);
}

void run(const Args& args, void* memory) {
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* padded = scratch.words(kBlock);
  Plane* bits = scratch.planes(64);
  Plane* hot = scratch.planes(kMostDigitValues);
  const Sink& out = args.out[0];
  const uint32_t digits = (uint32_t)args.attr[0];
  const int64_t sign = args.attr[args.attrs - 1];
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t block = first / kBlock;
    const uint64_t* r = load_ring(args.in[0], out.elements, first, count, 64, buffer);
    if (count < kBlock) {
      __builtin_memset(padded, 0, kBlock * sizeof(uint64_t));
      __builtin_memcpy(padded, r, count * sizeof(uint64_t));
      r = padded;
    }
    bit_planes(r, 64, bits);
    uint32_t plane = 0;
    for (uint32_t d = 0; d < digits; ++d) {
      const uint32_t low = (uint32_t)args.attr[1 + 2 * d], width = (uint32_t)args.attr[2 + 2 * d];
      hot[0] = ~bits[low];
      hot[1] = bits[low];
      for (uint32_t t = 1; t < width; ++t) {
        const Plane bit = bits[low + t];
        for (uint32_t v = 0; v < 1u << t; ++v) {
          hot[v + (1u << t)] = hot[v] & bit;
          hot[v] &= ~bit;
        }
      }
      for (uint32_t v = 1; v < 1u << width; ++v) store_plane(out, block, plane++, hot[v]);
    }
    if (sign >= 0) store_plane(out, block, plane, bits[sign]);
  });
}

}  // namespace

CT_KERNEL(digits, check, element_units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
