// Splines on masked positions (lib/compiler/ops/spline.ts, lib/compiler/protocols/spline.ts).
//
// y < 2^bits was opened as y^ = y + r mod 2^bits. Its leading cells + p bits, p = positions[0], are a place
// p^ in units of a cell's 2^p-th part: the cell I = p^ >> p, and within it u = p^ mod 2^p - 2^(p-1). The
// dealer splits r in the same way, into R and rho. The true place is p^ - r's, a part more or less, so the
// entry is i = I - R mod 2^cells, and tau = (u - rho) / 2^p
// + 1/2 lies in (-1, 1).
//
// The k-th power is that of u in fewer bits, u_k = u / 2^(p - positions[k-1]) to the nearest integer:
// coefficients are integers, so that more bits of a high power round them more than the power itself is
// rounded.
//
// Of degree 0 there is no place within a cell, p = 0: the entry is that of the cell, exactly where y^ and r
// are whole cells.
//
// A table of one element has 2^cells rows of degree + 1 entries; row I holds the coefficients of u_k^k for
// entry I - R.
#pragma once
#include "check.hpp"

namespace cryptorch::CT_TARGET {

constexpr uint32_t kMostDegree = 3;
static_assert(kMostDegree < kMostRun);

// Attributes: bits, cells, degree, positions.
struct SplineShape {
  uint32_t bits, cells, degree, positions[kMostDegree] = {};

  explicit SplineShape(const int64_t* attributes)
      : bits((uint32_t)attributes[0]), cells((uint32_t)attributes[1]), degree((uint32_t)attributes[2]) {
    for (uint32_t k = 0; k < degree; ++k) positions[k] = (uint32_t)attributes[3 + k];
  }
  uint32_t attributes() const { return 3 + degree; }
  uint32_t rows() const { return 1u << cells; }
  uint32_t entries() const { return rows() * (degree + 1); }
  // Bits of y below its place.
  uint32_t below() const { return bits - cells - positions[0]; }
  uint64_t place(uint64_t y) const { return (y & low_bits(bits)) >> below(); }
};

static inline const char* check_spline(const Args& args) {
  CT_REQUIRE(args.attrs >= 3, "wrong number of attributes");
  CT_REQUIRE(args.attr[0] >= 1 && args.attr[0] <= 64, "width of the position is not 1 to 64");
  CT_REQUIRE(args.attr[1] >= 1 && args.attr[1] <= 12, "cells are not 2 to 4096");
  CT_REQUIRE(args.attr[2] >= 0 && args.attr[2] <= (int64_t)kMostDegree, "degree is not 0 to 3");
  CT_REQUIRE(args.attrs >= 3 + args.attr[2], "wrong number of attributes");
  const int64_t* positions = args.attr + 3;
  const int64_t place = args.attr[2] ? positions[0] : 0;
  CT_REQUIRE(place <= 12, "bits of a place in a cell are not 1 to 12");
  CT_REQUIRE(args.attr[1] + place <= args.attr[0], "a place has more bits than the opening");
  for (int64_t k = 0; k < args.attr[2]; ++k)
    CT_REQUIRE(positions[k] >= 1 && positions[k] <= positions[0], "a power has more bits than the place");
  return nullptr;
}

}  // namespace cryptorch::CT_TARGET
