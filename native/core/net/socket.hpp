// TCP sockets that never block, by numeric addresses: names are resolved in JavaScript.
#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace cryptorch {

struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  bool is_loopback() const;
  uint16_t port() const;
  std::string text() const;  // "127.0.0.1:7000", "[::1]:7000"
};

// Throws Error(invalid_option) where `host` is not a numeric address.
Address parse_address(const std::string& host, uint16_t port);

// An open descriptor, closed with its owner.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { reset(); }

  int fd() const { return fd_; }
  int release();
  void reset();

 private:
  int fd_;
};

// These throw Error(connection) with the system's name of the error in details.system.
Socket listen_on(const Address& address, Address* bound);
Socket start_connecting(const Address& address);
// After the socket became writable.
void check_connected(int fd);

// The next connection that waits, or none (fd -1). `*exhausted` is set where descriptors have run out.
Socket accept_from(int listener, Address* from, bool* exhausted);

}  // namespace cryptorch
