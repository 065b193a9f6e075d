// Prefix nodes on opened wires (node_list.hpp). A wire w is what ^ mask, what being public, and the parties
// share the products of masks, so a product of wires is the XOR over subsets S of [product of masks in S] *
// (product of whats not in S). That sum is folded one wire at a time: from a table T over subsets of wires,
// T'(S) = T(S + w) ^ what_w T(S) is the table without w. The terms p0 ... p_{i-1} g_i of G share their
// folding of the p. Attributes: nodes, (d, need_p, G's place, P's place) per node; places as in leaf.cpp.
#include "kernels.hpp"
#include "node_list.hpp"

namespace cryptorch::CT_TARGET {
namespace {

const char* check_place(int64_t place, const Args& args) {
  if (place >= 0) {
    CT_REQUIRE((uint64_t)place < planes_of(args.out[0]), "a wire is out of range");
  } else if (place < -1) {
    CT_REQUIRE(place >= -2 - (int64_t)kMostPlanes && (uint64_t)(-2 - place) < planes_of(args.out[1]),
               "a top is out of range");
  }
  return nullptr;
}

NodeTotals totals_of(const Args& args) {
  NodeTotals totals;
  for (int64_t i = 0; i < args.attr[0]; ++i) totals += node_shape(args.attr + 1 + 4 * i);
  return totals;
}

// The first operand that is there tells the number of elements: a node of one group has no wires.
uint64_t elements_of(const Args& args) { return args.in[3].elements; }

const char* check(const Args& args) {
  CT_REQUIRE(args.attrs >= 1 && args.attr[0] >= 0 && args.attr[0] <= (int64_t)kMostNodes,
             "wrong number of nodes");
  CT_TRY(check_counts(args, 4, 2, 4 * (uint32_t)args.attr[0] + 1));
  NodeTotals totals;
  CT_TRY(check_nodes(args.attr + 1, (uint64_t)args.attr[0], 4, &totals));
  CT_REQUIRE(totals.tops <= kMostPlanes, "too many planes");
  const uint64_t elements = elements_of(args);
  CT_REQUIRE(elements <= kMostElements, "an operand is too large");
  const uint32_t planes[4] = {totals.wires, totals.wires, totals.products, totals.tops};
  for (uint32_t i = 0; i < 4; ++i) CT_TRY(check_planes(args.in[i], elements, planes[i]));
  for (uint32_t o = 0; o < 2; ++o) CT_TRY(check_planes(args.out[o], elements, planes_of(args.out[o])));
  for (int64_t i = 0; i < args.attr[0]; ++i) {
    CT_TRY(check_place(args.attr[1 + 4 * i + 2], args));
    CT_TRY(check_place(args.attr[1 + 4 * i + 3], args));
  }
  return nullptr;
}

uint64_t units(const Args& args, uint64_t* grain) {
  *grain = kElementGrain;
  return elements_of(args);
}

size_t scratch_bytes(const Args& args) {
  const NodeTotals totals = totals_of(args);
  return (2 * (size_t)totals.wires + totals.tops + kMostProducts + 3 * 256) * sizeof(Plane);
}

void place(const Args& args, uint64_t block, int64_t at, const Plane& value) {
  if (at >= 0) {
    store_plane(args.out[0], block, (uint32_t)at, value);
  } else if (at < -1) {
    store_plane(args.out[1], block, (uint32_t)(-2 - at), value);
  }
}

// Removes wire `wire` (the highest that is left) from a table over subsets.
CT_INLINE void fold(Plane* table, uint32_t wire, const Plane& what) {
  const uint32_t half = 1u << wire;
  for (uint32_t s = 0; s < half; ++s) table[s] = table[s + half] ^ (what & table[s]);
}

struct Node {
  const Plane *what, *mask, *products;
  NodeShape shape;
};

// `subsets` and `sum` are tables of 256 planes. Returns G ^ g0, and P in *all.
CT_INLINE Plane combine(const Node& node, const Plane& lead, Plane* subsets, Plane* sum, Plane* all) {
  const uint32_t p_wires = node.shape.p_wires(), last = node.shape.fan_in - 1;
  const Plane* product = node.products;
  subsets[0] = lead;
  for (uint32_t s = 1; s < 1u << p_wires; ++s) {
    subsets[s] = s & (s - 1) ? *product++ : node.mask[(uint32_t)__builtin_ctz(s)];
  }
  // Products with g_i, from the last term to the first: fold g_i away, add what longer terms left, fold
  // p_{i-1}.
  for (uint32_t i = last; i >= 1; --i) {
    const Plane* with_g = product + ((1u << i) - 1 - i);  // those of shorter terms come before
    const Plane g = node.what[p_wires + i - 1], g_mask = node.mask[p_wires + i - 1];
    const uint32_t size = 1u << i;
    if (i == last) {
      sum[0] = g_mask ^ (g & subsets[0]);
      for (uint32_t s = 1; s < size; ++s) sum[s] = with_g[s - 1] ^ (g & subsets[s]);
    } else {
      sum[0] ^= g_mask ^ (g & subsets[0]);
      for (uint32_t s = 1; s < size; ++s) sum[s] ^= with_g[s - 1] ^ (g & subsets[s]);
    }
    fold(sum, i - 1, node.what[i - 1]);
  }
  if (node.shape.need_p) {
    for (uint32_t wire = p_wires; wire-- > 0;) fold(subsets, wire, node.what[wire]);
    *all = subsets[0];
  }
  return sum[0];
}

void run(const Args& args, void* memory) {
  Scratch scratch(memory);
  const NodeTotals totals = totals_of(args);
  Plane* what_buffer = scratch.planes(totals.wires);
  Plane* mask_buffer = scratch.planes(totals.wires);
  Plane* top_buffer = scratch.planes(totals.tops);
  Plane* product_buffer = scratch.planes(kMostProducts);
  Plane* subsets = scratch.planes(256);
  Plane* sum = scratch.planes(256);
  const Plane lead = splat(args.lead ? ~uint64_t{0} : 0);
  for_blocks(args, [&](uint64_t first, uint32_t) {
    const uint64_t block = first / kBlock;
    const Plane* what = load_planes(args.in[0], block, totals.wires, 0, totals.wires, what_buffer);
    const Plane* mask = load_planes(args.in[1], block, totals.wires, 0, totals.wires, mask_buffer);
    const Plane* top = load_planes(args.in[3], block, totals.tops, 0, totals.tops, top_buffer);
    uint32_t product = 0;
    for (int64_t n = 0; n < args.attr[0]; ++n) {
      const int64_t* attributes = args.attr + 1 + 4 * n;
      const NodeShape shape = node_shape(attributes);
      Plane g = *top, p = splat(0);
      if (shape.fan_in == 1) {
        if (shape.need_p) p = top[1];
      } else {
        const uint32_t products = shape.products();
        const Node node = {what, mask,
                           load_planes(args.in[2], block, totals.products, product, products, product_buffer),
                           shape};
        g ^= combine(node, lead, subsets, sum, &p);
        product += products;
      }
      place(args, block, attributes[2], g);
      if (shape.need_p) place(args, block, attributes[3], p);
      what += shape.wires();
      mask += shape.wires();
      top += shape.tops();
    }
  });
}

}  // namespace

CT_KERNEL(gate, check, units, scratch_bytes, run)

}  // namespace cryptorch::CT_TARGET
