#include "socket.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "core/error.hpp"

namespace cryptorch {
namespace {

constexpr int kBacklog = 511;

const char* system_name(int error) {
  switch (error) {
    case EADDRINUSE:
      return "EADDRINUSE";
    case EADDRNOTAVAIL:
      return "EADDRNOTAVAIL";
    case EACCES:
      return "EACCES";
    case ECONNREFUSED:
      return "ECONNREFUSED";
    case ECONNRESET:
      return "ECONNRESET";
    case EHOSTUNREACH:
      return "EHOSTUNREACH";
    case ENETUNREACH:
      return "ENETUNREACH";
    case ETIMEDOUT:
      return "ETIMEDOUT";
    case EMFILE:
    case ENFILE:
      return "EMFILE";
  }
  return "other";
}

[[noreturn]] void fail(const std::string& what, int error) {
  throw Error(Code::connection, what + ": " + strerror(error), {{"system", std::string(system_name(error))}});
}

void set(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof(value)); }

// Small frames leave at once, and a peer whose machine is gone is found after half a minute.
void prepare(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_KEEPIDLE
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
#endif
#ifdef SO_NOSIGPIPE
  set(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
}

const sockaddr* plain(const Address& address) { return reinterpret_cast<const sockaddr*>(&address.storage); }

Socket open(const Address& address) {
  Socket socket(::socket(address.storage.ss_family, SOCK_STREAM, 0));
  if (socket.fd() < 0) fail("no socket", errno);
  prepare(socket.fd());
  return socket;
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Socket::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void Socket::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool Address::is_loopback() const {
  if (storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    return ntohl(in.sin_addr.s_addr) >> 24 == 127;
  }
  if (storage.ss_family != AF_INET6) return false;
  const auto& in = reinterpret_cast<const sockaddr_in6&>(storage);
  return IN6_IS_ADDR_LOOPBACK(&in.sin6_addr) ||
         (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) && in.sin6_addr.s6_addr[12] == 127);
}

uint16_t Address::port() const {
  const bool old = storage.ss_family == AF_INET;
  return ntohs(old ? reinterpret_cast<const sockaddr_in&>(storage).sin_port
                   : reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

std::string Address::text() const {
  char host[NI_MAXHOST];
  if (getnameinfo(plain(*this), bytes, host, sizeof(host), nullptr, 0, NI_NUMERICHOST)) return "unknown";
  std::string text(host);
  if (storage.ss_family == AF_INET6) {
    text.insert(text.begin(), '[');
    text += ']';
  }
  text += ':';
  text += std::to_string(port());
  return text;
}

Address parse_address(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  if (host.empty() || getaddrinfo(host.c_str(), service.c_str(), &hints, &found) || !found) {
    throw Error(Code::invalid_option, "'" + host + "' is not a numeric address");
  }
  Address address;
  address.bytes = found->ai_addrlen;
  memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return address;
}

Socket listen_on(const Address& address, Address* bound) {
  Socket socket = open(address);
  set(socket.fd(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (bind(socket.fd(), plain(address), address.bytes) || listen(socket.fd(), kBacklog)) {
    fail("cannot listen on " + address.text(), errno);
  }
  bound->bytes = sizeof(bound->storage);
  if (getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&bound->storage), &bound->bytes)) {
    fail("cannot listen on " + address.text(), errno);
  }
  return socket;
}

Socket start_connecting(const Address& address) {
  Socket socket = open(address);
  if (connect(socket.fd(), plain(address), address.bytes) && errno != EINPROGRESS) {
    fail("cannot connect to " + address.text(), errno);
  }
  return socket;
}

void check_connected(int fd) {
  int error = 0;
  socklen_t bytes = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes)) error = errno;
  if (error) fail("cannot connect", error);
}

Socket accept_from(int listener, Address* from, bool* exhausted) {
  *exhausted = false;
  for (;;) {
    from->bytes = sizeof(from->storage);
    Socket socket(accept(listener, reinterpret_cast<sockaddr*>(&from->storage), &from->bytes));
    if (socket.fd() >= 0) {
      prepare(socket.fd());
      return socket;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    *exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return Socket();
  }
}

}  // namespace cryptorch
