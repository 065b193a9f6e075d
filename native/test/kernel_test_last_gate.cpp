// The last gate of a comparison, fused with truncation and product (cpu/last_gate.hpp): kernels against their
// formulas, and as a protocol: shares by the dealer's products add up to (1 - G) ((z >> f) + c).
#include "kernel_formulas.hpp"
#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

using Bits = std::vector<std::vector<bool>>;

const Form kMemory = {Form::Memory::ring, 0, false};

Form some(Rng& rng) { return forms()[rng.below(forms().size())]; }

Bits random_bits(Rng& rng, uint32_t planes, uint64_t n) {
  Bits bits(planes, std::vector<bool>(n));
  for (auto& plane : bits) {
    for (uint64_t i = 0; i < n; ++i) plane[i] = rng.next() & 1;
  }
  return bits;
}

// Shares in the ring: random ones, and what makes them add up.
std::vector<Words> share(Rng& rng, const Words& values, uint32_t bits, uint32_t parties) {
  std::vector<Words> shares(parties, values);
  for (uint32_t p = 1; p < parties; ++p) {
    for (size_t i = 0; i < values.size(); ++i) {
      shares[p][i] = rng.next();
      shares[0][i] -= shares[p][i];
    }
  }
  for (Words& s : shares) {
    for (uint64_t& word : s) word &= low_mask(bits);
  }
  return shares;
}

Words elements_of(const Result& result) {
  Words values(result.sink().elements);
  for (uint64_t i = 0; i < values.size(); ++i) values[i] = result.element(i);
  return values;
}

// The dealer's products for wires masked by `masks`, times v.
Words dealt(Rng& rng, const Bits& masks, uint32_t groups, const Words& v, uint32_t bits) {
  const uint64_t n = v.size();
  const PlaneOperand wires(rng, n, 2 * groups - 1, forms()[7], &masks);
  const RingOperand factor(rng, v, 64, kMemory);
  Result out = ring_result(n * products_of(groups), bits);
  Invocation{21, {wires.source(), factor.source()}, {&out}, {groups}}.run([] {});
  return elements_of(out);
}

struct Shape {
  uint32_t m, f, to, groups, parties;
  uint64_t n;
};

void protocol(Rng& rng, const Shape& s) {
  const auto [m, f, to, groups, parties, n] = s;
  const bool repair = to > m - f;
  const uint32_t top_bits = repair ? to - (m - f) : 1;
  const uint64_t offset = repair ? uint64_t{1} << (m - 2) : 0, c = rng.value();
  Words hat(n), rf(n), top(n), one(n, 1), wanted(n);
  Bits masks = random_bits(rng, 2 * groups - 1, n), wires = masks;
  for (uint64_t i = 0; i < n; ++i) {
    const uint64_t z = static_cast<uint64_t>(static_cast<int64_t>(rng.value()) >> (66 - m)), r = rng.value(m);
    hat[i] = (z + r) & low_mask(m);
    rf[i] = r >> f;
    top[i] = r >> (m - 1);
    // The first group that is not equal decides; those below have any g and p, but never both.
    const uint32_t deciding = static_cast<uint32_t>(rng.below(groups + 1));
    const bool negative = deciding < groups && rng.below(2);
    for (uint32_t g = 0; g < groups; ++g) {
      const uint64_t any = rng.below(3);
      const bool equal = g < deciding || (g > deciding && any == 1);
      const bool smaller = g == deciding ? negative : g > deciding && any == 2;
      if (g + 1 < groups && equal) wires[g][i] = !wires[g][i];
      if (smaller) wires[groups - 1 + g][i] = !wires[groups - 1 + g][i];
    }
    const uint64_t carry = ((z & (f ? low_mask(f) : 0)) + (r & (f ? low_mask(f) : 0))) >> f;
    const uint64_t truncated = static_cast<uint64_t>(static_cast<int64_t>(z) >> f) + carry;
    wanted[i] = negative ? 0 : (truncated + c) & low_mask(to);
  }
  const auto shares = [&, count = parties](const Words& values, uint32_t bits) {
    return share(rng, values, bits, count);
  };
  const auto rfs = shares(rf, to), tops = shares(top, top_bits),
             ones = shares(dealt(rng, masks, groups, one, to), to),
             rf_products = shares(dealt(rng, masks, groups, rf, to), to),
             top_products = shares(dealt(rng, masks, groups, top, top_bits), top_bits);
  Words sum(n);
  for (uint32_t p = 0; p < parties; ++p) {
    const Form form = p ? kMemory : forms()[5];
    const PlaneOperand w(rng, n, 2 * groups - 1, kMemory, &wires);
    const RingOperand h(rng, hat, m, kMemory), a(rng, rfs[p], to, form), b(rng, tops[p], top_bits, form),
        x(rng, ones[p], to, form), y(rng, rf_products[p], to, form), z(rng, top_products[p], top_bits, form);
    Result out = ring_result(n, to);
    Invocation{6,
               {w.source(), h.source(), a.source(), b.source(), x.source(), y.source(), z.source()},
               {&out},
               {f, static_cast<int64_t>(offset), m, groups, static_cast<int64_t>(c)},
               p == 0}
        .run([] {});
    for (uint64_t i = 0; i < n; ++i) sum[i] += out.element(i);
  }
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < n; ++i) wrong += (sum[i] & low_mask(to)) != wanted[i];
  CHECK(wrong == 0);
}

}  // namespace

