// Between ring values and bit planes: 512 words to 64 planes of 512 bits, and a plane to 512 words.
#pragma once
#include "target.hpp"

namespace cryptorch::CT_TARGET {

// Bit j of planes[k] is bit k of values[j]; `values` has 512 words. Only planes below `width` are needed, the
// others are unspecified.
void bit_planes(const uint64_t* values, uint32_t width, Plane planes[64]);

// masks[j] = all ones if bit j of the plane is set, else 0, for 512 elements.
void bit_masks(const Plane* plane, uint64_t* masks);

}  // namespace cryptorch::CT_TARGET
