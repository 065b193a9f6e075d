// Ends the sleep of one thread that waits for sockets.
#pragma once
#include <atomic>

namespace cryptorch {

class Wakeup {
 public:
  Wakeup();  // throws Error(internal) where the system has no more descriptors
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  // From any thread. Stays set until clear().
  void set();
  void clear();

  int fd() const { return read_; }  // readable while set

 private:
  int read_ = -1, write_ = -1;
  std::atomic<bool> set_{false};
};

}  // namespace cryptorch
