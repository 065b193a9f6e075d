#include "aes.hpp"

#if !defined(__AES__)
#include "aes_portable.hpp"
#endif

namespace cryptorch::CT_TARGET {
namespace {

#if defined(__AVX512F__) && defined(__VAES__)

template <Mix mix>
CT_INLINE __m512i mixed(__m512i old, __m512i stream) {
  if (mix == Mix::add) return _mm512_add_epi64(old, stream);
  if (mix == Mix::subtract) return _mm512_sub_epi64(old, stream);
  if (mix == Mix::exclusive) return _mm512_xor_si512(old, stream);
  return stream;
}

// `N` registers of four blocks each.
template <int N>
CT_INLINE void encrypt(const __m512i* keys, __m512i counter, __m512i* x) {
  const __m512i step = _mm512_set_epi64(0, 4, 0, 4, 0, 4, 0, 4);
  CT_UNROLL for (int i = 0; i < N; ++i) {
    x[i] = _mm512_xor_si512(counter, keys[0]);
    counter = _mm512_add_epi64(counter, step);
  }
  CT_UNROLL for (int round = 1; round < 10; ++round) {
    CT_UNROLL for (int i = 0; i < N; ++i) x[i] = _mm512_aesenc_epi128(x[i], keys[round]);
  }
  CT_UNROLL for (int i = 0; i < N; ++i) x[i] = _mm512_aesenclast_epi128(x[i], keys[10]);
}

template <Mix mix, int N>
CT_INLINE void group(const __m512i* keys, __m512i counter, uint64_t* out) {
  __m512i x[N];
  encrypt<N>(keys, counter, x);
  CT_UNROLL for (int i = 0; i < N; ++i) {
    const __m512i old = mix == Mix::set ? _mm512_setzero_si512() : _mm512_loadu_si512(out + 8 * i);
    _mm512_storeu_si512(out + 8 * i, mixed<mix>(old, x[i]));
  }
}

template <Mix mix>
void expand(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out) {
  __m512i keys[11];
  CT_UNROLL for (int i = 0; i < 11; ++i) {
    keys[i] = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i*)(prg.key->round_keys + 16 * i)));
  }
  const uint64_t at = prg.base + first;
  __m512i counter = _mm512_add_epi64(_mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0),
                                     _mm512_broadcast_i32x4(_mm_set_epi64x((int64_t)prg.hi, (int64_t)at)));
  const auto skip = [&](int n) {
    counter = _mm512_add_epi64(counter, _mm512_maskz_set1_epi64(0x55, 4 * n));
    out += 8 * n;
    blocks -= 4 * n;
  };
  while (blocks >= 48) group<mix, 12>(keys, counter, out), skip(12);
  if (blocks >= 32) group<mix, 8>(keys, counter, out), skip(8);
  if (blocks >= 16) group<mix, 4>(keys, counter, out), skip(4);
  if (blocks >= 8) group<mix, 2>(keys, counter, out), skip(2);
  while (blocks) {
    const uint32_t now = blocks < 4 ? (uint32_t)blocks : 4;
    const __mmask8 mask = (__mmask8)((1u << (2 * now)) - 1);
    __m512i x;
    encrypt<1>(keys, counter, &x);
    const __m512i old = mix == Mix::set ? x : _mm512_maskz_loadu_epi64(mask, out);
    _mm512_mask_storeu_epi64(out, mask, mixed<mix>(old, x));
    counter = _mm512_add_epi64(counter, _mm512_maskz_set1_epi64(0x55, 4));
    out += 8;
    blocks -= now;
  }
}

// N registers of four blocks each, of any numbers.
template <int N>
CT_INLINE void group_of(const __m512i* keys, __m512i start, const uint64_t* blocks, uint64_t* out) {
  __m512i x[N];
  CT_UNROLL for (int i = 0; i < N; ++i) {
    const __m512i numbers = _mm512_maskz_permutexvar_epi64(
        0x55, _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0),
        _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i*)(blocks + 4 * i))));
    x[i] = _mm512_xor_si512(_mm512_add_epi64(start, numbers), keys[0]);
  }
  CT_UNROLL for (int round = 1; round < 10; ++round) {
    CT_UNROLL for (int i = 0; i < N; ++i) x[i] = _mm512_aesenc_epi128(x[i], keys[round]);
  }
  CT_UNROLL for (int i = 0; i < N; ++i)
      _mm512_storeu_si512(out + 8 * i, _mm512_aesenclast_epi128(x[i], keys[10]));
}

void expand_any(const Prg& prg, const uint64_t* blocks, uint32_t count, uint64_t* out) {
  __m512i keys[11];
  CT_UNROLL for (int i = 0; i < 11; ++i) {
    keys[i] = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i*)(prg.key->round_keys + 16 * i)));
  }
  const __m512i start = _mm512_broadcast_i32x4(_mm_set_epi64x((int64_t)prg.hi, (int64_t)prg.base));
  for (; count >= 32; count -= 32, blocks += 32, out += 64) group_of<8>(keys, start, blocks, out);
  for (; count >= 4; count -= 4, blocks += 4, out += 8) group_of<1>(keys, start, blocks, out);
  for (; count; --count, ++blocks, out += 2) expand<Mix::set>(prg, *blocks, 1, out);
}

