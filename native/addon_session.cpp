#include "addon_session.hpp"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <optional>
#include <thread>

#include "addon_convert.hpp"
#include "addon_phase.hpp"
#include "core/arena.hpp"
#include "core/net/role_session.hpp"

namespace cryptorch {
namespace {

constexpr uint64_t kMostSafe = (uint64_t{1} << 53) - 1;

// What a job leaves for the JavaScript thread.
using Settle = std::function<Napi::Value(Napi::Env)>;

struct Job {
  std::optional<Napi::Promise::Deferred> deferred;  // none: nobody waits for it, and it cannot fail
  std::function<Settle(RoleSession&)> work;
  std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
  Settle settle;
  std::optional<Error> failure;
};

// Made, asked and dropped on the JavaScript thread; jobs run on its own thread, where the session also ends,
// so that its memory is wiped there.
class Worker : public std::enable_shared_from_this<Worker> {
 public:
  Worker(Napi::Env env, std::unique_ptr<RoleSession> session)
      : env_(env), keys_(session->keys()), session_(std::move(session)) {
    const auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
    post_ = Napi::ThreadSafeFunction::New(env, nothing, "cryptorch session", 0, 1);
    post_.Unref(env);
  }

  void start() {
    self_ = shared_from_this();
    // Registered after the thread-safe function, so it runs before that one is torn down.
    napi_add_env_cleanup_hook(env_, leave, this);
    try {
      thread_ = std::thread([this] { serve(); });
    } catch (...) {
      forget();
      throw;
    }
  }

  Napi::Value ask(std::function<Settle(RoleSession&)> work,
                  std::shared_ptr<std::atomic<bool>> cancelled = nullptr) {
    const auto job = std::make_shared<Job>();
    job->deferred = Napi::Promise::Deferred::New(env_);
    job->work = std::move(work);
    if (cancelled) job->cancelled = std::move(cancelled);
    add(job);
    if (!pending_++) post_.Ref(env_);
    return job->deferred->Promise();
  }

  // For what cannot fail.
  Napi::Value tell(std::function<void(RoleSession&)> work) {
    const auto job = std::make_shared<Job>();
    job->work = [work = std::move(work)](RoleSession& session) -> Settle {
      work(session);
      return nullptr;
    };
    add(job);
    return env_.Undefined();
  }

  uint32_t keys() const { return keys_; }

  // The job that runs and those that wait.
  void cancel() {
    const std::lock_guard lock(mutex_);
    for (const auto& job : jobs_) *job->cancelled = true;
    if (current_) *current_->cancelled = true;
    if (session_) session_->cancel();
  }

  std::optional<PhaseProgress> progress() {
    const std::lock_guard lock(mutex_);
    return session_ ? session_->progress() : std::nullopt;
  }

  void close() {
    cancel();
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      closed_ = true;
    }
    post_.Ref(env_);  // until the thread has ended
    changed_.notify_one();
  }

 private:
  void add(const std::shared_ptr<Job>& job) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) invalid("the session is closed");
      jobs_.push_back(job);
    }
    changed_.notify_one();
  }

  void serve() {
    for (;;) {
      std::shared_ptr<Job> job;
      {
        std::unique_lock lock(mutex_);
        current_.reset();
        changed_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
        if (jobs_.empty()) break;
        job = std::move(jobs_.front());
        jobs_.pop_front();
        current_ = job;
      }
      try {
        if (job->deferred && *job->cancelled) throw Error(Code::cancelled, "the run was cancelled");
        job->settle = job->work(*session_);
      } catch (...) {
        job->failure = current_error();
      }
      job->work = nullptr;
      if (!job->deferred) continue;
      const auto self = shared_from_this();
      post_.NonBlockingCall([self, job](Napi::Env env, Napi::Function) { self->settle(env, *job); });
    }
    std::unique_ptr<RoleSession> ended;
    {
      const std::lock_guard lock(mutex_);
      ended = std::move(session_);
    }
    ended.reset();
    post_.NonBlockingCall([this](Napi::Env, Napi::Function) { forget(); });
  }

  void settle(Napi::Env env, Job& job) {
    if (!--pending_) post_.Unref(env);
    if (job.failure) {
      job.deferred->Reject(to_js(env, *job.failure).Value());
    } else {
      job.deferred->Resolve(job.settle(env));
    }
  }

  // After the thread has ended. The thread-safe function goes with its last user.
  void forget() {
    if (thread_.joinable()) thread_.join();
    napi_remove_env_cleanup_hook(env_, leave, this);
    post_.Release();
    self_.reset();
  }

  static void leave(void* argument) {
    auto* worker = static_cast<Worker*>(argument);
    {
      const std::lock_guard lock(worker->mutex_);
      worker->closed_ = true;
    }
    worker->cancel();
    worker->changed_.notify_one();
    worker->thread_.join();
    worker->self_.reset();
  }

  Napi::Env env_;
  const uint32_t keys_;
  Napi::ThreadSafeFunction post_;
  std::shared_ptr<Worker> self_;  // while there is a thread
  std::thread thread_;
  size_t pending_ = 0;  // promises that are not settled; they keep the process alive

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::shared_ptr<Job> current_;
  bool closed_ = false;
  std::unique_ptr<RoleSession> session_;
};

