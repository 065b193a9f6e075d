// The last gate of a comparison, fused with the product that the sign is for (spec/refinements.py B).
//
// Its d groups (g_i, p_i), the high one first, are opened completely: planes p_0, ..., p_{d-2}, then g_0,
// ..., g_{d-1}. At most one of g_0, p_0 g_1, p_0 p_1 g_2, ... is 1, so their sum G is an integer, 1 where the
// compared value is negative. A wire is what ^ mask = what + (1 - 2 what) mask with a public what, so G v is
// a sum over subsets of wires of public integers times (product of the masks in the subset) v, which the
// dealer shares in the ring: of every nonempty subset of the p, by increasing bit mask; then for i = d - 1,
// ..., 0 of g_i with every subset of p_0, ..., p_{i-1}, the empty one first. The empty subset of the p is v
// itself.
//
// The products of a block lie together, so that a kernel reads them block by block: product k of element i is
// element (i - i % 512) products + k (elements of its block) + i % 512.
#pragma once
#include "check.hpp"

namespace cryptorch::CT_TARGET {

constexpr int64_t kMostLastGroups = 6;

struct LastGate {
  uint32_t groups;

  uint32_t wires() const { return 2 * groups - 1; }
  uint32_t subsets() const { return 1u << (groups - 1); }  // of the p
  uint32_t products() const { return 3 * subsets() - 2; }
};

static inline const char* check_last_gate(int64_t groups) {
  CT_REQUIRE(groups >= 1 && groups <= kMostLastGroups, "the last gate has not 1 to 6 groups");
  return nullptr;
}

// An operand that holds the products of `elements` elements.
static inline const char* check_products(const Source& s, uint64_t elements, const LastGate& gate) {
  CT_TRY(check_ring(s, elements));
  if (is_zero(s) || !elements) return nullptr;
  CT_REQUIRE(s.inner == 1 && s.mid == s.elements, "products cannot be broadcast");
  CT_REQUIRE(s.elements == elements * gate.products(), "an operand has the wrong size");
  return nullptr;
}

}  // namespace cryptorch::CT_TARGET
