#include "farewells.hpp"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

namespace cryptorch {
namespace {

constexpr size_t kMostLeaving = 64;

}  // namespace

void Farewells::add(std::shared_ptr<Connection> connection, Clock::duration time) {
  if (leaving_.size() >= kMostLeaving) leaving_.pop_front();
  connection->finish();
  Leaving& leaving = leaving_.emplace_back();
  leaving.connection = std::move(connection);
  leaving.deadline = Clock::now() + time;
  const auto position = std::prev(leaving_.end());
  leaving.watch = loop_.watch(leaving.connection->fd(), [this, position] { see_off(position); });
  see_off(position);
}

void Farewells::see_off(std::list<Leaving>::iterator position) {
  Leaving& leaving = *position;
  const int fd = leaving.connection->fd();
  const bool flushed = leaving.connection->flush();
  if (flushed && !leaving.finished) {
    leaving.finished = true;
    shutdown(fd, SHUT_WR);
  }
  for (int i = 0; i < 16; ++i) {
    char ignored[4096];
    const ssize_t got = recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT);
    if (got > 0) continue;
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
      leaving_.erase(position);
      return;
    }
    break;
  }
  leaving.watch->set(true, !flushed);
}

void Farewells::hurry(Clock::duration time) {
  const auto latest = Clock::now() + time;
  for (Leaving& leaving : leaving_) leaving.deadline = std::min(leaving.deadline, latest);
}

void Farewells::expire(Clock::time_point now) {
  leaving_.remove_if([now](const Leaving& leaving) { return now >= leaving.deadline; });
}

}  // namespace cryptorch