RoleConfig role_config(const Napi::Value& value) {
  if (!value.IsObject()) invalid("the configuration is not an object");
  const auto given = value.As<Napi::Object>();
  RoleConfig config;
  const Napi::Value plans = given.Get("plans");
  if (!plans.IsArray()) invalid("plans is not an array");
  const auto list = plans.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) config.plans.push_back(plan_of(list.Get(i)));
  const Napi::Value keys = given.Get("keys");
  if (!keys.IsUndefined()) config.keys = seeds_of(keys);
  config.threads = static_cast<uint32_t>(integer_or(given.Get("threads"), "threads", 4096, 0));
  config.memory_limit = integer_or(given.Get("memoryLimit"), "memoryLimit", kMostSafe, 0);
  const Napi::Value isa = given.Get("isa");
  if (isa.IsString()) config.isa = isa.As<Napi::String>().Utf8Value();
  return config;
}

// A call and its inputs, which are wiped with it.
struct Call {
  ~Call() {
    for (LocalInput& input : call.inputs) wipe(input.data.data(), input.data.size());
  }
  PhaseCall call;
  uint32_t program = 0;
  int64_t material = -1;
};

std::shared_ptr<Call> call_of(const Napi::Value& value, Phase phase) {
  if (!value.IsObject()) invalid("the arguments of a phase are not an object");
  const auto given = value.As<Napi::Object>();
  const auto out = std::make_shared<Call>();
  PhaseCall& call = out->call;
  call.address.epoch = integer_of(given.Get("epoch"), "epoch", 0xFFFFFF);
  call.inputs = inputs_of(given.Get("inputs"));
  call.integers = integers_of(given.Get("integers"));
  const uint64_t timeout = integer_of(given.Get("timeoutMs"), "timeoutMs", uint64_t{1} << 31);
  call.timeout = std::chrono::milliseconds(timeout);
  call.cancelled = std::make_shared<std::atomic<bool>>(false);
  if (phase == Phase::setup) return out;
  call.address.run = static_cast<uint32_t>(integer_of(given.Get("run"), "run", 0xFFFFFFFF));
  out->program = static_cast<uint32_t>(integer_of(given.Get("program"), "program", 0xFFFFFFFF));
  if (phase == Phase::online) {
    const Napi::Value material = given.Get("material");
    if (!material.IsNumber() || material.As<Napi::Number>().DoubleValue() != -1) {
      out->material = static_cast<int64_t>(integer_of(material, "material", kMostSafe));
    }
  }
  return out;
}

Napi::Object report_to_js(Napi::Env env, const PhaseResult& result) {
  Napi::Object out = phase_to_js(env, result.report);
  out.Set("seconds", result.seconds);
  return out;
}

