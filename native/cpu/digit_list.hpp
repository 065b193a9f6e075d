// Digits of a ring value: runs of `width` bits from bit `low` on, as attributes give them.
#pragma once
#include "check.hpp"

namespace cryptorch::CT_TARGET {

constexpr uint32_t kMostDigits = 64;
constexpr uint32_t kMostDigitBits = 9;
constexpr uint32_t kMostDigitValues = 1 << kMostDigitBits;

// Checks `count` digits, `stride` attributes each of which the first two are low and width, and counts their
// planes: one for each value of a digit but 0.
static inline const char* check_digits(const int64_t* digits, uint64_t count, uint32_t stride,
                                       uint32_t* planes) {
  CT_REQUIRE(count <= kMostDigits, "too many digits");
  *planes = 0;
  for (uint64_t d = 0; d < count; ++d) {
    const int64_t low = digits[d * stride], width = digits[d * stride + 1];
    CT_REQUIRE(width >= 1 && width <= (int64_t)kMostDigitBits, "width of a digit is not 1 to 9");
    CT_REQUIRE(low >= 0 && low <= 64 - width, "a digit reaches outside of the value");
    *planes += (1u << width) - 1;
  }
  return nullptr;
}

static inline const char* check_sign_bit(int64_t bit) {
  CT_REQUIRE(bit >= -1 && bit <= 63, "bit of the sign is not -1 to 63");
  return nullptr;
}

}  // namespace cryptorch::CT_TARGET
