#include "gemm.hpp"

#include "gemm_tile.hpp"
#include "transpose.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr uint64_t kDepth = 256;         // of a block of A and B
constexpr uint64_t kBlockRows = 96;      // of A: 192 KiB
constexpr uint64_t kBlockColumns = 384;  // of B: 768 KiB
constexpr uint64_t kFewColumns = 64;     // for so few, A is read where it is
constexpr uint64_t kAccumulator = (uint64_t)kTileRows * kPanelColumns;

using Tile = void (*)(uint64_t depth, const uint64_t* a, uint64_t a_row, uint64_t a_depth, const uint64_t* b,
                      uint64_t* acc);

// Tiles by number of rows, and by whether A is packed.
template <bool packed>
Tile tile_of(uint64_t rows) {
  switch (rows) {
    case 1:
      return gemm_tile<1, packed>;
#if defined(__AVX512F__)
    case 2:
      return gemm_tile<2, packed>;
    case 3:
      return gemm_tile<3, packed>;
    case 4:
      return gemm_tile<4, packed>;
    case 5:
      return gemm_tile<5, packed>;
    case 6:
      return gemm_tile<6, packed>;
    case 7:
      return gemm_tile<7, packed>;
    case 8:
      return gemm_tile<8, packed>;
    case 9:
      return gemm_tile<9, packed>;
    case 10:
      return gemm_tile<10, packed>;
    case 11:
      return gemm_tile<11, packed>;
#endif
    default:
      return gemm_tile<kTileRows, packed>;
  }
}

CT_INLINE uint64_t rounded(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

// Rows of tile `tile` when `rows` rows are shared out evenly over as few tiles as possible.
struct Split {
  uint64_t rows, tiles;
  explicit Split(uint64_t all) : rows(all), tiles(ceil_div(all, kTileRows)) {}
  uint64_t start(uint64_t tile) const { return tile * rows / tiles; }
};

void pack_a(const Gemm& g, uint64_t row, uint32_t rows, uint64_t k, uint64_t depth, uint64_t* panel) {
  const uint64_t* a = g.a + row * g.a_row + k * g.a_depth;
  if (g.a_depth == 1) return copy_transposed(a, g.a_row, rows, depth, panel, rows);
  for (uint64_t i = 0; i < depth; ++i, a += g.a_depth, panel += rows) {
    for (uint32_t r = 0; r < rows; ++r) panel[r] = a[r * g.a_row];
  }
}

// Adds a finished tile to the result; the first block of depth sets it.
void write_tile(const Gemm& g, uint64_t row, uint64_t rows, uint64_t column, uint32_t columns, bool first,
                const uint64_t* acc) {
  for (uint64_t r = 0; r < rows; ++r, acc += kPanelColumns) {
    const uint64_t at = (row + r) * g.out_row + column;
    uint64_t* out = g.out + at;
    if (!first) {
      CT_ELEMENTWISE
      for (uint32_t j = 0; j < columns; ++j) out[j] += g.scale * acc[j];
    } else if (g.c) {
      const uint64_t* c = g.c + at;
      CT_ELEMENTWISE
      for (uint32_t j = 0; j < columns; ++j) out[j] = g.scale * acc[j] + g.c_scale * c[j];
    } else {
      CT_ELEMENTWISE
      for (uint32_t j = 0; j < columns; ++j) out[j] = g.scale * acc[j];
    }
  }
}

uint64_t a_words(uint64_t rows, uint64_t depth) { return at_most(rows, kBlockRows) * at_most(depth, kDepth); }
uint64_t b_words(uint64_t depth, uint64_t columns) {
  return rounded(at_most(columns, kBlockColumns), kPanelColumns) * at_most(depth, kDepth);
}

}  // namespace

size_t gemm_scratch(uint64_t rows, uint64_t depth, uint64_t columns) {
  return (rounded(a_words(rows, depth), 8) + rounded(b_words(depth, columns), 8) + rounded(kAccumulator, 8)) *
         sizeof(uint64_t);
}

void gemm(const Gemm& g, uint64_t row, uint64_t rows, uint64_t column, uint64_t columns, void* scratch) {
  uint64_t* a_block = (uint64_t*)scratch;
  uint64_t* b_block = a_block + rounded(a_words(rows, g.depth), 8);
  uint64_t* acc = b_block + rounded(b_words(g.depth, columns), 8);
  for (uint64_t j0 = 0; j0 < columns; j0 += kBlockColumns) {
    const uint64_t width = at_most(kBlockColumns, columns - j0);
    const bool pack = width > kFewColumns;
    uint64_t k0 = 0;
    do {  // once even if the depth is 0
      const uint64_t depth = at_most(kDepth, g.depth - k0), panel = depth * kPanelColumns;
      g.pack_b(g.context, k0, depth, column + j0, width, b_block);
      for (uint64_t i0 = 0; i0 < rows; i0 += kBlockRows) {
        const Split split(at_most(kBlockRows, rows - i0));
        for (uint64_t t = 0; pack && t < split.tiles; ++t) {
          const uint64_t start = split.start(t);
          pack_a(g, row + i0 + start, (uint32_t)(split.start(t + 1) - start), k0, depth,
                 a_block + start * depth);
        }
        for (uint64_t j = 0; j < width; j += kPanelColumns) {
          for (uint64_t t = 0; t < split.tiles; ++t) {
            const uint64_t start = split.start(t), tall = split.start(t + 1) - start;
            const uint64_t* b = b_block + j / kPanelColumns * panel;
            if (pack) {
              tile_of<true>(tall)(depth, a_block + start * depth, 1, tall, b, acc);
            } else {
              const uint64_t* a = g.a + (row + i0 + start) * g.a_row + k0 * g.a_depth;
              tile_of<false>(tall)(depth, a, g.a_row, g.a_depth, b, acc);
            }
            write_tile(g, row + i0 + start, tall, column + j0 + j,
                       (uint32_t)at_most(kPanelColumns, width - j), k0 == 0, acc);
          }
        }
      }
      k0 += depth;
    } while (k0 < g.depth);
  }
}

}  // namespace cryptorch::CT_TARGET
