#include "endpoint.hpp"

#include <algorithm>

namespace cryptorch {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kHouseInterval = 100;  // ms
constexpr uint64_t kTick = 2;  // ms: how long a socket stays alone before the loop thread takes over
constexpr auto kLinger = milliseconds(1000);
constexpr auto kLastLinger = milliseconds(500);
constexpr int kAcceptsAtOnce = 32;
constexpr int kRefusalsPerSecond = 50;

void check(const EndpointConfig& config) {
  const auto invalid = [](const char* what) { throw Error(Code::invalid_option, what); };
  if (!config.parties || config.parties > 256) invalid("parties must be 1 to 256");
  if (config.role > config.parties) invalid("role must be a party or the dealer");
  if (!is_deployment_name(config.deployment)) invalid("deployment must be 1 to 64 of a-z, 0-9 and '-'");
}

}  // namespace

Endpoint::Endpoint(const EndpointConfig& config, Events events)
    : config_{config.role,        config.parties,       config.deployment, std::nullopt,
              config.frame_bytes, config.control_bytes, config.queue_bytes},
      secure_(config.tls.has_value()),
      events_(std::move(events)),
      table_(config.parties + 1) {
  check(config);
  const bool dealer = config.role == config.parties;
  if (secure_) {
    tls_ = std::make_unique<TlsContext>(*config.tls,
                                        Identity{config.deployment, dealer, dealer ? 0 : config.role});
  }
  const InboxLimits limits{config.frame_bytes, config.control_bytes, config.queue_bytes, !secure_};
  LobbyHost& host = *this;
  lobby_ = std::make_unique<Lobby>(
      LobbyConfig{config.role, config.parties, config.deployment, tls_.get(), limits}, loop_, host);
  house_ = loop_.timer([this] { keep_house(); });
  tick_ = loop_.timer([this] { serve_idle(); });
  thread_ = std::thread([this] {
    loop_.run();
    if (closed_) closed_();
  });
}

Endpoint::~Endpoint() {
  if (!closing_.exchange(true)) {
    loop_.post([this] { shut_down(milliseconds(0)); });
  }
  join();
}

void Endpoint::join() {
  if (thread_.joinable()) thread_.join();
}

uint16_t Endpoint::listen(const std::string& host, uint16_t port) {
  const Address address = parse_address(host, port);
  require_reachable(address);
  Address bound;
  auto socket = std::make_shared<Socket>(listen_on(address, &bound));
  loop_.post([this, socket] {
    if (closing_) return;
    Listener& listener = listeners_.emplace_back();
    listener.socket = std::move(*socket);
    const int fd = listener.socket.fd();
    listener.watch = loop_.watch(fd, [this, fd] { accept(fd); });
    listener.watch->set(true, false);
  });
  return bound.port();
}

void Endpoint::accept(int listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    Address from;
    bool exhausted = false;
    Socket socket = accept_from(listener, &from, &exhausted);
    if (exhausted && lobby_->evict()) continue;
    if (socket.fd() < 0) break;
    lobby_->accepted(std::move(socket), from);
  }
  house_->every(kHouseInterval);
}

void Endpoint::connect(uint32_t peer, const std::string& host, uint16_t port, milliseconds timeout,
                       Done done) {
  if (peer > config_.parties || peer == config_.role) throw Error(Code::invalid_option, "no such peer");
  const Address address = parse_address(host, port);
  require_reachable(address);
  const Deadline deadline = Clock::now() + timeout;
  loop_.post([this, peer, address, deadline, done = std::move(done)] {
    const Error closed(Code::cancelled, "the endpoint was closed");
    if (closing_) return done(&closed);
    lobby_->connect(peer, address, deadline, done);
    house_->every(kHouseInterval);
  });
}

void Endpoint::send(uint32_t peer, std::vector<std::byte> message) {
  if (message.size() > config_.control_bytes) throw Error(Code::invalid_option, "the message is too long");
  const auto to = connection(peer);
  if (!to) {
    throw Error(Code::connection, role_name(peer, config_.parties) + " is not connected",
                {{"peer", int64_t{peer}}});
  }
  to->post(std::move(message));
  needs_service(*to);
}

void Endpoint::disconnect(uint32_t peer, const Error& why) {
  const auto from = connection(peer);
  if (!from) return;
  loop_.post([this, from, why] {
    from->service();
    from->fail(why);
    drop(from.get(), why);
  });
}

void Endpoint::close(std::function<void()> closed) {
  if (closing_.exchange(true)) return;
  loop_.post([this, closed = std::move(closed)] {
    closed_ = closed;
    shut_down(kLastLinger);
  });
}

std::shared_ptr<Connection> Endpoint::connection(uint32_t peer) {
  const std::lock_guard lock(table_mutex_);
  return peer < table_.size() ? table_[peer] : nullptr;
}

void Endpoint::begin_phase() {
  loop_.post([this] {
    ++phases_;
    if (!closing_) tick_->every(kTick);
  });
}

