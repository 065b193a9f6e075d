#include "load.hpp"

namespace cryptorch::CT_TARGET {
namespace {

CT_INLINE uint32_t stream_bytes(uint32_t bits) { return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8; }

template <typename Word>
void mix_narrow(const Word* from, uint32_t count, Mix mix, uint64_t* out) {
  if (mix == Mix::set) {
    for (uint32_t i = 0; i < count; ++i) out[i] = from[i];
  } else if (mix == Mix::add) {
    for (uint32_t i = 0; i < count; ++i) out[i] += from[i];
  } else {
    for (uint32_t i = 0; i < count; ++i) out[i] -= from[i];
  }
}

typedef uint16_t Half __attribute__((may_alias));
typedef uint32_t Single __attribute__((may_alias));

// Elements start .. start + count - 1 of one stream; may write up to 8 words behind out[count - 1].
void mix_stream(const Prg& prg, uint32_t bits, uint64_t start, uint32_t count, Mix mix, uint64_t* out,
                uint64_t* spare) {
  const uint32_t bytes = stream_bytes(bits);
  const uint64_t byte = start * bytes, block = byte / 16;
  const uint32_t skip = (uint32_t)(byte % 16);
  const uint64_t blocks = (skip + (uint64_t)count * bytes + 15) / 16;
  if (bytes == 8 && !skip) {
    if (mix == Mix::set) return expand_set(prg, block, blocks, out);
    if (mix == Mix::add) return expand_add(prg, block, blocks, out);
    return expand_subtract(prg, block, blocks, out);
  }
  expand_set(prg, block, blocks, spare);
  const uint8_t* from = (const uint8_t*)spare + skip;
  if (bytes == 1) return mix_narrow(from, count, mix, out);
  if (bytes == 2) return mix_narrow((const Half*)from, count, mix, out);
  if (bytes == 4) return mix_narrow((const Single*)from, count, mix, out);
  mix_narrow((const uint64_t*)from, count, mix, out);
}

void negate(uint64_t* values, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) values[i] = -values[i];
}

// Elements start .. start + count - 1 of the operand itself.
void load_range(const Source& s, uint64_t start, uint32_t count, bool reduce, uint64_t* out,
                uint64_t* spare) {
  Mix mix = Mix::set;
  const bool words = s.bits == 64;
  if (s.data) {
    if (s.layout == Layout::ring || words) {
      __builtin_memcpy(out, (const uint64_t*)s.data + start, count * sizeof(uint64_t));
    } else {
      unpack(s.data, s.bits, start, count, Mix::set, out);
    }
    mix = Mix::add;
  }
  for (uint32_t p = 0; p < s.prgs; ++p) {
    const bool minus = s.prg[p].sign < 0;
    mix_stream(s.prg[p], s.bits, start, count, minus && mix == Mix::add ? Mix::subtract : mix, out, spare);
    if (minus && mix == Mix::set) negate(out, count);
    mix = Mix::add;
  }
  if (s.correction) {
    if (words) {
      mix_narrow((const uint64_t*)s.correction + start, count, mix, out);
    } else {
      unpack(s.correction, s.bits, start, count, mix, out);
    }
    mix = Mix::add;
  }
  if (mix == Mix::set) {
    __builtin_memset(out, 0, count * sizeof(uint64_t));
  } else if (reduce && !words) {
    const uint64_t mask = low_bits(s.bits);
    for (uint32_t i = 0; i < count; ++i) out[i] &= mask;
  }
}

CT_INLINE uint64_t packed_at(const void* stream, uint32_t bits, uint64_t index) {
  const uint64_t bit = index * bits;
  const uint64_t* word = (const uint64_t*)stream + bit / 64;
  const uint32_t low = (uint32_t)(bit % 64);
  return low + bits <= 64 ? word[0] >> low : word[0] >> low | word[1] << (64 - low);
}

// One stream's part of up to kRunsTogether runs.
constexpr uint32_t kRunsTogether = 64;

template <typename Word>
void mix_runs(const Prg& prg, const uint64_t* starts, uint32_t count, uint32_t terms, uint64_t* out) {
  constexpr uint32_t kMostBlocks = (kMostRun * sizeof(uint64_t) + 15) / 16 + 1;
  uint64_t blocks[kRunsTogether * kMostBlocks], stream[2 * kRunsTogether * kMostBlocks];
  uint32_t used = 0;
  uint32_t places[kRunsTogether];
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t byte = starts[i] * sizeof(Word), last = (byte + terms * sizeof(Word) - 1) / 16;
    places[i] = used * 16 + (uint32_t)(byte % 16);
    for (uint64_t block = byte / 16; block <= last; ++block) blocks[used++] = block;
  }
  expand_blocks(prg, blocks, used, stream);
  const uint64_t minus = prg.sign < 0 ? ~uint64_t{0} : 0;
  for (uint32_t i = 0; i < count; ++i) {
    const Word* from = (const Word*)((const uint8_t*)stream + places[i]);
    for (uint32_t k = 0; k < terms; ++k) out[i * terms + k] += ((uint64_t)from[k] ^ minus) - minus;
  }
}

typedef uint8_t Byte __attribute__((may_alias));
typedef uint64_t Double __attribute__((may_alias));

