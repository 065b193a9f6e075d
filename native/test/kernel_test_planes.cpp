// Kernels on bit planes: each against its formula, and comparisons as a whole: parties' shares of a
// comparison of a public value with a mask, through leaves and gates with the dealer's products, must add up
// to c < r and to the sign.
#include <algorithm>

#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

using Bits = std::vector<std::vector<bool>>;  // [plane][element]

const Form kMemory = {Form::Memory::ring, 0, false};

Form plane_form(Rng& rng) { return forms()[rng.below(forms().size())]; }

struct Digit {
  uint32_t low, width;
};

std::vector<Digit> digits_of(uint32_t bits, uint32_t width) {
  std::vector<Digit> digits;
  for (uint32_t low = 0; low < bits; low += width) digits.push_back({low, std::min(width, bits - low)});
  return digits;
}

uint64_t digit_of(uint64_t value, Digit d) { return value >> d.low & low_mask(d.width); }

void expect_planes(const Invocation& call, const std::vector<Bits>& wanted) {
  call.run([&] {
    uint64_t wrong = 0;
    for (size_t o = 0; o < wanted.size(); ++o) {
      for (uint32_t k = 0; k < wanted[o].size(); ++k) {
        for (uint64_t i = 0; i < wanted[o][k].size(); ++i)
          wrong += call.outs[o]->bit(k, i) != wanted[o][k][i];
      }
    }
    CHECK(wrong == 0);
  });
}

Bits read(const Result& result) {
  Bits bits(result.sink().planes, std::vector<bool>(result.sink().elements));
  for (uint32_t k = 0; k < bits.size(); ++k) {
    for (uint64_t i = 0; i < bits[k].size(); ++i) bits[k][i] = result.bit(k, i);
  }
  return bits;
}

Bits xor_of(const Bits& a, const Bits& b) {
  Bits out = a;
  for (size_t k = 0; k < a.size(); ++k) {
    for (size_t i = 0; i < a[k].size(); ++i) out[k][i] = a[k][i] != b[k][i];
  }
  return out;
}

// Shares of planes: random ones, and what makes them add up.
std::vector<Bits> share(Rng& rng, const Bits& bits, uint32_t parties) {
  std::vector<Bits> shares(parties, bits);
  for (uint32_t p = 1; p < parties; ++p) {
    for (auto& plane : shares[p]) {
      for (size_t i = 0; i < plane.size(); ++i) plane[i] = rng.next() & 1;
    }
    shares[0] = xor_of(shares[0], shares[p]);
  }
  return shares;
}

Bits one_hot(const Words& r, const std::vector<Digit>& digits, int64_t sign) {
  Bits planes;
  for (const Digit d : digits) {
    for (uint64_t v = 1; v < uint64_t{1} << d.width; ++v) {
      std::vector<bool> plane(r.size());
      for (size_t i = 0; i < r.size(); ++i) plane[i] = digit_of(r[i], d) == v;
      planes.push_back(plane);
    }
  }
  if (sign >= 0) {
    std::vector<bool> plane(r.size());
    for (size_t i = 0; i < r.size(); ++i) plane[i] = r[i] >> sign & 1;
    planes.push_back(plane);
  }
  return planes;
}

struct Node {
  uint32_t fan_in;
  bool need_p;
  uint32_t p_wires() const { return fan_in == 1 ? 0 : fan_in - 1 + need_p; }
};

// The products of masks that one node needs, in the order of node_list.hpp, from the masks of its p and g.
std::vector<std::vector<bool>> products(const Node& node, const Bits& masks, size_t first) {
  Bits out;
  const uint32_t p = node.p_wires();
  const size_t n = masks.empty() ? 0 : masks[0].size();
  const auto product = [&](uint32_t subset, int64_t g) {
    std::vector<bool> plane(n, true);
    for (size_t i = 0; i < n; ++i) {
      bool bit = g < 0 || masks[first + static_cast<size_t>(g)][i];
      for (uint32_t j = 0; j < p; ++j) {
        if (subset >> j & 1) bit = bit && masks[first + j][i];
      }
      plane[i] = bit;
    }
    return plane;
  };
  for (uint32_t s = 1; s < 1u << p; ++s) {
    if (s & (s - 1)) out.push_back(product(s, -1));
  }
  for (uint32_t i = 1; i < node.fan_in; ++i) {
    for (uint32_t s = 1; s < 1u << i; ++s) out.push_back(product(s, static_cast<int64_t>(p + i - 1)));
  }
  return out;
}

