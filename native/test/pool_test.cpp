// The pool: every unit is covered exactly once, by ranges that start where they may, from several threads at
// a time.
#include "../core/pool.hpp"

#include <atomic>
#include <memory>

#include "harness.hpp"

namespace cryptorch {
namespace {

struct Seen {
  std::unique_ptr<std::atomic<int>[]> times;
  uint64_t units, grain;
  size_t threads;
  std::atomic<int> misplaced{0};
};

void mark(void* context, uint64_t first, uint64_t count, size_t thread) {
  Seen& seen = *static_cast<Seen*>(context);
  if (first % seen.grain || first + count > seen.units || thread > seen.threads || !count) ++seen.misplaced;
  for (uint64_t i = first; i < first + count; ++i) ++seen.times[i];
}

bool covers(Pool& pool, uint64_t units, uint64_t grain) {
  Seen seen{std::make_unique<std::atomic<int>[]>(units + 1), units, grain, pool.workers()};
  pool.run(units, grain, mark, &seen);
  for (uint64_t i = 0; i < units; ++i) {
    if (seen.times[i] != 1) return false;
  }
  return seen.misplaced == 0;
}

}  // namespace

TEST("ranges cover every unit once") {
  for (const size_t workers : {0, 1, 3}) {
    Pool pool(workers);
    for (const uint64_t units : {0, 1, 511, 512, 513, 10000}) {
      for (const uint64_t grain : {1, 7, 512, 20000}) CHECK(covers(pool, units, grain));
    }
  }
}

TEST("several threads hand out work to one pool") {
  Pool pool(2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) wrong += !covers(pool, 1000 + static_cast<uint64_t>(i * t), 16);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace cryptorch
