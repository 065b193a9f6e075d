// A libuv loop for one thread of its own: sockets, timers, and tasks from other threads.
#pragma once
#include <functional>
#include <memory>

namespace cryptorch {

class Loop {
 public:
  Loop();
  ~Loop();  // not while run() goes on
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(). Watches and timers must be gone before it can return.
  void run();
  void stop();  // this thread

  // Runs a task on the loop's thread, in order. Any thread; after the end it is dropped.
  void post(std::function<void()> task);

  // These are made, used and dropped on the loop's thread, also by their own handlers.
  class Watch {
   public:
    ~Watch();
    void set(bool read, bool write);

   private:
    friend class Loop;
    struct Handle;
    Handle* handle_ = nullptr;
  };
  // The handler is called whenever the socket may be used, or has failed.
  std::unique_ptr<Watch> watch(int fd, std::function<void()> handler);

  class Timer {
   public:
    ~Timer();
    void every(uint64_t milliseconds);  // 0: never

   private:
    friend class Loop;
    struct Handle;
    Handle* handle_ = nullptr;
    uint64_t interval_ = 0;
  };
  std::unique_ptr<Timer> timer(std::function<void()> handler);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cryptorch
