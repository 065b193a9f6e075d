// The list of kernels: identifier in plans, symbol, name in reports. A kernel is added by a line here and a
// file that ends with CT_KERNEL. They are joined by functions, not by objects, so that the table needs no
// code at start-up: such code would run on every processor, whatever it was built for.
#pragma once
#include "check.hpp"

#define CT_KERNELS(X)                             \
  X(1, lincomb, "lincomb")                        \
  X(2, xor_planes, "xor")                         \
  X(3, mulsum, "mulsum")                          \
  X(4, shift_right, "shift_right")                \
  X(5, truncate, "truncate")                      \
  X(6, truncate_select, "truncate_select")        \
  X(7, select, "select")                          \
  X(8, bits_to_ring, "bits_to_ring")              \
  X(9, digits, "digits")                          \
  X(10, leaf, "leaf")                             \
  X(11, gate, "gate")                             \
  X(12, monomials, "monomials")                   \
  X(13, matmul, "matmul")                         \
  X(14, conv2d, "conv2d")                         \
  X(15, copy, "copy")                             \
  X(16, windows, "windows")                       \
  X(17, reduce_sum, "reduce_sum")                 \
  X(18, pool_sum, "pool_sum")                     \
  X(19, clear_truncate, "clear_truncate")         \
  X(20, clear_select, "clear_select")             \
  X(21, ring_monomials, "ring_monomials")         \
  X(25, reshape_planes, "reshape_planes")         \
  X(26, conjunction, "conjunction")               \
  X(27, conjunction_masks, "conjunction_masks")   \
  X(32, polynomial, "polynomial")                 \
  X(40, spline_table, "spline_table")             \
  X(41, spline_select, "spline_select")           \
  X(50, piecewise, "piecewise")                   \
  X(55, wave, "wave")                             \
  X(56, fourier, "fourier")                       \
  X(60, exponential_table, "exponential_table")   \
  X(61, exponential_select, "exponential_select") \
  /* a new kernel, with the next number */

#define CT_DECLARE_KERNEL(id, symbol, name)        \
  const char* symbol##_check(const Args&);         \
  uint64_t symbol##_units(const Args&, uint64_t*); \
  size_t symbol##_scratch(const Args&);            \
  void symbol##_run(const Args&, void*);

// Defines a kernel by its four functions.
#define CT_KERNEL(symbol, check, units, scratch, run)                                       \
  const char* symbol##_check(const Args& args) { return check(args); }                      \
  uint64_t symbol##_units(const Args& args, uint64_t* grain) { return units(args, grain); } \
  size_t symbol##_scratch(const Args& args) { return scratch(args); }                       \
  void symbol##_run(const Args& args, void* memory) { run(args, memory); }

namespace cryptorch::CT_TARGET {

CT_KERNELS(CT_DECLARE_KERNEL)

}  // namespace cryptorch::CT_TARGET
