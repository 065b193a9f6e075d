// Polynomials about another point, and their sums with shares of powers.
#pragma once
#include "target.hpp"

namespace cryptorch::CT_TARGET {

constexpr uint32_t kMostDegree = 8;

// rows[j][i] = p_j(x[i]), the j-th derivative of p over j!, by repeated synthetic division; rows are blocks.
static inline void taylor_shift(const int64_t* coefficients, uint32_t degree, const uint64_t* x,
                                uint32_t count, uint64_t* rows) {
  for (uint32_t j = 0; j <= degree; ++j) {
    uint64_t* row = rows + j * kBlock;
    for (uint32_t i = 0; i < count; ++i) row[i] = (uint64_t)coefficients[j];
  }
  for (uint32_t k = 0; k < degree; ++k) {
    for (uint32_t j = degree; j-- > k;) {
      uint64_t* row = rows + j * kBlock;
      const uint64_t* above = row + kBlock;
      CT_ELEMENTWISE
      for (uint32_t i = 0; i < count; ++i) row[i] += x[i] * above[i];
    }
  }
}

// shifted[j][i] = (p_j(x[i]) - rows[j][i]) & chosen[i] for j < degree; it has room for degree + 1 blocks.
static inline void taylor_difference(const int64_t* coefficients, uint32_t degree, const uint64_t* x,
                                     const uint64_t* chosen, uint32_t count, const uint64_t* rows,
                                     uint64_t* shifted) {
  taylor_shift(coefficients, degree, x, count, shifted);
  for (uint32_t j = 0; j < degree; ++j) {
    uint64_t* row = shifted + j * kBlock;
    const uint64_t* plain = rows + j * kBlock;
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) row[i] = (row[i] - plain[i]) & chosen[i];
  }
}

static CT_INLINE void add_product(bool minus, const uint64_t* a, const uint64_t* b, uint32_t count,
                                  uint64_t* sum) {
  if (minus) {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) sum[i] -= a[i] * b[i];
  } else {
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < count; ++i) sum[i] += a[i] * b[i];
  }
}

}  // namespace cryptorch::CT_TARGET
