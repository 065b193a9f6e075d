// From ring values to bit planes: the transposition of 512 words into 64 planes of 512 bits.
#pragma once
#include "target.hpp"

namespace cryptorch::CT_TARGET {

// Bit j of planes[k] is bit k of values[j]; `values` has 512 words. Only planes below `width` are needed, the others are
// unspecified.
void bit_planes(const uint64_t* values, uint32_t width, Plane planes[64]);

}  // namespace cryptorch::CT_TARGET
