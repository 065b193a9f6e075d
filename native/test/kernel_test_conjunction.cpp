// Products of opened wires, and bits under another shape.
#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

using Bits = std::vector<std::vector<bool>>;  // [plane][element]

Bits random_bits(Rng& rng, size_t planes, uint64_t elements) {
  Bits bits(planes, std::vector<bool>(elements));
  for (auto& plane : bits) {
    for (size_t i = 0; i < plane.size(); ++i) plane[i] = rng.next() & 1;
  }
  return bits;
}

void expect_bits(const Invocation& call, const Bits& wanted) {
  call.run([&] {
    uint64_t wrong = 0;
    for (uint32_t k = 0; k < wanted.size(); ++k) {
      for (uint64_t i = 0; i < wanted[k].size(); ++i) wrong += call.outs[0]->bit(k, i) != wanted[k][i];
    }
    CHECK(wrong == 0);
  });
}

struct Factor {
  uint32_t wire;
  bool complemented;
};
using Gate = std::vector<Factor>;

Attributes attributes_of(uint32_t wires, const std::vector<Gate>& gates) {
  Attributes attrs = {wires, static_cast<int64_t>(gates.size())};
  for (const Gate& gate : gates) {
    attrs.push_back(static_cast<int64_t>(gate.size()));
    for (const Factor f : gate) attrs.push_back(2 * f.wire + f.complemented);
  }
  return attrs;
}

// Products of the masks of subsets of two or more of each gate's wires.
Bits products_of(const std::vector<Gate>& gates, const Bits& masks) {
  Bits out;
  for (const Gate& gate : gates) {
    for (uint32_t s = 1; s < 1u << gate.size(); ++s) {
      if (!(s & (s - 1))) continue;
      std::vector<bool> plane(masks[0].size(), true);
      for (size_t j = 0; j < gate.size(); ++j) {
        if (!(s >> j & 1)) continue;
        for (size_t i = 0; i < plane.size(); ++i) plane[i] = plane[i] && masks[gate[j].wire][i];
      }
      out.push_back(plane);
    }
  }
  return out;
}

std::vector<Gate> random_gates(Rng& rng, uint32_t wires, uint32_t count) {
  std::vector<Gate> gates(count);
  for (size_t g = 0; g < gates.size(); ++g) {
    gates[g].resize(1 + (g + rng.below(2)) % 8);
    for (Factor& f : gates[g]) f = {static_cast<uint32_t>(rng.below(wires)), rng.below(2) == 1};
  }
  return gates;
}

}  // namespace

TEST("conjunctions: shares of products of wires, plain and complemented, used by several gates") {
  Rng rng(60);
  for (const uint64_t n : sizes()) {
    if (!n) continue;
    const uint32_t wires = 1 + static_cast<uint32_t>(rng.below(9));
    const std::vector<Gate> gates = random_gates(rng, wires, 10);
    const Attributes attrs = attributes_of(wires, gates);
    const Bits bits = random_bits(rng, wires, n), masks = random_bits(rng, wires, n);
    const Bits products = products_of(gates, masks);
    const auto count = static_cast<uint32_t>(products.size());
    {
      const PlaneOperand mask(rng, n, wires, forms()[7], &masks);
      Result out = plane_result(n, count);
      expect_bits({27, {mask.source()}, {&out}, attrs, 0}, products);
    }
    // Two shares: a random one, and the rest; their results must add up to the products of the wires.
    Bits what = masks, wanted(gates.size(), std::vector<bool>(n, true));
    for (size_t k = 0; k < wires; ++k) {
      for (uint64_t i = 0; i < n; ++i) what[k][i] = masks[k][i] != bits[k][i];
    }
    for (size_t g = 0; g < gates.size(); ++g) {
      for (const Factor f : gates[g]) {
        for (uint64_t i = 0; i < n; ++i) wanted[g][i] = wanted[g][i] && bits[f.wire][i] != f.complemented;
      }
    }
    const Bits mask_share = random_bits(rng, wires, n), product_share = random_bits(rng, count, n);
    Bits sum(gates.size(), std::vector<bool>(n));
    for (uint32_t party = 0; party < 2; ++party) {
      const auto mine = [&](const Bits& whole, const Bits& share) {
        Bits out = share;
        for (size_t k = 0; k < out.size() && party; ++k) {
          for (uint64_t i = 0; i < n; ++i) out[k][i] = whole[k][i] != share[k][i];
        }
        return out;
      };
      const Bits own_masks = mine(masks, mask_share), own_products = mine(products, product_share);
      const Form memory = {Form::Memory::ring, 0, false};
      const PlaneOperand w(rng, n, wires, memory, &what), m(rng, n, wires, forms()[5], &own_masks),
          p(rng, n, count, party ? memory : forms()[5], &own_products);
      Result out = plane_result(n, static_cast<uint32_t>(gates.size()));
      const Invocation call = {26, {w.source(), m.source(), p.source()}, {&out}, attrs, party};
      Bits previous;
      call.run([&] {
        Bits now(gates.size(), std::vector<bool>(n));
        for (uint32_t g = 0; g < now.size(); ++g) {
          for (uint64_t i = 0; i < n; ++i) now[g][i] = out.bit(g, i);
        }
        if (!previous.empty()) CHECK(now == previous);
        previous = now;
      });
      for (size_t g = 0; g < sum.size(); ++g) {
        for (uint64_t i = 0; i < n; ++i) sum[g][i] = sum[g][i] != previous[g][i];
      }
    }
    CHECK(sum == wanted);
  }
}

TEST("planes of one size as planes of another: the bits keep their order") {
  Rng rng(61);
  for (const uint64_t n : sizes()) {
    if (!n) continue;
    for (const uint32_t k : {1u, 3u, 8u}) {
      const PlaneOperand joined(rng, n * k, 1, {Form::Memory::ring, 0, false});
      Result split = plane_result(n, k);
      Bits rows(k, std::vector<bool>(n));
      for (uint32_t r = 0; r < k; ++r) {
        for (uint64_t i = 0; i < n; ++i) rows[r][i] = joined.at(0, r * n + i);
      }
      expect_bits({25, {joined.source()}, {&split}, {}, 0}, rows);
      const PlaneOperand parts(rng, n, k, {Form::Memory::ring, 0, false}, &rows);
      Result whole = plane_result(n * k, 1);
      expect_bits({25, {parts.source()}, {&whole}, {}, 0}, joined.bits());
    }
  }
}
