#include "connection.hpp"

#include <errno.h>
#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <thread>

#include "core/arena.hpp"
#include "core/crc32c.hpp"

namespace cryptorch {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr size_t kPiece = 64 << 10;             // written under the mutex at a time: four records
constexpr uint64_t kSendQueue = 32 << 20;       // from here on a sender waits for the socket
constexpr uint64_t kReadAhead = 1 << 20;        // read under the mutex at a time by the loop thread
constexpr uint64_t kMostUndelivered = 64 << 20;  // of control messages
constexpr auto kNoProgress = milliseconds(200);
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

Connection::Connection(std::unique_ptr<Channel> channel, const InboxLimits& limits, std::string address,
                       ConnectionOwner& owner)
    : address_(std::move(address)),
      owner_(owner),
      limits_(limits),
      channel_(std::move(channel)),
      inbox_(limits) {}

bool Connection::handshake() {
  const std::lock_guard lock(mutex_);
  bool done = false;
  try {
    done = channel_->handshake();
  } catch (...) {
    try {
      channel_->flush();  // the alert that tells the peer why
    } catch (const Error&) {
    }
    throw;
  }
  channel_->flush();
  return done;
}

void Connection::introduce(const Introduction& introduction) {
  const std::lock_guard sending(sending_);
  write_frame(kIntroExchange, 0, encode_introduction(introduction), nullptr);
}

std::optional<Introduction> Connection::introduction() {
  const std::lock_guard lock(mutex_);
  while (!introduction_ && read_once(true) == Read::some) {
  }
  return introduction_;
}

void Connection::establish(uint32_t peer) {
  const std::lock_guard lock(mutex_);
  peer_ = peer;
  inbox_.establish();
}

// Under the mutex.
bool Connection::flush_channel() {
  const bool done = channel_->flush();
  backlogged_ = !done;
  return done;
}

// One read from the socket, into wherever its bytes belong. Under the mutex.
Connection::Read Connection::read_once(bool ahead) {
  const std::span<std::byte> room = inbox_.room(ahead);
  if (room.empty()) return Read::paused;
  const size_t got = channel_->read(room);
  if (!got) return Read::nothing;
  inbox_.advance(got);
  while (auto message = inbox_.take_message()) {
    if (message->exchange == kIntroExchange) {
      introduction_ = decode_introduction(message->data);
      break;
    }
    if (undelivered_->fetch_add(message->data.size() + 1) > kMostUndelivered) {
      throw Error(Code::protocol, "the peer sends more control messages than can be handled");
    }
    owner_.received(*this, std::move(message->data), undelivered_);
  }
  return Read::some;
}

Connection::Interest Connection::service() {
  Interest interest;
  const bool sent = send_posted();
  const std::lock_guard lock(mutex_);
  if (failure_) return interest;
  if (driven_) {
    interest.write = sent && !channel_->outbox().empty();
    return interest;
  }
  try {
    interest.write = !flush_channel();
    uint64_t budget = kReadAhead;
    Read last = Read::some;
    while (last == Read::some && budget) {
      const uint64_t room = inbox_.room(true).size();
      last = read_once(true);
      budget -= std::min(budget, room);
    }
    interest.read = last != Read::paused;
    interest.again = last == Read::some;
  } catch (...) {
    keep(current_error());
    interest = {};
  }
  return interest;
}

void Connection::finish() {
  const std::lock_guard lock(mutex_);
  try {
    channel_->finish();
    channel_->flush();
  } catch (const Error&) {
  }
}

bool Connection::flush() {
  const std::lock_guard lock(mutex_);
  try {
    return channel_->flush();
  } catch (const Error&) {
    return true;
  }
}

void Connection::post(std::vector<std::byte> message) {
  const std::lock_guard lock(posting_);
  posted_.push_back(std::move(message));
  has_posted_ = true;
}

// Holds sending_.
void Connection::write_posted() {
  if (!has_posted_) return;
  std::vector<std::vector<std::byte>> messages;
  {
    const std::lock_guard lock(posting_);
    messages.swap(posted_);
    has_posted_ = false;
  }
  for (std::vector<std::byte>& message : messages) {
    write_frame(kControlExchange, 0, message, nullptr);
    wipe(message.data(), message.size());
  }
}

// If a frame is being sent, its sender sends the messages too.
bool Connection::send_posted() {
  bool sent = false;
  while (has_posted_ && sending_.try_lock()) {
    const std::lock_guard sending(sending_, std::adopt_lock);
    try {
      write_posted();
      sent = true;
    } catch (const Error&) {
      return sent;  // kept by write_frame
    }
  }
  return sent;
}

// Holds sending_. With a deadline it waits where too much is queued already.
void Connection::write_frame(uint32_t exchange, uint32_t clock, std::span<const std::byte> payload,
                             const Deadline* deadline) {
  const uint32_t crc = limits_.checksums ? crc32c(payload) : 0;
  const HeaderBytes header = encode_header({payload.size(), sequence_++, exchange, clock, crc});
  std::span<const std::byte> head(header);
  do {
    const auto piece = payload.first(std::min(payload.size(), kPiece - head.size()));
    payload = payload.subspan(piece.size());
    uint64_t queued = 0;
    {
      const std::lock_guard lock(mutex_);
      if (failure_) throw *failure_;
      try {
        channel_->write(head, piece);
        flush_channel();
        queued = channel_->outbox().bytes();
      } catch (...) {
        keep(current_error());
        throw;
      }
    }
    head = {};
    if (deadline && queued > kSendQueue) wait_for_room(*deadline);
  } while (!payload.empty());
}

// Waits until the socket has taken half of the queue. While it does, the peer may wait for this side to read,
// so it reads ahead. Where nothing moves, it gives up and lets the queue grow until something does: the frames
// of a plan are limited, and a peer that waits for a later frame must get it.
void Connection::wait_for_room(Deadline deadline) {
  const Driving driving(*this);
  uint64_t written = stuck_at_;
  Deadline give_up = Clock::now() + kNoProgress;
  for (;;) {
    Read last = Read::some;
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
      const Outbox& outbox = channel_->outbox();
      if (outbox.bytes() <= kSendQueue / 2 || outbox.written() == stuck_at_) return;
      if (outbox.written() != written) {
        written = outbox.written();
        give_up = Clock::now() + kNoProgress;
      }
    }
    check(deadline);
    if (Clock::now() >= give_up) {
      stuck_at_ = written;
      return;
    }
    sleep(last == Read::nothing, true, std::min(deadline, give_up));
  }
}

