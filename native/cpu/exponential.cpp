// Exponentials of masked values (lib/compiler/ops/exponential.ts).
//
// y < 2^bits was opened as y^ = y + r mod 2^bits. Without its lowest `below` bits it is a place, whose
// leading `cells` bits are a cell I and the others a position u^; the dealer splits r into R and u in the
// same way. With d = I - R mod 2^cells, or 2^cells where that is 0, the place of y is d cells and u^ - u, a
// unit more or less, so that
//
//     exp(rate y) = (exp(rate cells d) exp(-rate u)) exp(rate u^):
//
// what is in brackets the dealer knows for every cell I, the last factor everybody computes. Both
// exponentials of a position are products of one factor for each of its bits that is set, with kFactor
// fractional bits.
//   exponential_table:  for a mask, or a share of none: an entry for every cell of the opening.
//                       Attributes: bits, cells, below, then for each bit of a position exp(-rate 2^k); for
//                       each d from 1 a mantissa below 2^34, and how many bits its product with exp(-rate u)
//                       is shifted down.
//   exponential_select: from the opening y^ and a table, or a share of one: the entry of its cell times
//   exp(rate u^).
//                       Attributes: bits, cells, below, fractional bits of that factor, then for each bit of
//                       a position exp(rate 2^k).
#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr uint32_t kFactor = 28;
constexpr uint32_t kMostCells = 6;
constexpr uint32_t kMostPosition = 24;
// exp(rate u^) stays below 2^6.
constexpr int64_t kMostGrowth = int64_t{1} << (kFactor + 6);
constexpr int64_t kMostMantissa = int64_t{1} << 34;

struct Shape {
  uint32_t bits, cells, below;

  explicit Shape(const int64_t* attributes)
      : bits((uint32_t)attributes[0]), cells((uint32_t)attributes[1]), below((uint32_t)attributes[2]) {}
  uint32_t rows() const { return 1u << cells; }
  uint32_t position() const { return bits - cells - below; }
  uint64_t place(uint64_t y) const { return (y & low_bits(bits)) >> below; }
};

const char* check_shape(const Args& args) {
  CT_REQUIRE(args.attrs >= 3, "wrong number of attributes");
  const int64_t bits = args.attr[0], cells = args.attr[1], below = args.attr[2];
  CT_REQUIRE(bits >= 1 && bits <= 64, "width of the operand is not 1 to 64");
  CT_REQUIRE(cells >= 1 && cells <= (int64_t)kMostCells, "cells are not 2 to 64");
  CT_REQUIRE(below >= 0 && below < bits - cells && bits - cells - below <= (int64_t)kMostPosition,
             "bits of a position are not 1 to 24");
  return nullptr;
}

// Factors with kFactor fractional bits, whose products stay within `most`.
const char* check_factors(const int64_t* factors, uint32_t count, int64_t most) {
  const double unit = (double)(int64_t{1} << kFactor);
  double product = 1.0;
  for (uint32_t k = 0; k < count; ++k) {
    CT_REQUIRE(factors[k] >= 0 && factors[k] <= most, "a factor is out of range");
    if (factors[k] > int64_t{1} << kFactor) product *= (double)factors[k] / unit;
  }
  CT_REQUIRE(product <= (double)most / unit, "factors are too large together");
  return nullptr;
}

CT_INLINE uint64_t scaled(uint64_t a, uint64_t b, uint32_t shift) {
  return (a * b + (uint64_t{1} << (shift - 1))) >> shift;
}

// exp of a public position as two factors: of its lower and of its upper bits.
class Powers {
 public:
  static size_t words(uint32_t position) {
    return (size_t{1} << (position / 2)) + (size_t{1} << (position - position / 2));
  }

  Powers(const int64_t* factors, uint32_t position, uint64_t* memory)
      : low_(memory), high_(memory + (size_t{1} << (position / 2))), split_(position / 2) {
    fill(low_, factors, split_);
    fill(high_, factors + split_, position - split_);
  }
  // With 2 kFactor fractional bits.
  CT_INLINE uint64_t operator()(uint64_t u) const {
    return low_[u & ((uint64_t{1} << split_) - 1)] * high_[u >> split_];
  }

 private:
  static void fill(uint64_t* table, const int64_t* factors, uint32_t count) {
    table[0] = uint64_t{1} << kFactor;
    for (uint32_t k = 0; k < count; ++k) {
      const uint64_t size = uint64_t{1} << k, factor = (uint64_t)factors[k];
      for (uint64_t i = 0; i < size; ++i) table[size + i] = scaled(table[i], factor, kFactor);
    }
  }

  uint64_t *low_, *high_;
  uint32_t split_;
};

uint64_t units(const Args& args, uint64_t* grain) {
  *grain = 8 * kBlock;
  return args.in[0].elements;
}

const char* check_table(const Args& args) {
  CT_TRY(check_shape(args));
  const Shape shape(args.attr);
  CT_TRY(check_counts(args, 1, 1, 3 + shape.position() + 2 * shape.rows()));
  CT_TRY(check_factors(args.attr + 3, shape.position(), int64_t{1} << kFactor));
  const int64_t* mantissas = args.attr + 3 + shape.position();
  for (uint32_t d = 0; d < shape.rows(); ++d) {
    CT_REQUIRE(mantissas[d] >= 0 && mantissas[d] <= kMostMantissa, "a mantissa is out of range");
    const int64_t shift = mantissas[shape.rows() + d];
    CT_REQUIRE(shift >= 1 && shift <= 63, "a shift is not 1 to 63");
  }
  const uint64_t elements = args.in[0].elements;
  CT_REQUIRE(elements <= kMostElements, "an operand is too large");
  CT_TRY(check_ring(args.in[0], elements));
  CT_REQUIRE(is_zero(args.in[0]) || !elements || (args.in[0].inner == 1 && args.in[0].mid == elements),
             "an operand cannot be broadcast");
  const Size size = Size(elements) * shape.rows();
  CT_TRY(check_memory(args.out[0], size));
  CT_REQUIRE(args.out[0].elements == size.value(), "a result has the wrong size");
  return nullptr;
}

