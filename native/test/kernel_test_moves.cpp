// Data movement, windows and sums against their definitions.
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

}  // namespace

TEST("copy: a transposition") {
  Rng rng(40);
  for (const int64_t n : {1, 3, 70, 150}) {
    const Words x = random_words(rng, static_cast<uint64_t>(n * 5 * 20));
    Result out = ring_result(x.size());
    // [n, 5, 20] to [20, n, 5]
    expect_ring({15, {memory_of(x)}, {&out}, {0, 0, 1, 3, 0, 0, n, 5, 100, 5, 1, 20, 20, 5 * n, 1}, 0},
                [&](uint64_t e) {
                  const uint64_t j = e % 5, i = e / 5 % static_cast<uint64_t>(n),
                                 k = e / 5 / static_cast<uint64_t>(n);
                  return x[i * 100 + j * 20 + k];
                });
  }
}

TEST("copy: a concatenation of a reversed and a repeated piece, and of a single element") {
  Rng rng(41);
  const Words x = random_words(rng, 700), y = random_words(rng, 3), z = random_words(rng, 9);
  Result out = ring_result(1001);
  expect_ring({15,
               {memory_of(x), memory_of(y), memory_of(z)},
               {&out},
               {0, 0, 3, 1, 0, 699, 700, 1, -1, 2, 700, 0, 3, 1, 1, 100, 3, 0, 0, 1000, 4},
               1},
              [&](uint64_t e) { return e < 700    ? x[699 - e]
                                       : e < 1000 ? y[(e - 700) % 3]
                                                  : z[4]; });
}

TEST("copy: padding with a constant of the lead") {
  Rng rng(42);
  const Words x = random_words(rng, 6);
  for (uint32_t lead = 0; lead < 2; ++lead) {
    Result out = ring_result(20);  // [2, 3] in the middle of [4, 5]
    expect_ring({15, {memory_of(x)}, {&out}, {1, -9, 1, 2, 6, 0, 2, 5, 3, 3, 1, 1}, lead}, [&](uint64_t e) {
      const uint64_t i = e / 5, j = e % 5;
      return i >= 1 && i < 3 && j >= 1 && j < 4 ? x[(i - 1) * 3 + j - 1] : lead * uint64_t{0} - lead * 9;
    });
  }
  Result out = ring_result(300);
  expect_ring({15, {}, {&out}, {1, 5, 0}, 1}, [](uint64_t) { return uint64_t{5}; });
}

TEST("windows and pool_sum") {
  Rng rng(43);
  for (int t = 0; t < 60; ++t) {
    const auto pick = [&](int64_t low, int64_t high) {
      return low + static_cast<int64_t>(rng.below(static_cast<uint64_t>(high - low + 1)));
    };
    const int64_t p = pick(1, 4), h = pick(1, 12), w = pick(1, 40), kh = pick(1, 3), kw = pick(1, 3),
                  sh = pick(1, 3), sw = pick(1, 3), dh = pick(1, 2), dw = pick(1, 2);
    const int64_t pt = pick(0, (kh - 1) * dh), pl = pick(0, (kw - 1) * dw), pb = pick(0, (kh - 1) * dh),
                  pr = pick(0, (kw - 1) * dw);
    if (h + pt + pb <= (kh - 1) * dh || w + pl + pr <= (kw - 1) * dw) continue;
    const int64_t oh = (h + pt + pb - (kh - 1) * dh - 1) / sh + 1,
                  ow = (w + pl + pr - (kw - 1) * dw - 1) / sw + 1;
    const Words x = random_words(rng, static_cast<uint64_t>(p * h * w));
    const Attributes attrs = {p, h, w, kh, kw, sh, sw, dh, dw, pt, pl, oh, ow};
    const auto index = [&](int64_t plane, int64_t window, int64_t tap) {  // -1 outside
      const int64_t row = window / ow * sh - pt + tap / kw * dh,
                    column = window % ow * sw - pl + tap % kw * dw;
      return row < 0 || row >= h || column < 0 || column >= w ? -1 : (plane * h + row) * w + column;
    };
    const auto first = [&](int64_t plane, int64_t window) {
      for (int64_t tap = 0; tap < kh * kw; ++tap) {
        if (index(plane, window, tap) >= 0) return index(plane, window, tap);
      }
      return int64_t{-1};
    };
    bool covered = true;
    for (int64_t window = 0; window < oh * ow; ++window) covered = covered && first(0, window) >= 0;
    Result sums = ring_result(static_cast<uint64_t>(p * oh * ow));
    expect_ring({18, {memory_of(x)}, {&sums}, attrs, 0}, [&](uint64_t e) {
      uint64_t sum = 0;
      for (int64_t tap = 0; tap < kh * kw; ++tap) {
        const int64_t at =
            index(static_cast<int64_t>(e) / (oh * ow), static_cast<int64_t>(e) % (oh * ow), tap);
        if (at >= 0) sum += x[static_cast<size_t>(at)];
      }
      return sum;
    });
    Result taps = ring_result(static_cast<uint64_t>(kh * kw * p * oh * ow));
    const Invocation call = {16, {memory_of(x)}, {&taps}, attrs, 0};
    if (!covered) {
      CHECK(call.check(*tables()[0]) != nullptr);
      continue;
    }
    expect_ring(call, [&](uint64_t e) {
      const int64_t at = static_cast<int64_t>(e), window = at % (oh * ow), plane = at / (oh * ow) % p,
                    tap = at / (oh * ow) / p;
      const int64_t from = index(plane, window, tap);
      return x[static_cast<size_t>(from >= 0 ? from : first(plane, window))];
    });
  }
}

TEST("reduce_sum") {
  Rng rng(44);
  for (const uint64_t outer : {1, 3, 40}) {
    for (const uint64_t k : {0, 1, 5, 300}) {
      for (const uint64_t inner : {1, 2, 65, 1200}) {
        const Words x = random_words(rng, outer * k * inner);
        Result out = ring_result(outer * inner);
        const Attributes attrs = {static_cast<int64_t>(outer), static_cast<int64_t>(k),
                                  static_cast<int64_t>(inner)};
        expect_ring({17, {memory_of(x)}, {&out}, attrs, 0}, [&](uint64_t e) {
          uint64_t sum = 0;
          for (uint64_t i = 0; i < k; ++i) sum += x[(e / inner * k + i) * inner + e % inner];
          return sum;
        });
      }
    }
  }
}
