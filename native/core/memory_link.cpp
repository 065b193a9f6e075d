#include "memory_link.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>

#include "arena.hpp"

namespace cryptorch {
namespace {

// A frame on its way. Payloads are shares of secrets to whoever sees both directions, so they are wiped.
struct Message {
  Message() = default;
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { wipe(payload.get(), capacity); }

  void fill(const HeaderBytes& new_header, std::span<const std::byte> from) {
    if (capacity < from.size()) {
      wipe(payload.get(), capacity);
      capacity = 0;
      payload.reset();
      payload = std::make_unique_for_overwrite<std::byte[]>(from.size());
      capacity = from.size();
    }
    header = new_header;
    bytes = from.size();
    if (bytes) std::memcpy(payload.get(), from.data(), bytes);
  }

  HeaderBytes header;
  Clock::time_point header_arrival{}, arrival{};
  std::unique_ptr<std::byte[]> payload;
  size_t capacity = 0;
  size_t bytes = 0;
};

// One direction: one sender, one receiver.
class Queue {
 public:
  Queue(std::chrono::microseconds poll, NetworkShape shape) : poll_(poll), shape_(shape) {}

  // Copying, like everything that takes its time in here, goes on while the frame travels.
  void push(const HeaderBytes& header, std::span<const std::byte> payload) {
    const Clock::time_point start = shape_.shaped() ? Clock::now() : Clock::time_point{};
    std::list<Message> one;
    {
      std::lock_guard lock(mutex_);
      if (closed_) throw Error(Code::connection, "the link is closed");
      take_spare(one, payload.size());
    }
    if (one.empty()) one.emplace_back();
    Message& message = one.front();
    message.fill(header, payload);
    if (shape_.shaped()) {
      const Clock::duration latency = seconds(shape_.round_trip / 2);
      free_ = std::max(free_, start) + transfer(kHeaderBytes);
      message.header_arrival = free_ + latency;
      free_ += transfer(payload.size());
      message.arrival = free_ + latency;
    }
    {
      std::lock_guard lock(mutex_);
      waiting_.splice(waiting_.end(), one);
      count_.fetch_add(1, std::memory_order_release);
    }
    arrived_.notify_one();
  }

  HeaderBytes pop(Deadline deadline) {
    if (poll_.count() > 0) {
      const Deadline until = std::min(deadline, Clock::now() + poll_);
      while (!count_.load(std::memory_order_acquire) && Clock::now() < until) std::this_thread::yield();
    }
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return closed_ || !waiting_.empty(); };
    if (deadline == kNoDeadline) {
      arrived_.wait(lock, ready);
    } else if (!arrived_.wait_until(lock, deadline, ready)) {
      throw Error(Code::timeout, "no frame arrived before the deadline");
    }
    if (waiting_.empty()) throw Error(Code::connection, "the link was closed");
    if (shape_.shaped()) travel(lock, waiting_.front().header_arrival, deadline);
    current_.splice(current_.end(), waiting_, waiting_.begin());
    count_.fetch_sub(1, std::memory_order_relaxed);
    return current_.front().header;
  }

  void take(std::span<std::byte> into, Deadline deadline) {
    const Message& message = current_.front();
    if (message.bytes != into.size())
      throw Error(Code::protocol, "a frame of another length than its header says");
    if (message.bytes) std::memcpy(into.data(), message.payload.get(), message.bytes);
    std::unique_lock lock(mutex_);
    if (shape_.shaped()) travel(lock, message.arrival, deadline);
    spare_.splice(spare_.begin(), current_);
  }

  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      count_.fetch_add(1, std::memory_order_release);  // ends polling
    }
    arrived_.notify_all();
  }

 private:
  static Clock::duration seconds(double value) {
    constexpr double kMost = 1e5;  // far from what the clock can hold
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(value, kMost)));
  }

  Clock::duration transfer(size_t bytes) const {
    if (shape_.bits_per_second <= 0) return {};
    return seconds(8.0 * static_cast<double>(bytes) / shape_.bits_per_second);
  }

  // Waits for that moment, or until the link is closed. Sleeping oversleeps: where that would be a part of
  // the wait, the last stretch is polled instead. It is short and nobody else's progress ends it, so where
  // there is a core for it the thread keeps that core: on a busy machine it would not come back in time.
  void travel(std::unique_lock<std::mutex>& lock, Clock::time_point arrival, Deadline deadline) {
    constexpr auto kLong = std::chrono::milliseconds(5);
    constexpr auto kOversleep = std::chrono::microseconds(100);
    const Clock::time_point until = std::min(arrival, deadline);
    const bool poll = until - Clock::now() < kLong;
    if (arrived_.wait_until(lock, poll ? until - kOversleep : until, [this] { return closed_; })) return;
    lock.unlock();
    while (Clock::now() < until) {
      if (!poll_.count()) std::this_thread::yield();
    }
    lock.lock();
    if (arrival > deadline) throw Error(Code::timeout, "no frame arrived before the deadline");
  }

  // The smallest spare buffer that is large enough, or else the largest one.
  void take_spare(std::list<Message>& out, size_t bytes) {
    auto best = spare_.end();
    for (auto it = spare_.begin(); it != spare_.end(); ++it) {
      if (best == spare_.end()) {
        best = it;
      } else if (it->capacity >= bytes ? best->capacity < bytes || it->capacity < best->capacity
                                       : best->capacity < it->capacity) {
        best = it;
      }
    }
    if (best != spare_.end()) out.splice(out.end(), spare_, best);
  }

  const std::chrono::microseconds poll_;
  const NetworkShape shape_;
  Clock::time_point free_{};  // the sender's own: when the last bit sent so far has left
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::atomic<size_t> count_{0};
  std::list<Message> waiting_, spare_;
  std::list<Message> current_;  // the receiver's own
  bool closed_ = false;
};

class MemoryLink : public Link {
 public:
  MemoryLink(std::shared_ptr<Queue> out, std::shared_ptr<Queue> in)
      : out_(std::move(out)), in_(std::move(in)) {}
  ~MemoryLink() override { MemoryLink::close(); }

  void send(const HeaderBytes& header, std::span<const std::byte> payload) override {
    out_->push(header, payload);
  }
  HeaderBytes receive_header(Deadline deadline) override { return in_->pop(deadline); }
  void receive_payload(std::span<std::byte> into, Deadline deadline) override { in_->take(into, deadline); }
  void close() override {
    out_->close();
    in_->close();
  }

 private:
  std::shared_ptr<Queue> out_, in_;
};

}  // namespace

std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> memory_link(std::chrono::microseconds poll,
                                                                    NetworkShape shape) {
  auto there = std::make_shared<Queue>(poll, shape), back = std::make_shared<Queue>(poll, shape);
  return {std::make_unique<MemoryLink>(there, back), std::make_unique<MemoryLink>(back, there)};
}

}  // namespace cryptorch
