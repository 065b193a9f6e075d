#include "packed.hpp"

namespace cryptorch::CT_TARGET {
namespace {

CT_INLINE uint64_t mixed(Mix mix, uint64_t old, uint64_t value) {
  return mix == Mix::set        ? value
         : mix == Mix::add      ? old + value
         : mix == Mix::subtract ? old - value
                                : old ^ value;
}

void unpack_any(const uint64_t* words, uint32_t bits, uint64_t start, uint32_t count, Mix mix,
                uint64_t* out) {
  const uint64_t mask = low_bits(bits);
  uint64_t word = start / 64 * bits + start % 64 * bits / 64;
  uint32_t shift = (uint32_t)(start % 64 * bits % 64);
  for (uint32_t i = 0; i < count; ++i) {
    uint64_t value = words[word] >> shift;
    if (shift + bits > 64) value |= words[word + 1] << (64 - shift);
    out[i] = mixed(mix, out[i], value & mask);
    shift += bits;
    word += shift / 64;
    shift %= 64;
  }
}

#if defined(__AVX512BW__)

// Eight elements are `bits` bytes. Element k starts in word k * bits / 64 at bit k * bits % 64.
template <Mix mix>
void unpack_groups(const uint8_t* bytes, uint32_t bits, uint32_t count, uint64_t* out) {
  const __m512i at = _mm512_mullo_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), _mm512_set1_epi64(bits));
  const __m512i word = _mm512_srli_epi64(at, 6);
  const __m512i next = _mm512_add_epi64(word, _mm512_set1_epi64(1));
  const __m512i shift = _mm512_and_si512(at, _mm512_set1_epi64(63));
  const __m512i rest = _mm512_sub_epi64(_mm512_set1_epi64(64), shift);  // a shift by 64 gives 0
  const __m512i mask = _mm512_set1_epi64((int64_t)low_bits(bits));
  for (uint32_t i = 0; i < count; i += 8, bytes += bits, out += 8) {
    const uint32_t now = count - i < 8 ? count - i : 8;
    const __m512i words = _mm512_maskz_loadu_epi8(low_bits((now * bits + 7) / 8), bytes);
    const __m512i low = _mm512_srlv_epi64(_mm512_permutexvar_epi64(word, words), shift);
    const __m512i high = _mm512_sllv_epi64(_mm512_permutexvar_epi64(next, words), rest);
    __m512i value = _mm512_and_si512(_mm512_or_si512(low, high), mask);
    const __mmask8 lanes = (__mmask8)((1u << now) - 1);
    const __m512i old = mix == Mix::set ? value : _mm512_maskz_loadu_epi64(lanes, out);
    if (mix == Mix::add) value = _mm512_add_epi64(old, value);
    if (mix == Mix::subtract) value = _mm512_sub_epi64(old, value);
    if (mix == Mix::exclusive) value = _mm512_xor_si512(old, value);
    _mm512_mask_storeu_epi64(out, lanes, value);
  }
}

// Joins neighbouring runs of `half` words, each with half * bits bits, to runs of twice as many.
struct Join {
  __m512i from, from_below, up, down;
  __mmask8 keep, has, has_below;

  Join(int half, uint32_t bits) {
    const int words = (int)((uint32_t)half * bits / 64);
    int64_t lane[8], below[8];
    keep = has = has_below = 0;
    for (int k = 0; k < 8; ++k) {
      const int group = k / (2 * half) * (2 * half), at = k - group - words;
      if (k - group < half) keep |= (__mmask8)(1 << k);
      if (at >= 0 && at < half) has |= (__mmask8)(1 << k);
      if (at >= 1 && at <= half) has_below |= (__mmask8)(1 << k);
      lane[k] = group + half + at;
      below[k] = group + half + at - 1;
    }
    from = _mm512_loadu_si512(lane);
    from_below = _mm512_loadu_si512(below);
    up = _mm512_set1_epi64((uint32_t)half * bits % 64);
    down = _mm512_sub_epi64(_mm512_set1_epi64(64), up);  // a shift by 64 gives 0
  }

  CT_INLINE __m512i apply(__m512i x) const {
    const __m512i a = _mm512_maskz_mov_epi64(keep, x);
    const __m512i b = _mm512_sllv_epi64(_mm512_maskz_permutexvar_epi64(has, from, x), up);
    const __m512i c = _mm512_srlv_epi64(_mm512_maskz_permutexvar_epi64(has_below, from_below, x), down);
    return _mm512_ternarylogic_epi64(a, b, c, 0xFE);
  }
};

void pack_groups(const uint64_t* values, uint32_t bits, uint32_t count, uint8_t* bytes) {
  const Join pairs(1, bits), fours(2, bits), eights(4, bits);
  const __m512i mask = _mm512_set1_epi64((int64_t)low_bits(bits));
  const auto joined = [&](__m512i x) {
    return eights.apply(fours.apply(pairs.apply(_mm512_and_si512(x, mask))));
  };
  const uint8_t* const end = bytes + (count * bits + 63) / 64 * 8;
  const __mmask64 full = low_bits(bits);
  uint32_t i = 0;
  for (; i + 8 <= count; i += 8, bytes += bits) {
    _mm512_mask_storeu_epi8(bytes, full, joined(_mm512_loadu_si512(values + i)));
  }
  if (bytes < end) {
    const __m512i rest = _mm512_maskz_loadu_epi64((__mmask8)((1u << (count - i)) - 1), values + i);
    _mm512_mask_storeu_epi8(bytes, low_bits((uint32_t)(end - bytes)), joined(rest));
  }
}

#endif

}  // namespace

void unpack(const void* stream, uint32_t bits, uint64_t start, uint32_t count, Mix mix, uint64_t* out) {
#if defined(__AVX512BW__)
  if (start % 8 == 0) {
    const uint8_t* bytes = (const uint8_t*)stream + start / 8 * bits;
    if (mix == Mix::set) return unpack_groups<Mix::set>(bytes, bits, count, out);
    if (mix == Mix::add) return unpack_groups<Mix::add>(bytes, bits, count, out);
  }
#endif
  unpack_any((const uint64_t*)stream, bits, start, count, mix, out);
}

void pack(const uint64_t* values, uint32_t bits, uint32_t count, void* stream) {
#if defined(__AVX512BW__)
  pack_groups(values, bits, count, (uint8_t*)stream);
#else
  uint64_t* words = (uint64_t*)stream;
  const uint64_t mask = low_bits(bits);
  uint64_t word = 0;
  uint32_t filled = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t value = values[i] & mask;
    word |= value << filled;
    filled += bits;
    if (filled >= 64) {
      *words++ = word;
      filled -= 64;
      word = filled ? value >> (bits - filled) : 0;
    }
  }
  if (filled) *words = word;
#endif
}

}  // namespace cryptorch::CT_TARGET