Napi::Value phase(const Napi::CallbackInfo& info, Worker& worker, Phase phase) {
  const auto call = call_of(info[0], phase);
  return worker.ask(
      [call, phase](RoleSession& session) -> Settle {
        const auto result = std::make_shared<PhaseResult>(
            phase == Phase::setup     ? session.setup(std::move(call->call))
            : phase == Phase::offline ? session.offline(call->program, std::move(call->call))
                                      : session.online(call->program, call->material, std::move(call->call)));
        return [result, phase](Napi::Env env) -> Napi::Value {
          if (phase == Phase::setup) return report_to_js(env, *result);
          Napi::Object out = Napi::Object::New(env);
          out.Set("report", report_to_js(env, *result));
          if (phase == Phase::offline) {
            out.Set("material", static_cast<double>(result->material));
            return out;
          }
          Napi::Array outputs = Napi::Array::New(env, result->outputs.size());
          for (uint32_t i = 0; i < result->outputs.size(); ++i) {
            outputs.Set(i, output_to_js(env, result->outputs[i]));
          }
          out.Set("outputs", outputs);
          return out;
        };
      },
      call->call.cancelled);
}

Settle nothing() {
  return [](Napi::Env env) { return env.Undefined(); };
}

std::string path_of(const Napi::Value& value) {
  if (!value.IsString()) invalid("the path is not a string");
  return value.As<Napi::String>().Utf8Value();
}

std::vector<std::byte> copy_of(const Napi::Value& value, const char* what) {
  const auto bytes = bytes_of(value, what);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

Napi::Object session_to_js(Napi::Env env, std::shared_ptr<Endpoint> endpoint, const Napi::Value& config) {
  const auto worker =
      std::make_shared<Worker>(env, std::make_unique<RoleSession>(std::move(endpoint), role_config(config)));
  worker->start();
  Napi::Object out = Napi::Object::New(env);
  const auto add = [&](const char* name, auto body) {
    out.Set(name, Napi::Function::New(
                      env,
                      [worker, body](const Napi::CallbackInfo& info) {
                        return guarded(info, [&] { return body(info, *worker); });
                      },
                      name));
  };
  add("setKey", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    if (!worker.keys()) invalid("the plans have no keys");
    const auto index = static_cast<uint32_t>(integer_of(info[0], "the index of the key", worker.keys() - 1));
    const auto seed = std::shared_ptr<Seed>(new Seed(seed_of(info[1])), [](Seed* done) {
      wipe(done->data(), done->size());
      delete done;
    });
    return worker.tell([index, seed](RoleSession& session) { session.set_key(index, *seed); });
  });
  add("setup", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    return phase(info, worker, Phase::setup);
  });
  add("offline", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    return phase(info, worker, Phase::offline);
  });
  add("online", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    return phase(info, worker, Phase::online);
  });
  add("dropMaterial", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    const auto handle = static_cast<int64_t>(integer_of(info[0], "the material", kMostSafe));
    return worker.tell([handle](RoleSession& session) { session.drop_material(handle); });
  });
  add("saveState", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    return worker.ask(
        [path = path_of(info[0]), header = copy_of(info[1], "the header")](RoleSession& session) {
          session.save(path, header);
          return nothing();
        });
  });
  add("loadState", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    return worker.ask([path = path_of(info[0])](RoleSession& session) -> Settle {
      const auto header = std::make_shared<std::vector<std::byte>>(session.load(path));
      return [header](Napi::Env env) -> Napi::Value {
        Napi::Uint8Array out = Napi::Uint8Array::New(env, header->size());
        if (!header->empty()) std::memcpy(out.Data(), header->data(), header->size());
        return out;
      };
    });
  });
  add("cancel", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    worker.cancel();
    return info.Env().Undefined();
  });
  add("progress", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    const auto progress = worker.progress();
    if (!progress) return info.Env().Null();
    Napi::Object out = Napi::Object::New(info.Env());
    out.Set("phase", phase_name(progress->phase));
    out.Set("run", progress->run);
    out.Set("steps", static_cast<double>(progress->steps));
    out.Set("of", static_cast<double>(progress->of));
    return out;
  });
  add("close", [](const Napi::CallbackInfo& info, Worker& worker) -> Napi::Value {
    worker.close();
    return info.Env().Undefined();
  });
  return out;
}

}  // namespace cryptorch
