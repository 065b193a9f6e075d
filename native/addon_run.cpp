// runLocal(config, progress?) -> {promise, cancel}: all roles of a computation in this process, on threads of
// their own. The JavaScript thread copies what it was given, starts a thread and goes on; that thread reports
// progress and the end through a thread-safe function. A run that is still going when its environment ends is
// cancelled and joined.
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

#include "addon.hpp"
#include "addon_convert.hpp"
#include "addon_phase.hpp"
#include "core/arena.hpp"
#include "core/local.hpp"

namespace cryptorch {
namespace {

constexpr uint64_t kMostSafe = (uint64_t{1} << 53) - 1;

Napi::Array array_of(const Napi::Object& config, const char* key) {
  const Napi::Value value = config.Get(key);
  if (!value.IsArray()) invalid(std::string(key) + " is not an array");
  return value.As<Napi::Array>();
}

LocalRole role_of(const Napi::Value& plan, const Napi::Value& keys, const Napi::Value& inputs,
                  const Napi::Value& integers) {
  return {plan_of(plan), seeds_of(keys), inputs_of(inputs), integers_of(integers)};
}

LocalConfig config_of(const Napi::Value& value) {
  if (!value.IsObject()) invalid("the configuration is not an object");
  const auto given = value.As<Napi::Object>();
  const Napi::Array plans = array_of(given, "plans"), keys = array_of(given, "keys"),
                    inputs = array_of(given, "inputs");
  const Napi::Value integers = given.Get("integers");
  LocalConfig config;
  for (uint32_t i = 0; i < plans.Length(); ++i) {
    const Napi::Value wanted = integers.IsArray() ? integers.As<Napi::Array>().Get(i) : integers;
    config.roles.push_back(role_of(plans.Get(i), keys.Get(i), inputs.Get(i), wanted));
  }
  const Napi::Value share_seed = given.Get("shareSeed");
  if (!share_seed.IsUndefined()) config.share_seed = seed_of(share_seed);
  config.address.epoch = integer_or(given.Get("epoch"), "epoch", 0xFFFFFF, 0);
  config.address.run = static_cast<uint32_t>(integer_or(given.Get("run"), "run", 0xFFFFFFFF, 1));
  config.threads = static_cast<uint32_t>(integer_or(given.Get("threads"), "threads", 4096, 0));
  config.memory_limit = integer_or(given.Get("memoryLimit"), "memoryLimit", kMostSafe, 0);
  const Napi::Value network = given.Get("network");
  if (network.IsObject()) {
    const Napi::Object shape = network.As<Napi::Object>();
    config.network = {number_of(shape.Get("bitsPerSecond"), "bitsPerSecond"),
                      number_of(shape.Get("roundTrip"), "roundTrip")};
  }
  config.timeout_ms = integer_or(given.Get("timeoutMs"), "timeoutMs", uint64_t{1} << 40, 0);
  const Napi::Value isa = given.Get("isa");
  if (isa.IsString()) config.isa = isa.As<Napi::String>().Utf8Value();
  return config;
}

Napi::Object by_phase(Napi::Env env, const std::function<Napi::Value(size_t)>& make) {
  Napi::Object out = Napi::Object::New(env);
  for (size_t phase = 0; phase < kPhases; ++phase)
    out.Set(phase_name(static_cast<Phase>(phase)), make(phase));
  return out;
}

Napi::Object result_to_js(Napi::Env env, const LocalResult& result) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("isa", result.isa);
  out.Set("seconds", by_phase(env, [&](size_t i) { return Napi::Number::New(env, result.seconds[i]); }));
  Napi::Array roles = Napi::Array::New(env, result.roles.size());
  for (uint32_t i = 0; i < result.roles.size(); ++i) {
    const LocalRoleResult& from = result.roles[i];
    Napi::Object role = Napi::Object::New(env);
    role.Set("role", from.role);
    role.Set("peakBytes", static_cast<double>(from.peak_bytes));
    Napi::Array outputs = Napi::Array::New(env, from.outputs.size());
    for (uint32_t j = 0; j < from.outputs.size(); ++j) outputs.Set(j, output_to_js(env, from.outputs[j]));
    role.Set("outputs", outputs);
    role.Set("counters", by_phase(env, [&](size_t phase) { return phase_to_js(env, from.phases[phase]); }));
    roles.Set(i, role);
  }
  out.Set("roles", roles);
  return out;
}

// One run. It is made, settled and dropped on the JavaScript thread; `work` runs on its own.
class Run {
 public:
  Run(Napi::Env env, LocalConfig config, const Napi::Value& progress)
      : env_(env), deferred_(Napi::Promise::Deferred::New(env)), wants_progress_(progress.IsFunction()) {
    local_ = std::make_unique<LocalRun>(std::move(config));
    const Napi::Function callback = wants_progress_
                                        ? progress.As<Napi::Function>()
                                        : Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
    post_ = Napi::ThreadSafeFunction::New(env, callback, "cryptorch run", 0, 1);
  }

