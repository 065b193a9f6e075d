// Splines on masked positions (lib/compiler/ops/spline.ts, lib/compiler/protocols/spline.ts).
//
// y < 2^bits was opened as y^ = y + r mod 2^bits. Its leading cells + position bits are a place p^ in units
// of a cell's 2^position-th part: the cell I = p^ >> position, and within it u = p^ mod 2^position -
// 2^(position - 1). The dealer splits r in the same way, into R and rho. The true place is p^ - r's, a part
// more or less, so the entry is i = I - R mod 2^cells, and tau = (u - rho) / 2^position lies in (-1, 1).
//
// A table of one element has 2^cells rows of degree + 1 entries; row I holds the coefficients in u of entry I
// - R.
#pragma once
#include "check.hpp"

namespace cryptorch::CT_TARGET {

constexpr uint32_t kSplineAttributes = 4;  // bits, cells, position, degree

struct SplineShape {
  uint32_t bits, cells, position, degree;

  explicit SplineShape(const int64_t* attributes)
      : bits((uint32_t)attributes[0]),
        cells((uint32_t)attributes[1]),
        position((uint32_t)attributes[2]),
        degree((uint32_t)attributes[3]) {}
  uint32_t rows() const { return 1u << cells; }
  uint32_t entries() const { return rows() * (degree + 1); }
  // Bits of y below its place.
  uint32_t below() const { return bits - cells - position; }
  uint64_t place(uint64_t y) const { return (y & low_bits(bits)) >> below(); }
};

static inline const char* check_spline(const int64_t* attributes) {
  CT_REQUIRE(attributes[0] >= 1 && attributes[0] <= 64, "width of the position is not 1 to 64");
  CT_REQUIRE(attributes[1] >= 1 && attributes[1] <= 9, "cells are not 2 to 512");
  CT_REQUIRE(attributes[2] >= 1 && attributes[2] <= 12, "bits of a place in a cell are not 1 to 12");
  CT_REQUIRE(attributes[1] + attributes[2] <= attributes[0], "a place has more bits than the opening");
  CT_REQUIRE(attributes[3] >= 1 && attributes[3] <= 3, "degree is not 1 to 3");
  return nullptr;
}

}  // namespace cryptorch::CT_TARGET
