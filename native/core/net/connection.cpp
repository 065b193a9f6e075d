#include "connection.hpp"

#include <algorithm>

#include "core/arena.hpp"
#include "core/crc32c.hpp"

namespace cryptorch {
namespace {

constexpr size_t kPiece = 64 << 10;              // written under the mutex at a time: four records
constexpr uint64_t kReadAhead = 1 << 20;         // read under the mutex at a time by the loop thread
constexpr uint64_t kMostUndelivered = 64 << 20;  // of control messages

}  // namespace

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
    if (deadline) limit_queue(queued, *deadline);
  } while (!payload.empty());
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
