// Nodes of a prefix tree: a node combines d groups (g, p) of a comparison, the high one first, into
//   G = g0 ^ p0 g1 ^ p0 p1 g2 ^ ...,   P = p0 p1 ... p_{d-1} if somebody needs it.
// It opens d - 1 + need_p wires p0, p1, ... and d - 1 wires g1, g2, ... under masks; g0 stays closed. The
// dealer shares the products of masks that this takes: of every subset of the p with two members or more, by
// increasing bit mask; then for i = 1, ..., d - 1 of g_i and every nonempty subset of p0, ..., p_{i-1}. A
// node of one group opens nothing.
#pragma once
#include "check.hpp"

namespace cryptorch::CT_TARGET {

constexpr uint64_t kMostFanIn = 8;
constexpr uint64_t kMostNodes = 4096;
constexpr uint32_t kMostProducts = 512;  // per node: 494 for d = 8

struct NodeShape {
  uint32_t fan_in, need_p;

  uint32_t p_wires() const { return fan_in == 1 ? 0 : fan_in - 1 + need_p; }
  uint32_t g_wires() const { return fan_in - 1; }
  uint32_t wires() const { return p_wires() + g_wires(); }
  uint32_t tops() const { return fan_in == 1 ? 1 + need_p : 1; }
  uint32_t products() const {
    uint32_t count = (1u << p_wires()) - 1 - p_wires();
    for (uint32_t i = 1; i < fan_in; ++i) count += (1u << i) - 1;
    return count;
  }
};

struct NodeTotals {
  uint32_t wires = 0, tops = 0, products = 0;

  void operator+=(const NodeShape& node) {
    wires += node.wires();
    tops += node.tops();
    products += node.products();
  }
};

static CT_INLINE NodeShape node_shape(const int64_t* attributes) {
  return {(uint32_t)attributes[0], (uint32_t)attributes[1]};
}

// Checks `count` nodes, `stride` attributes each of which the first two are d and need_p.
static inline const char* check_nodes(const int64_t* nodes, uint64_t count, uint32_t stride,
                                      NodeTotals* totals) {
  CT_REQUIRE(count <= kMostNodes, "too many nodes");
  for (uint64_t i = 0; i < count; ++i) {
    const int64_t* node = nodes + i * stride;
    CT_REQUIRE(node[0] >= 1 && node[0] <= (int64_t)kMostFanIn, "fan-in is not 1 to 8");
    CT_REQUIRE(node[1] == 0 || node[1] == 1, "a node's flag is neither 0 nor 1");
    *totals += node_shape(node);
  }
  CT_REQUIRE(totals->wires <= kMostPlanes && totals->products <= kMostPlanes, "too many planes");
  return nullptr;
}

}  // namespace cryptorch::CT_TARGET
