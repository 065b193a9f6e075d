// The kernels of the native core by name and id: the vocabulary that programs are written in. What each computes is
// stated where it is implemented (native/cpu); a test checks that both tables agree.

/**
 * Kernels by name, with the number that plans use. What each computes is stated in native/cpu.
 * @internal
 */
export const KERNELS = {
  lincomb: 1,
  xor: 2,
  mulsum: 3,
  shift_right: 4,
  truncate: 5,
  truncate_select: 6,
  select: 7,
  bits_to_ring: 8,
  digits: 9,
  leaf: 10,
  gate: 11,
  monomials: 12,
  matmul: 13,
  conv2d: 14,
  copy: 15,
  windows: 16,
  reduce_sum: 17,
  pool_sum: 18,
  clear_truncate: 19,
  clear_select: 20,
  ring_monomials: 21,
  reshape_planes: 25,
  conjunction: 26,
  conjunction_masks: 27,
  polynomial: 32,
  spline_table: 40,
  spline_select: 41,
  piecewise: 50,
  wave: 55,
  fourier: 56,
  exponential_table: 60,
  exponential_select: 61,
} as const;

/** Name of a kernel. */
export type KernelName = keyof typeof KERNELS;
