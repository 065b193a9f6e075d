// Element-wise kernels on ring values against their formulas.
#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

const Form kMemory = {Form::Memory::ring, 0, false};

// Calls body(operand form, ring width, result width, result layout, elements) over a sample of all
// combinations.
void vary(uint64_t seed, const std::function<void(Rng&, Form, uint32_t, Result&, uint64_t)>& body) {
  Rng rng(seed);
  for (const uint64_t n : sizes()) {
    for (const Form& form : forms()) {
      const bool whole = rng.below(3) == 0;
      const uint32_t bits = whole ? 64 : static_cast<uint32_t>(1 + rng.below(64));
      const uint32_t out_bits = rng.below(3) ? bits : static_cast<uint32_t>(1 + rng.below(64));
      Result out = ring_result(n, out_bits, rng.below(2) ? Layout::ring : Layout::packed);
      body(rng, form, bits, out, n);
    }
  }
}

}  // namespace

TEST("lincomb: any width, any layout") {
  Rng rng(2);
  for (uint32_t bits = 1; bits <= 64; ++bits) {
    for (const Form& form : forms()) {
      const uint64_t n = sizes()[1 + rng.below(sizes().size() - 1)];
      const RingOperand x(rng, n, bits, form), y(rng, n, bits, forms()[rng.below(forms().size())]);
      Result out = ring_result(n, bits, bits % 2 ? Layout::packed : Layout::ring);
      const uint64_t c = rng.value(), d = rng.below(2) ? 1 : ~uint64_t{0};
      expect_ring(
          {1, {x.source(), y.source()}, {&out}, {7, static_cast<int64_t>(c), static_cast<int64_t>(d)}, 1},
          [&](uint64_t i) { return 7 + c * x[i] + d * y[i]; });
    }
  }
}

TEST("lincomb: sizes, number of terms, the lead's constant, different widths") {
  vary(3, [](Rng& rng, Form form, uint32_t bits, Result& out, uint64_t n) {
    const uint32_t terms = static_cast<uint32_t>(rng.below(5));
    std::vector<RingOperand> x;
    x.reserve(terms);
    Invocation call = {
        1, {}, {&out}, {static_cast<int64_t>(rng.value())}, static_cast<uint32_t>(rng.below(2))};
    for (uint32_t t = 0; t < terms; ++t) {
      x.emplace_back(rng, n, bits, t ? forms()[rng.below(forms().size())] : form);
      call.ins.push_back(x.back().source());
      call.attrs.push_back(static_cast<int64_t>(rng.below(3) ? rng.value() : 1));
    }
    expect_ring(call, [&](uint64_t i) {
      uint64_t sum = call.lead ? static_cast<uint64_t>(call.attrs[0]) : 0;
      for (uint32_t t = 0; t < terms; ++t) sum += static_cast<uint64_t>(call.attrs[t + 1]) * x[t][i];
      return sum;
    });
  });
}

TEST("lincomb: broadcast operands") {
  Rng rng(4);
  for (const uint64_t n : sizes()) {
    for (const Form& form : forms()) {
      if (!n) continue;
      const uint64_t inner = rng.below(2) ? 1 : 1 + rng.below(rng.below(2) ? 5 : 1500);
      const uint64_t mid = rng.below(3) ? 1 + rng.below(rng.below(2) ? 4 : 700) : 1;
      const uint32_t bits = static_cast<uint32_t>(1 + rng.below(64));
      const RingOperand x(rng, n, bits, form, inner, mid), y(rng, n, bits, kMemory);
      Result out = ring_result(n, bits);
      expect_ring({1, {x.source(), y.source()}, {&out}, {0, 3, 1}, 0},
                  [&](uint64_t i) { return 3 * x[i] + y[i]; });
    }
  }
}

TEST("lincomb: in place") {
  Rng rng(5);
  for (const KernelTable* table : tables()) {
    const Kernel& kernel = kernel_of(*table, 1);
    Words x(1300), y(1300);
    for (uint64_t& value : x) value = rng.next();
    for (uint64_t& value : y) value = rng.next();
    const Words before = y;
    const Source ins[2] = {{x.data(), Layout::ring, 64, 0, 1300, 1, 1300, nullptr, 0, nullptr},
                           {y.data(), Layout::ring, 64, 0, 1300, 1, 1300, nullptr, 0, nullptr}};
    Sink out = {y.data(), Layout::ring, 64, 0, 1300};
    const int64_t attrs[] = {0, 2, -5};
    const Args args = {ins, 2, &out, 1, attrs, 3, 0, 0, 1300};
    alignas(64) static uint8_t scratch[1 << 16];
    CHECK(kernel.scratch(args) <= sizeof(scratch));
    kernel.run(args, scratch);
    for (size_t i = 0; i < y.size(); ++i) CHECK(y[i] == 2 * x[i] - 5 * before[i]);
  }
}

