// What bench/kernels.ts measures: pieces of work that can be repeated, each with its amount.
#pragma once
#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "../core/plan.hpp"
#include "../core/pool.hpp"

namespace cryptorch::bench {

struct Workload {
  std::function<void()> run;
  double work = 0;  // multiply-adds, bytes or elements of one call
};

// Multiply-adds in registers, with the instructions that products use on the tables named `isa`: the bound
// for products. Empty where this processor has none.
Workload register_loop(const std::string& isa);

// Reads `bytes` of memory once: the bound for products whose matrix is used a few times only.
Workload stream(uint64_t bytes);

// batch, m, k, n, whether A and B are transposed.
Workload matmul(const KernelTable& table, Pool& pool, std::span<const int64_t> shape);

// n, channels, height, width, filters, kernel, stride, padding.
Workload conv2d(const KernelTable& table, Pool& pool, std::span<const int64_t> shape);

// `bytes` of AES-128-CTR, by the kernels' expansion and by OpenSSL's EVP.
Workload expansion(const KernelTable& table, Pool& pool, uint64_t bytes);
Workload cipher(uint64_t bytes);

// All steps of one phase of a role's plan, which must be kernels only. `work` is the caller's.
Workload plan(const KernelTable& table, Pool& pool, std::span<const int64_t> words, Phase phase, double work);

// On the wall, or processor time of this thread or of all threads of the process.
enum class Time { thread, process, wall };

// Seconds per call of each workload, sample by sample: `repetitions` times, each workload in turn, so that
// all see the same noise. A sample repeats calls for about `seconds`.
std::vector<std::vector<double>> measure(std::span<const Workload> workloads, int repetitions, double seconds,
                                         Time time);

}  // namespace cryptorch::bench
