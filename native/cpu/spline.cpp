// Splines on masked positions (spline.hpp).
//   spline_table:  the dealer's table for its mask r: public polynomials in tau, written in u for this rho,
//   rotated by
//                  this R. In fixed point with `precision` fractional bits: a coefficient of u^k is rounded
//                  to a unit of the result, and what that leaves out of u^2 and u^3 goes into u^0 and u^1 as
//                  well as it can (Chebyshev). All polynomials are shifted and all rows moved, whatever r is.
//                  Attributes: bits, cells, position, degree, precision, then degree + 1 coefficients of each
//                  entry.
//   spline_select: from the opening y^ and a table, or a share of one: the value of the row that y^ names, at
//   its u.
//                  Of all elements, if the table is that of one. Attributes: bits, cells, degree, positions.
#include "spline.hpp"

#include "kernels.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr int64_t kMostPrecision = 20;

uint64_t elements_of(const Args& args) { return args.in[0].elements; }

uint64_t units(const Args& args, uint64_t* grain) {
  *grain = kBlock;
  return elements_of(args);
}

const char* check_table(const Args& args) {
  CT_TRY(check_spline(args));
  const SplineShape shape(args.attr);
  CT_TRY(check_counts(args, 1, 1, shape.attributes() + 1 + shape.entries()));
  const int64_t precision = args.attr[shape.attributes()];
  CT_REQUIRE(precision >= 0 && precision <= kMostPrecision, "precision is not 0 to 20");
  const uint64_t elements = elements_of(args);
  CT_REQUIRE(elements <= kMostElements, "an operand is too large");
  CT_TRY(check_ring(args.in[0], elements));
  CT_REQUIRE(is_zero(args.in[0]) || !elements || (args.in[0].inner == 1 && args.in[0].mid == elements),
             "an operand cannot be broadcast");
  const Size size = Size(elements) * shape.entries();
  CT_TRY(check_memory(args.out[0], size));
  CT_REQUIRE(args.out[0].elements == size.value(), "a result has the wrong size");
  return nullptr;
}

size_t table_scratch(const Args& args) {
  const size_t entries = SplineShape(args.attr).entries();
  const auto lines = [](size_t words) { return (words + 7) / 8 * 64; };
  return kRingScratch + 2 * lines(entries) + 2 * lines(entries + entries / 2);
}

// a b / 2^shift, rounded to nearest; wraps like a word.
CT_INLINE int64_t scaled(int64_t a, int64_t b, uint32_t shift) {
  const uint64_t half = uint64_t{1} << (shift - 1);
  return (int64_t)((uint64_t)a * (uint64_t)b + half) >> shift;
}

CT_INLINE int64_t sum(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

// The polynomials c[k][row] of tau in u / 2^p, for tau = (u + offset) / 2^p.
void shift_polynomials(const SplineShape& shape, int64_t offset, int64_t* c) {
  const uint32_t rows = shape.rows();
  for (uint32_t from = 0; from < shape.degree; ++from) {
    for (uint32_t k = shape.degree; k-- > from;) {
      int64_t *low = c + k * rows, *high = low + rows;
      for (uint32_t i = 0; i < rows; ++i) low[i] = sum(low[i], scaled(high[i], offset, shape.positions[0]));
    }
  }
}

void round_coefficients(const SplineShape& shape, uint32_t precision, int64_t* c) {
  const uint32_t rows = shape.rows();
  for (uint32_t k = shape.degree + 1; k-- > 0;) {
    const uint32_t drop = (k ? k * shape.positions[k - 1] : 0) + precision;
    if (!drop) continue;
    const uint64_t half = uint64_t{1} << (drop - 1);
    int64_t* own = c + k * rows;
    for (uint32_t i = 0; i < rows; ++i) {
      const int64_t rounded = (int64_t)((uint64_t)own[i] + half) >> drop;
      const int64_t rest = (int64_t)((uint64_t)own[i] - ((uint64_t)rounded << drop));
      own[i] = rounded;
      if (k == 3) c[rows + i] = sum(c[rows + i], 3 * rest >> 4);
      if (k == 2) c[i] = sum(c[i], rest >> 3);
    }
  }
}

// Rotates rows of `terms` words up by `by`, in as many steps as `by` has bits, the last of them into `out`.
// Before `words` and `spare` there is room for half of the rows.
void rotate(uint32_t cells, uint32_t terms, uint64_t by, uint64_t* words, uint64_t* spare, uint64_t* out) {
  const uint32_t size = terms << cells;
  for (uint32_t bit = 0; bit < cells; ++bit) {
    const uint64_t moved = 0 - (by >> bit & 1);
    const uint32_t step = terms << bit;
    const uint64_t* below = words - step;
    __builtin_memcpy(words - step, words + size - step, step * sizeof(uint64_t));
    uint64_t* to = bit + 1 == cells ? out : spare;
    CT_ELEMENTWISE
    for (uint32_t i = 0; i < size; ++i) to[i] = words[i] ^ (moved & (words[i] ^ below[i]));
    spare = words;
    words = to;
  }
}

void run_table(const Args& args, void* memory) {
  const SplineShape shape(args.attr);
  const uint32_t precision = (uint32_t)args.attr[shape.attributes()], position = shape.positions[0];
  const int64_t* public_coefficients = args.attr + shape.attributes() + 1;
  const uint32_t rows = shape.rows(), terms = shape.degree + 1;
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  const uint32_t entries = shape.entries(), half_entries = entries / 2;
  int64_t* start = (int64_t*)scratch.words(entries);
  int64_t* c = (int64_t*)scratch.words(entries);
  uint64_t* words = scratch.words(entries + half_entries) + half_entries;
  uint64_t* spare = scratch.words(entries + half_entries) + half_entries;
  for (uint32_t i = 0; i < rows; ++i) {
    for (uint32_t k = 0; k < terms; ++k) start[k * rows + i] = public_coefficients[i * terms + k];
  }
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* r = load_ring(args.in[0], elements_of(args), first, count, 64, buffer);
    for (uint32_t e = 0; e < count; ++e) {
      const uint64_t place = shape.place(r[e]);
      const int64_t half = int64_t{1} << position >> 1;
      const int64_t rho = (int64_t)(place & ((uint64_t{1} << position) - 1));
      __builtin_memcpy(c, start, entries * sizeof(int64_t));
      shift_polynomials(shape, half - rho, c);
      round_coefficients(shape, precision, c);
      for (uint32_t k = 0; k < terms; ++k) {
        for (uint32_t i = 0; i < rows; ++i) words[i * terms + k] = (uint64_t)c[k * rows + i];
      }
      uint64_t* target = (uint64_t*)args.out[0].data + (first + e) * entries;
      rotate(shape.cells, terms, place >> position, words, spare, target);
    }
  });
}

