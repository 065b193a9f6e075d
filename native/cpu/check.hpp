// Checks of operands and attributes. Plans come from files: whatever they say, a kernel that passed its check
// stays inside its operands. Checks read no operand memory and no keys.
#pragma once
#include "load.hpp"

// Leaves the surrounding check with what is wrong, if anything is.
#define CT_TRY(expression)                              \
  do {                                                  \
    if (const char* wrong = (expression)) return wrong; \
  } while (false)
#define CT_REQUIRE(condition, message) \
  do {                                 \
    if (!(condition)) return message;  \
  } while (false)

namespace cryptorch::CT_TARGET {

constexpr uint64_t kMostElements = uint64_t{1} << 36;
constexpr uint32_t kMostPlanes = 1 << 16;
constexpr uint32_t kMostStreams = 1 << 10;

static CT_INLINE bool times(uint64_t a, uint64_t b, uint64_t* product) {
  return !__builtin_mul_overflow(a, b, product);
}

// Products and sums that stay "too large" once they are: for sizes that attributes give.
class Size {
 public:
  constexpr Size(uint64_t value) : value_(value <= kMost ? value : kMost) {}
  // Of an attribute: negative is too large.
  static constexpr Size of(int64_t value) { return value < 0 ? Size(kMost) : Size((uint64_t)value); }
  constexpr uint64_t value() const { return value_; }
  constexpr bool fits(uint64_t most) const { return value_ < kMost && value_ <= most; }
  friend constexpr Size operator*(Size a, Size b) {
    uint64_t product = 0;
    if (a.value_ == 0 || b.value_ == 0) return Size(0);
    return a.value_ == kMost || b.value_ == kMost || __builtin_mul_overflow(a.value_, b.value_, &product)
               ? Size(kMost)
               : Size(product);
  }
  friend constexpr Size operator+(Size a, Size b) {
    return a.value_ == kMost || b.value_ == kMost ? Size(kMost) : Size(a.value_ + b.value_);
  }

