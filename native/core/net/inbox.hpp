// The receiving end of one connection: a stream of bytes in, checked frames out. It decides where the next
// bytes belong, so that whoever reads the socket can decrypt straight into place: the rest of a header, a
// queue buffer, or, once the receiver has claimed the oldest frame, the receiver's own memory.
//
// A frame must have the next sequence number and fit the limits; anything else is an Error(protocol), after
// which the connection is of no use. Three kinds of frame share the sequence: the introduction (first, once),
// control messages, and data. Buffers are used again, and wiped before they are given back to the system.
// Used by one thread at a time.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/frame.hpp"

namespace cryptorch {

constexpr uint32_t kControlExchange = 0xFFFFFFFF;  // a control message
constexpr uint32_t kIntroExchange = 0xFFFFFFFE;    // who speaks, and whether it is accepted
constexpr uint64_t kMostIntroBytes = 256;

struct InboxLimits {
  uint64_t frame_bytes = 0;    // payload of a data frame
  uint64_t control_bytes = 0;  // payload of a control message
  uint64_t queue_bytes =
      0;                   // payloads that may wait; what goes beyond is read only into its receiver's memory
  bool checksums = false;  // frames carry a CRC-32C of their payload, otherwise 0
};

class Inbox {
 public:
  explicit Inbox(const InboxLimits& limits) : limits_(limits) {}
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Where the next bytes of the stream belong; empty where reading has to wait for the receiver. With `ahead`
  // a payload may go to a queue buffer, otherwise only to memory that was claimed.
  std::span<std::byte> room(bool ahead);

  // The first `bytes` of room() were written. Throws Error(protocol).
  void advance(size_t bytes);

  // Introductions and control messages that are complete, in order.
  struct Message {
    uint32_t exchange = 0;
    std::vector<std::byte> data;
  };
  std::optional<Message> take_message();

  // Before, only an introduction is accepted; from here on, everything else.
  void establish() { established_ = true; }

  // The oldest data frame, or null. It may still be arriving.
  const FrameHeader* front() const { return frames_.empty() ? nullptr : &frames_.front().header; }

  // Gives the payload of the oldest frame to `into` (of its size), which must stay until finish() says true
  // or abandon() is called.
  void claim(std::span<std::byte> into);
  // Whether the claimed payload is complete; if so, the frame is gone. Throws Error(protocol) where its
  // checksum is wrong.
  bool finish();
  // Forgets the claimed memory. The stream cannot be read any further.
  void abandon();

  uint64_t queued_bytes() const { return queued_; }

 private:
  struct Buffer {
    std::unique_ptr<std::byte[]> data;
    size_t capacity = 0;
  };
  struct Frame {
    FrameHeader header;
    Buffer buffer;          // none where the payload goes straight to its receiver
    uint64_t received = 0;  // bytes of the payload
  };
  enum class Arriving { header, message, payload, nothing };

  void begin(const FrameHeader& header);
  void release(Frame& frame);
  Buffer take_buffer(size_t bytes);
  void give_buffer(Buffer buffer);

  const InboxLimits limits_;
  bool established_ = false;
  uint32_t sequence_ = 0;

  Arriving arriving_ = Arriving::header;
  HeaderBytes header_{};
  size_t filled_ = 0;  // of the header or message that is arriving
  Message message_;
  std::deque<Message> messages_;

  std::deque<Frame> frames_;  // a payload that is arriving is the last one's
  std::span<std::byte> target_;
  bool claimed_ = false;
  uint64_t queued_ = 0;
  std::vector<Buffer> spare_;
};

}  // namespace cryptorch