size_t wire_count(const std::vector<Node>& nodes) {
  size_t count = 0;
  for (const Node& node : nodes) count += node.p_wires() + node.fan_in - 1;
  return count;
}

Bits all_products(const std::vector<Node>& nodes, const Bits& masks) {
  Bits out;
  size_t first = 0;
  for (const Node& node : nodes) {
    for (auto& plane : products(node, masks, first)) out.push_back(plane);
    first += node.p_wires() + node.fan_in - 1;
  }
  return out;
}

Bits random_bits(Rng& rng, size_t planes, uint64_t elements) {
  Bits bits(planes, std::vector<bool>(elements));
  for (auto& plane : bits) {
    for (size_t i = 0; i < plane.size(); ++i) plane[i] = rng.next() & 1;
  }
  return bits;
}

// The groups of a level: nodes from high to low, and where each of their outputs goes: the g of a level's top
// group of each next node to tops, the others to wires.
struct Level {
  std::vector<Node> nodes;
};

Level level_of(size_t groups, uint32_t fan_in) {
  Level level;
  const size_t count = (groups + fan_in - 1) / fan_in;
  for (size_t k = 0, left = groups; k < count; ++k, left -= std::min<size_t>(left, fan_in)) {
    level.nodes.push_back({static_cast<uint32_t>(std::min<size_t>(left, fan_in)), k + 1 < count});
  }
  return level;
}

// Places for the (g, p) of each group, high to low, as wires and tops of the next level's nodes.
struct Places {
  std::vector<int64_t> g, p;
  uint32_t wires = 0, tops = 0;

  explicit Places(const std::vector<Node>& nodes) {
    for (const Node& node : nodes) {
      if (node.fan_in == 1) {
        g.push_back(-2 - static_cast<int64_t>(tops++));
        p.push_back(node.need_p ? -2 - static_cast<int64_t>(tops++) : -1);
        continue;
      }
      const uint32_t p_wires = node.p_wires();
      for (uint32_t i = 0; i < node.fan_in; ++i) {
        g.push_back(i ? static_cast<int64_t>(wires + p_wires + i - 1) : -2 - static_cast<int64_t>(tops++));
        p.push_back(i < p_wires ? static_cast<int64_t>(wires + i) : -1);
      }
      wires += p_wires + node.fan_in - 1;
    }
  }
};

// A number of `bits` bits whose sign is right where the highest digit, of `top` bits, is compared signed.
uint64_t signed_value(Rng& rng, uint32_t bits, uint32_t top) {
  const uint64_t lowest = uint64_t{1} << (bits - 1), limit = lowest - (lowest >> (top - 1));
  const uint64_t edges[] = {0 - lowest, ~uint64_t{0}, limit - 1, 0 - limit};
  const uint64_t choice = rng.below(8);
  return choice < 4 ? edges[choice] : rng.value() % (lowest + limit) - lowest;
}

