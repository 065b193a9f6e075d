// The dealer's products of wire masks that gates need (node_list.hpp gives their order).
// Attributes: nodes, (d, need_p) per node.
#include "kernels.hpp"
#include "node_list.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check(const Args& args) {
  CT_REQUIRE(args.attrs >= 1 && args.attr[0] >= 0 && args.attr[0] <= (int64_t)kMostNodes,
             "wrong number of nodes");
  CT_TRY(check_counts(args, 1, 1, 2 * (uint32_t)args.attr[0] + 1));
  NodeTotals totals;
  CT_TRY(check_nodes(args.attr + 1, (uint64_t)args.attr[0], 2, &totals));
  const uint64_t elements = args.out[0].elements;
  CT_TRY(check_planes(args.out[0], elements, totals.products));
  return check_planes(args.in[0], elements, totals.wires);
}

NodeTotals totals_of(const Args& args) {
  NodeTotals totals;
  for (int64_t i = 0; i < args.attr[0]; ++i) totals += node_shape(args.attr + 1 + 2 * i);
  return totals;
}

size_t scratch_bytes(const Args& args) { return (totals_of(args).wires + 256) * sizeof(Plane); }

void run(const Args& args, void* memory) {
  Scratch scratch(memory);
  const NodeTotals totals = totals_of(args);
  Plane* buffer = scratch.planes(totals.wires);
  Plane* products = scratch.planes(256);  // of the subsets of a node's p
  const Sink& out = args.out[0];
  for_blocks(args, [&](uint64_t first, uint32_t) {
    const uint64_t block = first / kBlock;
    const Plane* masks = load_planes(args.in[0], block, totals.wires, 0, totals.wires, buffer);
    uint32_t plane = 0;
    for (int64_t n = 0; n < args.attr[0]; ++n) {
      const NodeShape node = node_shape(args.attr + 1 + 2 * n);
      const uint32_t p_wires = node.p_wires();
      for (uint32_t s = 1; s < 1u << p_wires; ++s) {
        const uint32_t highest = 31 - (uint32_t)__builtin_clz(s), others = s & ~(1u << highest);
        products[s] = others ? masks[highest] & products[others] : masks[highest];
        if (others) store_plane(out, block, plane++, products[s]);
      }
      for (uint32_t i = 1; i < node.fan_in; ++i) {
        const Plane g = masks[p_wires + i - 1];
        for (uint32_t s = 1; s < 1u << i; ++s) store_plane(out, block, plane++, products[s] & g);
      }
      masks += node.wires();
    }
  });
}

}  // namespace

CT_KERNEL(monomials, check, element_units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
