// Threads that help with ranges of work. Any thread may hand out a range; it works on it itself, and idle
// threads of the pool join in, so several sessions can share one pool. Handing out work allocates nothing.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace cryptorch {

class Pool {
 public:
  // Called with a range and the index of the calling thread: 0..workers-1, or workers for the one that hands
  // out.
  using Work = void (*)(void* context, uint64_t first, uint64_t count, size_t thread);

  explicit Pool(size_t workers);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  size_t workers() const { return threads_.size(); }

  // Covers 0..units-1 by ranges that start at multiples of `grain`, and returns when all are done. `work`
  // must not throw.
  void run(uint64_t units, uint64_t grain, Work work, void* context);

 private:
  // A range that is being worked on; lives on the stack of the thread that handed it out.
  struct Job {
    Work work;
    void* context;
    uint64_t units, step;
    std::atomic<uint64_t> next{0};
    size_t helpers = 0;  // guarded by the mutex
    Job* following = nullptr;
  };

  static void take(Job& job, size_t thread);
  void serve(size_t thread);
  Job* find();

  std::mutex mutex_;
  std::condition_variable posted_, finished_;
  std::atomic<uint64_t> posts_{0};
  Job* jobs_ = nullptr;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cryptorch
