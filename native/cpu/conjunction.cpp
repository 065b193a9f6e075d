// Products of opened wires. A wire w is what ^ mask, what being public; a gate is the product of d of them,
// each plain or complemented, and several gates may use the same wire:
//   conjunction_masks: the dealer's products of masks that the parties share: for each gate, of every subset
//   of its
//                      wires with two members or more, by increasing bit mask
//   conjunction:       the gates from what, shares of the masks and of their products. A product is the XOR
//   over
//                      subsets S of [product of masks in S] * (product of whats not in S), which is folded
//                      one wire at a time as in gate.cpp.
// Attributes: wires, gates, per gate: d, then d times 2 * wire + (1 if complemented).
#include "kernels.hpp"
#include "node_list.hpp"

namespace cryptorch::CT_TARGET {
namespace {

struct Gate {
  uint32_t fan_in;
  const int64_t* wires;

  explicit Gate(const int64_t* attributes) : fan_in((uint32_t)attributes[0]), wires(attributes + 1) {}
  const int64_t* after() const { return wires + fan_in; }
  uint32_t products() const { return (1u << fan_in) - 1 - fan_in; }
  uint32_t wire(uint32_t i) const { return (uint32_t)(wires[i] >> 1); }
  bool complemented(uint32_t i) const { return wires[i] & 1; }
};

const char* check_gates(const Args& args, uint32_t ins, uint32_t* products) {
  CT_TRY(check_counts(args, ins, 1, args.attrs));
  CT_REQUIRE(args.attrs >= 2 && args.attr[0] >= 0 && args.attr[0] <= (int64_t)kMostPlanes,
             "wrong number of wires");
  CT_REQUIRE(args.attr[1] >= 0 && args.attr[1] <= (int64_t)kMostNodes, "wrong number of gates");
  uint32_t left = args.attrs - 2;
  const int64_t* at = args.attr + 2;
  *products = 0;
  for (int64_t g = 0; g < args.attr[1]; ++g) {
    CT_REQUIRE(left >= 1 && at[0] >= 1 && at[0] <= (int64_t)kMostFanIn && left > at[0],
               "fan-in is not 1 to 8");
    const Gate gate(at);
    for (uint32_t i = 0; i < gate.fan_in; ++i)
      CT_REQUIRE(gate.wires[i] >= 0 && gate.wires[i] >> 1 < args.attr[0], "a wire is out of range");
    *products += gate.products();
    left -= 1 + gate.fan_in;
    at = gate.after();
  }
  CT_REQUIRE(!left, "wrong number of attributes");
  return nullptr;
}

const char* check_masks(const Args& args) {
  uint32_t products = 0;
  CT_TRY(check_gates(args, 1, &products));
  const uint64_t elements = args.out[0].elements;
  CT_TRY(check_planes(args.out[0], elements, products));
  return check_planes(args.in[0], elements, (uint32_t)args.attr[0]);
}

const char* check(const Args& args) {
  uint32_t products = 0;
  CT_TRY(check_gates(args, 3, &products));
  const uint64_t elements = args.out[0].elements;
  CT_TRY(check_planes(args.out[0], elements, (uint32_t)args.attr[1]));
  CT_TRY(check_planes(args.in[0], elements, (uint32_t)args.attr[0]));
  CT_TRY(check_planes(args.in[1], elements, (uint32_t)args.attr[0]));
  return check_planes(args.in[2], elements, products);
}

uint32_t products_of(const Args& args) {
  uint32_t products = 0;
  const int64_t* at = args.attr + 2;
  for (int64_t g = 0; g < args.attr[1]; ++g, at = Gate(at).after()) products += Gate(at).products();
  return products;
}

size_t masks_scratch(const Args& args) { return ((size_t)args.attr[0] + 256) * sizeof(Plane); }
size_t scratch_bytes(const Args& args) { return (2 * (size_t)args.attr[0] + 2 * 256) * sizeof(Plane); }

void run_masks(const Args& args, void* memory) {
  Scratch scratch(memory);
  const uint32_t wires = (uint32_t)args.attr[0];
  Plane* buffer = scratch.planes(wires);
  Plane* subsets = scratch.planes(256);
  for_blocks(args, [&](uint64_t first, uint32_t) {
    const uint64_t block = first / kBlock;
    const Plane* mask = load_planes(args.in[0], block, wires, 0, wires, buffer);
    uint32_t plane = 0;
    const int64_t* at = args.attr + 2;
    for (int64_t g = 0; g < args.attr[1]; ++g) {
      const Gate gate(at);
      for (uint32_t s = 1; s < 1u << gate.fan_in; ++s) {
        const uint32_t highest = 31 - (uint32_t)__builtin_clz(s), others = s & ~(1u << highest);
        subsets[s] = mask[gate.wire(highest)];
        if (!others) continue;
        subsets[s] &= subsets[others];
        store_plane(args.out[0], block, plane++, subsets[s]);
      }
      at = gate.after();
    }
  });
}

void run(const Args& args, void* memory) {
  Scratch scratch(memory);
  const uint32_t wires = (uint32_t)args.attr[0], products = products_of(args);
  Plane* what_buffer = scratch.planes(wires);
  Plane* mask_buffer = scratch.planes(wires);
  Plane* product_buffer = scratch.planes(256);
  Plane* subsets = scratch.planes(256);
  const Plane lead = splat(args.lead ? ~uint64_t{0} : 0);
  for_blocks(args, [&](uint64_t first, uint32_t) {
    const uint64_t block = first / kBlock;
    const Plane* what = load_planes(args.in[0], block, wires, 0, wires, what_buffer);
    const Plane* mask = load_planes(args.in[1], block, wires, 0, wires, mask_buffer);
    uint32_t plane = 0;
    const int64_t* at = args.attr + 2;
    for (int64_t g = 0; g < args.attr[1]; ++g) {
      const Gate gate(at);
      const Plane* product = load_planes(args.in[2], block, products, plane, gate.products(), product_buffer);
      subsets[0] = lead;
      for (uint32_t s = 1; s < 1u << gate.fan_in; ++s)
        subsets[s] = s & (s - 1) ? *product++ : mask[gate.wire((uint32_t)__builtin_ctz(s))];
      for (uint32_t i = gate.fan_in; i-- > 0;) {
        const Plane wire = what[gate.wire(i)] ^ splat(gate.complemented(i) ? ~uint64_t{0} : 0);
        for (uint32_t s = 0; s < 1u << i; ++s) subsets[s] = subsets[s + (1u << i)] ^ (wire & subsets[s]);
      }
      store_plane(args.out[0], block, (uint32_t)g, subsets[0]);
      plane += gate.products();
      at = gate.after();
    }
  });
}

}  // namespace

CT_KERNEL(conjunction_masks, check_masks, element_units, masks_scratch, run_masks)
CT_KERNEL(conjunction, check, element_units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
