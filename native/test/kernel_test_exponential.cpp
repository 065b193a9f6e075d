// Exponentials of masked values: the dealer's entries and the parties' factor against their definition, and
// as a protocol: the entry of an opening's cell times the public factor is the exponential of what was
// opened.
#include <algorithm>
#include <cmath>

#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

constexpr uint32_t kFactor = 28;

struct Shape {
  uint32_t bits, cells, below;

  uint32_t rows() const { return 1u << cells; }
  uint32_t position() const { return bits - cells - below; }
  uint64_t place(uint64_t y) const { return (y & low_mask(bits)) >> below; }
  uint64_t inside(uint64_t y) const { return place(y) & ((uint64_t{1} << position()) - 1); }
  Attributes attributes() const { return {bits, cells, below}; }
};

Shape random_shape(Rng& rng) {
  Shape s{};
  s.cells = static_cast<uint32_t>(1 + rng.below(6));
  const uint32_t position = static_cast<uint32_t>(1 + rng.below(16));
  s.below = static_cast<uint32_t>(rng.below(65 - s.cells - position));
  s.bits = s.cells + position + s.below;
  return s;
}

// exp(rate 2^k) for each bit of a position, such that all of them together are exp(all).
Attributes factors(const Shape& s, double all) {
  Attributes list;
  for (uint32_t k = 0; k < s.position(); ++k)
    list.push_back(
        std::llround(std::exp(std::ldexp(all, static_cast<int>(k) - static_cast<int>(s.position()))) *
                     std::ldexp(1.0, kFactor)));
  return list;
}

Attributes joined(Attributes a, const Attributes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

uint64_t rounded(uint64_t value, uint64_t shift) { return (value + (uint64_t{1} << (shift - 1))) >> shift; }

}  // namespace

TEST("exponential_table: entries of the cells above each mask, times the factors of its position") {
  Rng rng(90);
  for (int round = 0; round < 3; ++round) {
    for (const uint64_t n : sizes()) {
      const Shape s = random_shape(rng);
      const Attributes decay = factors(s, -1.5);
      Attributes mantissas, shifts;
      for (uint32_t d = 0; d < s.rows(); ++d) {
        mantissas.push_back(static_cast<int64_t>(rng.below((uint64_t{1} << 34) + 1)));
        shifts.push_back(static_cast<int64_t>(1 + rng.below(63)));
      }
      const uint32_t bits = static_cast<uint32_t>(1 + rng.below(64));
      const RingOperand mask(rng, n, rng.below(2) ? s.bits : 64, forms()[rng.below(forms().size())]);
      Result out = ring_result(n * s.rows(), bits);
      const Attributes all = joined(joined(s.attributes(), decay), joined(mantissas, shifts));
      Words wanted(n * s.rows());
      for (uint64_t e = 0; e < n; ++e) {
        const uint64_t position = s.inside(mask[e]), cell = s.place(mask[e]) >> s.position();
        uint64_t factor = uint64_t{1} << kFactor;
        for (uint32_t k = 0; k < s.position(); ++k) {
          if (position >> k & 1) factor = rounded(factor * static_cast<uint64_t>(decay[k]), kFactor);
        }
        for (uint64_t d = 1; d <= s.rows(); ++d)
          wanted[e * s.rows() + (cell + d) % s.rows()] =
              rounded(static_cast<uint64_t>(mantissas[d - 1]) * factor, static_cast<uint64_t>(shifts[d - 1]));
      }
      expect_ring({60, {mask.source()}, {&out}, all}, [&](uint64_t i) { return wanted[i]; });
    }
  }
}

