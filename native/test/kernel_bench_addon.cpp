// The addon behind bench/kernels.ts; nothing of it is in the package's own addon.
//   measure({isa?, repetitions, seconds, time?}, [{kind, shape, threads?, plan?, phase?}, ...]):
//       [{work, seconds: Float64Array}, ...]
//   rounds({kind, rounds, sharedCore}): Float64Array, see net_bench.hpp
#include <algorithm>
#include <map>

#include "../addon_convert.hpp"
#include "kernel_bench.hpp"
#include "net_bench.hpp"

namespace cryptorch::bench {
namespace {

constexpr uint64_t kMost = uint64_t{1} << 32;

Workload workload(const KernelTable& table, Pool& pool, const Napi::Object& given) {
  const std::string kind = given.Get("kind").ToString().Utf8Value();
  std::vector<int64_t> shape;
  const auto list = given.Get("shape").As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i)
    shape.push_back(static_cast<int64_t>(integer_of(list.Get(i), "shape", kMost)));
  if (kind == "registers") return register_loop(table.isa);
  if (kind == "matmul") return matmul(table, pool, shape);
  if (kind == "conv2d") return conv2d(table, pool, shape);
  if (shape.size() != 1) invalid("'" + kind + "' takes one number");
  const auto amount = static_cast<uint64_t>(shape[0]);
  if (kind == "stream") return stream(amount);
  if (kind == "expansion") return expansion(table, pool, amount);
  if (kind == "cipher") return cipher(amount);
  if (kind != "plan") invalid("no workload '" + kind + "'");
  const auto words = words_of(given.Get("plan"), "plan");
  const auto phase = static_cast<Phase>(integer_of(given.Get("phase"), "phase", kPhases - 1));
  return plan(table, pool, {reinterpret_cast<const int64_t*>(words.data()), words.size()}, phase,
              static_cast<double>(amount));
}

Time time_of(const Napi::Value& value) {
  if (value.IsUndefined()) return Time::thread;
  const std::string name = value.ToString().Utf8Value();
  if (name != "wall" && name != "process") invalid("no time '" + name + "'");
  return name == "wall" ? Time::wall : Time::process;
}

Napi::Float64Array array_of(Napi::Env env, const std::vector<double>& values) {
  auto array = Napi::Float64Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

Napi::Value measure(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const auto options = info[0].As<Napi::Object>();
    const KernelTable& table = table_of(options.Get("isa"));
    std::map<uint64_t, Pool> pools;
    std::vector<Workload> workloads;
    const auto given = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < given.Length(); ++i) {
      const auto one = given.Get(i).As<Napi::Object>();
      const uint64_t threads = std::max<uint64_t>(integer_or(one.Get("threads"), "threads", 1024, 1), 1);
      workloads.push_back(workload(table, pools.try_emplace(threads, threads - 1).first->second, one));
    }
    const auto samples =
        measure(workloads, static_cast<int>(integer_of(options.Get("repetitions"), "repetitions", 10000)),
                number_of(options.Get("seconds"), "seconds"), time_of(options.Get("time")));
    Napi::Array out = Napi::Array::New(info.Env(), workloads.size());
    for (uint32_t i = 0; i < workloads.size(); ++i) {
      Napi::Object entry = Napi::Object::New(info.Env());
      entry.Set("work", workloads[i].work);
      entry.Set("seconds", array_of(info.Env(), samples[i]));
      out.Set(i, entry);
    }
    return out;
  });
}

Napi::Value rounds(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const auto options = info[0].As<Napi::Object>();
    const std::string kind = options.Get("kind").ToString().Utf8Value();
    const uint64_t count = integer_of(options.Get("rounds"), "rounds", 1 << 20);
    return array_of(info.Env(),
                    test::rounds_in_processes(kind, count, options.Get("sharedCore").ToBoolean()));
  });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("measure", Napi::Function::New(env, measure, "measure"));
  exports.Set("rounds", Napi::Function::New(env, rounds, "rounds"));
  return exports;
}

}  // namespace
}  // namespace cryptorch::bench

static Napi::Object init_addon(Napi::Env env, Napi::Object exports) {
  return cryptorch::bench::init(env, exports);
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, init_addon)
