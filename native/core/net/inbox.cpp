#include "inbox.hpp"

#include <algorithm>
#include <cstring>

#include "core/arena.hpp"
#include "core/crc32c.hpp"
#include "core/error.hpp"

namespace cryptorch {
namespace {

constexpr size_t kSpareBuffers = 4;
constexpr size_t kLargestSpare = 1 << 20;
constexpr size_t kMostFrames = 4096;  // that wait for the receiver, whatever their size
constexpr size_t kSmallBuffer = 64 << 10;

[[noreturn]] void refuse(const char* what, const char* relation, uint64_t bound, uint64_t found) {
  throw Error(Code::protocol,
              std::string("a frame was refused: ") + what + " is " + std::to_string(found) + ", " + relation +
                  " " + std::to_string(bound),
              {{"field", std::string(what)},
               {"expected", static_cast<int64_t>(bound)},
               {"found", static_cast<int64_t>(found)}});
}

void expect(const char* what, uint64_t expected, uint64_t found) {
  if (expected != found) refuse(what, "not", expected, found);
}

void expect_at_most(const char* what, uint64_t most, uint64_t found) {
  if (found > most) refuse(what, "more than", most, found);
}

}  // namespace

Inbox::~Inbox() {
  for (Frame& frame : frames_) wipe(frame.buffer.data.get(), frame.buffer.capacity);
  for (Buffer& buffer : spare_) wipe(buffer.data.get(), buffer.capacity);
  for (Message& message : messages_) wipe(message.data.data(), message.data.size());
  wipe(message_.data.data(), message_.data.size());
}

std::span<std::byte> Inbox::room(bool ahead) {
  switch (arriving_) {
    case Arriving::header:
      if (frames_.size() >= kMostFrames) return {};
      return std::span(header_).subspan(filled_);
    case Arriving::message:
      return std::span(message_.data).subspan(filled_);
    case Arriving::nothing:
      return {};
    case Arriving::payload:
      break;
  }
  Frame& frame = frames_.back();
  if (claimed_ && frames_.size() == 1) return target_.subspan(frame.received);
  if (!frame.buffer.data) {
    if (!ahead || queued_ + frame.header.bytes > limits_.queue_bytes) return {};
    frame.buffer = take_buffer(frame.header.bytes);
    queued_ += frame.header.bytes;
  }
  return {frame.buffer.data.get() + frame.received, frame.header.bytes - frame.received};
}

void Inbox::advance(size_t bytes) {
  switch (arriving_) {
    case Arriving::header:
      filled_ += bytes;
      if (filled_ == kHeaderBytes) begin(decode_header(header_));
      break;
    case Arriving::message:
      filled_ += bytes;
      if (filled_ < message_.data.size()) break;
      if (limits_.checksums) expect("its checksum", crc32c(message_.data), decode_header(header_).crc);
      messages_.push_back(std::move(message_));
      message_ = {};
      filled_ = 0;
      arriving_ = Arriving::header;
      break;
    case Arriving::payload: {
      Frame& frame = frames_.back();
      frame.received += bytes;
      if (frame.received == frame.header.bytes) arriving_ = Arriving::header;
      break;
    }
    case Arriving::nothing:
      break;
  }
}

// A header is complete: checks it before anything is done for its payload.
void Inbox::begin(const FrameHeader& header) {
  expect("its sequence number", sequence_, header.sequence);
  if (!limits_.checksums) expect("its checksum", 0, header.crc);
  const bool message = header.exchange == kControlExchange || header.exchange == kIntroExchange;
  if (!established_) {
    expect("its exchange", kIntroExchange, header.exchange);
    expect_at_most("its length", kMostIntroBytes, header.bytes);
  } else if (header.exchange == kIntroExchange) {
    throw Error(Code::protocol, "a frame was refused: the peer introduced itself twice");
  } else {
    expect_at_most("its length", message ? limits_.control_bytes : limits_.frame_bytes, header.bytes);
  }
  ++sequence_;
  filled_ = 0;
  if (!message) {
    frames_.push_back({header, {}, 0});
    arriving_ = header.bytes ? Arriving::payload : Arriving::header;
    return;
  }
  message_.exchange = header.exchange;
  message_.data.resize(header.bytes);
  arriving_ = Arriving::message;
  if (!header.bytes) advance(0);
}

std::optional<Inbox::Message> Inbox::take_message() {
  if (messages_.empty()) return std::nullopt;
  Message message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

void Inbox::claim(std::span<std::byte> into) {
  Frame& frame = frames_.front();
  expect("its length", into.size(), frame.header.bytes);
  if (frame.buffer.data) {
    std::memcpy(into.data(), frame.buffer.data.get(), frame.received);
    release(frame);
  }
  target_ = into;
  claimed_ = true;
}

bool Inbox::finish() {
  if (!claimed_ || frames_.front().received < frames_.front().header.bytes) return false;
  const uint32_t sent = frames_.front().header.crc;
  const std::span<std::byte> payload = target_;
  frames_.pop_front();
  target_ = {};
  claimed_ = false;
  if (limits_.checksums) expect("its checksum", crc32c(payload), sent);
  return true;
}

void Inbox::abandon() {
  if (claimed_ && arriving_ == Arriving::payload && frames_.size() == 1) arriving_ = Arriving::nothing;
  if (claimed_) frames_.pop_front();
  target_ = {};
  claimed_ = false;
}

void Inbox::release(Frame& frame) {
  queued_ -= frame.header.bytes;
  give_buffer(std::move(frame.buffer));
  frame.buffer = {};
}

// The smallest spare buffer that is large enough and not wastefully large, or a new one.
Inbox::Buffer Inbox::take_buffer(size_t bytes) {
  const size_t most = std::max(2 * bytes, kSmallBuffer);
  auto best = spare_.end();
  for (auto it = spare_.begin(); it != spare_.end(); ++it) {
    if (it->capacity < bytes || it->capacity > most) continue;
    if (best == spare_.end() || it->capacity < best->capacity) best = it;
  }
  Buffer buffer;
  if (best != spare_.end()) {
    buffer = std::move(*best);
    spare_.erase(best);
  } else {
    buffer.capacity = std::max(bytes, size_t{4096});
    buffer.data = std::make_unique_for_overwrite<std::byte[]>(buffer.capacity);
  }
  return buffer;
}

// Keeps the buffer in place of the oldest spare one, unless it is so large that its memory matters more than
// time.
void Inbox::give_buffer(Buffer buffer) {
  if (buffer.capacity > kLargestSpare) {
    wipe(buffer.data.get(), buffer.capacity);
    return;
  }
  if (spare_.size() == kSpareBuffers) {
    wipe(spare_.front().data.get(), spare_.front().capacity);
    spare_.erase(spare_.begin());
  }
  spare_.push_back(std::move(buffer));
}

}  // namespace cryptorch