TEST("mulsum") {
  vary(6, [](Rng& rng, Form form, uint32_t bits, Result& out, uint64_t n) {
    const uint32_t pairs = static_cast<uint32_t>(rng.below(3)), addends = static_cast<uint32_t>(rng.below(3));
    std::vector<RingOperand> x;
    x.reserve(2 * pairs + addends);
    Invocation call = {3, {}, {&out}, {pairs}, 0};
    const auto coefficient = [&] {
      const uint64_t choice = rng.below(3);
      return choice == 0 ? 1 : choice == 1 ? -1 : static_cast<int64_t>(rng.value());
    };
    for (uint32_t t = 0; t < pairs; ++t) call.attrs.push_back(coefficient());
    call.attrs.push_back(addends);
    for (uint32_t t = 0; t < addends; ++t) call.attrs.push_back(coefficient());
    for (uint32_t t = 0; t < 2 * pairs + addends; ++t) {
      x.emplace_back(rng, n, bits, t ? forms()[rng.below(forms().size())] : form);
      call.ins.push_back(x.back().source());
    }
    expect_ring(call, [&](uint64_t i) {
      uint64_t sum = 0;
      for (uint32_t t = 0; t < pairs; ++t)
        sum += static_cast<uint64_t>(call.attrs[1 + t]) * x[2 * t][i] * x[2 * t + 1][i];
      for (uint32_t t = 0; t < addends; ++t)
        sum += static_cast<uint64_t>(call.attrs[2 + pairs + t]) * x[2 * pairs + t][i];
      return sum;
    });
  });
}

TEST("shift_right") {
  vary(7, [](Rng& rng, Form form, uint32_t bits, Result& out, uint64_t n) {
    const RingOperand x(rng, n, bits, form);
    const int64_t f = static_cast<int64_t>(rng.below(64));
    expect_ring({4, {x.source()}, {&out}, {f}, 0}, [&](uint64_t i) { return x[i] >> f; });
  });
}

TEST("truncate and select: their formulas") {
  vary(8, [](Rng& rng, Form form, uint32_t bits, Result& out, uint64_t n) {
    const auto some = [&] { return forms()[rng.below(forms().size())]; };
    const uint32_t m = static_cast<uint32_t>(rng.below(3) ? 1 + rng.below(64) : 64);
    const uint32_t f = static_cast<uint32_t>(rng.below(m));
    const uint64_t offset = rng.value();
    const RingOperand hat(rng, n, rng.below(2) ? m : 64, form), rf(rng, n, bits, some()),
        top(rng, n, f ? f : 1, some());
    const RingOperand beta(rng, n, bits, some()), betarf(rng, n, bits, some());
    const PlaneOperand bit(rng, n, 1, rng.below(2) ? kMemory : some());
    const auto shifted = [&](uint64_t t) { return m - f < 64 ? t << (m - f) : 0; };
    const auto opened = [&](uint64_t i) { return (hat[i] + offset) & low_mask(m); };
    for (uint32_t lead = 0; lead < 2; ++lead) {
      const auto value = [&](uint64_t i) { return (opened(i) >> f) - (offset >> f); };
      const auto w = [&](uint64_t i, const RingOperand& t) {
        return opened(i) >> (m - 1) ? 0 : shifted(t[i]);
      };
      const Attributes attrs = {f, static_cast<int64_t>(offset), m};
      expect_ring({5, {hat.source(), rf.source(), top.source()}, {&out}, attrs, lead},
                  [&](uint64_t i) { return w(i, top) - rf[i] + lead * value(i); });
      expect_ring({7,
                   {bit.source(), rf.source(), hat.source(), beta.source(), betarf.source()},
                   {&out},
                   {attrs[1]},
                   lead},
                  [&](uint64_t i) {
                    const uint64_t masked = (hat[i] + offset) * beta[i] - betarf[i];
                    return bit.at(0, i) ? rf[i] + lead * offset - masked : masked;
                  });
    }
  });
}

