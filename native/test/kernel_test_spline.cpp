// Splines on masked positions: the dealer's tables against their definition, in wider arithmetic, and as a
// protocol: rows of shares of a table, chosen by an opening, add up to the polynomial of the right cell.
#include <cmath>

#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

using Wide = __int128;

struct Shape {
  uint32_t bits, cells, degree;
  uint32_t positions[3];
  uint32_t precision;

  uint32_t position() const { return positions[0]; }
  uint32_t rows() const { return 1u << cells; }
  uint32_t terms() const { return degree + 1; }
  uint32_t entries() const { return rows() * terms(); }
  uint64_t inside(uint64_t place) const { return place & ((uint64_t{1} << position()) - 1); }
  int64_t half() const { return int64_t{1} << position() >> 1; }
  uint64_t place(uint64_t y) const { return (y & low_mask(bits)) >> (bits - cells - position()); }
  Attributes attributes() const {
    Attributes list = {bits, cells, degree};
    for (uint32_t k = 0; k < degree; ++k) list.push_back(positions[k]);
    return list;
  }
};

Wide rounded(Wide value, uint32_t shift) {
  return shift ? (value + (Wide{1} << (shift - 1))) >> shift : value;
}

// The coefficients of powers of u of one polynomial in tau, for tau = (u + offset) / 2^position.
std::vector<Wide> written_in_u(const Shape& s, const int64_t* polynomial, int64_t offset) {
  std::vector<Wide> c(polynomial, polynomial + s.terms());
  for (uint32_t from = 0; from < s.degree; ++from) {
    for (uint32_t k = s.degree; k-- > from;) c[k] += rounded(c[k + 1] * offset, s.position());
  }
  for (uint32_t k = s.terms(); k-- > 0;) {
    const uint32_t drop = (k ? k * s.positions[k - 1] : 0) + s.precision;
    const Wide kept = rounded(c[k], drop), rest = c[k] - kept * (Wide{1} << drop);
    c[k] = kept;
    if (k == 3) c[1] += (3 * rest) >> 4;
    if (k == 2) c[0] += rest >> 3;
  }
  return c;
}

Attributes random_polynomials(Rng& rng, const Shape& s) {
  Attributes list(s.entries());
  for (int64_t& c : list) c = static_cast<int64_t>(rng.next()) >> (16 + rng.below(40));
  return list;
}

Shape random_shape(Rng& rng) {
  Shape s{};
  s.cells = static_cast<uint32_t>(1 + rng.below(6));
  s.degree = static_cast<uint32_t>(rng.below(4));
  if (s.degree) s.positions[0] = static_cast<uint32_t>(1 + rng.below(12));
  for (uint32_t k = 1; k < s.degree; ++k)
    s.positions[k] = static_cast<uint32_t>(1 + rng.below(s.positions[0]));
  s.precision = static_cast<uint32_t>(rng.below(21));
  s.bits = static_cast<uint32_t>(s.cells + s.position() + rng.below(65 - s.cells - s.position()));
  return s;
}

Attributes with(Attributes a, int64_t precision, const Attributes& polynomials) {
  a.push_back(precision);
  a.insert(a.end(), polynomials.begin(), polynomials.end());
  return a;
}

}  // namespace

TEST("spline_table: polynomials in the position of each mask, rotated by its cell") {
  Rng rng(70);
  for (int round = 0; round < 3; ++round) {
    for (const uint64_t n : sizes()) {
      const Shape s = random_shape(rng);
      const Attributes polynomials = random_polynomials(rng, s);
      const uint32_t bits = static_cast<uint32_t>(1 + rng.below(64));
      const RingOperand mask(rng, n, rng.below(2) ? s.bits : 64, forms()[rng.below(forms().size())]);
      Result out = ring_result(n * s.entries(), bits);
      const Invocation call = {40, {mask.source()}, {&out}, with(s.attributes(), s.precision, polynomials)};
      Words wanted(n * s.entries());
      for (uint64_t e = 0; e < n; ++e) {
        const uint64_t place = s.place(mask[e]), cell = place >> s.position();
        const auto rho = static_cast<int64_t>(s.inside(place));
        for (uint64_t i = 0; i < s.rows(); ++i) {
          const auto c = written_in_u(s, polynomials.data() + i * s.terms(), s.half() - rho);
          const uint64_t row = (i + cell) % s.rows();
          for (uint32_t k = 0; k < s.terms(); ++k)
            wanted[(e * s.rows() + row) * s.terms() + k] = static_cast<uint64_t>(c[k]);
        }
      }
      expect_ring(call, [&](uint64_t i) { return wanted[i]; });
    }
  }
}

