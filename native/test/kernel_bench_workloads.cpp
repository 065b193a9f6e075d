// Kernels of a table, OpenSSL's cipher and phases of plans, as workloads.
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>

#include "../core/executor.hpp"
#include "../core/invoke.hpp"
#include "kernel_bench.hpp"

namespace cryptorch::bench {
namespace {

constexpr uint8_t kSeed[16] = {1, 2, 3};

// Numbers that look random: what is multiplied does not matter, but pages of zeros would be one page.
struct Memory {
  Memory(Arena& arena, uint64_t count) : region(arena.allocate(count * 8)), elements(count) {
    auto* words = reinterpret_cast<uint64_t*>(region.data());
    uint64_t x = 1;
    for (uint64_t i = 0; i < count; ++i) words[i] = x = x * 6364136223846793005 + 1442695040888963407;
  }
  Source source() const {
    return {region.data(), Layout::ring, 64, 0, elements, 1, elements, nullptr, 0, nullptr};
  }
  Sink sink() const { return {region.data(), Layout::ring, 64, 0, elements}; }

  Region region;
  uint64_t elements;
};

// A kernel with everything that it needs; shared by the copies of its function.
struct Call {
  Arena arena;
  std::vector<Memory> memory;
  Key key;
  Prg prg;
  std::vector<Source> sources;
  std::vector<Sink> sinks;
  std::vector<int64_t> attributes;
  const Kernel* kernel = nullptr;
  Args args{};
  Region scratch;
  size_t stride = 0;
};

Workload call(const KernelTable& table, Pool& pool, const char* name, std::shared_ptr<Call> c, double work) {
  c->kernel = find_kernel(table, name);
  if (!c->kernel) throw Error(Code::internal, std::string("no kernel ") + name);
  c->args = {c->sources.data(),
             static_cast<uint32_t>(c->sources.size()),
             c->sinks.data(),
             static_cast<uint32_t>(c->sinks.size()),
             c->attributes.data(),
             static_cast<uint32_t>(c->attributes.size()),
             1,
             0,
             0};
  if (const char* wrong = c->kernel->check(c->args)) throw Error(Code::invalid_option, wrong);
  c->stride = (c->kernel->scratch(c->args) + 63) / 64 * 64;
  c->scratch = c->arena.allocate(c->stride * (pool.workers() + 1));
  const auto range = [](void* context, uint64_t first, uint64_t count, size_t thread) {
    const Call& of = *static_cast<const Call*>(context);
    Args args = of.args;
    args.first = first;
    args.count = count;
    of.kernel->run(args, of.scratch.data() + thread * of.stride);
  };
  return {[c, range, &pool] {
            uint64_t grain = 1;
            const uint64_t units = c->kernel->units(c->args, &grain);
            pool.run(units, grain, range, c.get());
          },
          work};
}

double seconds_of(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

Workload matmul(const KernelTable& table, Pool& pool, std::span<const int64_t> shape) {
  if (shape.size() != 6) throw Error(Code::invalid_option, "a product has six numbers");
  const int64_t batch = shape[0], m = shape[1], k = shape[2], n = shape[3];
  const auto c = std::make_shared<Call>();
  for (const int64_t words : {batch * m * k, batch * k * n, batch * m * n})
    c->memory.emplace_back(c->arena, static_cast<uint64_t>(words));
  c->sources = {c->memory[0].source(), c->memory[1].source()};
  c->sinks = {c->memory[2].sink()};
  c->attributes = {batch, m, k, n, shape[4], shape[5], m * k, k * n, 1, 0};
  return call(table, pool, "matmul", c, static_cast<double>(batch * m * k * n));
}

Workload conv2d(const KernelTable& table, Pool& pool, std::span<const int64_t> shape) {
  if (shape.size() != 8) throw Error(Code::invalid_option, "a convolution has eight numbers");
  const int64_t n = shape[0], channels = shape[1], h = shape[2], w = shape[3], filters = shape[4],
                kernel = shape[5], stride = shape[6], padding = shape[7];
  const int64_t oh = (h + 2 * padding - kernel) / stride + 1, ow = (w + 2 * padding - kernel) / stride + 1;
  const int64_t weights = filters * channels * kernel * kernel;
  const auto c = std::make_shared<Call>();
  for (const int64_t words : {n * channels * h * w, weights, n * filters * oh * ow})
    c->memory.emplace_back(c->arena, static_cast<uint64_t>(words));
  c->sources = {c->memory[0].source(), c->memory[1].source()};
  c->sinks = {c->memory[2].sink()};
  c->attributes = {n, channels, h,       w,       filters, kernel, kernel, stride, stride,
                   1, 1,        padding, padding, oh,      ow,     1,      1,      0};
  return call(table, pool, "conv2d", c, static_cast<double>(n * weights * oh * ow));
}

Workload expansion(const KernelTable& table, Pool& pool, uint64_t bytes) {
  const auto c = std::make_shared<Call>();
  c->memory.emplace_back(c->arena, bytes / 8);
  expand_key(kSeed, &c->key);
  c->prg = {&c->key, 1, 0, 1};
  Source source = c->memory[0].source();
  source.data = nullptr;
  source.prg = &c->prg;
  source.prgs = 1;
  c->sources = {source};
  c->sinks = {c->memory[0].sink()};
  c->attributes = {0, 1};
  return call(table, pool, "lincomb", c, static_cast<double>(bytes / 8 * 8));
}

Workload cipher(uint64_t bytes) {
  const std::shared_ptr<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  constexpr uint8_t kCounter[16] = {};
  if (EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, kSeed, kCounter) != 1)
    throw Error(Code::internal, "no AES-128-CTR");
  const auto data = std::make_shared<std::vector<uint8_t>>(bytes);
  return {[context, data] {
            int done = 0;
            EVP_EncryptUpdate(context.get(), data->data(), &done, data->data(),
                              static_cast<int>(data->size()));
          },
          static_cast<double>(bytes)};
}

Workload plan(const KernelTable& table, Pool& pool, std::span<const int64_t> words, Phase phase,
              double work) {
  struct Role {
    Arena arena;
    Plan plan;
    std::unique_ptr<Session> session;
    Region material;
    PhaseReport report;
    std::vector<Input> inputs;
    std::vector<Output> outputs;
    Control control;
  };
  const auto role = std::make_shared<Role>();
  role->plan = decode_plan(words, table);
  role->session = std::make_unique<Session>(std::span(&role->plan, 1), table, role->arena, pool);
  Seed seed;
  std::copy_n(kSeed, seed.size(), seed.begin());
  for (uint32_t key = 0; key < role->plan.keys; ++key) role->session->set_key(key, seed);
  role->material = role->session->new_material(role->plan);
  role->report = role->session->new_report(role->plan);
  role->inputs.resize(role->plan.ios.size());
  role->outputs.resize(role->plan.ios.size());
  return {[role, phase] {
            role->session->run_phase(role->plan, phase, {0, 1}, nullptr, role->material, role->inputs,
                                     role->outputs, role->report, role->control);
          },
          work};
}

std::vector<std::vector<double>> measure(std::span<const Workload> workloads, int repetitions, double seconds,
                                         Time time) {
  const clockid_t clock = time == Time::wall      ? CLOCK_MONOTONIC
                          : time == Time::process ? CLOCK_PROCESS_CPUTIME_ID
                                                  : CLOCK_THREAD_CPUTIME_ID;
  const auto timed = [&](const Workload& workload, double calls) {
    const double start = seconds_of(clock);
    for (double i = 0; i < calls; ++i) workload.run();
    return (seconds_of(clock) - start) / calls;
  };
  std::vector<double> calls;
  for (const Workload& workload : workloads) {
    const double once = timed(workload, 1);  // touches the memory
    calls.push_back(seconds > 0 ? std::max(1.0, std::round(seconds / std::min(once, timed(workload, 1))))
                                : 1);
  }
  std::vector<std::vector<double>> samples(workloads.size());
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    for (size_t i = 0; i < workloads.size(); ++i) samples[i].push_back(timed(workloads[i], calls[i]));
  }
  return samples;
}

}  // namespace cryptorch::bench
