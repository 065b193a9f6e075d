#include "channel.hpp"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cryptorch {
namespace {

class PlainChannel : public Channel {
 public:
  explicit PlainChannel(int fd) : Channel(fd, true) {}

  bool handshake() override { return true; }
  std::optional<Identity> peer() const override { return std::nullopt; }
  bool buffered() const override { return false; }

  size_t read(std::span<std::byte> into) override {
    for (;;) {
      const ssize_t got = recv(fd_, into.data(), into.size(), MSG_DONTWAIT);
      if (got > 0) return static_cast<size_t>(got);
      if (got == 0) throw Error(Code::connection, "the peer closed the connection");
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
      throw Error(Code::connection, std::string("the connection was lost: ") + strerror(errno));
    }
  }

  void write(std::span<const std::byte> head, std::span<const std::byte> body) override {
    if (outbox_.empty()) {
      outbox_.write_through(fd_, head, body);
    } else {
      outbox_.append(head);
      outbox_.append(body);
    }
  }

  void finish() override {}
};

}  // namespace

Channel::~Channel() { close(fd_); }

std::unique_ptr<Channel> plain_channel(int fd) { return std::make_unique<PlainChannel>(fd); }

}  // namespace cryptorch
