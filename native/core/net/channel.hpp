// Bytes between two peers over one socket that never blocks: TLS 1.3, or plain TCP. Whatever is written is
// taken over at once; what the socket does not take stays in the outbox. Used by one thread at a time.
#pragma once
#include <memory>
#include <optional>

#include "identity.hpp"
#include "outbox.hpp"

namespace cryptorch {

class Channel {
 public:
  virtual ~Channel();  // closes the socket
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // True once both sides are authenticated. Throws Error(certificate), Error(protocol) or Error(connection).
  virtual bool handshake() = 0;
  // Who the peer's certificate says it is; null without TLS. After the handshake. Throws Error(certificate).
  virtual std::optional<Identity> peer() const = 0;

  // Bytes that were read, 0 if none are there. Throws Error(connection) at the end of the stream.
  virtual size_t read(std::span<std::byte> into) = 0;
  // Whether bytes were taken from the socket that read() has not given yet.
  virtual bool buffered() const = 0;

  // Both parts, one after the other.
  virtual void write(std::span<const std::byte> head, std::span<const std::byte> body) = 0;
  // Whether nothing is left in the outbox.
  bool flush() { return outbox_.flush(fd_); }
  // Tells the peer that nothing will follow.
  virtual void finish() = 0;

  int fd() const { return fd_; }
  const Outbox& outbox() const { return outbox_; }

 protected:
  Channel(int fd, bool sensitive) : fd_(fd), outbox_(sensitive) {}

  const int fd_;
  Outbox outbox_;
};

// Takes the socket over, also where it throws.
std::unique_ptr<Channel> plain_channel(int fd);

}  // namespace cryptorch
