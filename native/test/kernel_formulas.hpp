// Formulas of kernels by their definitions, for tests of more than one of them.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "kernel_test.hpp"

namespace cryptorch::test {

inline uint64_t products_of(uint32_t groups) { return 3 * (uint64_t{1} << (groups - 1)) - 2; }

// Where product k of element i of `n` is.
inline uint64_t place(uint64_t n, uint32_t groups, uint64_t k, uint64_t i) {
  const uint64_t first = i / kBlock * kBlock, count = std::min(kBlock, n - first);
  return first * products_of(groups) + k * count + i % kBlock;
}

// Products by their order: subsets of the p, then g_i with every subset of p_0 ... p_{i-1}. Each as the set
// of its wires p_0 ... p_{d-2}, g_0 ... g_{d-1}.
inline std::vector<uint32_t> products(uint32_t groups) {
  std::vector<uint32_t> list;
  for (uint32_t s = 1; s < 1u << (groups - 1); ++s) list.push_back(s);
  for (uint32_t i = groups; i-- > 0;) {
    for (uint32_t s = 0; s < 1u << i; ++s) list.push_back(s | 1u << (groups - 1 + i));
  }
  return list;
}

// G v by its definition: the sum over i of (p_0 ... p_{i-1} g_i) v, each a sum over subsets of its wires.
inline uint64_t gate_sum(uint32_t groups, const std::function<bool(uint32_t)>& what, uint64_t v,
                         const std::function<uint64_t(uint32_t)>& product) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < groups; ++i) {
    const uint32_t term = ((1u << i) - 1) | 1u << (groups - 1 + i);
    for (uint32_t set = 0; set <= term; ++set) {
      if (set & ~term) continue;
      uint64_t coefficient = 1;
      for (uint32_t w = 0; w < 2 * groups - 1; ++w) {
        if (!(term >> w & 1)) continue;
        coefficient *= set >> w & 1 ? 1 - 2 * uint64_t{what(w)} : uint64_t{what(w)};
      }
      sum += coefficient * (set ? product(set) : v);
    }
  }
  return sum;
}

// The j-th derivative of the polynomial at v, over j!.
inline uint64_t derivative(const std::vector<uint64_t>& coefficients, uint32_t j, uint64_t v) {
  uint64_t sum = 0;
  for (size_t k = coefficients.size(); k-- > j;) {
    uint64_t binomial = 1;
    for (uint64_t i = 1; i <= j; ++i) binomial = binomial * (k - j + i) / i;
    sum = sum * v + binomial * coefficients[k];
  }
  return sum;
}

}  // namespace cryptorch::test
