#include "loop.hpp"

#include <uv.h>

#include <mutex>
#include <vector>

#include "core/error.hpp"

namespace cryptorch {
namespace {

void check(int result, const char* what) {
  if (result) throw Error(Code::internal, std::string(what) + ": " + uv_strerror(result));
}

}  // namespace

struct Loop::State {
  uv_loop_t loop;
  uv_async_t wake;
  std::mutex mutex;
  std::vector<std::function<void()>> tasks;
  bool open = true;

  // Handlers throw nothing: whatever they call reports its failures in its own way.
  void run_tasks() {
    std::vector<std::function<void()>> now;
    {
      const std::lock_guard lock(mutex);
      now.swap(tasks);
    }
    for (auto& task : now) task();
  }
};

struct Loop::Watch::Handle {
  uv_poll_t poll;
  bool read = false, write = false;
  std::function<void()> handler;
};

struct Loop::Timer::Handle {
  uv_timer_t timer;
  std::function<void()> handler;
};

Loop::Loop() : state_(std::make_unique<State>()) {
  check(uv_loop_init(&state_->loop), "no event loop");
  state_->wake.data = state_.get();
  const int result = uv_async_init(&state_->loop, &state_->wake,
                                   [](uv_async_t* wake) { static_cast<State*>(wake->data)->run_tasks(); });
  if (result) uv_loop_close(&state_->loop);
  check(result, "no event loop");
}

Loop::~Loop() {
  if (state_->open) {
    stop();
    run();
  }
  uv_loop_close(&state_->loop);
}

void Loop::run() { uv_run(&state_->loop, UV_RUN_DEFAULT); }

void Loop::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    if (!state_->open) return;
    state_->open = false;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->wake), nullptr);
}

void Loop::post(std::function<void()> task) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->open) return;
  state_->tasks.push_back(std::move(task));
  if (state_->tasks.size() == 1) uv_async_send(&state_->wake);
}

std::unique_ptr<Loop::Watch> Loop::watch(int fd, std::function<void()> handler) {
  auto handle = std::make_unique<Watch::Handle>();
  handle->handler = std::move(handler);
  check(uv_poll_init(&state_->loop, &handle->poll, fd), "cannot watch a socket");
  handle->poll.data = handle.get();
  std::unique_ptr<Watch> watch(new Watch);
  watch->handle_ = handle.release();
  return watch;
}

void Loop::Watch::set(bool read, bool write) {
  if (read == handle_->read && write == handle_->write) return;
  handle_->read = read;
  handle_->write = write;
  const int events = (read ? UV_READABLE : 0) | (write ? UV_WRITABLE : 0);
  if (!events) {
    uv_poll_stop(&handle_->poll);
    return;
  }
  uv_poll_start(&handle_->poll, events, [](uv_poll_t* poll, int status, int) {
    auto* handle = static_cast<Handle*>(poll->data);
    if (status) handle->read = handle->write = false;  // libuv has stopped watching
    handle->handler();
  });
}

Loop::Watch::~Watch() {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

std::unique_ptr<Loop::Timer> Loop::timer(std::function<void()> handler) {
  auto handle = std::make_unique<Timer::Handle>();
  handle->handler = std::move(handler);
  check(uv_timer_init(&state_->loop, &handle->timer), "no timer");
  handle->timer.data = handle.get();
  std::unique_ptr<Timer> timer(new Timer);
  timer->handle_ = handle.release();
  return timer;
}

void Loop::Timer::every(uint64_t milliseconds) {
  if (milliseconds == interval_) return;
  interval_ = milliseconds;
  if (!milliseconds) {
    uv_timer_stop(&handle_->timer);
    return;
  }
  uv_timer_start(
      &handle_->timer, [](uv_timer_t* timer) { static_cast<Handle*>(timer->data)->handler(); }, milliseconds,
      milliseconds);
}

Loop::Timer::~Timer() {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->timer),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

}  // namespace cryptorch