// Element i of the block reads element ((first + i) / inner) % mid.
void load_broadcast(const Source& s, uint64_t first, uint32_t count, bool reduce, uint64_t* out,
                    uint64_t* spare) {
  const uint64_t from = first / s.inner;
  const uint32_t rows = (uint32_t)((first + count - 1) / s.inner - from + 1);
  uint64_t values[kRingBuffer];
  uint64_t* row = s.inner == 1 ? out : values;
  uint64_t at = from % s.mid;
  const uint32_t wanted = (uint32_t)at_most(rows, s.mid);
  for (uint32_t done = 0; done < wanted;) {
    const uint32_t now = (uint32_t)at_most(wanted - done, s.mid - at);
    uint64_t part[kRingBuffer];
    load_range(s, at, now, reduce, part, spare);
    __builtin_memcpy(row + done, part, now * sizeof(uint64_t));
    done += now;
    at = 0;
  }
  for (uint32_t i = wanted; i < rows; ++i) row[i] = row[i - wanted];
  if (s.inner == 1) return;
  uint64_t inside = first % s.inner;
  for (uint32_t r = 0, i = 0; i < count; ++r, inside = 0) {
    const uint32_t end = (uint32_t)at_most(count, i + at_most(s.inner - inside, count));
    for (const uint64_t value = row[r]; i < end; ++i) out[i] = value;
  }
}

}  // namespace

const uint64_t* load_ring(const Source& s, uint64_t total, uint64_t first, uint32_t count, uint32_t width,
                          uint64_t* buffer) {
  const bool reduce = s.bits < width;
  if (is_zero(s)) {
    __builtin_memset(buffer, 0, count * sizeof(uint64_t));
    return buffer;
  }
  uint64_t* spare = buffer + kRingBuffer;
  if (s.inner != 1 || s.mid < total) {
    load_broadcast(s, first, count, reduce, buffer, spare);
    return buffer;
  }
  const bool plain = s.data && !s.prgs && !s.correction && (s.layout == Layout::ring || s.bits == 64);
  if (plain && !reduce) return (const uint64_t*)s.data + first;
  load_range(s, first, count, reduce, buffer, spare);
  return buffer;
}

void load_runs(const Source& s, const uint64_t* starts, uint32_t count, uint32_t terms, uint32_t width,
               uint64_t* out) {
  const uint32_t bytes = stream_bytes(s.bits);
  const uint64_t mask = s.bits < width ? low_bits(s.bits) : ~uint64_t{0};
  for (uint32_t done = 0; done < count;
       done += kRunsTogether, starts += kRunsTogether, out += kRunsTogether * terms) {
    const uint32_t now = (uint32_t)at_most(kRunsTogether, count - done);
    // Tables lie in main memory, and which of their lines is next no processor can guess.
    if (s.correction) {
      for (uint32_t i = 0; i < now; ++i)
        __builtin_prefetch((const uint64_t*)s.correction + starts[i] * s.bits / 64);
    }
    for (uint32_t i = 0; i < now; ++i) {
      for (uint32_t k = 0; k < terms; ++k) {
        uint64_t value = 0;
        if (s.data) {
          value = s.layout == Layout::ring ? ((const uint64_t*)s.data)[starts[i] + k]
                                           : packed_at(s.data, s.bits, starts[i] + k);
        }
        if (s.correction) value += packed_at(s.correction, s.bits, starts[i] + k);
        out[i * terms + k] = value;
      }
    }
    for (uint32_t p = 0; p < s.prgs; ++p) {
      const Prg& prg = s.prg[p];
      if (bytes == 1) mix_runs<Byte>(prg, starts, now, terms, out);
      if (bytes == 2) mix_runs<Half>(prg, starts, now, terms, out);
      if (bytes == 4) mix_runs<Single>(prg, starts, now, terms, out);
      if (bytes == 8) mix_runs<Double>(prg, starts, now, terms, out);
    }
    for (uint32_t i = 0; i < now * terms; ++i) out[i] &= mask;
  }
}

const Plane* load_planes(const Source& s, uint64_t block, uint32_t planes, uint32_t plane, uint32_t count,
                         Plane* buffer) {
  if (is_zero(s)) {
    __builtin_memset(buffer, 0, count * sizeof(Plane));
    return buffer;
  }
  const uint32_t words = words_of_block(s.elements, block);
  const uint64_t at = block * planes * kPlaneWords + (uint64_t)plane * words;
  const bool full = words == kPlaneWords;
  if (full && !s.prgs && !(s.data && s.correction)) {
    return (const Plane*)((const uint64_t*)(s.data ? s.data : s.correction) + at);
  }
  for (uint32_t p = 0; p < s.prgs; ++p) {
    const uint64_t first = (block * planes + plane) * 4;
    if (p) {
      expand_exclusive(s.prg[p], first, (uint64_t)count * 4, (uint64_t*)buffer);
    } else {
      expand_set(s.prg[p], first, (uint64_t)count * 4, (uint64_t*)buffer);
    }
  }
  if (!s.prgs) __builtin_memset(buffer, 0, count * sizeof(Plane));
  for (int part = 0; part < 2; ++part) {
    const void* memory = part ? s.correction : s.data;
    if (!memory) continue;
    const uint64_t* from = (const uint64_t*)memory + at;
    if (full) {
      for (uint32_t k = 0; k < count; ++k) buffer[k] ^= ((const Plane*)from)[k];
    } else {
      for (uint32_t k = 0; k < count; ++k) {
        for (uint32_t w = 0; w < words; ++w) words_of(buffer + k)[w] ^= from[(uint64_t)k * words + w];
      }
    }
  }
  return buffer;
}

}  // namespace cryptorch::CT_TARGET