// Reads and writes until ready() says so. A thread that waits polls before it sleeps; one whose polling was in
// vain, because the wait is long or the peer needs the core, does so ever more rarely.
template <typename Ready>
void Connection::drive(Deadline deadline, Ready ready) {
  const Driving driving(*this);
  Deadline spin_until = kNoDeadline;  // not decided yet
  bool spinning = false;
  for (;;) {
    Read last = Read::some;
    bool write = false;
    {
      const std::lock_guard lock(mutex_);
      try {
        while (last == Read::some) {
          if (ready()) {
            if (spinning) penalty_ = std::max(penalty_ / 2, 1u);
            return;
          }
          if (failure_) throw *failure_;
          last = read_once(false);
        }
        write = !flush_channel();
      } catch (...) {
        keep(current_error());
        throw;
      }
    }
    check(deadline);
    const auto now = Clock::now();
    if (spin_until == kNoDeadline) {
      spinning = spare_core() && !skip_;
      if (skip_) --skip_;
      spin_until = spinning ? now + kSpin : now;
    }
    if (now < spin_until) {
      sched_yield();
      continue;
    }
    if (spinning) {
      spinning = false;
      skip_ = penalty_;
      penalty_ = std::min(penalty_ * 2, kMostPenalty);
    }
    sleep(last == Read::nothing, write, deadline);
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
  drive(deadline, [&] {
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
    drive(deadline, [this] { return inbox_.finish(); });
  } catch (...) {
    // The rest of the frame has no place to go, so the connection is lost with it.
    const Error error = current_error();
    const std::lock_guard lock(mutex_);
    inbox_.abandon();
    keep(error);
    throw;
  }
}

void Connection::fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  keep(error);
}

// Under the mutex.
void Connection::keep(const Error& error) {
  if (failure_) return;
  failure_ = error;
  if (waiter_) waiter_->wakeup.set();
  owner_.needs_service(*this);
}

std::optional<Error> Connection::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool Connection::busy() {
  const uint64_t drives = drives_.load(std::memory_order_relaxed);
  const bool busy = driven_ || drives != seen_drives_;
  seen_drives_ = drives;
  return busy;
}

}  // namespace cryptorch
