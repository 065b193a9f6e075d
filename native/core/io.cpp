#include "io.hpp"

#include <atomic>
#include <cmath>
#include <cstring>
#include <string>

#include "arena.hpp"
#include "error.hpp"

namespace cryptorch {
namespace {

constexpr uint64_t kGrain = 1 << 14;
constexpr uint64_t kNone = ~uint64_t{0};

template <typename T>
T load(const void* data, uint64_t i) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(data) + i * sizeof(T), sizeof(T));
  return value;
}

// x * 2^scale rounded half to even, false if it is not a number below 2^bits in magnitude.
bool to_fixed(double x, int scale, double limit, uint64_t* out) {
  const double scaled = std::nearbyint(std::ldexp(x, scale));
  if (!(std::fabs(scaled) < limit)) return false;
  *out = static_cast<uint64_t>(static_cast<int64_t>(scaled));
  return true;
}

// The same for integers, exact.
bool to_fixed(int64_t x, int scale, uint64_t limit, uint64_t* out) {
  const uint64_t magnitude = x < 0 ? 0 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
  uint64_t scaled = 0;
  if (scale >= 0) {
    if (magnitude && (scale > 62 || magnitude > (limit >> scale))) return false;
    scaled = magnitude ? magnitude << scale : 0;
  } else if (scale >= -63) {
    const uint64_t rest = magnitude & ((uint64_t{1} << -scale) - 1), half = uint64_t{1} << (-scale - 1);
    scaled = magnitude >> -scale;
    scaled += rest > half || (rest == half && (scaled & 1));
  }
  if (scaled >= limit) return false;
  *out = x < 0 ? 0 - scaled : scaled;
  return true;
}

struct Encoding {
  const Io* io;
  const Input* input;
  uint64_t* to;
  std::atomic<uint64_t> wrong{kNone};  // lowest position that does not fit
};

template <typename T, typename Wide, typename Limit>
void encode_range(Encoding& job, Limit limit, uint64_t first, uint64_t count) {
  for (uint64_t i = first; i < first + count; ++i) {
    if (to_fixed(static_cast<Wide>(load<T>(job.input->data, i)), job.io->scale, limit, job.to + i)) continue;
    uint64_t wrong = job.wrong.load(std::memory_order_relaxed);
    while (i < wrong && !job.wrong.compare_exchange_weak(wrong, i, std::memory_order_relaxed)) {
    }
    return;
  }
}

void encode(void* context, uint64_t first, uint64_t count, size_t) {
  Encoding& job = *static_cast<Encoding*>(context);
  const double limit = std::ldexp(1.0, static_cast<int>(job.io->bits));
  const uint64_t exact = uint64_t{1} << job.io->bits;
  switch (job.input->type) {
    case Element::f32:
      return encode_range<float, double>(job, limit, first, count);
    case Element::f64:
      return encode_range<double, double>(job, limit, first, count);
    case Element::i32:
      return encode_range<int32_t, int64_t>(job, exact, first, count);
    case Element::i64:
      return encode_range<int64_t, int64_t>(job, exact, first, count);
    case Element::none:
      return;
  }
}

const char* reason(const Input& input, uint64_t i) {
  double x = 0;
  if (input.type == Element::f32) x = load<float>(input.data, i);
  if (input.type == Element::f64) x = load<double>(input.data, i);
  return std::isnan(x) ? "nan" : std::isinf(x) ? "infinite" : "range";
}

// A single bit is a boolean, which has no sign.
int64_t sign_extend(uint64_t value, uint32_t bits) {
  if (bits == 1) return static_cast<int64_t>(value & 1);
  const uint32_t unused = 64 - bits;
  return static_cast<int64_t>(value << unused) >> unused;
}

struct Decoding {
  const Io* io;
  const uint64_t* from;
  const Output* output;
};

void decode(void* context, uint64_t first, uint64_t count, size_t) {
  const Decoding& job = *static_cast<Decoding*>(context);
  auto* to = static_cast<std::byte*>(job.output->data);
  for (uint64_t i = first; i < first + count; ++i) {
    const int64_t integer = sign_extend(job.from[i], job.io->bits);
    if (job.output->integers) {
      std::memcpy(to + 8 * i, &integer, 8);
    } else {
      const double value = std::ldexp(static_cast<double>(integer), -job.io->scale);
      std::memcpy(to + 8 * i, &value, 8);
    }
  }
}

void check_elements(const char* what, uint32_t index, uint64_t expected, uint64_t given) {
  if (expected == given) return;
  throw Error(Code::invalid_input,
              std::string(what) + " " + std::to_string(index) + " has " + std::to_string(given) +
                  " elements, not " + std::to_string(expected),
              {{"io", int64_t{index}},
               {"expected", static_cast<int64_t>(expected)},
               {"elements", static_cast<int64_t>(given)}});
}

}  // namespace

size_t element_bytes(Element type) {
  switch (type) {
    case Element::f32:
    case Element::i32:
      return 4;
    case Element::f64:
    case Element::i64:
      return 8;
    case Element::none:
      break;
  }
  return 0;
}

void encode_input(const Io& io, uint32_t index, const Input& input, uint64_t* to, Pool& pool) {
  check_elements("input", index, io.elements, input.type == Element::none ? 0 : input.elements);
  Encoding job{&io, &input, to};
  pool.run(io.elements, kGrain, encode, &job);
  const uint64_t wrong = job.wrong.load();
  if (wrong == kNone) return;
  const std::string why = reason(input, wrong);
  throw Error(Code::value_range,
              "element " + std::to_string(wrong) + " of input " + std::to_string(index) +
                  (why == "nan"        ? " is not a number"
                   : why == "infinite" ? " is infinite"
                                       : " does not fit the fixed point: its magnitude must stay below 2^" +
                                             std::to_string(static_cast<int>(io.bits) - io.scale)),
              {{"io", int64_t{index}},
               {"index", static_cast<int64_t>(wrong)},
               {"reason", why},
               {"bits", int64_t{io.bits}},
               {"scale", int64_t{io.scale}}});
}

void decode_output(const Io& io, uint32_t index, const uint64_t* from, const Output& output, Pool& pool) {
  check_elements("output", index, io.elements, output.data ? output.elements : 0);
  Decoding job{&io, from, &output};
  pool.run(io.elements, kGrain, decode, &job);
}

void discard(Input& input) {
  wipe(input.own->data(), input.own->size());
  std::vector<std::byte>().swap(*input.own);
  input = {};
}

}  // namespace cryptorch
