// Sums along an axis: [outer, k, inner] to [outer, inner]. Attributes: outer, k, inner. Units are elements of
// the result.
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check(const Args& args) {
  CT_TRY(check_counts(args, 1, 1, 3));
  const Size outer = Size::of(args.attr[0]), k = Size::of(args.attr[1]), inner = Size::of(args.attr[2]);
  CT_REQUIRE(outer.fits(kMostElements) && k.fits(kMostElements) && inner.fits(kMostElements),
             "a size is out of range");
  const Size result = outer * inner;
  CT_TRY(check_memory(args.out[0], result));
  return check_memory(args.in[0], result * k);
}

uint64_t units(const Args& args, uint64_t* grain) {
  *grain = 1 + 16384 / ((uint64_t)args.attr[1] + 1);
  return (uint64_t)args.attr[0] * (uint64_t)args.attr[2];
}

size_t scratch_bytes(const Args&) { return 0; }

void run(const Args& args, void*) {
  const uint64_t k = (uint64_t)args.attr[1], inner = (uint64_t)args.attr[2];
  const uint64_t* in = (const uint64_t*)args.in[0].data;
  uint64_t* out = (uint64_t*)args.out[0].data;
  for (uint64_t at = args.first, end = args.first + args.count; at < end;) {
    const uint64_t outer = at / inner, column = at % inner;
    if (inner == 1) {
      const uint64_t* from = k ? in + outer * k : in;  // without summands there may be no memory
      uint64_t sum = 0;
      for (uint64_t i = 0; i < k; ++i) sum += from[i];
      out[at++] = sum;
      continue;
    }
    const uint64_t count = at_most(at_most(inner - column, end - at), kBlock);
    const uint64_t* from = k ? in + outer * k * inner + column : in;
    uint64_t sums[kBlock];
    for (uint64_t j = 0; j < count; ++j) sums[j] = 0;
    for (uint64_t i = 0; i < k; ++i, from += inner) {
      for (uint64_t j = 0; j < count; ++j) sums[j] += from[j];
    }
    __builtin_memcpy(out + at, sums, count * sizeof(uint64_t));
    at += count;
  }
}

}  // namespace

CT_KERNEL(reduce_sum, check, units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
