// Polynomials of an opened value against their formula, by binomial coefficients.
#include "kernel_formulas.hpp"
#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

TEST("polynomial") {
  Rng rng(32);
  for (const uint64_t n : sizes()) {
    for (const Form& form : forms()) {
      const auto some = [&] { return forms()[rng.below(forms().size())]; };
      const uint32_t degree = static_cast<uint32_t>(1 + rng.below(8));
      const uint32_t m = static_cast<uint32_t>(rng.below(3) ? 1 + rng.below(64) : 64);
      const uint32_t f = static_cast<uint32_t>(rng.below(m)),
                     out_bits = static_cast<uint32_t>(1 + rng.below(64));
      const uint64_t offset = rng.value(), step = m - f < 64 ? uint64_t{1} << (m - f) : 0;
      std::vector<uint64_t> coefficients;
      Attributes attrs = {f, static_cast<int64_t>(offset), m, degree};
      for (uint32_t k = 0; k <= degree; ++k) {
        coefficients.push_back(rng.value());
        attrs.push_back(static_cast<int64_t>(coefficients.back()));
      }
      const RingOperand hat(rng, n, rng.below(2) ? m : 64, form);
      std::vector<RingOperand> x;
      x.reserve(2 * degree);
      for (uint32_t j = 0; j < 2 * degree; ++j) x.emplace_back(rng, n, out_bits, some());
      Result out = ring_result(n, out_bits, rng.below(2) ? Layout::ring : Layout::packed);
      for (const uint32_t masks : {0u, degree, 2 * degree}) {
        Invocation call = {32, {hat.source()}, {&out}, attrs, static_cast<uint32_t>(rng.below(2))};
        for (uint32_t j = 0; j < masks; ++j) call.ins.push_back(x[j].source());
        expect_ring(call, [&](uint64_t i) {
          const uint64_t h = (hat[i] + offset) & low_mask(m), v = (h >> f) - (offset >> f);
          uint64_t sum = call.lead ? derivative(coefficients, 0, v) : 0;
          for (uint32_t j = 0; j < degree && masks; ++j) {
            const uint64_t power = derivative(coefficients, j + 1, v) * x[j][i];
            sum += j % 2 ? power : 0 - power;
            if (masks == degree || h >> (m - 1)) continue;
            const uint64_t more = derivative(coefficients, j, v + step) - derivative(coefficients, j, v);
            sum += (j % 2 ? 0 - more : more) * x[degree + j][i];
          }
          return sum;
        });
      }
    }
  }
}