TEST("spline_select: the row of the opening's cell, at its place, of a table for each element or for all") {
  Rng rng(71);
  for (int round = 0; round < 4; ++round) {
    const bool one = round == 3;
    for (const uint64_t n : sizes()) {
      const Shape s = random_shape(rng);
      const uint32_t bits = static_cast<uint32_t>(1 + rng.below(64));
      const RingOperand hat(rng, n, rng.below(2) ? s.bits : 64, forms()[rng.below(forms().size())]),
          table(rng, (one ? 1 : n) * s.entries(), bits, forms()[rng.below(forms().size())]);
      Result out = ring_result(n, bits, rng.below(2) ? Layout::ring : Layout::packed);
      expect_ring({41, {hat.source(), table.source()}, {&out}, s.attributes()}, [&](uint64_t e) {
        const uint64_t place = s.place(hat[e]);
        const uint64_t at = ((one ? 0 : e) * s.rows() + (place >> s.position())) * s.terms();
        const auto u = static_cast<double>(static_cast<int64_t>(s.inside(place)) - s.half());
        uint64_t value = table[at];
        for (uint32_t k = 1; k < s.terms(); ++k) {
          const double part =
              std::ldexp(u, static_cast<int>(s.positions[k - 1]) - static_cast<int>(s.position()));
          const auto own = static_cast<uint64_t>(static_cast<int64_t>(std::floor(part + 0.5)));
          uint64_t power = 1;
          for (uint32_t i = 0; i < k; ++i) power *= own;
          value += table[at + k] * power;
        }
        return value;
      });
    }
  }
}

TEST("splines: shares of the chosen rows add up to the polynomial of a cell that y lies in or next to") {
  Rng rng(72);
  for (const uint64_t n : {1, 7, 513, 700}) {
    for (uint32_t degree = 1; degree <= 3; ++degree) {
      // The square root on [1/4, 1) of 2^30, with 22 fractional bits and more.
      const Shape s = {30, 5, degree, {7, 6, 5}, 20};
      const double unit = 4194304.0;
      Attributes polynomials;
      for (uint32_t i = 0; i < s.rows(); ++i) {
        // Entry 0 is that of the upper end; Taylor series there, and below the domain whatever is next to it.
        const double x = i == 0 ? 1.0 : std::max(i, 8u) / 32.0, h = 1.0 / 32, root = std::sqrt(x);
        const double c[4] = {root, h / (2 * root), -h * h / (8 * x * root), h * h * h / (16 * x * x * root)};
        for (uint32_t k = 0; k <= degree; ++k)
          polynomials.push_back(std::llround(c[k] * unit * std::ldexp(1.0, static_cast<int>(s.precision))));
      }
      Words r(n), y(n), hat(n);
      for (uint64_t e = 0; e < n; ++e) {
        r[e] = rng.value(s.bits);
        y[e] = (uint64_t{1} << 28) + rng.below((uint64_t{3} << 28) - 1);
        if (e < 4) y[e] = e % 2 ? uint64_t{1} << 28 : (uint64_t{1} << 30) - 1;
        hat[e] = (y[e] + r[e]) & low_mask(s.bits);
      }
      const Form memory = {Form::Memory::ring, 0, false};
      const RingOperand mask(rng, r, s.bits, memory), opened(rng, hat, s.bits, memory);
      Result table = ring_result(n * s.entries(), 40);
      Invocation{40, {mask.source()}, {&table}, with(s.attributes(), s.precision, polynomials)}.run([] {});
      for (uint32_t parties = 2; parties <= 3; ++parties) {
        Words sum(n), rest(n * s.entries());
        for (uint64_t i = 0; i < rest.size(); ++i) rest[i] = table.element(i);
        for (uint32_t p = 0; p < parties; ++p) {
          Words own(rest.size());
          for (uint64_t i = 0; i < own.size(); ++i) {
            own[i] = (p + 1 == parties ? rest[i] : rng.next()) & low_mask(40);
            rest[i] -= own[i];
          }
          const RingOperand share(rng, own, 40, p ? memory : forms()[7]);
          Result out = ring_result(n, 40);
          Invocation{41, {opened.source(), share.source()}, {&out}, s.attributes(), p == 0}.run([] {});
          for (uint64_t e = 0; e < n; ++e) sum[e] += out.element(e);
        }
        // Taylor's remainder over a cell, the last bit of the place, its powers' last bits, and roundings.
        const double h = 1.0 / 8, fit[4] = {0, h * h / 8, h * h * h / 16, 5 * h * h * h * h / 128};
        const double roundings[4] = {0, 34, 34 + 256, 34 + 256 + 512};
        uint64_t wrong = 0;
        for (uint64_t e = 0; e < n; ++e) {
          const double exact = std::sqrt(static_cast<double>(y[e]) / std::ldexp(1.0, 30));
          const double found = static_cast<double>(sum[e] & low_mask(40)) / unit;
          wrong +=
              std::abs(found - exact) > fit[degree] * exact * 1.3 + 1.0 / 4000 + roundings[degree] / unit;
        }
        CHECK(wrong == 0);
      }
    }
  }
}