void Endpoint::end_phase() {
  loop_.post([this] {
    --phases_;
    if (closing_) return;
    if (!phases_) tick_->every(0);
    for (auto next = served_.begin(); next != served_.end();) serve((next++)->first);
  });
}

void Endpoint::received(Connection& connection, std::vector<std::byte> message, Undelivered undelivered) {
  emit({EndpointEvent::Type::message, connection.peer(), {}, {}, std::move(message), std::move(undelivered)});
}

void Endpoint::needs_service(Connection& connection) {
  loop_.post([this, wanted = &connection] { serve(wanted); });
}

// Does what a connection has to do and no computing thread does. It may have gone meanwhile.
void Endpoint::serve(Connection* wanted) {
  const auto found = served_.find(wanted);
  if (found == served_.end()) return;
  Served& served = found->second;
  const Connection::Interest interest = wanted->service();
  if (const auto error = wanted->failure()) return drop(wanted, *error);
  served.watch->set(interest.read, interest.write);
  served.reading = interest.read;
  served.writing = interest.write;
  if (interest.again) needs_service(*wanted);
}

// Takes over what computing threads have not used for a while.
void Endpoint::serve_idle() {
  for (auto next = served_.begin(); next != served_.end();) {
    auto& [connection, served] = *next++;
    if (!connection->busy() && (!served.reading || (!served.writing && connection->backlogged())))
      serve(connection);
  }
}

Verdict Endpoint::admit(uint32_t role) {
  if (closing_) return Verdict::closing;
  auto other = connection(role);
  if (!other) return Verdict::accepted;
  serve(other.get());  // it may be at its end already
  other = connection(role);
  return other ? Verdict::duplicate : Verdict::accepted;
}

void Endpoint::joined(std::shared_ptr<Connection> connection) {
  Connection* key = connection.get();
  Served& served = served_[key];
  served.connection = connection;
  served.watch = loop_.watch(key->fd(), [this, key] { serve(key); });
  {
    // Nobody finds it in the table, and reads its messages, before it is told of.
    const std::lock_guard lock(table_mutex_);
    table_[key->peer()] = std::move(connection);
    emit({EndpointEvent::Type::up, key->peer(), key->address(), {}, {}, {}});
  }
  serve(key);
}

void Endpoint::refused(const std::string& address, const Error& error,
                       std::shared_ptr<Connection> connection) {
  if (connection) linger(std::move(connection), kLinger);
  const auto now = Clock::now();
  if (now - refusals_since_ > std::chrono::seconds(1)) {
    refusals_since_ = now;
    refusals_ = kRefusalsPerSecond;
  }
  if (refusals_ && refusals_--) emit({EndpointEvent::Type::refused, ~uint32_t{0}, address, error, {}, {}});
}

void Endpoint::drop(Connection* gone, const Error& error) {
  const auto found = served_.find(gone);
  if (found == served_.end()) return;
  const auto connection = found->second.connection;
  served_.erase(found);
  {
    const std::lock_guard lock(table_mutex_);
    table_[gone->peer()] = nullptr;
  }
  emit({EndpointEvent::Type::down, gone->peer(), gone->address(), error, {}, {}});
  linger(connection, kLinger);
}

void Endpoint::linger(std::shared_ptr<Connection> connection, Clock::duration time) {
  farewells_.add(std::move(connection), time);
  house_->every(kHouseInterval);
}

void Endpoint::keep_house() {
  const auto now = Clock::now();
  lobby_->expire(now);
  farewells_.expire(now);
  if (!farewells_.empty() || !lobby_->empty()) return;
  if (!shut_down_) {
    house_->every(0);
  } else if (house_) {
    house_.reset();
    loop_.stop();
  }
}

void Endpoint::shut_down(Clock::duration time) {
  { const std::lock_guard lock(events_mutex_); }  // whoever tells of an event now is done
  const Error error(Code::connection, "the endpoint was closed");
  listeners_.clear();
  lobby_->close();
  farewells_.hurry(time);
  while (!served_.empty()) {
    const auto connection = served_.begin()->second.connection;
    connection->service();
    connection->fail(error);
    served_.erase(connection.get());
    linger(connection, time);
  }
  {
    const std::lock_guard lock(table_mutex_);
    for (auto& connection : table_) connection = nullptr;
  }
  tick_.reset();
  shut_down_ = true;
  keep_house();
  if (house_) house_->every(10);
}

void Endpoint::require_reachable(const Address& address) const {
  if (closing_) throw Error(Code::cancelled, "the endpoint was closed");
  if (secure_ || address.is_loopback()) return;
  throw Error(Code::invalid_option, "plain TCP is for loopback addresses only, not " + address.text());
}

void Endpoint::emit(EndpointEvent event) {
  const std::lock_guard lock(events_mutex_);
  if (!closing_) events_(std::move(event));
}

}  // namespace cryptorch