#elif defined(__AES__)

template <Mix mix>
CT_INLINE __m128i mixed(__m128i old, __m128i stream) {
  if (mix == Mix::add) return _mm_add_epi64(old, stream);
  if (mix == Mix::subtract) return _mm_sub_epi64(old, stream);
  if (mix == Mix::exclusive) return _mm_xor_si128(old, stream);
  return stream;
}

// `N` blocks.
template <Mix mix, int N>
CT_INLINE void group(const __m128i* keys, uint64_t hi, uint64_t at, uint64_t* out) {
  __m128i x[N];
  CT_UNROLL for (int i = 0; i < N; ++i) {
    x[i] = _mm_xor_si128(_mm_set_epi64x((int64_t)hi, (int64_t)(at + (uint64_t)i)), keys[0]);
  }
  CT_UNROLL for (int round = 1; round < 10; ++round) {
    const __m128i key = keys[round];
    CT_UNROLL for (int i = 0; i < N; ++i) x[i] = _mm_aesenc_si128(x[i], key);
  }
  CT_UNROLL for (int i = 0; i < N; ++i) {
    const __m128i stream = _mm_aesenclast_si128(x[i], keys[10]);
    const __m128i old = mix == Mix::set ? stream : _mm_loadu_si128((const __m128i*)(out + 2 * i));
    _mm_storeu_si128((__m128i*)(out + 2 * i), mixed<mix>(old, stream));
  }
}

template <Mix mix>
void expand(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out) {
  const __m128i* keys = (const __m128i*)prg.key->round_keys;
  uint64_t at = prg.base + first;
  for (; blocks >= 8; blocks -= 8, at += 8, out += 16) group<mix, 8>(keys, prg.hi, at, out);
  if (blocks >= 4) {
    group<mix, 4>(keys, prg.hi, at, out);
    blocks -= 4, at += 4, out += 8;
  }
  for (; blocks; --blocks, ++at, out += 2) group<mix, 1>(keys, prg.hi, at, out);
}

void expand_any(const Prg& prg, const uint64_t* blocks, uint32_t count, uint64_t* out) {
  const __m128i* keys = (const __m128i*)prg.key->round_keys;
  constexpr int kTogether = 8;
  for (; count >= kTogether; count -= kTogether, blocks += kTogether, out += 2 * kTogether) {
    __m128i x[kTogether];
    CT_UNROLL for (int i = 0; i < kTogether; ++i) {
      x[i] = _mm_xor_si128(_mm_set_epi64x((int64_t)prg.hi, (int64_t)(prg.base + blocks[i])), keys[0]);
    }
    CT_UNROLL for (int round = 1; round < 10; ++round) {
      const __m128i key = keys[round];
      CT_UNROLL for (int i = 0; i < kTogether; ++i) x[i] = _mm_aesenc_si128(x[i], key);
    }
    CT_UNROLL for (int i = 0; i < kTogether; ++i)
        _mm_storeu_si128((__m128i*)(out + 2 * i), _mm_aesenclast_si128(x[i], keys[10]));
  }
  for (; count; --count, ++blocks, out += 2) expand<Mix::set>(prg, *blocks, 1, out);
}

#else

template <Mix mix>
void expand(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out) {
  for (uint64_t i = 0; i < blocks; ++i, out += 2) {
    uint64_t state[2] = {prg.base + first + i, prg.hi};
    aes_portable(*prg.key, state);
    for (int w = 0; w < 2; ++w) {
      if (mix == Mix::set) out[w] = state[w];
      if (mix == Mix::add) out[w] += state[w];
      if (mix == Mix::subtract) out[w] -= state[w];
      if (mix == Mix::exclusive) out[w] ^= state[w];
    }
  }
}

void expand_any(const Prg& prg, const uint64_t* blocks, uint32_t count, uint64_t* out) {
  for (uint32_t i = 0; i < count; ++i) expand<Mix::set>(prg, blocks[i], 1, out + 2 * i);
}

#endif

}  // namespace

void expand_set(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out) {
  expand<Mix::set>(prg, first, blocks, out);
}
void expand_add(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out) {
  expand<Mix::add>(prg, first, blocks, out);
}
void expand_subtract(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out) {
  expand<Mix::subtract>(prg, first, blocks, out);
}
void expand_exclusive(const Prg& prg, uint64_t first, uint64_t blocks, uint64_t* out) {
  expand<Mix::exclusive>(prg, first, blocks, out);
}
void expand_blocks(const Prg& prg, const uint64_t* blocks, uint32_t count, uint64_t* out) {
  expand_any(prg, blocks, count, out);
}

}  // namespace cryptorch::CT_TARGET