 private:
  static constexpr uint64_t kMost = uint64_t{1} << 62;
  uint64_t value_;
};

static inline const char* check_counts(const Args& args, uint32_t ins, uint32_t outs, uint32_t attrs) {
  CT_REQUIRE(args.ins == ins, "wrong number of operands");
  CT_REQUIRE(args.outs == outs, "wrong number of results");
  CT_REQUIRE(args.attrs == attrs, "wrong number of attributes");
  CT_REQUIRE(args.lead <= 1, "lead is neither 0 nor 1");
  return nullptr;
}

// An operand of ring values for an element-wise operation on `elements` elements.
static inline const char* check_ring(const Source& s, uint64_t elements) {
  if (is_zero(s) || !elements) {
    CT_REQUIRE(s.bits >= 1 && s.bits <= 64, "ring width is not 1 to 64");
    return nullptr;
  }
  CT_REQUIRE(s.layout == Layout::ring || s.layout == Layout::packed, "an operand is not of ring values");
  CT_REQUIRE(s.bits >= 1 && s.bits <= 64, "ring width is not 1 to 64");
  CT_REQUIRE(s.elements <= kMostElements, "an operand is too large");
  CT_REQUIRE(s.inner >= 1 && s.mid >= 1 && s.mid <= s.elements, "a broadcast reaches outside of its operand");
  CT_REQUIRE(s.prgs <= kMostStreams && (!s.prgs || s.prg), "wrong streams");
  return nullptr;
}

// An operand of `planes` bit planes of `elements` elements.
static inline const char* check_planes(const Source& s, uint64_t elements, uint32_t planes) {
  CT_REQUIRE(planes <= kMostPlanes, "too many planes");
  if (is_zero(s) || !elements || !planes) return nullptr;
  CT_REQUIRE(s.layout == Layout::planes, "an operand is not of bit planes");
  CT_REQUIRE(s.planes == planes, "an operand has the wrong number of planes");
  CT_REQUIRE(s.elements == elements, "an operand has the wrong size");
  CT_REQUIRE(s.inner == 1 && s.mid == s.elements, "bit planes cannot be broadcast");
  CT_REQUIRE(s.prgs <= kMostStreams && (!s.prgs || s.prg), "wrong streams");
  return nullptr;
}

// An operand of ring values in memory that holds at least `elements` elements.
static inline const char* check_memory(const Source& s, Size elements) {
  CT_REQUIRE(elements.fits(kMostElements), "an operand is too large");
  if (!elements.value()) return nullptr;
  CT_REQUIRE(s.layout == Layout::ring || (s.layout == Layout::packed && s.bits == 64),
             "an operand is not in ring layout");
  CT_REQUIRE(s.data && !s.prgs && !s.correction, "an operand is not memory");
  CT_REQUIRE(s.inner == 1 && s.mid == s.elements, "an operand cannot be broadcast");
  CT_REQUIRE(elements.fits(s.elements), "an operand is too small");
  return nullptr;
}

// An element-wise result of ring values, ring or packed layout.
static inline const char* check_result(const Sink& s) {
  CT_REQUIRE(s.layout == Layout::ring || s.layout == Layout::packed, "a result is not of ring values");
  CT_REQUIRE(s.bits >= 1 && s.bits <= 64, "ring width is not 1 to 64");
  CT_REQUIRE(s.elements <= kMostElements, "a result is too large");
  CT_REQUIRE(s.data || !s.elements, "a result without memory");
  return nullptr;
}

// A result in ring layout that holds at least `elements` elements.
static inline const char* check_memory(const Sink& s, Size elements) {
  CT_TRY(check_result(s));
  CT_REQUIRE(s.layout == Layout::ring || s.bits == 64, "a result is not in ring layout");
  CT_REQUIRE(elements.fits(s.elements), "a result is too small");
  return nullptr;
}

// A result of `planes` bit planes.
static inline const char* check_planes(const Sink& s, uint64_t elements, uint32_t planes) {
  CT_REQUIRE(planes <= kMostPlanes, "too many planes");
  CT_REQUIRE(s.elements <= kMostElements, "a result is too large");
  if (!elements || !planes) return nullptr;
  CT_REQUIRE(s.layout == Layout::planes, "a result is not of bit planes");
  CT_REQUIRE(s.planes == planes, "a result has the wrong number of planes");
  CT_REQUIRE(s.elements == elements, "a result has the wrong size");
  CT_REQUIRE(s.data, "a result without memory");
  return nullptr;
}

// Planes that a result has; none if it is absent.
static CT_INLINE uint32_t planes_of(const Sink& s) { return s.data ? s.planes : 0; }

// Element-wise kernels: units are elements.
constexpr uint64_t kElementGrain = 8 * kBlock;

static inline uint64_t element_units(const Args& args, uint64_t* grain) {
  *grain = kElementGrain;
  return args.out[0].elements;
}

// Scratch memory handed out piece by piece.
class Scratch {
 public:
  explicit Scratch(void* memory) : at_((uint8_t*)memory) {}
  uint64_t* words(uint64_t count) {
    uint64_t* piece = (uint64_t*)at_;
    at_ += (count * sizeof(uint64_t) + 63) / 64 * 64;
    return piece;
  }
  uint64_t* ring() { return words(2 * kRingBuffer); }
  Plane* planes(uint64_t count) { return (Plane*)words(count * kPlaneWords); }

 private:
  uint8_t* at_;
};

constexpr size_t kRingScratch = 2 * kRingBuffer * sizeof(uint64_t);  // of Scratch::ring

// Scratch of a kernel that loads `ring` ring operands and packs one result.
template <int ring>
static inline size_t ring_scratch(const Args&) {
  return (ring + 1) * kRingScratch;
}

// Calls body(first element, count) for each block of the range.
template <typename Body>
static CT_INLINE void for_blocks(const Args& args, Body body) {
  const uint64_t end = args.first + args.count;
  for (uint64_t first = args.first; first < end; first += kBlock)
    body(first, (uint32_t)at_most(kBlock, end - first));
}

}  // namespace cryptorch::CT_TARGET
