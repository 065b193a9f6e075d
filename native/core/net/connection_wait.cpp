// The computing thread's side of a connection: it sends, waits and, while it waits, drives the socket.
#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <thread>

#include "connection.hpp"

namespace cryptorch {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr uint64_t kQuickQueue = 1 << 20;  // from here on a sender waits for a quick socket
constexpr uint64_t kSendQueue = 32 << 20;  // from here on for any
constexpr auto kQuick = milliseconds(1);
constexpr auto kSlow = milliseconds(50);
constexpr auto kNoProgress = milliseconds(200);
constexpr auto kImpatience = milliseconds(1000);
constexpr auto kSpin = microseconds(60);
constexpr uint32_t kMostPenalty = 64;

bool spare_core() {
  static const bool spare = [] {
#ifdef __linux__
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof(set), &set)) return CPU_COUNT(&set) > 1;
#endif
    return std::thread::hardware_concurrency() > 1;
  }();
  return spare;
}

}  // namespace

// While it lives the loop thread leaves the socket alone.
class Connection::Driving {
 public:
  explicit Driving(Connection& connection) : connection_(connection) {
    const std::lock_guard lock(connection.mutex_);
    connection.driven_ = true;
    connection.drives_.fetch_add(1, std::memory_order_relaxed);
  }
  ~Driving() { connection_.driven_ = false; }

 private:
  Connection& connection_;
};

// Waits until no more than `target` bytes are queued; false if the socket takes less than `step` bytes in any
// `patience`. The peer may wait for this side to read before it reads itself, so it reads ahead meanwhile.
bool Connection::wait_for_room(uint64_t target, uint64_t step, Clock::duration patience, Deadline deadline) {
  const Driving driving(*this);
  uint64_t since = 0;
  Deadline give_up{};
  for (;;) {
    Read last = Read::some;
    uint64_t written = 0;
    {
      const std::lock_guard lock(mutex_);
      if (failure_) throw *failure_;
      try {
        flush_channel();
        while (last == Read::some) last = read_once(true);
      } catch (...) {
        keep(current_error());
        throw;
      }
      if (channel_->outbox().bytes() <= target) return true;
      written = channel_->outbox().written();
    }
    check(deadline);
    const auto now = Clock::now();
    if (give_up == Deadline{} || written >= since + step) {
      since = written;
      give_up = now + patience;
    } else if (now >= give_up) {
      return false;
    }
    sleep(last == Read::nothing, true, std::min(deadline, give_up));
  }
}

// A sender whose link is quicker than the memory of a queue waits for it. On a slower one it goes on, so that
// transfer and computation overlap, until very much is queued. And where nothing moves at all it goes on
// regardless: the frames of a plan are limited, and a peer that waits for a later one must get it.
void Connection::limit_queue(uint64_t queued, Deadline deadline) {
  if (queued <= kQuickQueue) return;
  const bool much = queued > kSendQueue;
  if (Clock::now() < (much ? impatient_until_ : slow_until_)) return;
  if (much) {
    if (!wait_for_room(kSendQueue / 2, 1, kNoProgress, deadline))
      impatient_until_ = Clock::now() + kImpatience;
  } else if (!wait_for_room(kQuickQueue / 2, kQuickQueue / 4, kQuick, deadline)) {
    slow_until_ = Clock::now() + kSlow;
  }
}

// Reads and writes until ready() says so. A thread that waits polls before it sleeps; one whose polling was
// in vain, because the wait is long or the peer needs the core, does so ever more rarely. Where it would
// sleep at once, and nothing is `expected` to be there, it does not even try the socket before.
template <typename Ready>
void Connection::drive(Deadline deadline, bool expected, Ready ready) {
  const Driving driving(*this);
  bool spinning = spare_core() && !skip_;
  bool waited = false;
  Deadline spin_until{};
  for (;;) {
    Read last = Read::some;
    bool write = false;
    {
      const std::lock_guard lock(mutex_);
      try {
        if (!waited && !spinning && !expected && !channel_->buffered()) last = Read::nothing;
        for (;;) {
          if (ready()) {
            if (waited && spinning) penalty_ = std::max(penalty_ / 2, 1u);
            return;
          }
          if (failure_) throw *failure_;
          if (last != Read::some) break;
          last = read_once(false);
        }
        write = !flush_channel();
      } catch (...) {
        keep(current_error());
        throw;
      }
    }
    check(deadline);
    if (!waited) {
      waited = true;
      if (skip_) --skip_;
      if (spinning) spin_until = Clock::now() + kSpin;
    }
    if (spinning) {
      if (Clock::now() < spin_until) {
        sched_yield();
        continue;
      }
      spinning = false;
      skip_ = penalty_;
      penalty_ = std::min(penalty_ * 2, kMostPenalty);
    }
    sleep(last != Read::paused, write, deadline);
  }
}

void Connection::sleep(bool read, bool write, Deadline until) {
  pollfd wait[2] = {{fd(), static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)), 0},
                    {waiter_->wakeup.fd(), POLLIN, 0}};
  int timeout = -1;
  if (until != kNoDeadline) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    timeout = static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
  }
  if (poll(wait, 2, timeout) > 0 && wait[1].revents) waiter_->wakeup.clear();
}

void Connection::check(Deadline deadline) const {
  if (waiter_->cancelled) throw Error(Code::cancelled, "the run was cancelled");
  if (deadline != kNoDeadline && Clock::now() >= deadline) {
    throw Error(Code::timeout, "peer " + std::to_string(peer_) + " did not answer before the deadline",
                {{"peer", int64_t{peer_}}});
  }
}

void Connection::attach(Waiter* waiter) {
  const std::lock_guard lock(mutex_);
  waiter_ = waiter;
}

void Connection::send(uint32_t exchange, uint32_t clock, std::span<const std::byte> payload,
                      Deadline deadline) {
  {
    const std::lock_guard sending(sending_);
    write_posted();
    write_frame(exchange, clock, payload, &deadline);
  }
  send_posted();
}

FrameHeader Connection::receive_header(Deadline deadline) {
  FrameHeader header{};
  drive(deadline, false, [&] {
    if (!inbox_.front()) return false;
    header = *inbox_.front();
    return true;
  });
  return header;
}

void Connection::receive_payload(std::span<std::byte> into, Deadline deadline) {
  try {
    {
      const std::lock_guard lock(mutex_);
      inbox_.claim(into);
    }
    drive(deadline, true, [this] { return inbox_.finish(); });
  } catch (...) {
    // The rest of the frame has no place to go, so the connection is lost with it.
    const Error error = current_error();
    const std::lock_guard lock(mutex_);
    inbox_.abandon();
    keep(error);
    throw;
  }
}

}  // namespace cryptorch
