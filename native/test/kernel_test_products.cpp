// Contractions against triple loops.
#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

Source memory_of(const Words& words) {
  return {words.data(), Layout::ring, 64, 0, words.size(), 1, words.size(), nullptr, 0, nullptr};
}

Words random_words(Rng& rng, uint64_t count) {
  Words words(count);
  for (uint64_t& word : words) word = rng.value();
  return words;
}

struct Product {
  uint64_t batch, m, k, n;
  bool ta, tb, shared_a, shared_b, c;
  int64_t scale, c_scale;
};

void check_product(Rng& rng, const Product& p) {
  const uint64_t sa = p.shared_a ? 0 : p.m * p.k, sb = p.shared_b ? 0 : p.k * p.n;
  const Words a = random_words(rng, p.shared_a ? p.m * p.k : p.batch * p.m * p.k);
  const Words b = random_words(rng, p.shared_b ? p.k * p.n : p.batch * p.k * p.n);
  const Words c = random_words(rng, p.batch * p.m * p.n);
  Result out = ring_result(p.batch * p.m * p.n);
  Invocation call = {13,
                     {memory_of(a), memory_of(b)},
                     {&out},
                     {static_cast<int64_t>(p.batch), static_cast<int64_t>(p.m), static_cast<int64_t>(p.k),
                      static_cast<int64_t>(p.n), p.ta, p.tb, static_cast<int64_t>(sa),
                      static_cast<int64_t>(sb), p.scale, p.c_scale},
                     0};
  if (p.c) call.ins.push_back(memory_of(c));
  expect_ring(call, [&](uint64_t e) {
    const uint64_t j = e % p.n, i = e / p.n % p.m, batch = e / p.n / p.m;
    uint64_t sum = 0;
    for (uint64_t k = 0; k < p.k; ++k) {
      sum += a[batch * sa + (p.ta ? k * p.m + i : i * p.k + k)] *
             b[batch * sb + (p.tb ? j * p.k + k : k * p.n + j)];
    }
    return static_cast<uint64_t>(p.scale) * sum + (p.c ? static_cast<uint64_t>(p.c_scale) * c[e] : 0);
  });
}

struct Convolution {
  int64_t n, c, h, w, o, kh, kw, sh, sw, dh, dw, pt, pl, pb, pr, groups;
  bool add = false;
  int64_t oh() const { return (h + pt + pb - (kh - 1) * dh - 1) / sh + 1; }
  int64_t ow() const { return (w + pl + pr - (kw - 1) * dw - 1) / sw + 1; }
};

void check_convolution(Rng& rng, const Convolution& v) {
  const int64_t oh = v.oh(), ow = v.ow(), channels = v.c / v.groups, filters = v.o / v.groups;
  const Words x = random_words(rng, static_cast<uint64_t>(v.n * v.c * v.h * v.w));
  const Words kernel = random_words(rng, static_cast<uint64_t>(v.o * channels * v.kh * v.kw));
  const uint64_t size = static_cast<uint64_t>(v.n * v.o * oh * ow);
  const Words c = random_words(rng, size);
  Result out = ring_result(size);
  Invocation call = {14,
                     {memory_of(x), memory_of(kernel)},
                     {&out},
                     {v.n, v.c, v.h, v.w, v.o, v.kh, v.kw, v.sh, v.sw, v.dh, v.dw, v.pt, v.pl, oh, ow,
                      v.groups, v.add ? -1 : 1, 3},
                     0};
  if (v.add) call.ins.push_back(memory_of(c));
  expect_ring(call, [&](uint64_t e) {
    const int64_t at = static_cast<int64_t>(e), q = at % ow, p = at / ow % oh, o = at / ow / oh % v.o,
                  n = at / ow / oh / v.o;
    uint64_t sum = 0;
    for (int64_t ch = 0; ch < channels; ++ch) {
      for (int64_t i = 0; i < v.kh; ++i) {
        for (int64_t j = 0; j < v.kw; ++j) {
          const int64_t row = p * v.sh - v.pt + i * v.dh, column = q * v.sw - v.pl + j * v.dw;
          if (row < 0 || row >= v.h || column < 0 || column >= v.w) continue;
          const int64_t in = ((n * v.c + o / filters * channels + ch) * v.h + row) * v.w + column;
          sum += x[static_cast<size_t>(in)] *
                 kernel[static_cast<size_t>(((o * channels + ch) * v.kh + i) * v.kw + j)];
        }
      }
    }
    return v.add ? 3 * c[e] - sum : sum;
  });
}

}  // namespace