TEST("exponential_select: the entry of the opening's cell, times the factor of its position") {
  Rng rng(91);
  for (int round = 0; round < 3; ++round) {
    for (const uint64_t n : sizes()) {
      const Shape s = random_shape(rng);
      const int64_t fraction = static_cast<int64_t>(rng.below(56));
      const Attributes growth = factors(s, 4.1);
      const uint32_t bits = static_cast<uint32_t>(1 + rng.below(64));
      const RingOperand hat(rng, n, rng.below(2) ? s.bits : 64, forms()[rng.below(forms().size())]),
          table(rng, n * s.rows(), bits, forms()[rng.below(forms().size())]);
      Result out = ring_result(n, bits, rng.below(2) ? Layout::ring : Layout::packed);
      const Attributes all = joined(joined(s.attributes(), {fraction}), growth);
      expect_ring({61, {hat.source(), table.source()}, {&out}, all}, [&](uint64_t e) {
        // The lower and the upper bits of a position are multiplied apart.
        const uint64_t position = s.inside(hat[e]);
        uint64_t halves[2] = {uint64_t{1} << kFactor, uint64_t{1} << kFactor};
        for (uint32_t k = 0; k < s.position(); ++k) {
          uint64_t& half = halves[k >= s.position() / 2];
          if (position >> k & 1) half = rounded(half * static_cast<uint64_t>(growth[k]), kFactor);
        }
        const uint64_t factor = rounded(halves[0] * halves[1], 2 * kFactor - static_cast<uint64_t>(fraction));
        return table[e * s.rows() + (s.place(hat[e]) >> s.position())] * factor;
      });
    }
  }
}

TEST("exponentials: shares of the chosen entries times the factor add up to the exponential") {
  Rng rng(92);
  for (const uint64_t n : {1, 7, 513, 700}) {
    // e^(y / 2^16 - 16) for y / 2^16 in [2, 16): 13 + 16 fractional bits.
    const Shape s = {20, 3, 0};
    Attributes mantissas, shifts;
    for (int d = 1; d <= 8; ++d) {
      const double value = std::exp(2.0 * d - 16.0) * std::ldexp(1.0, 16);
      const int exponent = std::ilogb(value) + 1;
      const int shift = kFactor + 34 - exponent;
      mantissas.push_back(shift > 63 ? 0 : std::llround(std::ldexp(value, 34 - exponent)));
      shifts.push_back(std::min(shift, 63));
    }
    const Attributes attributes = joined(joined(s.attributes(), factors(s, -2.0)), joined(mantissas, shifts));
    Words r(n), y(n), hat(n);
    for (uint64_t e = 0; e < n; ++e) {
      r[e] = rng.value(s.bits);
      y[e] = (uint64_t{2} << 16) + rng.below(uint64_t{14} << 16);
      if (e < 2) y[e] = e ? uint64_t{2} << 16 : (uint64_t{1} << 20) - 1;
      hat[e] = (y[e] + r[e]) & low_mask(s.bits);
    }
    const Form memory = {Form::Memory::ring, 0, false};
    const RingOperand mask(rng, r, s.bits, memory), opened(rng, hat, s.bits, memory);
    Result table = ring_result(n * s.rows(), 32);
    Invocation{60, {mask.source()}, {&table}, attributes}.run([] {});
    Words sum(n), rest(n * s.rows());
    for (uint64_t i = 0; i < rest.size(); ++i) rest[i] = table.element(i);
    for (uint32_t p = 0; p < 2; ++p) {
      Words own(rest.size());
      for (uint64_t i = 0; i < own.size(); ++i) {
        own[i] = (p ? rest[i] : rng.next()) & low_mask(32);
        rest[i] -= own[i];
      }
      const RingOperand share(rng, own, 32, p ? memory : forms()[7]);
      Result out = ring_result(n, 32);
      Invocation{61,
                 {opened.source(), share.source()},
                 {&out},
                 joined(joined(s.attributes(), {13}), factors(s, 2.0)),
                 p == 0}
          .run([] {});
      for (uint64_t e = 0; e < n; ++e) sum[e] += out.element(e);
    }
    uint64_t wrong = 0;
    for (uint64_t e = 0; e < n; ++e) {
      const double exact = std::exp(static_cast<double>(y[e]) / 65536.0 - 16.0);
      const double found = static_cast<double>(sum[e] & low_mask(32)) / std::ldexp(1.0, 29);
      wrong += std::abs(found - exact) > exact * std::ldexp(1.0, -14) + 7.4 * std::ldexp(1.0, -17) + 1e-7;
    }
    CHECK(wrong == 0);
  }
}
