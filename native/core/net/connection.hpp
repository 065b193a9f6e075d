// One connection to a peer: frames out, frames in. Three kinds of thread use it:
//   a computing thread   sends frames and waits for them; while it waits it drives the socket itself, because
//                        a wake-up through another thread costs more than a small frame
//   the loop thread      does what nobody else does just now: reads ahead while a computation runs, writes
//                        what a socket did not take, sends control messages
//   any thread           queues control messages
// TLS and the inbox are used under one mutex, held for a few records at a time; whoever sends a frame holds a
// second one for the whole frame, so that frames stay apart.
#pragma once
#include <atomic>
#include <mutex>

#include "channel.hpp"
#include "core/link.hpp"
#include "inbox.hpp"
#include "wakeup.hpp"

namespace cryptorch {

class Connection;
using Undelivered = std::shared_ptr<std::atomic<uint64_t>>;  // bytes of control messages

// Whom a connection tells what happened. From any thread; must not call back into the connection.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // `undelivered` is to be lowered by the size of the message and 1 once it was handed on.
  virtual void received(Connection& connection, std::vector<std::byte> message, Undelivered undelivered) = 0;
  virtual void needs_service(Connection& connection) = 0;
};

// A computing thread that waits, and how it is stopped.
struct Waiter {
  Wakeup wakeup;
  std::atomic<bool> cancelled{false};

  void cancel() {
    cancelled = true;
    wakeup.set();
  }
};

class Connection {
 public:
  Connection(std::unique_ptr<Channel> channel, const InboxLimits& limits, std::string address,
             ConnectionOwner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return channel_->fd(); }
  const std::string& address() const { return address_; }
  uint32_t peer() const { return peer_; }

  // Until it is established only the loop thread uses it. These throw.
  bool handshake();  // whether it is done
  std::optional<Identity> identity() const { return channel_->peer(); }
  void introduce(const Introduction& introduction);
  std::optional<Introduction> introduction();
  void establish(uint32_t peer);

  // What to watch the socket for; `again`: there is more to do at once.
  struct Interest {
    bool read = false, write = false, again = false;
  };
  // Loop thread: sends what was queued and reads ahead, unless a computing thread drives. A failure is kept.
  Interest service();
  // Loop thread, after fail(): nothing is read any more, but what was queued still goes out. False when that
  // is done.
  void finish();
  bool flush();

  // Queues a control message. Any thread.
  void post(std::vector<std::byte> message);
  // Computing thread. These throw.
  void attach(Waiter* waiter);  // null when it is done
  void send(uint32_t exchange, uint32_t clock, std::span<const std::byte> payload, Deadline deadline);
  FrameHeader receive_header(Deadline deadline);
  void receive_payload(std::span<std::byte> into, Deadline deadline);

  // The first failure counts. Whoever waits is woken. Any thread.
  void fail(const Error& error);
  std::optional<Error> failure();

  // Loop thread: whether a computing thread drives the socket now, or has since the last call.
  bool busy();
  // Whether something is left that the socket did not take.
  bool backlogged() const { return backlogged_; }

 private:
  class Driving;
  enum class Read { some, nothing, paused };

  Read read_once(bool ahead);
  bool flush_channel();
  void write_frame(uint32_t exchange, uint32_t clock, std::span<const std::byte> payload,
                   const Deadline* deadline);
  void write_posted();
  bool send_posted();
  bool wait_for_room(uint64_t target, uint64_t step, Clock::duration patience, Deadline deadline);
  void limit_queue(uint64_t queued, Deadline deadline);
  template <typename Ready>
  void drive(Deadline deadline, bool expected, Ready ready);
  void sleep(bool read, bool write, Deadline until);
  void check(Deadline deadline) const;
  void keep(const Error& error);

  const std::string address_;
  ConnectionOwner& owner_;
  const InboxLimits limits_;
  uint32_t peer_ = ~uint32_t{0};

  std::mutex mutex_;  // of the channel, the inbox, the failure and the waiter
  std::unique_ptr<Channel> channel_;
  Inbox inbox_;
  std::optional<Introduction> introduction_;
  std::optional<Error> failure_;
  Waiter* waiter_ = nullptr;

  std::mutex sending_;  // held for a whole frame; before mutex_
  uint32_t sequence_ = 0;

  std::mutex posting_;
  std::vector<std::vector<std::byte>> posted_;
  std::atomic<bool> has_posted_{false};

  std::atomic<bool> driven_{false}, backlogged_{false};
  std::atomic<uint64_t> drives_{0};
  uint64_t seen_drives_ = 0;                   // the loop thread's
  uint32_t penalty_ = 1, skip_ = 0;            // the computing thread's, see drive()
  Deadline slow_until_{}, impatient_until_{};  // the computing thread's, see limit_queue()
  const Undelivered undelivered_ = std::make_shared<std::atomic<uint64_t>>(0);
};

}  // namespace cryptorch