TEST("matmul: small sizes of every kind") {
  Rng rng(30);
  for (const uint64_t m : {1, 2, 3, 5, 7, 12, 13, 25}) {
    for (const uint64_t n : {1, 2, 3, 4, 7, 8, 15, 16, 17, 33, 70}) {
      for (const uint64_t k : {1, 2, 9, 64}) {
        const uint64_t choice = rng.next();
        check_product(rng, {1 + (choice & 1), m, k, n, (choice & 2) != 0, (choice & 4) != 0,
                            (choice & 8) != 0, (choice & 16) != 0, (choice & 32) != 0,
                            choice & 64 ? 1 : static_cast<int64_t>(rng.value()), choice & 128 ? 1 : -1});
      }
    }
  }
}

TEST("matmul: sizes beyond one block of cache, transposed or not") {
  Rng rng(31);
  for (int t = 0; t < 4; ++t) {
    const bool ta = t & 1, tb = t & 2;
    check_product(rng, {1, 100, 259, 401, ta, tb, false, false, t == 0, 1, 1});
    check_product(rng, {2, 1, 600, 100, ta, tb, false, false, true, -1, 2});
    check_product(rng, {1, 4, 300, 1000, ta, tb, false, false, false, 1, 1});
    check_product(rng, {1, 300, 513, 3, ta, tb, false, false, false, 1, 1});
    check_product(rng, {3, 5, 70, 90, ta, tb, true, true, false, 5, 1});
  }
}

TEST("matmul: nothing to add up, nothing to write") {
  Rng rng(32);
  check_product(rng, {1, 3, 0, 5, false, false, false, false, true, 1, 7});
  check_product(rng, {1, 3, 0, 5, false, false, false, false, false, 1, 7});
  check_product(rng, {1, 0, 4, 5, false, false, false, false, false, 1, 7});
  check_product(rng, {0, 3, 4, 5, false, false, false, false, false, 1, 7});
}

TEST("conv2d: strides, dilations, padding, groups") {
  Rng rng(33);
  for (int t = 0; t < 150; ++t) {
    const auto pick = [&](int64_t low, int64_t high) {
      return low + static_cast<int64_t>(rng.below(static_cast<uint64_t>(high - low + 1)));
    };
    const int64_t groups = pick(1, 3);
    Convolution v = {pick(1, 2), groups * pick(1, 3), pick(1, 20), pick(1, 20), groups * pick(1, 5),
                     pick(1, 4), pick(1, 4),          pick(1, 3),  pick(1, 3),  pick(1, 2),
                     pick(1, 2), pick(0, 3),          pick(0, 3),  pick(0, 3),  pick(0, 3),
                     groups,     pick(0, 1) == 1};
    if (v.h + v.pt + v.pb <= (v.kh - 1) * v.dh || v.w + v.pl + v.pr <= (v.kw - 1) * v.dw) continue;
    check_convolution(rng, v);
  }
}

TEST("conv2d: shapes of real networks") {
  Rng rng(34);
  check_convolution(rng, {1, 3, 32, 32, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, true});
  check_convolution(rng, {1, 3, 40, 40, 8, 7, 7, 2, 2, 1, 1, 3, 3, 3, 3, 1});
  check_convolution(rng, {2, 32, 7, 7, 110, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  check_convolution(rng, {1, 40, 14, 14, 20, 1, 1, 2, 2, 1, 1, 0, 0, 0, 0, 1});
  check_convolution(rng, {1, 24, 15, 15, 24, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 24});
  check_convolution(rng, {1, 64, 4, 4, 100, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  check_convolution(rng, {3, 5, 1, 300, 4, 1, 9, 1, 1, 1, 2, 0, 8, 0, 8, 1});
}
