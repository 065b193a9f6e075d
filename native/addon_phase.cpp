#include "addon_phase.hpp"

#include <cstring>

#include "addon_convert.hpp"

namespace cryptorch {

Seed seed_of(const Napi::Value& value) {
  const auto bytes = bytes_of(value, "a key");
  Seed seed;
  if (bytes.size() != seed.size()) invalid("a key is not 16 bytes");
  std::memcpy(seed.data(), bytes.data(), seed.size());
  return seed;
}

std::vector<Seed> seeds_of(const Napi::Value& value) {
  if (!value.IsArray()) invalid("the keys of a role are not an array");
  const auto list = value.As<Napi::Array>();
  std::vector<Seed> seeds;
  seeds.reserve(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) seeds.push_back(seed_of(list.Get(i)));
  return seeds;
}

std::vector<int64_t> plan_of(const Napi::Value& value) {
  const auto bytes = bytes_of(value, "a plan");
  if (bytes.size() % 8) invalid("a plan is not a whole number of words");
  std::vector<int64_t> plan(bytes.size() / 8);
  if (!bytes.empty()) std::memcpy(plan.data(), bytes.data(), bytes.size());
  return plan;
}

std::vector<LocalInput> inputs_of(const Napi::Value& value) {
  std::vector<LocalInput> inputs;
  if (!value.IsArray()) return inputs;
  const auto list = value.As<Napi::Array>();
  inputs.resize(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value given = list.Get(i);
    if (given.IsUndefined() || given.IsNull()) continue;
    inputs[i].type = element_of(given, "an input");
    const auto data = bytes_of(given, "an input");
    inputs[i].data.assign(data.begin(), data.end());
  }
  return inputs;
}

std::vector<uint32_t> integers_of(const Napi::Value& value) {
  std::vector<uint32_t> integers;
  if (!value.IsArray()) return integers;
  const auto list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    integers.push_back(
        static_cast<uint32_t>(integer_of(list.Get(i), "the position of an output", 0xFFFFFFFF)));
  }
  return integers;
}

Napi::Object phase_to_js(Napi::Env env, const PhaseReport& phase) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("clock", phase.counters.clock);
  Napi::Array sent = Napi::Array::New(env, phase.counters.bytes_sent.size());
  for (uint32_t i = 0; i < phase.counters.bytes_sent.size(); ++i) {
    sent.Set(i, static_cast<double>(phase.counters.bytes_sent[i]));
  }
  out.Set("bytesSent", sent);
  Napi::Array nodes = Napi::Array::New(env);
  uint32_t listed = 0;
  for (uint32_t i = 0; i < phase.counters.nodes.size(); ++i) {
    const NodeCount& count = phase.counters.nodes[i];
    if (!count.bytes && !count.exchanges && phase.seconds[i] == 0) continue;
    Napi::Object node = Napi::Object::New(env);
    node.Set("node", i);
    node.Set("bytes", static_cast<double>(count.bytes));
    node.Set("seconds", phase.seconds[i]);
    node.Set("exchanges", count.exchanges);
    nodes.Set(listed++, node);
  }
  out.Set("nodes", nodes);
  return out;
}

Napi::Value output_to_js(Napi::Env env, const LocalOutput& output) {
  if (!output.present) return env.Null();
  const size_t bytes = output.data.size() * 8;
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes);
  if (bytes) std::memcpy(buffer.Data(), output.data.data(), bytes);
  if (output.integers) return Napi::BigInt64Array::New(env, output.data.size(), buffer, 0);
  return Napi::Float64Array::New(env, output.data.size(), buffer, 0);
}

}  // namespace cryptorch
