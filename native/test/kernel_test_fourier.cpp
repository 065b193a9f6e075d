// Fourier series of an opened value: waves against exact sines, and as a protocol: shares of waves of a mask
// and an opening add up to the series of the value.
#include <cmath>
#include <utility>

#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

constexpr double kTurn = 6.283185307179586476925;

// sin or cos of k parts / 2^period turns; exact multiples modulo a turn.
double exact_wave(uint64_t parts, uint32_t period, uint64_t k, bool cosine) {
  const uint64_t angle = (parts << (64 - period)) * k;
  const double turn = std::ldexp(static_cast<double>(angle >> 11), -53);
  return cosine ? std::cos(kTurn * turn) : std::sin(kTurn * turn);
}

int64_t signed_value(uint64_t value, uint32_t bits) {
  return static_cast<int64_t>(value << (64 - bits)) >> (64 - bits);
}

Attributes series_attributes(uint32_t period, int64_t constant, const std::vector<int64_t>& waves) {
  Attributes list = {period, constant};
  list.insert(list.end(), waves.begin(), waves.end());
  return list;
}

}  // namespace

// Every 2^12-th angle of a quarter, and every 2^15-th of a turn.
TEST("wave: all over a quarter and a turn, within 2^-26") {
  Rng rng(55);
  for (const auto& [bits, step] : {std::pair{30u, 12u}, std::pair{32u, 15u}}) {
    const uint64_t n = (uint64_t{1} << (bits - step)) + 1;
    Words angles(n);
    for (uint64_t i = 0; i < n; ++i) angles[i] = i << step;
    const RingOperand mask(rng, angles, 33, {Form::Memory::ring, 0, false});
    Result out = ring_result(n, 32);
    Invocation{55, {mask.source()}, {&out}, {32, 30, 1, 0}}.run([&] {
      double worst = 0;
      for (uint64_t i = 0; i < n; ++i) {
        const double found = std::ldexp(static_cast<double>(signed_value(out.element(i), 32)), -30);
        worst = std::max(worst, std::abs(found - exact_wave(angles[i], 32, 1, false)));
      }
      CHECK(worst < std::ldexp(1.0, -26) && worst > std::ldexp(1.0, -29));
    });
  }
}

TEST("wave: multiples, quarters, periods and bits") {
  Rng rng(56);
  for (const uint64_t n : sizes()) {
    for (const Form& form : forms()) {
      const uint32_t period = static_cast<uint32_t>(1 + rng.below(64)),
                     bits = static_cast<uint32_t>(1 + rng.below(30)),
                     width = static_cast<uint32_t>(bits + 2 + rng.below(63 - bits));
      const uint64_t k = 1 + rng.below(1024);
      const bool cosine = rng.below(2);
      const RingOperand mask(rng, n, rng.below(2) ? period : 64, form);
      Result out = ring_result(n, width, rng.below(2) ? Layout::ring : Layout::packed);
      const Attributes attrs = {period, bits, static_cast<int64_t>(k), cosine};
      Invocation{55, {mask.source()}, {&out}, attrs}.run([&] {
        const double unit = std::ldexp(1.0, static_cast<int>(bits)), room = std::ldexp(unit, -26) + 0.5;
        uint64_t wrong = 0;
        for (uint64_t i = 0; i < n; ++i) {
          const double found = static_cast<double>(signed_value(out.element(i), width));
          wrong += std::abs(found - unit * exact_wave(mask[i], period, k, cosine)) > room;
        }
        CHECK(wrong == 0 && out.intact() && out.padded());
      });
    }
  }
}