TEST("bits_to_ring") {
  vary(9, [](Rng& rng, Form form, uint32_t, Result& out, uint64_t n) {
    const PlaneOperand bit(rng, n, 1, form);
    expect_ring({8, {bit.source()}, {&out}, {}, 0}, [&](uint64_t i) { return uint64_t{bit.at(0, i)}; });
  });
}

TEST("clear_truncate and clear_select") {
  vary(10, [](Rng& rng, Form form, uint32_t bits, Result& out, uint64_t n) {
    const RingOperand z(rng, n, bits, form), r(rng, n, 64, forms()[rng.below(forms().size())]);
    const uint32_t f = static_cast<uint32_t>(rng.below(64)), m = static_cast<uint32_t>(1 + rng.below(64));
    const uint64_t offset = rng.value(), t = rng.value();
    expect_ring({19, {z.source(), r.source()}, {&out}, {f, static_cast<int64_t>(offset)}, 0},
                [&](uint64_t i) {
                  const uint64_t h = z[i] + r[i] + offset;
                  const uint64_t wrap = h >> 63 || !f ? 0 : (r[i] >> 63) << (64 - f);
                  return (h >> f) - (r[i] >> f) + wrap - (offset >> f);
                });
    for (uint32_t both = 0; both < 2; ++both) {
      Invocation call = {
          20, {z.source()}, {&out}, {static_cast<int64_t>(t), static_cast<int64_t>(offset), m}, 0};
      if (both) call.ins.push_back(r.source());
      expect_ring(call,
                  [&](uint64_t i) { return (z[i] + t) >> (m - 1) & 1 ? 0 : (both ? r[i] : z[i]) + offset; });
    }
  });
}

// The protocol: truncation of shares is the clear one, for two and three parties and openings of any width.
TEST("truncate adds up to clear_truncate") {
  Rng rng(11);
  for (uint32_t parties = 2; parties <= 3; ++parties) {
    for (const auto& [m, f] : std::vector<std::pair<uint32_t, uint32_t>>{
             {64, 1}, {64, 16}, {64, 31}, {64, 62}, {43, 16}, {58, 1}, {33, 16}, {18, 16}}) {
      const uint64_t n = 700, offset = uint64_t{1} << (m - 2);
      Words hat(n), sum(n), z(n), mask(n);
      std::vector<Words> rf(parties, Words(n)), top(parties, Words(n));
      for (uint64_t i = 0; i < n; ++i) {
        z[i] = static_cast<uint64_t>(static_cast<int64_t>(rng.value()) >> (66 - m));
        mask[i] = rng.value(m);
        hat[i] = (z[i] + mask[i]) & low_mask(m);
        uint64_t rf_left = mask[i] >> f, top_left = mask[i] >> (m - 1);
        for (uint32_t p = 1; p < parties; ++p) {
          rf[p][i] = rng.next();
          top[p][i] = rng.next();
          rf_left -= rf[p][i];
          top_left -= top[p][i];
        }
        rf[0][i] = rf_left;
        top[0][i] = top_left;
      }
      const uint32_t top_bits = 64 - (m - f);
      for (auto& share : top) {
        for (uint64_t& word : share) word &= low_mask(top_bits);
      }
      const RingOperand h(rng, hat, m, kMemory);
      for (uint32_t p = 0; p < parties; ++p) {
        Result out = ring_result(n);
        const RingOperand x(rng, rf[p], 64, forms()[5]), t(rng, top[p], top_bits, forms()[5]);
        Invocation{
            5, {h.source(), x.source(), t.source()}, {&out}, {f, static_cast<int64_t>(offset), m}, p == 0}
            .run([] {});
        for (uint64_t i = 0; i < n; ++i) sum[i] += out.element(i);
      }
      const RingOperand zs(rng, z, 64, kMemory), rs(rng, mask, m, kMemory);
      Result out = ring_result(n);
      expect_ring({19, {zs.source(), rs.source()}, {&out}, {f, static_cast<int64_t>(offset)}, 0},
                  [&](uint64_t i) { return sum[i]; });
      for (uint64_t i = 0; i < n; ++i) {
        const int64_t error = static_cast<int64_t>(sum[i]) - (static_cast<int64_t>(z[i]) >> f);
        CHECK(error == 0 || error == 1);
      }
    }
  }
}