TEST("ring_monomials") {
  Rng rng(60);
  for (const uint64_t n : sizes()) {
    for (uint32_t groups = 1; groups <= (n < 2000 ? 6u : 2u); ++groups) {
      const uint32_t bits = static_cast<uint32_t>(1 + rng.below(64));
      const PlaneOperand masks(rng, n, 2 * groups - 1, some(rng));
      const RingOperand v(rng, n, static_cast<uint32_t>(1 + rng.below(64)), some(rng));
      const auto order = products(groups);
      CHECK(order.size() == products_of(groups));
      for (const bool factor : {false, true}) {
        Result out = ring_result(n * products_of(groups), bits);
        Invocation call = {21, {masks.source()}, {&out}, {groups}};
        if (factor) call.ins.push_back(v.source());
        call.run([&] {
          uint64_t wrong = 0;
          for (uint64_t i = 0; i < n; ++i) {
            for (size_t k = 0; k < order.size(); ++k) {
              uint64_t wanted = factor ? v[i] : 1;
              for (uint32_t w = 0; w < 2 * groups - 1; ++w) {
                if (order[k] >> w & 1 && !masks.at(w, i)) wanted = 0;
              }
              wrong += out.element(place(n, groups, k, i)) != (wanted & low_mask(bits));
            }
          }
          CHECK(wrong == 0);
        });
      }
    }
  }
}

TEST("truncate_select: its formula") {
  Rng rng(61);
  for (const uint64_t n : sizes()) {
    for (uint32_t groups = 1; groups <= (n < 2000 ? 6u : 2u); ++groups) {
      const uint32_t m = static_cast<uint32_t>(rng.below(3) ? 1 + rng.below(64) : 64);
      const uint32_t f = static_cast<uint32_t>(rng.below(m)), bits = static_cast<uint32_t>(1 + rng.below(64));
      const uint64_t offset = rng.value(), c = rng.value(), count = n * products_of(groups);
      const uint32_t lead = static_cast<uint32_t>(rng.below(2));
      const RingOperand hat(rng, n, rng.below(2) ? m : 64, some(rng)), rf(rng, n, bits, some(rng)),
          top(rng, n, static_cast<uint32_t>(1 + rng.below(64)), some(rng));
      const RingOperand ones(rng, count, bits, some(rng)), rfs(rng, count, bits, some(rng)),
          tops(rng, count, top.source().bits, some(rng));
      const PlaneOperand wires(rng, n, 2 * groups - 1, some(rng));
      const auto order = products(groups);
      std::vector<uint64_t> index(1u << (2 * groups - 1));
      for (size_t k = 0; k < order.size(); ++k) index[order[k]] = k;
      Result out = ring_result(n, bits, rng.below(2) ? Layout::ring : Layout::packed);
      const Invocation call = {6,
                               {wires.source(), hat.source(), rf.source(), top.source(), ones.source(),
                                rfs.source(), tops.source()},
                               {&out},
                               {f, static_cast<int64_t>(offset), m, groups, static_cast<int64_t>(c)},
                               lead};
      expect_ring(call, [&](uint64_t i) {
        const auto complement = [&](uint64_t v, const RingOperand& products) {
          return v - gate_sum(
                         groups, [&](uint32_t w) { return wires.at(w, i); }, v,
                         [&](uint32_t set) { return products[place(n, groups, index[set], i)]; });
        };
        const uint64_t h = (hat[i] + offset) & low_mask(m);
        const uint64_t value = (h >> f) - (offset >> f) + c;
        const uint64_t repair = h >> (m - 1) || m - f == 64 ? 0 : complement(top[i], tops) << (m - f);
        return value * complement(lead, ones) - complement(rf[i], rfs) + repair;
      });
    }
  }
}

TEST("truncation and product with a sign: every number of groups, width and number of parties") {
  Rng rng(62);
  for (uint32_t groups = 1; groups <= 6; ++groups) {
    for (uint32_t parties = 2; parties <= 3; ++parties) {
      protocol(rng, {64, 16, 64, groups, parties, 700});
      protocol(rng, {43, 16, 43, groups, parties, 131});
      protocol(rng, {58, 16, 42, groups, parties, 131});
      protocol(rng, {64, 0, 64, groups, parties, 131});
    }
    for (const uint64_t n : sizes()) {
      if (n && n < 2000) protocol(rng, {43, 16, 43, groups, 2, n});
    }
  }
}
