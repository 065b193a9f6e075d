#include "pool.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace cryptorch {
namespace {

constexpr uint64_t kRangesPerThread =
    4;  // so that a thread which starts late does not keep the others waiting
constexpr auto kPoll = std::chrono::microseconds(50);

}  // namespace

Pool::Pool(size_t workers) {
  threads_.reserve(workers);
  try {
    for (size_t i = 0; i < workers; ++i) threads_.emplace_back([this, i] { serve(i); });
  } catch (const std::system_error&) {
    // The system gives no more threads: those there are will do.
  }
}

Pool::~Pool() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    posts_.fetch_add(1, std::memory_order_release);
  }
  posted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Pool::take(Job& job, size_t thread) {
  for (;;) {
    const uint64_t first = job.next.fetch_add(job.step, std::memory_order_relaxed);
    if (first >= job.units) return;
    job.work(job.context, first, std::min(job.step, job.units - first), thread);
  }
}

void Pool::run(uint64_t units, uint64_t grain, Work work, void* context) {
  if (!units) return;
  grain = std::max<uint64_t>(grain, 1);
  const size_t own = threads_.size();
  if (!own || units <= grain) return work(context, 0, units, own);

  const uint64_t grains = units / grain + (units % grain != 0);
  const uint64_t ranges = std::min<uint64_t>(grains, kRangesPerThread * (own + 1));
  Job job{work, context, units, (grains + ranges - 1) / ranges * grain};
  {
    std::lock_guard lock(mutex_);
    job.following = jobs_;
    jobs_ = &job;
    posts_.fetch_add(1, std::memory_order_release);
  }
  if (ranges > 2) {
    posted_.notify_all();
  } else {
    posted_.notify_one();
  }
  take(job, own);
  std::unique_lock lock(mutex_);
  Job** at = &jobs_;
  while (*at != &job) at = &(*at)->following;
  *at = job.following;
  finished_.wait(lock, [&] { return !job.helpers; });
}

Pool::Job* Pool::find() {
  for (Job* job = jobs_; job; job = job->following) {
    if (job->next.load(std::memory_order_relaxed) < job->units) return job;
  }
  return nullptr;
}

void Pool::serve(size_t thread) {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (Job* job = find()) {
      ++job->helpers;
      lock.unlock();
      take(*job, thread);
      lock.lock();
      if (!--job->helpers) finished_.notify_all();
      continue;
    }
    const uint64_t seen = posts_.load(std::memory_order_relaxed);
    lock.unlock();
    const auto until = std::chrono::steady_clock::now() + kPoll;
    while (posts_.load(std::memory_order_acquire) == seen && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    lock.lock();
    posted_.wait(lock, [&] { return stop_ || posts_.load(std::memory_order_relaxed) != seen; });
  }
}

}  // namespace cryptorch
