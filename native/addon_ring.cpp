// Ring arithmetic on BigUint64Arrays, element by element mod 2^64, by the kernels that runs use. Synchronous:
// for experiments and tests, not for large products.
#include <algorithm>
#include <array>
#include <limits>

#include "addon.hpp"
#include "addon_convert.hpp"
#include "core/invoke.hpp"

namespace cryptorch {
namespace {

constexpr uint64_t kMost = uint64_t{1} << 40;

BoundedSource source(std::span<const uint64_t> words) {
  const uint64_t count = words.size();
  return {{words.data(), Layout::ring, 64, 0, count, 1, std::max<uint64_t>(count, 1), nullptr, 0, nullptr},
          words.size_bytes(),
          0};
}

// Calls a kernel on ring operands; the result is a new array.
Napi::Value call(Napi::Env env, const char* name, std::initializer_list<std::span<const uint64_t>> operands,
                 uint64_t elements, const std::vector<int64_t>& attributes) {
  const Kernel* kernel = find_kernel(table_of(env.Undefined()), name);
  if (!kernel) throw Error(Code::internal, std::string("no kernel ") + name);
  auto out = Napi::BigUint64Array::New(env, elements);
  std::vector<BoundedSource> sources;
  for (const auto& operand : operands) sources.push_back(source(operand));
  const BoundedSink sink{{out.Data(), Layout::ring, 64, 0, elements}, elements * 8};
  if (elements) invoke(*kernel, sources, {&sink, 1}, attributes, 1);
  return out;
}

void same_length(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  if (a.size() != b.size()) {
    invalid("operands of " + std::to_string(a.size()) + " and " + std::to_string(b.size()) + " elements");
  }
}

void length(const char* what, std::span<const uint64_t> a, std::initializer_list<uint64_t> dimensions) {
  uint64_t expected = 1;
  for (const uint64_t d : dimensions) {
    if (__builtin_mul_overflow(expected, d, &expected)) invalid("dimensions too large");
  }
  if (a.size() != expected) {
    invalid(std::string(what) + " has " + std::to_string(a.size()) + " elements, not " +
            std::to_string(expected));
  }
}

// a op b, where the kernel computes op with these attributes.
Napi::Value binary(const Napi::CallbackInfo& info, const char* kernel,
                   const std::vector<int64_t>& attributes) {
  return guarded(info, [&] {
    const auto a = words_of(info[0], "a"), b = words_of(info[1], "b");
    same_length(a, b);
    return call(info.Env(), kernel, {a, b}, a.size(), attributes);
  });
}

Napi::Value add(const Napi::CallbackInfo& info) { return binary(info, "lincomb", {0, 1, 1}); }
Napi::Value sub(const Napi::CallbackInfo& info) { return binary(info, "lincomb", {0, 1, -1}); }
Napi::Value mul(const Napi::CallbackInfo& info) { return binary(info, "mulsum", {1, 1, 0}); }

Napi::Value neg(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto a = words_of(info[0], "a");
    return call(info.Env(), "lincomb", {a}, a.size(), {0, -1});
  });
}

// (a, b, m, k, n): a is m x k, b is k x n, row-major.
Napi::Value matmul(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto a = words_of(info[0], "a"), b = words_of(info[1], "b");
    const uint64_t m = integer_of(info[2], "m", kMost), k = integer_of(info[3], "k", kMost),
                   n = integer_of(info[4], "n", kMost);
    length("a", a, {m, k});
    length("b", b, {k, n});
    uint64_t elements = 0;
    if (__builtin_mul_overflow(m, n, &elements) || elements > kMost) invalid("dimensions too large");
    const auto d = [](uint64_t x) { return static_cast<int64_t>(x); };
    return call(info.Env(), "matmul", {a, b}, elements, {1, d(m), d(k), d(n), 0, 0, 0, 0, 1, 0});
  });
}

