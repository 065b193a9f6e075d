// The contract between the executor and the kernels.
//
// A kernel is a pure function of its operands over a range of elements. It knows nothing of protocols,
// parties or networks. An operand (Source) is memory, or pseudo-random material expanded on the fly from
// AES-128-CTR streams, or both with a correction on top; a kernel reads it block by block, so that expanded
// material never reaches main memory. A result (Sink) is memory of the arena, or a segment of an outgoing
// frame.
//
// This header includes only <cstdint> and <cstddef>, so that kernels built for different instruction sets
// share no inline code from the standard library.
#pragma once
#include <cstddef>
#include <cstdint>

namespace cryptorch {

// How the elements of a value lie in memory.
//   ring    one uint64 per element, whatever its ring width; bits above the width are unspecified
//   packed  `bits` bits per element, one little-endian bit stream, padded with zeros to 8 bytes (frames,
//   corrections);
//           for bits = 64 this is the ring layout
//   planes  XOR-shared bits: `planes` bits per element, bit-sliced in blocks of 512 elements. Block b starts
//   at word
//           b * planes * 8 and holds its planes one after the other, each `w` words of 64 elements, where w =
//           8 for a full block and ceil(rest / 64) for the last one. Unused bits of the last word are
//           unspecified.
enum class Layout : uint32_t { ring = 0, packed = 1, planes = 2 };

constexpr uint64_t kBlock = 512;  // elements per block: ranges start at multiples of it

struct Key;  // an expanded AES-128 key, see prg.hpp

// One pseudo-random stream, addressed at random: block j of the stream is
// AES-128(key, lo: epoch << 40 | j, hi: value << 32 | run), two little-endian 64-bit words.
//   ring values    element i is the little-endian word of w bytes at byte i * w, reduced to the ring, where
//                  w = 1, 2, 4, 8 for widths up to 8, 16, 32, 64 bits
//   planes         plane k of block b is the 64 bytes at (b * planes + k) * 64
struct Prg {
  const Key* key;
  uint64_t hi;    // value << 32 | run
  uint64_t base;  // epoch << 40
  int64_t sign;   // +1 or -1: added or subtracted (ring); ignored for planes
};

// An operand: (data + sum of the streams + correction) mod 2^bits; XOR instead of sum for planes.
// Element i of the operation reads element (i / inner) % mid of the operand (broadcast); mid = elements and
// inner = 1 is the identity. Contractions and data movement take memory operands without broadcast only.
struct Source {
  const void* data;  // memory in `layout`, or null
  Layout layout;
  uint32_t bits;    // ring width, 1..64 (1 for planes)
  uint32_t planes;  // planes per element (planes layout), else 0
  uint64_t elements;
  uint64_t inner, mid;
  const Prg* prg;  // `prgs` streams
  uint32_t prgs;
  const void* correction;  // packed (ring values) or planes layout, or null
};

struct Sink {
  void* data;
  Layout layout;
  uint32_t bits;
  uint32_t planes;
  uint64_t elements;
};

struct Args {
  const Source* in;
  uint32_t ins;
  Sink* out;
  uint32_t outs;
  const int64_t* attr;
  uint32_t attrs;
  uint32_t
      lead;  // 1 at the one party that adds public terms to its share (and where there are no shares), else 0
  uint64_t first, count;  // range of units, see Kernel::units
};

struct Kernel {
  uint16_t id;
  const char* name;
  // Checks operands and attributes (counts, layouts, every index that could be formed); null if they are
  // consistent, otherwise what is wrong. Called once per step when a plan is loaded; run relies on it.
  const char* (*check)(const Args&);
  // Units of work of the step: elements for element-wise kernels (split at multiples of kBlock), rows or
  // tiles for contractions. `*grain` is the smallest range worth a thread, and the unit at which ranges must
  // start.
  uint64_t (*units)(const Args&, uint64_t* grain);
  // Bytes of scratch memory (64-byte aligned) one thread needs for run.
  size_t (*scratch)(const Args&);
  void (*run)(const Args&, void* scratch);
};

struct KernelTable {
  const char* isa;  // "baseline", "avx2", "avx512core", "avx512"
  const Kernel* kernels;
  size_t count;
};

}  // namespace cryptorch
