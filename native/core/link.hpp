// A link carries frames to and from one peer, in order. What a frame means is the transport's business: a
// link moves a header and a payload, and stops waiting when its deadline passes or when either side closes
// it.
#pragma once
#include <chrono>
#include <span>

#include "error.hpp"
#include "frame.hpp"

namespace cryptorch {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;
constexpr Deadline kNoDeadline = Deadline::max();

class Link {
 public:
  virtual ~Link() = default;

  // Takes one frame over and returns without waiting for the peer; the payload may be changed afterwards. The
  // checksum in the header is the link's own: 0 where the channel protects the bytes itself.
  virtual void send(const HeaderBytes& header, std::span<const std::byte> payload) = 0;

  // The next frame: first its header, then, once that was found to be the expected one, its payload. Both
  // throw Error(timeout) or Error(connection).
  virtual HeaderBytes receive_header(Deadline deadline) = 0;
  virtual void receive_payload(std::span<std::byte> into, Deadline deadline) = 0;

  // Wakes whoever waits, on both sides. Frames that were sent before still arrive.
  virtual void close() = 0;
};

}  // namespace cryptorch