// (x, w, [N, C, H, W, O, kh, kw, sh, sw, dh, dw, pt, pl, OH, OW, groups]): the kernel's own attributes.
Napi::Value conv2d(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto x = words_of(info[0], "x"), w = words_of(info[1], "w");
    if (!info[2].IsArray()) invalid("the parameters are not an array");
    const Napi::Array given = info[2].As<Napi::Array>();
    std::array<uint64_t, 16> p;
    if (given.Length() != p.size()) invalid("a convolution takes 16 parameters");
    for (uint32_t i = 0; i < p.size(); ++i) p[i] = integer_of(given.Get(i), "a parameter", 1 << 24);
    const uint64_t groups = p[15];
    if (!groups || p[1] % groups || p[4] % groups) invalid("groups do not divide the channels");
    length("x", x, {p[0], p[1], p[2], p[3]});
    length("w", w, {p[4], p[1] / groups, p[5], p[6]});
    std::vector<int64_t> attributes(p.begin(), p.end());
    attributes.insert(attributes.end(), {1, 0});
    uint64_t elements = 1;
    for (const size_t i : {0, 4, 13, 14}) {
      if (__builtin_mul_overflow(elements, p[i], &elements) || elements > kMost)
        invalid("dimensions too large");
    }
    return call(info.Env(), "conv2d", {x, w}, elements, attributes);
  });
}

// (a, bits): arithmetic shift right, the floor of the signed value / 2^bits. With a zero mask the kernel of
// cleartext truncation is ((x + 2^63) >> bits) - (2^63 >> bits).
Napi::Value truncate(const Napi::CallbackInfo& info) {
  return guarded(info, [&] {
    const auto a = words_of(info[0], "a");
    const auto bits = static_cast<int64_t>(integer_of(info[1], "bits", 63));
    const std::vector<uint64_t> zero(a.size());
    return call(info.Env(), "clear_truncate", {a, zero}, a.size(),
                {bits, std::numeric_limits<int64_t>::min()});
  });
}

// (x, scale): round-half-even(x * 2^scale).
Napi::Value encode(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Input input{element_of(info[0], "x"), bytes_of(info[0], "x").data(),
                      info[0].As<Napi::TypedArray>().ElementLength()};
    const Io io{
        false, false, Phase::online, input.elements, static_cast<int32_t>(integer_of(info[1], "scale", 62)),
        63};
    auto out = Napi::BigUint64Array::New(info.Env(), input.elements);
    Pool alone(0);
    encode_input(io, 0, input, out.Data(), alone);
    return out;
  });
}

// (a, scale): the signed values / 2^scale.
Napi::Value decode(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const auto a = words_of(info[0], "a");
    const Io io{true, true, Phase::online, a.size(), static_cast<int32_t>(integer_of(info[1], "scale", 62)),
                64};
    auto out = Napi::Float64Array::New(info.Env(), a.size());
    if (a.empty()) return out;
    Pool alone(0);
    decode_output(io, 0, a.data(), {false, out.Data(), a.size()}, alone);
    return out;
  });
}

}  // namespace

void export_ring(Napi::Env env, Napi::Object exports) {
  Napi::Object ring = Napi::Object::New(env);
  ring.Set("add", Napi::Function::New(env, add, "add"));
  ring.Set("sub", Napi::Function::New(env, sub, "sub"));
  ring.Set("mul", Napi::Function::New(env, mul, "mul"));
  ring.Set("neg", Napi::Function::New(env, neg, "neg"));
  ring.Set("matmul", Napi::Function::New(env, matmul, "matmul"));
  ring.Set("conv2d", Napi::Function::New(env, conv2d, "conv2d"));
  ring.Set("truncate", Napi::Function::New(env, truncate, "truncate"));
  ring.Set("encode", Napi::Function::New(env, encode, "encode"));
  ring.Set("decode", Napi::Function::New(env, decode, "decode"));
  exports.Set("ring", ring);
}

}  // namespace cryptorch
