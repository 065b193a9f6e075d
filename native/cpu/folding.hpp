// Sums of G v over a block, for a sign G from the opened wires of a last gate and the products of their masks
// with v (last_gate.hpp): a table over subsets of wires is folded one wire at a time. Without wire w,
// T'(S) = T(S + w) if what_w = 0, else T(S) - T(S + w). The terms p_0 ... p_{i-1} g_i share their folding of
// the p.
#pragma once
#include "bits.hpp"
#include "last_gate.hpp"

namespace cryptorch::CT_TARGET {

class Folding {
 public:
  static size_t scratch_bytes(LastGate gate) {
    const size_t words = (gate.wires() + gate.subsets()) * kBlock + gate.subsets() * kRingBuffer;
    return kRingScratch + words * sizeof(uint64_t) + gate.wires() * sizeof(Plane);
  }

  Folding(LastGate gate, Scratch& scratch)
      : gate_(gate),
        planes_(scratch.planes(gate.wires())),
        what_(scratch.words(gate.wires() * kBlock)),
        loaded_(scratch.ring()),
        p_products_(scratch.words(gate.subsets() * kRingBuffer)),
        sums_(scratch.words(gate.subsets() * kBlock)) {}

  // The wires of a block: `apply` is about these from now on.
  void open(const Source& wires, uint64_t block) {
    const Plane* plane = load_planes(wires, block, gate_.wires(), 0, gate_.wires(), planes_);
    for (uint32_t w = 0; w < gate_.wires(); ++w) bit_masks(plane + w, what_ + w * kBlock);
  }

  // G v, from the products of masks and v in `source`; `v` is the empty product. Valid until the next call.
  const uint64_t* apply(const Source& source, const uint64_t* v, uint32_t width, uint64_t first,
                        uint32_t count) const {
    uint64_t at = first * gate_.products();
    const auto next = [&](uint64_t* buffer) {
      const uint64_t* product = load_ring(source, source.elements, at, count, width, buffer);
      at += count;
      return product;
    };
    const uint64_t* subset[1 << (kMostLastGroups - 1)];
    subset[0] = v;
    // The spare half of each buffer is the next one, which is loaded later.
    for (uint32_t s = 1; s < gate_.subsets(); ++s) subset[s] = next(p_products_ + (s - 1) * kRingBuffer);
    for (uint32_t i = gate_.groups; i-- > 0;) {
      const uint64_t* g = what_ + (gate_.groups - 1 + i) * kBlock;
      for (uint32_t s = 0; s < 1u << i; ++s) {
        const uint64_t *with = next(loaded_), *without = subset[s];
        uint64_t* sum = sums_ + s * kBlock;
        if (i + 1 == gate_.groups) {
          CT_ELEMENTWISE
          for (uint32_t e = 0; e < count; ++e) sum[e] = folded(with[e], without[e], g[e]);
        } else {
          CT_ELEMENTWISE
          for (uint32_t e = 0; e < count; ++e) sum[e] += folded(with[e], without[e], g[e]);
        }
      }
      if (!i) break;
      const uint64_t* p = what_ + (i - 1) * kBlock;
      for (uint32_t s = 0, half = 1u << (i - 1); s < half; ++s) {
        uint64_t* sum = sums_ + s * kBlock;
        const uint64_t* with = sums_ + (s + half) * kBlock;
        CT_ELEMENTWISE
        for (uint32_t e = 0; e < count; ++e) sum[e] = folded(with[e], sum[e], p[e]);
      }
    }
    return sums_;
  }

 private:
  // what ? without - with : with, for all ones or zeros in `what`.
  static CT_INLINE uint64_t folded(uint64_t with, uint64_t without, uint64_t what) {
    return (with ^ what) - what + (without & what);
  }

  LastGate gate_;
  Plane* planes_;
  uint64_t* what_;  // of each wire, a block of words that are all ones or zeros
  uint64_t *loaded_, *p_products_, *sums_;
};

}  // namespace cryptorch::CT_TARGET
