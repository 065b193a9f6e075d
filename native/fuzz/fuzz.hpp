// What the fuzz targets share. A target gets bytes that anybody could have sent or written: it may answer
// with an Error of its own code, and must not do anything else than that or accept them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "../core/error.hpp"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace cryptorch::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// Runs the body; an Error must have this code. Whether there was none.
template <typename Body>
bool accepts(Code refusal, Body body) {
  try {
    body();
    return true;
  } catch (const Error& error) {
    require(error.code == refusal, code_name(error.code));
    return false;
  }
}

// For formats made of 64-bit words: changes single words to numbers on the edge of something, copies, doubles
// and removes runs of words, and leaves the rest to the usual mutations. Moving bytes around alone hardly
// ever gives a number that is nearly right.
inline size_t mutate_words(uint8_t* data, size_t size, size_t most, unsigned seed) {
  std::minstd_rand random(seed);
  const auto below = [&](size_t bound) { return bound ? random() % bound : 0; };
  const size_t words = size / 8;
  if (!words || below(4) == 0) return LLVMFuzzerMutate(data, size, most);
  const auto get = [&](size_t i) {
    uint64_t value;
    std::memcpy(&value, data + 8 * i, 8);
    return value;
  };
  for (size_t changes = 1 + below(3); changes; --changes) {
    const size_t at = below(words);
    uint64_t value = get(at);
    switch (below(6)) {
      case 0:
        value = below(8);
        break;
      case 1:
        value += below(2) ? 1 : ~uint64_t{0};
        break;
      case 2:
        value = (uint64_t{1} << below(64)) - below(3);
        break;
      case 3:
        value = get(below(words));
        break;
      case 4:
        value = ~value + below(2);
        break;
      case 5: {  // a run of words over another place, or into the gap before it
        const size_t count = 1 + below(std::min<size_t>(words - at, 24));
        const size_t from = below(words - count + 1);
        if (below(2) || size + 8 * count > most) {
          std::memmove(data + 8 * at, data + 8 * from, 8 * count);
        } else {
          std::memmove(data + 8 * (at + count), data + 8 * at, size - 8 * at);
          size += 8 * count;
        }
        return size;
      }
    }
    std::memcpy(data + 8 * at, &value, 8);
  }
  return size;
}

}  // namespace cryptorch::fuzz
