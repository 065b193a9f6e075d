// Fourier series of an opened value (lib/compiler/protocols/fourier.ts). With V = v + r opened,
//   s sin(k v) + c cos(k v) = p(V) cos(k r) + q(V) sin(k r),
//   p(V) = s sin(k V) + c cos(k V),  q(V) = c sin(k V) - s cos(k V),
// where 2^period are a turn. Everything is an integer: p and q are rounded to units of the coefficients.
//   wave:    2^bits sin(k r), or cos(k r), rounded, of the dealer's mask r.
//            Attributes: period, bits, k, 1 for a cosine and 0 for a sine.
//   fourier: the sum over all k, on shares of the waves; the lead adds the constant.
//            Operands: V, then shares of cos(k r) and sin(k r) for each k.
//            Attributes: period, constant, then k, s and c for each k.
#include "kernels.hpp"
#include "sine.hpp"

namespace cryptorch::CT_TARGET {
namespace {

constexpr int64_t kMostFrequency = 1 << 10;
constexpr uint32_t kMostWaves = 32;
// Two products with a sine stay within a word.
constexpr int64_t kMostCoefficient = int64_t{1} << 32;

const char* check_period(int64_t period) {
  CT_REQUIRE(period >= 1 && period <= 64, "period is not 2^1 to 2^64");
  return nullptr;
}

const char* check_frequency(int64_t k) {
  CT_REQUIRE(k >= 1 && k <= kMostFrequency, "frequency is not 1 to 1024");
  return nullptr;
}

const char* check_wave(const Args& args) {
  CT_TRY(check_counts(args, 1, 1, 4));
  CT_TRY(check_period(args.attr[0]));
  CT_REQUIRE(args.attr[1] >= 1 && args.attr[1] <= (int64_t)kSineBits, "a wave has not 1 to 30 bits");
  CT_TRY(check_frequency(args.attr[2]));
  CT_REQUIRE(args.attr[3] == 0 || args.attr[3] == 1, "a wave is neither sine nor cosine");
  CT_TRY(check_result(args.out[0]));
  return check_ring(args.in[0], args.out[0].elements);
}

const char* check_fourier(const Args& args) {
  CT_REQUIRE(args.ins >= 3 && args.ins % 2 == 1 && args.ins <= 1 + 2 * kMostWaves,
             "wrong number of operands");
  CT_TRY(check_counts(args, args.ins, 1, 2 + 3 * (args.ins / 2)));
  CT_TRY(check_period(args.attr[0]));
  for (uint32_t i = 2; i < args.attrs; i += 3) {
    CT_TRY(check_frequency(args.attr[i]));
    for (uint32_t j = 1; j <= 2; ++j) {
      const int64_t c = args.attr[i + j];
      CT_REQUIRE(c >= -kMostCoefficient && c <= kMostCoefficient, "a coefficient has more than 32 bits");
    }
  }
  CT_TRY(check_result(args.out[0]));
  for (uint32_t i = 0; i < args.ins; ++i) CT_TRY(check_ring(args.in[i], args.out[0].elements));
  return nullptr;
}

// Angles of a block of parts of 2^period; behind its end whatever is there.
void angles_of(const uint64_t* parts, uint32_t count, uint32_t period, uint64_t* angles) {
  for (uint32_t i = 0; i < count; ++i) angles[i] = parts[i] << (64 - period);
}

constexpr uint64_t kQuarter = uint64_t{1} << 62;

void run_wave(const Args& args, void* memory) {
  const uint32_t period = (uint32_t)args.attr[0], bits = (uint32_t)args.attr[1];
  const uint64_t k = (uint64_t)args.attr[2], start = args.attr[3] ? kQuarter : 0;
  Scratch scratch(memory);
  uint64_t* buffer = scratch.ring();
  uint64_t* packed = scratch.ring();
  uint64_t* angles = scratch.words(kBlock);
  const Sink& out = args.out[0];
  for (uint32_t i = 0; i < kBlock; ++i) angles[i] = 0;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    angles_of(load_ring(args.in[0], out.elements, first, count, period, buffer), count, period, angles);
    for (uint32_t i = 0; i < count; i += kPieceWords) {
      Piece* at = (Piece*)(angles + i);
      *at = sine(*at * k + start, bits);
    }
    uint64_t* target = ring_target(out, first, packed);
    __builtin_memcpy(target, angles, count * sizeof(uint64_t));
    finish_ring(out, first, count, target);
  });
}

// The rounded factor of a wave: s and c times a sine and a cosine, by their bits.
CT_INLINE uint64_t factor(uint64_t a, uint64_t sin, uint64_t b, uint64_t cos) {
  const uint64_t half = uint64_t{1} << (kSineBits - 1);
  return (uint64_t)((int64_t)(a * sin + b * cos + half) >> kSineBits);
}

void run_fourier(const Args& args, void* memory) {
  const uint32_t period = (uint32_t)args.attr[0], waves = args.ins / 2;
  Scratch scratch(memory);
  uint64_t* cosine_buffer = scratch.ring();
  uint64_t* sine_buffer = scratch.ring();
  uint64_t* angles = scratch.words(kBlock);
  uint64_t* sines = scratch.words(kBlock);
  uint64_t* cosines = scratch.words(kBlock);
  uint64_t* sum = scratch.words(kBlock);
  const Sink& out = args.out[0];
  const uint64_t constant = args.lead ? (uint64_t)args.attr[1] : 0;
  for (uint32_t i = 0; i < kBlock; ++i) angles[i] = 0;
  for_blocks(args, [&](uint64_t first, uint32_t count) {
    const auto load = [&](uint32_t i, uint32_t width, uint64_t* buffer) {
      return load_ring(args.in[i], out.elements, first, count, width, buffer);
    };
    angles_of(load(0, period, sine_buffer), count, period, angles);
    for (uint32_t i = 0; i < count; ++i) sum[i] = constant;
    for (uint32_t w = 0; w < waves; ++w) {
      const int64_t* attr = args.attr + 2 + 3 * w;
      const uint64_t k = (uint64_t)attr[0], s = (uint64_t)attr[1], c = (uint64_t)attr[2];
      const uint64_t *cos_mask = load(1 + 2 * w, out.bits, cosine_buffer),
                     *sin_mask = load(2 + 2 * w, out.bits, sine_buffer);
      for (uint32_t i = 0; i < count; i += kPieceWords) {
        const Piece angle = *(const Piece*)(angles + i) * k;
        *(Piece*)(sines + i) = sine(angle, kSineBits);
        *(Piece*)(cosines + i) = sine(angle + kQuarter, kSineBits);
      }
      CT_ELEMENTWISE
      for (uint32_t i = 0; i < count; ++i) {
        sum[i] += factor(s, sines[i], c, cosines[i]) * cos_mask[i] +
                  factor(c, sines[i], 0 - s, cosines[i]) * sin_mask[i];
      }
    }
    uint64_t* target = ring_target(out, first, sum);
    if (sum != target) __builtin_memcpy(target, sum, count * sizeof(uint64_t));
    finish_ring(out, first, count, target);
  });
}

size_t bytes_of_wave(const Args&) { return 2 * kRingScratch + kBlock * sizeof(uint64_t); }
size_t bytes_of_series(const Args&) { return 2 * kRingScratch + 4 * kBlock * sizeof(uint64_t); }

}  // namespace

CT_KERNEL(wave, check_wave, element_units, bytes_of_wave, run_wave)
CT_KERNEL(fourier, check_fourier, element_units, bytes_of_series, run_fourier)

}  // namespace cryptorch::CT_TARGET