  static void start(const std::shared_ptr<Run>& run) {
    // Registered after the thread-safe function, so it runs before that one is torn down.
    napi_add_env_cleanup_hook(run->env_, leave, run.get());
    try {
      run->thread_ = std::thread([run] { run->work(run); });
    } catch (...) {
      napi_remove_env_cleanup_hook(run->env_, leave, run.get());
      run->post_.Release();
      throw;
    }
  }

  Napi::Promise promise() const { return deferred_.Promise(); }
  void cancel() {
    if (local_) local_->cancel();
  }

 private:
  void work(const std::shared_ptr<Run>& self) {
    try {
      std::function<void(const LocalProgress&)> report;
      if (wants_progress_) report = [this](const LocalProgress& progress) { post_progress(progress); };
      result_ = local_->run(report);
    } catch (...) {
      failure_ = current_error();
    }
    post_.NonBlockingCall([self](Napi::Env env, Napi::Function) { self->settle(env); });
    post_.Release();
  }

  void post_progress(const LocalProgress& progress) {
    post_.NonBlockingCall([progress](Napi::Env env, Napi::Function callback) {
      Napi::Object event = Napi::Object::New(env);
      event.Set("phase", phase_name(progress.phase));
      event.Set("steps", static_cast<double>(progress.steps));
      event.Set("of", static_cast<double>(progress.of));
      callback.Call({event});
    });
  }

  void settle(Napi::Env env) {
    thread_.join();
    napi_remove_env_cleanup_hook(env, leave, this);
    local_.reset();
    if (failure_) {
      deferred_.Reject(to_js(env, *failure_).Value());
    } else {
      deferred_.Resolve(result_to_js(env, result_));
    }
    result_ = {};
  }

  static void leave(void* argument) {
    Run* run = static_cast<Run*>(argument);
    run->local_->cancel();
    run->thread_.join();
  }

  Napi::Env env_;
  Napi::Promise::Deferred deferred_;
  bool wants_progress_;
  Napi::ThreadSafeFunction post_;
  std::unique_ptr<LocalRun> local_;
  std::thread thread_;
  LocalResult result_;
  std::optional<Error> failure_;
};

Napi::Value run_local(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const auto run = std::make_shared<Run>(env, config_of(info[0]), info[1]);
    Run::start(run);
    Napi::Object out = Napi::Object::New(env);
    out.Set("promise", run->promise());
    out.Set("cancel", Napi::Function::New(
                          env, [run](const Napi::CallbackInfo&) { run->cancel(); }, "cancel"));
    return out;
  });
}

}  // namespace

void export_run(Napi::Env env, Napi::Object exports) {
  exports.Set("runLocal", Napi::Function::New(env, run_local, "runLocal"));
}

}  // namespace cryptorch