const char* check_select(const Args& args) {
  CT_TRY(check_spline(args));
  CT_TRY(check_counts(args, 2, 1, SplineShape(args.attr).attributes()));
  CT_TRY(check_result(args.out[0]));
  const uint64_t elements = args.out[0].elements;
  CT_TRY(check_ring(args.in[0], elements));
  const Source& table = args.in[1];
  const Size size = Size(elements) * SplineShape(args.attr).entries();
  CT_REQUIRE(size.fits(kMostElements), "an operand is too large");
  CT_TRY(check_ring(table, size.value()));
  if (is_zero(table) || !elements) return nullptr;
  CT_REQUIRE(table.inner == 1 && table.mid == table.elements, "a table cannot be broadcast");
  const bool one = table.elements == SplineShape(args.attr).entries();
  CT_REQUIRE(one || table.elements == size.value(), "an operand has the wrong size");
  return nullptr;
}

size_t select_memory(const Args& args) {
  return ring_scratch<2>(args) + kBlock * (kMostDegree + 1) * sizeof(uint64_t);
}

void run_select(const Args& args, void* memory) {
  const SplineShape shape(args.attr);
  const uint32_t terms = shape.degree + 1, position = shape.positions[0];
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* starts = scratch.ring();
  uint64_t* packed = scratch.ring();
  uint64_t* rows = scratch.words(kBlock * (kMostDegree + 1));
  const Sink& out = args.out[0];
  const Source& table = args.in[1];
  const uint64_t stride = table.elements == shape.entries() ? 0 : shape.entries();
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const uint64_t* hat = load_ring(args.in[0], out.elements, first, count, 64, buffer);
    uint64_t* target = ring_target(out, first, packed);
    for (uint32_t e = 0; e < count; ++e)
      starts[e] = (first + e) * stride + (shape.place(hat[e]) >> position) * terms;
    load_runs(table, starts, count, terms, out.bits, rows);
    for (uint32_t e = 0; e < count; ++e) {
      const uint64_t place = shape.place(hat[e]);
      const uint64_t* c = rows + e * terms;
      const int64_t u = (int64_t)(place & ((uint64_t{1} << position) - 1)) - (int64_t{1} << position >> 1);
      uint64_t value = c[0];
      for (uint32_t k = 1; k <= shape.degree; ++k) {
        const uint32_t drop = position - shape.positions[k - 1];
        const uint64_t own = (uint64_t)((u + (int64_t{1} << drop >> 1)) >> drop);
        uint64_t power = own;
        for (uint32_t i = 1; i < k; ++i) power *= own;
        value += c[k] * power;
      }
      target[e] = value;
    }
    finish_ring(out, first, count, target);
  });
}

}  // namespace

CT_KERNEL(spline_table, check_table, units, table_scratch, run_table)
CT_KERNEL(spline_select, check_select, element_units, select_memory, run_select)

}  // namespace cryptorch::CT_TARGET
