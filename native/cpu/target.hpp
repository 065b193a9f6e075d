// What every kernel source starts with. Kernel sources are compiled once per instruction set, each time into
// a namespace of its own (cryptorch::baseline, ::avx2, ::avx512), so that no function built with wide
// instructions can end up in a build for a smaller processor. For the same reason they use no inline code of
// the standard library.
#pragma once
#include <cstddef>
#include <cstdint>
#if defined(__x86_64__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"  // gcc 12 about "undefined" registers of its own header
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#include "../core/kernel.hpp"
#include "../core/prg.hpp"

#ifndef CT_TARGET
#define CT_TARGET baseline
#endif

// Registers are passed between functions of one instruction set only.
#pragma GCC diagnostic ignored "-Wpsabi"

#define CT_INLINE inline __attribute__((always_inline))
#define CT_UNROLL _Pragma("GCC unroll 16")
// Before a loop over elements: a result lies exactly where an operand does, or nowhere near it.
#define CT_ELEMENTWISE _Pragma("GCC ivdep")

namespace cryptorch::CT_TARGET {

// What a register holds. Loads and stores need 8-byte alignment only.
#if defined(__AVX512F__)
typedef uint64_t Piece __attribute__((vector_size(64), aligned(8), may_alias));
#elif defined(__AVX2__)
typedef uint64_t Piece __attribute__((vector_size(32), aligned(8), may_alias));
#else
typedef uint64_t Piece __attribute__((vector_size(16), aligned(8), may_alias));
#endif

constexpr uint32_t kPlaneWords = 8;
constexpr uint32_t kPieceWords = sizeof(Piece) / sizeof(uint64_t);
constexpr uint32_t kPieces = kPlaneWords / kPieceWords;

// One plane of a block: a bit for each of its 512 elements. (A vector type of 64 bytes would do, but
// compilers keep it in memory where registers are smaller.)
struct __attribute__((may_alias)) Plane {
  Piece piece[kPieces];
};

#define CT_PLANE_OPERATOR(op)                                                                 \
  static CT_INLINE Plane operator op(const Plane& a, const Plane& b) {                        \
    Plane out;                                                                                \
    CT_UNROLL for (uint32_t i = 0; i < kPieces; ++i) out.piece[i] = a.piece[i] op b.piece[i]; \
    return out;                                                                               \
  }                                                                                           \
  static CT_INLINE Plane& operator op##=(Plane& a, const Plane& b) { return a = a op b; }
CT_PLANE_OPERATOR(^)
CT_PLANE_OPERATOR(&)
#undef CT_PLANE_OPERATOR

static CT_INLINE Plane operator~(const Plane& a) {
  Plane out;
  CT_UNROLL for (uint32_t i = 0; i < kPieces; ++i) out.piece[i] = ~a.piece[i];
  return out;
}

static CT_INLINE Plane splat(uint64_t word) {
  Plane out;
  CT_UNROLL for (uint32_t i = 0; i < kPieces; ++i) out.piece[i] = Piece{} + word;
  return out;
}

static CT_INLINE uint64_t* words_of(Plane* plane) { return (uint64_t*)plane; }
static CT_INLINE const uint64_t* words_of(const Plane* plane) { return (const uint64_t*)plane; }

// c ? a : b, bit by bit.
static CT_INLINE Piece choose(Piece c, Piece a, Piece b) {
#if defined(__AVX512F__)
  return (Piece)_mm512_ternarylogic_epi64((__m512i)c, (__m512i)a, (__m512i)b, 0xCA);
#else
  return b ^ (c & (a ^ b));
#endif
}

static CT_INLINE uint64_t at_most(uint64_t a, uint64_t b) { return a < b ? a : b; }
static CT_INLINE uint64_t ceil_div(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }

// All ones below bit `bits`, for bits 1..64.
static CT_INLINE uint64_t low_bits(uint32_t bits) { return ~uint64_t{0} >> (64 - bits); }

}  // namespace cryptorch::CT_TARGET
