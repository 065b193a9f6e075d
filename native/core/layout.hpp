// Sizes of values in memory, computed so that no element count or width can overflow.
#pragma once
#include <cstdint>
#include <limits>

#include "kernel.hpp"

namespace cryptorch {

constexpr uint64_t kTooLarge = std::numeric_limits<uint64_t>::max();

// Bytes that `elements` elements take, kTooLarge if that is not a number of bytes.
inline uint64_t layout_bytes(Layout layout, uint64_t elements, uint64_t bits, uint64_t planes) {
  uint64_t words = 0;
  switch (layout) {
    case Layout::ring:
      words = elements;
      break;
    case Layout::packed:
      if (__builtin_mul_overflow(elements, bits, &words)) return kTooLarge;
      words = words / 64 + (words % 64 != 0);
      break;
    case Layout::planes:
      if (__builtin_mul_overflow(elements / 64 + (elements % 64 != 0), planes, &words)) return kTooLarge;
      break;
  }
  uint64_t bytes = 0;
  return __builtin_mul_overflow(words, uint64_t{8}, &bytes) ? kTooLarge : bytes;
}

}  // namespace cryptorch
