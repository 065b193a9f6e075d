// The dealer's products of wire masks that the last gate of a comparison needs, as ring values, in the order
// and place that last_gate.hpp gives; times a mask v if there is a second operand. Attribute: groups.
#include "bits.hpp"
#include "kernels.hpp"
#include "last_gate.hpp"

namespace cryptorch::CT_TARGET {
namespace {

uint64_t elements_of(const Args& args) { return args.in[0].elements; }

const char* check(const Args& args) {
  CT_REQUIRE(args.ins == 1 || args.ins == 2, "wrong number of operands");
  CT_TRY(check_counts(args, args.ins, 1, 1));
  CT_TRY(check_last_gate(args.attr[0]));
  const LastGate gate{(uint32_t)args.attr[0]};
  const uint64_t elements = elements_of(args);
  CT_REQUIRE(elements <= kMostElements, "an operand is too large");
  CT_TRY(check_planes(args.in[0], elements, gate.wires()));
  if (args.ins == 2) CT_TRY(check_ring(args.in[1], elements));
  CT_TRY(check_memory(args.out[0], Size(elements) * gate.products()));
  CT_REQUIRE(args.out[0].elements == elements * gate.products(), "a result has the wrong size");
  return nullptr;
}

uint64_t units(const Args& args, uint64_t* grain) {
  *grain = kElementGrain;
  return elements_of(args);
}

size_t scratch_bytes(const Args& args) {
  const LastGate gate{(uint32_t)args.attr[0]};
  return kRingScratch + kBlock * sizeof(uint64_t) + (gate.wires() + gate.subsets()) * sizeof(Plane);
}

void run(const Args& args, void* memory) {
  const LastGate gate{(uint32_t)args.attr[0]};
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* one = scratch.words(kBlock);
  Plane* planes = scratch.planes(gate.wires());
  Plane* subsets = scratch.planes(gate.subsets());
  const Sink& out = args.out[0];
  const uint64_t elements = elements_of(args);
  for (uint32_t i = 0; i < kBlock; ++i) one[i] = 1;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const Plane* mask = load_planes(args.in[0], first / kBlock, gate.wires(), 0, gate.wires(), planes);
    const uint64_t* v = args.ins == 2 ? load_ring(args.in[1], elements, first, count, out.bits, buffer) : one;
    uint64_t* target = (uint64_t*)out.data + first * gate.products();
    const auto put = [&](const Plane& product) {
      alignas(64) uint64_t chosen[kBlock];
      bit_masks(&product, chosen);
      CT_ELEMENTWISE
      for (uint32_t i = 0; i < count; ++i) target[i] = chosen[i] & v[i];
      target += count;
    };
    subsets[0] = splat(~uint64_t{0});
    for (uint32_t s = 1; s < gate.subsets(); ++s) {
      subsets[s] = subsets[s & (s - 1)] & mask[(uint32_t)__builtin_ctz(s)];
      put(subsets[s]);
    }
    for (uint32_t i = gate.groups; i-- > 0;) {
      const Plane g = mask[gate.groups - 1 + i];
      for (uint32_t s = 0; s < 1u << i; ++s) put(subsets[s] & g);
    }
  });
}

}  // namespace

CT_KERNEL(ring_monomials, check, units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
