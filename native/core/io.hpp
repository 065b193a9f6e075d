// The caller's numbers and the ring: round-half-even(x * 2^scale) on the way in, integer / 2^scale on the way
// out. A number that is not finite, or whose magnitude reaches 2^bits, is an error that names the input and
// the position, never the number.
#pragma once
#include <cstdint>
#include <vector>

#include "plan.hpp"
#include "pool.hpp"

namespace cryptorch {

enum class Element : uint32_t { none = 0, f32 = 1, f64 = 2, i32 = 3, i64 = 4 };
size_t element_bytes(Element type);

// Numbers given for an input.
struct Input {
  Element type = Element::none;
  const void* data = nullptr;
  uint64_t elements = 0;
  std::vector<std::byte>* own = nullptr;  // holds the data, if they are to be wiped and freed once encoded
};

// Room for what an output gives: doubles, or the integers themselves (8 bytes each).
struct Output {
  bool integers = false;
  void* data = nullptr;
  uint64_t elements = 0;
};

// Both throw. `index` is the position in the plan's table, for messages; `to` and `from` are in ring layout.
void encode_input(const Io& io, uint32_t index, const Input& input, uint64_t* to, Pool& pool);
void decode_output(const Io& io, uint32_t index, const uint64_t* from, const Output& output, Pool& pool);

// Wipes and frees the numbers of an input that owns them; it has none afterwards.
void discard(Input& input);

}  // namespace cryptorch
