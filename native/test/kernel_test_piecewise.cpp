// Piecewise polynomials of an opened value against their formula.
#include "kernel_formulas.hpp"
#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

Form some(Rng& rng) { return forms()[rng.below(forms().size())]; }

struct Shape {
  uint32_t groups, thresholds, degree;
  bool repairs;
};

void formula(Rng& rng, uint64_t n, const Shape& s) {
  // No structured binding: lambdas capture these.
  const uint32_t groups = s.groups, thresholds = s.thresholds, degree = s.degree;
  const bool repairs = s.repairs;
  const uint32_t m = static_cast<uint32_t>(rng.below(3) ? 1 + rng.below(64) : 64);
  const uint32_t f = static_cast<uint32_t>(rng.below(m)), bits = static_cast<uint32_t>(1 + rng.below(64));
  const uint64_t offset = rng.value(), step = m - f < 64 ? uint64_t{1} << (m - f) : 0;
  const uint64_t count = n * products_of(groups);
  Attributes attrs = {f, static_cast<int64_t>(offset), m, degree, groups, thresholds};
  std::vector<Words> pieces;
  for (uint32_t i = 0; i <= thresholds; ++i) {
    const uint64_t own = i == thresholds ? degree : rng.below(degree + 1);
    attrs.push_back(static_cast<int64_t>(own));
    pieces.emplace_back();
    for (uint64_t k = 0; k <= own; ++k) {
      pieces[i].push_back(rng.value());
      attrs.push_back(static_cast<int64_t>(pieces[i].back()));
    }
  }
  const RingOperand hat(rng, n, rng.below(2) ? m : 64, some(rng));
  std::vector<RingOperand> powers, products_with;
  std::vector<PlaneOperand> wires;
  powers.reserve(2 * degree);
  wires.reserve(thresholds);
  products_with.reserve(thresholds * (2 * degree + 1));
  for (uint32_t j = 0; j < (repairs ? 2 * degree : degree); ++j) powers.emplace_back(rng, n, bits, some(rng));
  Result out = ring_result(n, bits, rng.below(2) ? Layout::ring : Layout::packed);
  Invocation call = {50, {hat.source()}, {&out}, attrs, static_cast<uint32_t>(rng.below(2))};
  for (const RingOperand& power : powers) call.ins.push_back(power.source());
  std::vector<size_t> from;
  for (uint32_t i = 1; i <= thresholds; ++i) {
    wires.emplace_back(rng, n, 2 * groups - 1, some(rng));
    call.ins.push_back(wires.back().source());
    from.push_back(products_with.size());
    const size_t own = pieces[i].size() - 1;
    for (size_t j = 0; j <= (repairs ? 2 * own : own); ++j) {
      products_with.emplace_back(rng, count, bits, some(rng));
      call.ins.push_back(products_with.back().source());
    }
  }
  const auto order = products(groups);
  std::vector<uint64_t> index(1u << (2 * groups - 1));
  for (size_t k = 0; k < order.size(); ++k) index[order[k]] = k;
  expect_ring(call, [&](uint64_t i) {
    const uint64_t h = (hat[i] + offset) & low_mask(m), v = (h >> f) - (offset >> f);
    const bool wraps = !(h >> (m - 1));
    uint64_t sum = 0;
    for (uint32_t p = 0; p <= thresholds; ++p) {
      const size_t own = pieces[p].size() - 1;
      // x - G x, for the k-th product of this threshold.
      const auto kept = [&](size_t k, uint64_t x) {
        if (!p) return x;
        return x - gate_sum(
                       groups, [&](uint32_t w) { return wires[p - 1].at(w, i); }, x,
                       [&](uint32_t set) {
                         return products_with[from[p - 1] + k][place(n, groups, index[set], i)];
                       });
      };
      for (size_t j = 0; j <= own; ++j) {
        const uint32_t at = static_cast<uint32_t>(j);
        const uint64_t term = derivative(pieces[p], at, v) * kept(j, j ? powers[j - 1][i] : call.lead);
        sum += j % 2 ? 0 - term : term;
        if (!repairs || !wraps || j == own) continue;
        const uint64_t more = derivative(pieces[p], at, v + step) - derivative(pieces[p], at, v);
        const uint64_t repair = more * kept(own + 1 + j, powers[degree + j][i]);
        sum += j % 2 ? 0 - repair : repair;
      }
    }
    return sum;
  });
}

}  // namespace

TEST("piecewise") {
  Rng rng(50);
  for (const uint64_t n : sizes()) {
    for (uint32_t groups = 1; groups <= (n < 2000 ? 3u : 1u); ++groups) {
      for (const bool repairs : {false, true})
        formula(
            rng, n,
            {groups, static_cast<uint32_t>(1 + rng.below(3)), static_cast<uint32_t>(rng.below(5)), repairs});
    }
  }
  formula(rng, 600, {1, 8, 8, true});
  formula(rng, 600, {6, 2, 1, true});
  formula(rng, 600, {2, 3, 0, false});
}