TEST("fourier: sums of products with waves, by every instruction set alike") {
  Rng rng(57);
  for (const uint64_t n : sizes()) {
    for (const Form& form : forms()) {
      const auto some = [&] { return forms()[rng.below(forms().size())]; };
      const uint32_t period = static_cast<uint32_t>(1 + rng.below(64)),
                     width = static_cast<uint32_t>(1 + rng.below(64));
      const uint64_t waves = 1 + rng.below(6);
      std::vector<int64_t> list;
      std::vector<RingOperand> x;
      x.reserve(2 * waves);
      for (uint64_t w = 0; w < waves; ++w) {
        list.push_back(static_cast<int64_t>(1 + rng.below(1024)));
        for (int j = 0; j < 2; ++j) {
          list.push_back(signed_value(rng.value(), 64) >> (31 + rng.below(30)));
          x.emplace_back(rng, n, width, some());
        }
      }
      const int64_t constant = static_cast<int64_t>(rng.value());
      const RingOperand hat(rng, n, rng.below(2) ? period : 64, form);
      // Waves of the opening, by the other kernel.
      std::vector<Result> own;
      const RingOperand opened(rng,
                               [&] {
                                 Words v(n);
                                 for (uint64_t i = 0; i < n; ++i) v[i] = hat[i];
                                 return v;
                               }(),
                               64, {Form::Memory::ring, 0, false});
      own.reserve(2 * waves);
      for (uint64_t w = 0; w < 2 * waves; ++w) {
        own.push_back(ring_result(n));
        Invocation{55, {opened.source()}, {&own[w]}, {period, 30, list[w / 2 * 3], int64_t(w % 2)}}.run(
            [] {});
      }
      Result out = ring_result(n, width, rng.below(2) ? Layout::ring : Layout::packed);
      Invocation call = {56,
                         {hat.source()},
                         {&out},
                         series_attributes(period, constant, list),
                         static_cast<uint32_t>(rng.below(2))};
      for (const RingOperand& operand : x) call.ins.push_back(operand.source());
      expect_ring(call, [&](uint64_t i) {
        uint64_t sum = call.lead ? static_cast<uint64_t>(constant) : 0;
        for (uint64_t w = 0; w < waves; ++w) {
          const auto part = [&](__int128 a, __int128 b) {
            const __int128 sine = static_cast<int64_t>(own[2 * w].element(i)),
                           cosine = static_cast<int64_t>(own[2 * w + 1].element(i));
            return static_cast<uint64_t>((a * sine + b * cosine + (1 << 29)) >> 30);
          };
          const int64_t s = list[3 * w + 1], c = list[3 * w + 2];
          sum += part(s, c) * x[2 * w][i] + part(c, -__int128{s}) * x[2 * w + 1][i];
        }
        return sum;
      });
    }
  }
}

TEST("fourier: shares add up to the series of the value, however many turns it is") {
  Rng rng(58);
  const double series[3][2] = {{0.75, -0.2}, {0, 0.5}, {-0.125, 0}};
  for (const uint64_t n : {1, 7, 513, 700}) {
    for (const uint32_t period : {9u, 20u, 33u, 64u}) {
      const uint32_t bits = 14, precision = 16, width = bits + precision + 3;
      const double unit = std::ldexp(1.0, static_cast<int>(precision)),
                   scale = std::ldexp(unit, static_cast<int>(bits));
      std::vector<int64_t> list;
      for (int64_t k = 1; k <= 3; ++k) {
        list.push_back(k);
        for (const double c : series[k - 1]) list.push_back(std::llround(c * unit));
      }
      Words v(n), r(n), hat(n);
      for (uint64_t i = 0; i < n; ++i) {
        v[i] = rng.value();
        r[i] = rng.value(period);
        hat[i] = (v[i] + r[i]) & low_mask(period);
      }
      const Form memory = {Form::Memory::ring, 0, false};
      const RingOperand mask(rng, r, period, memory), opened(rng, hat, period, memory);
      for (uint32_t parties = 2; parties <= 3; ++parties) {
        std::vector<Words> rest;
        for (int64_t w = 0; w < 6; ++w) {
          Result wave = ring_result(n, width);
          Invocation{55, {mask.source()}, {&wave}, {period, bits, w / 2 + 1, int64_t(w % 2 == 0)}}.run([] {});
          rest.emplace_back(n);
          for (uint64_t i = 0; i < n; ++i) rest.back()[i] = wave.element(i);
        }
        Words sum(n);
        for (uint32_t p = 0; p < parties; ++p) {
          std::vector<RingOperand> shares;
          shares.reserve(6);
          Invocation call = {56, {opened.source()}, {}, series_attributes(period, 1000, list), p == 0};
          for (Words& whole : rest) {
            Words own(n);
            for (uint64_t i = 0; i < n; ++i) {
              own[i] = (p + 1 == parties ? whole[i] : rng.next()) & low_mask(width);
              whole[i] -= own[i];
            }
            shares.emplace_back(rng, own, width, p ? memory : forms()[7]);
            call.ins.push_back(shares.back().source());
          }
          Result out = ring_result(n, width);
          call.outs = {&out};
          call.run([] {});
          for (uint64_t i = 0; i < n; ++i) sum[i] += out.element(i);
        }
        // Half a unit of each wave and of each factor; sqrt 2 of each, at most.
        double room = std::ldexp(1.0, -20);
        for (const auto& [s, c] : series)
          room += 1.4143 * (std::hypot(s, c) / 2 / std::ldexp(1.0, bits) + 0.5 / unit) + 0.5 / unit;
        uint64_t wrong = 0;
        for (uint64_t i = 0; i < n; ++i) {
          double exact = 1000 / scale;
          for (uint64_t k = 1; k <= 3; ++k)
            exact += series[k - 1][0] * exact_wave(v[i], period, k, false) +
                     series[k - 1][1] * exact_wave(v[i], period, k, true);
          wrong += std::abs(static_cast<double>(signed_value(sum[i], width)) / scale - exact) > room;
        }
        CHECK(wrong == 0);
      }
    }
  }
}