// One comparison by `parties` parties; checks <c < r> and the sign of c's and r's bit `bits`, or, with a
// signed top digit, <c - r < 0>.
void compare(Rng& rng, uint32_t parties, uint64_t n, uint32_t bits, uint32_t leaf, uint32_t fan_in,
             bool signed_top = false) {
  const uint64_t offset = rng.value();
  const std::vector<Digit> digits = digits_of(bits, leaf);
  Words r(n), hat(n), c(n);
  for (uint64_t i = 0; i < n; ++i) {
    r[i] = rng.value();
    c[i] = signed_top     ? r[i] + signed_value(rng, bits, digits.back().width)
           : rng.below(4) ? rng.value()
                          : r[i] ^ (uint64_t{1} << rng.below(64)) * rng.below(2);
    hat[i] = c[i] - offset;
  }
  const int64_t sign = bits < 64 && !signed_top ? static_cast<int64_t>(bits) : -1;
  const Bits hot = one_hot(r, digits, sign);
  {
    const RingOperand mask(rng, r, 64, plane_form(rng).memory == Form::Memory::none ? forms()[5] : kMemory);
    Result out = plane_result(n, static_cast<uint32_t>(hot.size()));
    Invocation call = {9, {mask.source()}, {&out}, {static_cast<int64_t>(digits.size())}, 0};
    for (const Digit d : digits) call.attrs.insert(call.attrs.end(), {d.low, d.width});
    call.attrs.push_back(sign);
    expect_planes(call, {hot});
  }
  const std::vector<Bits> hot_shares = share(rng, hot, parties);

  // Leaves. Groups go from high to low, digits from low to high.
  Level level = level_of(digits.size(), fan_in);
  Places places(level.nodes);
  std::vector<Bits> wires(parties), tops(parties);
  Bits sign_bits(1, std::vector<bool>(n));
  for (uint32_t p = 0; p < parties; ++p) {
    const RingOperand public_value(rng, hat, 64, kMemory);
    const PlaneOperand shares(rng, n, static_cast<uint32_t>(hot.size()), p ? kMemory : forms()[5],
                              &hot_shares[p]);
    Result wire = plane_result(n, places.wires), top = plane_result(n, places.tops),
           signs = plane_result(n, sign >= 0);
    Invocation call = {10,
                       {public_value.source(), shares.source()},
                       {&wire, &top, &signs},
                       {static_cast<int64_t>(offset), static_cast<int64_t>(digits.size())},
                       p == 0};
    for (size_t d = 0; d < digits.size(); ++d) {
      const size_t group = digits.size() - 1 - d;
      call.attrs.insert(call.attrs.end(), {digits[d].low, digits[d].width, places.g[group], places.p[group]});
    }
    call.attrs.push_back(signed_top ? -2 : sign);
    Bits previous;
    call.run([&] {
      const Bits now = read(wire);
      if (!previous.empty()) CHECK(now == previous);
      previous = now;
    });
    wires[p] = read(wire);
    tops[p] = read(top);
    if (sign >= 0) sign_bits = xor_of(sign_bits, read(signs));
  }

  // Gates, level by level, until one group is left, whose g is plane 0 of tops.
  while (true) {
    if (level.nodes.size() == 1 && level.nodes[0].fan_in == 1) break;
    const Level next = level_of(level.nodes.size(), fan_in);
    const Places next_places(next.nodes);
    const size_t count = wire_count(level.nodes);
    const Bits masks = random_bits(rng, count, n);
    const Bits monos = all_products(level.nodes, masks);
    {
      const PlaneOperand mask(rng, n, static_cast<uint32_t>(count), forms()[7], &masks);
      Result out = plane_result(n, static_cast<uint32_t>(monos.size()));
      Invocation call = {12, {mask.source()}, {&out}, {static_cast<int64_t>(level.nodes.size())}, 0};
      for (const Node& node : level.nodes) call.attrs.insert(call.attrs.end(), {node.fan_in, node.need_p});
      expect_planes(call, {monos});
    }
    Bits what = masks;
    for (const Bits& w : wires) what = xor_of(what, w);
    const std::vector<Bits> mask_shares = share(rng, masks, parties),
                            mono_shares = share(rng, monos, parties);
    for (uint32_t p = 0; p < parties; ++p) {
      const auto planes = [&](const Bits& bits, Form form) {
        return PlaneOperand(rng, n, static_cast<uint32_t>(bits.size()), form, &bits);
      };
      const PlaneOperand w = planes(what, kMemory),
                         m = planes(mask_shares[p],
                                    forms()[3 + 2 * (p % 2)].correction ? forms()[5] : kMemory),
                         mono = planes(mono_shares[p], forms()[p ? 0 : 5]), top = planes(tops[p], kMemory);
      Result wire_out = plane_result(n, next_places.wires), top_out = plane_result(n, next_places.tops);
      Invocation call = {11,
                         {w.source(), m.source(), mono.source(), top.source()},
                         {&wire_out, &top_out},
                         {static_cast<int64_t>(level.nodes.size())},
                         p == 0};
      for (size_t k = 0; k < level.nodes.size(); ++k) {
        const Node& node = level.nodes[k];
        call.attrs.insert(call.attrs.end(), {node.fan_in, node.need_p, next_places.g[k], next_places.p[k]});
      }
      Bits previous;
      call.run([&] {
        const Bits now = read(top_out);
        if (!previous.empty()) CHECK(now == previous);
        previous = now;
      });
      wires[p] = read(wire_out);
      tops[p] = read(top_out);
    }
    level = next;
  }
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < n; ++i) {
    bool smaller = false;
    for (uint32_t p = 0; p < parties; ++p) smaller = smaller != tops[p][0][i];
    wrong += smaller != (signed_top ? (c[i] - r[i]) >> (bits - 1) & 1
                                    : (c[i] & low_mask(bits)) < (r[i] & low_mask(bits)));
    if (sign >= 0) wrong += sign_bits[0][i] != (((c[i] ^ r[i]) >> sign & 1) != 0);
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST("xor") {
  Rng rng(20);
  for (const uint64_t n : sizes()) {
    for (const Form& form : forms()) {
      const uint32_t planes = static_cast<uint32_t>(1 + rng.below(rng.below(4) ? 5 : 150));
      const PlaneOperand x(rng, n, planes, form), y(rng, n, planes, plane_form(rng)),
          z(rng, n, planes, plane_form(rng));
      const uint32_t lead = static_cast<uint32_t>(rng.below(2));
      const int64_t constant = static_cast<int64_t>(rng.below(2));
      Bits wanted = xor_of(xor_of(x.bits(), y.bits()), z.bits());
      if (lead && constant) {
        for (auto& plane : wanted) plane.flip();
      }
      Result out = plane_result(n, planes);
      expect_planes({2, {x.source(), y.source(), z.source()}, {&out}, {constant}, lead}, {wanted});
    }
  }
}

TEST("digits and leaves: sizes") {
  Rng rng(21);
  for (const uint64_t n : sizes()) {
    if (n) compare(rng, 2, n, 63, 4, 4);
  }
}

TEST("comparison: every leaf width and fan-in, two and three parties") {
  Rng rng(22);
  for (uint32_t parties = 2; parties <= 3; ++parties) {
    for (uint32_t leaf = 1; leaf <= 9; ++leaf) {
      for (uint32_t fan_in = 2; fan_in <= 8; ++fan_in) {
        if ((leaf + fan_in + parties) % 2 && fan_in > 4) continue;
        compare(rng, parties, 70, 63, leaf, fan_in);
        compare(rng, parties, 70, 63, leaf, fan_in, true);
      }
    }
  }
}

TEST("comparison: widths of 1 to 64 bits") {
  Rng rng(23);
  for (const uint32_t bits : {1u, 2u, 7u, 20u, 31u, 32u, 33u, 42u, 62u, 64u})
    compare(rng, 2, 520, bits, 4, 4);
  for (const uint32_t bits : {2u, 3u, 4u, 9u, 26u, 27u, 47u, 64u}) {
    for (const uint32_t leaf : {4u, 9u}) compare(rng, 2, 520, bits, leaf, 4, true);
  }
}

TEST("leaf: outputs may be dropped, and the sign may be absent") {
  Rng rng(24);
  const uint64_t n = 600;
  const RingOperand hat(rng, n, 64, kMemory);
  const PlaneOperand hot(rng, n, 3, kMemory);
  Result wire = plane_result(n, 1), top = plane_result(n, 0), sign = plane_result(n, 0);
  const Invocation call = {
      10, {hat.source(), hot.source()}, {&wire, &top, &sign}, {0, 1, 5, 2, -1, 0, -1}, 1};
  Bits wanted(1, std::vector<bool>(n));
  for (uint64_t i = 0; i < n; ++i) {
    const uint64_t c = hat[i] >> 5 & 3;
    wanted[0][i] =
        c ? hot.at(static_cast<uint32_t>(c - 1), i) : !(hot.at(0, i) ^ hot.at(1, i) ^ hot.at(2, i));
  }
  expect_planes(call, {wanted});
}