size_t table_scratch(const Args&) { return 3 * kRingScratch; }

// Whatever the masks are, all factors are multiplied and all entries moved.
void run_table(const Args& args, void* memory) {
  const Shape shape(args.attr);
  const uint32_t rows = shape.rows(), position = shape.position();
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* places = scratch.ring();
  uint64_t* decay = scratch.ring();
  const uint64_t* factors = (const uint64_t*)args.attr + 3;
  const uint64_t *mantissas = factors + position, *shifts = mantissas + rows;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* r = load_ring(args.in[0], args.in[0].elements, first, count, 64, buffer);
    for (uint32_t e = 0; e < count; ++e) {
      places[e] = shape.place(r[e]);
      decay[e] = uint64_t{1} << kFactor;
    }
    for (uint32_t k = 0; k < position; ++k) {
      const uint64_t less = (uint64_t{1} << kFactor) - factors[k];
      for (uint32_t e = 0; e < count; ++e) {
        const uint64_t set = -(places[e] >> k & 1);
        decay[e] = scaled(decay[e], (uint64_t{1} << kFactor) - (less & set), kFactor);
      }
    }
    uint64_t* target = (uint64_t*)args.out[0].data + first * rows;
    for (uint32_t e = 0; e < count; ++e) {
      uint64_t entries[2][1 << kMostCells];
      for (uint32_t d = 0; d < rows; ++d) {
        const uint64_t half = uint64_t{1} << (shifts[d] - 1);
        entries[0][(d + 1) & (rows - 1)] = (mantissas[d] * decay[e] + half) >> shifts[d];
      }
      // Moved up by the cell of the mask, in as many steps as it has bits.
      for (uint32_t bit = 0; bit < shape.cells; ++bit) {
        const uint64_t moved = -(places[e] >> position >> bit & 1);
        const uint64_t* from = entries[bit & 1];
        uint64_t* to = bit + 1 == shape.cells ? target + e * rows : entries[~bit & 1];
        for (uint32_t i = 0; i < rows; ++i)
          to[i] = from[i] ^ (moved & (from[i] ^ from[(i - (1u << bit)) & (rows - 1)]));
      }
    }
  });
}

const char* check_select(const Args& args) {
  CT_TRY(check_shape(args));
  const Shape shape(args.attr);
  CT_TRY(check_counts(args, 2, 1, 4 + shape.position()));
  CT_REQUIRE(args.attr[3] >= 0 && args.attr[3] < 2 * (int64_t)kFactor, "fractional bits are not 0 to 55");
  CT_TRY(check_factors(args.attr + 4, shape.position(), kMostGrowth));
  CT_TRY(check_result(args.out[0]));
  const uint64_t elements = args.out[0].elements;
  CT_REQUIRE(args.in[0].elements == elements, "an operand has the wrong size");
  CT_TRY(check_ring(args.in[0], elements));
  const Source& table = args.in[1];
  const Size size = Size(elements) * shape.rows();
  CT_REQUIRE(size.fits(kMostElements), "an operand is too large");
  CT_TRY(check_ring(table, size.value()));
  if (is_zero(table) || !elements) return nullptr;
  CT_REQUIRE(table.inner == 1 && table.mid == table.elements, "a table cannot be broadcast");
  CT_REQUIRE(table.elements == size.value(), "an operand has the wrong size");
  return nullptr;
}

size_t entry_scratch(const Args& args) {
  return ring_scratch<3>(args) + (Powers::words(Shape(args.attr).position()) + 8) * sizeof(uint64_t);
}

void run_select(const Args& args, void* memory) {
  const Shape shape(args.attr);
  const uint32_t rows = shape.rows(), position = shape.position();
  const uint32_t drop = 2 * kFactor - (uint32_t)args.attr[3];
  const uint64_t half = uint64_t{1} << (drop - 1);
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* rows_at = scratch.ring();
  uint64_t* entries = scratch.ring();
  uint64_t* packed = scratch.ring();
  const Powers growth(args.attr + 4, position, scratch.words(Powers::words(position)));
  const Sink& out = args.out[0];
  const Source& table = args.in[1];
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* hat = load_ring(args.in[0], out.elements, first, count, 64, buffer);
    uint64_t* target = ring_target(out, first, packed);
    for (uint32_t e = 0; e < count; ++e) rows_at[e] = (first + e) * rows + (shape.place(hat[e]) >> position);
    load_runs(table, rows_at, count, 1, out.bits, entries);
    for (uint32_t e = 0; e < count; ++e)
      target[e] = entries[e] * ((growth(shape.place(hat[e]) & low_bits(position)) + half) >> drop);
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(exponential_table, check_table, units, table_scratch, run_table)
CT_KERNEL(exponential_select, check_select, element_units, entry_scratch, run_select)

}  // namespace cryptorch::CT_TARGET
