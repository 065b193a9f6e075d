// Reading operands and writing results, a block of 512 elements at a time.
//
// A block of ring values is 512 words, a block of bit planes 8 words per plane. Where an operand is plain
// memory the block is that memory; otherwise it is put together in a buffer of the thread's scratch memory,
// so that expanded material stays in cache.
#pragma once
#include "packed.hpp"

namespace cryptorch::CT_TARGET {

// Words of a ring buffer: a block and room for a started AES block at its end.
constexpr uint64_t kRingBuffer = kBlock + 8;

static CT_INLINE bool is_zero(const Source& s) { return !s.data && !s.prgs && !s.correction; }

// Elements first .. first + count - 1 (count <= 512) of an operand of an operation
// on `total` elements. `width` is the ring that the caller works in: bits above min(width, s.bits) are
// unspecified unless width > s.bits, when they are zero. `buffer` has 2 * kRingBuffer words.
const uint64_t* load_ring(const Source& s, uint64_t total, uint64_t first, uint32_t count, uint32_t width,
                          uint64_t* buffer);

// Most elements of a run.
constexpr uint32_t kMostRun = 4;

// `count` runs (at most 512) of `terms` elements each, run i from element starts[i] on: run by run to `out`.
// The operand is not broadcast; bits above min(width, s.bits) as in load_ring.
void load_runs(const Source& s, const uint64_t* starts, uint32_t count, uint32_t terms, uint32_t width,
               uint64_t* out);

// Planes plane .. plane + count - 1 of block `block`, 8 words each; words behind the end of the operand are
// zero or unspecified. `planes` is the number of planes of the operand; `buffer` has room for `count` planes.
const Plane* load_planes(const Source& s, uint64_t block, uint32_t planes, uint32_t plane, uint32_t count,
                         Plane* buffer);

// Where the values of a block of a ring result are to be put: the result itself, or `buffer` if they are to
// be packed.
static CT_INLINE uint64_t* ring_target(const Sink& sink, uint64_t first, uint64_t* buffer) {
  return sink.layout == Layout::ring || sink.bits == 64 ? (uint64_t*)sink.data + first : buffer;
}

// Packs the values if they are to be packed.
static CT_INLINE void finish_ring(const Sink& sink, uint64_t first, uint32_t count, const uint64_t* values) {
  if (sink.layout == Layout::ring || sink.bits == 64) return;
  pack(values, sink.bits, count, (uint64_t*)sink.data + first / 64 * sink.bits);
}

// Words per plane in a block of an operand of `elements` elements.
static CT_INLINE uint32_t words_of_block(uint64_t elements, uint64_t block) {
  const uint64_t rest = elements - block * kBlock;
  return rest >= kBlock ? kPlaneWords : (uint32_t)((rest + 63) / 64);
}

static CT_INLINE void store_plane(const Sink& sink, uint64_t block, uint32_t plane, const Plane& value) {
  const uint32_t words = words_of_block(sink.elements, block);
  uint64_t* at = (uint64_t*)sink.data + block * sink.planes * kPlaneWords + (uint64_t)plane * words;
  if (words == kPlaneWords) {
    *(Plane*)at = value;
  } else {
    for (uint32_t w = 0; w < words; ++w) at[w] = words_of(&value)[w];
  }
}

}  // namespace cryptorch::CT_TARGET
