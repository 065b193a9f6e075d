// invoke(isa, kernel, sources, sinks, attributes, lead): one kernel of one instruction set on any operands,
// for tests.
//   source  {data?, layout, bits, planes, elements, inner?, mid?, streams?, correction?}; data and correction
//   are typed
//           arrays; a stream is {key: 16 bytes, value, run, epoch, sign}
//   sink    {layout, bits, planes, elements}
// Returns one BigUint64Array per sink. Operands are copied to aligned memory, as a run has it.
#include <array>
#include <cstring>
#include <deque>

#include "addon.hpp"
#include "addon_convert.hpp"
#include "core/arena.hpp"
#include "core/invoke.hpp"
#include "core/layout.hpp"
#include "core/prg.hpp"

namespace cryptorch {
namespace {

constexpr uint64_t kMost = uint64_t{1} << 40;

// Everything the call borrows.
struct Operands {
  Arena arena;
  std::deque<Region> regions;
  std::deque<Key> keys;
  std::deque<std::vector<Prg>> prgs;

  std::byte* room(uint64_t bytes) {
    regions.push_back(arena.allocate(bytes));
    return regions.back().data();
  }
};

const void* copy(Operands& operands, const Napi::Value& value, const char* what, size_t* bytes) {
  if (value.IsUndefined()) return nullptr;
  const auto from = bytes_of(value, what);
  std::byte* to = operands.room(from.size());
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
  *bytes = from.size();
  return to;
}

template <typename T>
void form(const Napi::Object& object, T& to) {
  to.layout = static_cast<Layout>(integer_of(object.Get("layout"), "layout", 2));
  to.bits = static_cast<uint32_t>(integer_of(object.Get("bits"), "bits", 64));
  to.planes = static_cast<uint32_t>(integer_or(object.Get("planes"), "planes", 1 << 20, 0));
  to.elements = integer_of(object.Get("elements"), "elements", kMost);
}

Napi::Object object_of(const Napi::Value& value, const char* what) {
  if (!value.IsObject()) invalid(std::string(what) + " is not an object");
  return value.As<Napi::Object>();
}

Napi::Array array_of(const Napi::Value& value, const char* what) {
  if (!value.IsArray()) invalid(std::string(what) + " is not an array");
  return value.As<Napi::Array>();
}

Prg stream(Operands& operands, const Napi::Object& object) {
  const auto seed = bytes_of(object.Get("key"), "key");
  if (seed.size() != 16) invalid("a key is not 16 bytes");
  std::array<uint8_t, 16> copied;
  std::memcpy(copied.data(), seed.data(), 16);
  operands.keys.emplace_back();
  expand_key(copied.data(), &operands.keys.back());
  const uint64_t value = integer_of(object.Get("value"), "value", 0xFFFFFFFF),
                 run = integer_of(object.Get("run"), "run", 0xFFFFFFFF),
                 epoch = integer_of(object.Get("epoch"), "epoch", 0xFFFFFF);
  const bool negative = object.Get("sign").As<Napi::Number>().DoubleValue() < 0;
  return {&operands.keys.back(), value << 32 | run, epoch << 40, negative ? -1 : 1};
}

BoundedSource source(Operands& operands, const Napi::Object& object) {
  BoundedSource bounded{};
  Source& s = bounded.source;
  form(object, s);
  s.inner = integer_or(object.Get("inner"), "inner", kMost, 1);
  s.mid = integer_or(object.Get("mid"), "mid", kMost, std::max<uint64_t>(s.elements, 1));
  s.data = copy(operands, object.Get("data"), "data", &bounded.data_bytes);
  s.correction = copy(operands, object.Get("correction"), "correction", &bounded.correction_bytes);
  operands.prgs.emplace_back();
  const Napi::Value streams = object.Get("streams");
  if (!streams.IsUndefined()) {
    const Napi::Array list = array_of(streams, "streams");
    for (uint32_t i = 0; i < list.Length(); ++i) {
      operands.prgs.back().push_back(stream(operands, object_of(list.Get(i), "a stream")));
    }
  }
  s.prg = operands.prgs.back().data();
  s.prgs = static_cast<uint32_t>(operands.prgs.back().size());
  return bounded;
}

Napi::Value call(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const std::string name = info[1].ToString().Utf8Value();
    const Kernel* kernel = find_kernel(table_of(info[0]), name.c_str());
    if (!kernel) invalid("no kernel '" + name + "'");

    Operands operands;
    std::vector<BoundedSource> sources;
    const Napi::Array given = array_of(info[2], "sources");
    for (uint32_t i = 0; i < given.Length(); ++i) {
      sources.push_back(source(operands, object_of(given.Get(i), "a source")));
    }
    std::vector<BoundedSink> sinks;
    const Napi::Array wanted = array_of(info[3], "sinks");
    for (uint32_t i = 0; i < wanted.Length(); ++i) {
      BoundedSink bounded{};
      form(object_of(wanted.Get(i), "a sink"), bounded.sink);
      const Sink& s = bounded.sink;
      const uint64_t bytes = layout_bytes(s.layout, s.elements, s.bits, s.planes);
      bounded.sink.data = bytes ? operands.room(bytes) : nullptr;
      bounded.data_bytes = bytes;
      sinks.push_back(bounded);
    }
    const auto words = words_of(info[4], "attributes");
    const std::vector<int64_t> attributes(words.begin(), words.end());
    invoke(*kernel, sources, sinks, attributes, static_cast<uint32_t>(integer_of(info[5], "lead", 1)));

    Napi::Array out = Napi::Array::New(env, sinks.size());
    for (uint32_t i = 0; i < sinks.size(); ++i) {
      auto array = Napi::BigUint64Array::New(env, sinks[i].data_bytes / 8);
      if (sinks[i].data_bytes) std::memcpy(array.Data(), sinks[i].sink.data, sinks[i].data_bytes);
      out.Set(i, array);
    }
    return out;
  });
}

}  // namespace

void export_invoke(Napi::Env env, Napi::Object exports) {
  exports.Set("invoke", Napi::Function::New(env, call, "invoke"));
}

}  // namespace cryptorch
