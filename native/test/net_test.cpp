// Endpoints, connections and phase links over loopback: two or three roles in one process.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <future>
#include <random>

#include "../core/net/phase_links.hpp"
#include "harness.hpp"
#include "net_support.hpp"

namespace cryptorch {

int run_net_tests() { return test::run_all(); }

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Certificates;
using Type = EndpointEvent::Type;

const Certificates& authority() {
  static const Certificates certificates;
  return certificates;
}

// With TLS and without.
std::vector<const Certificates*> both_ways() { return {&authority(), nullptr}; }

// An endpoint, and what it told.
struct Role {
  explicit Role(const EndpointConfig& config)
      : endpoint(config, [this](EndpointEvent event) {
          if (event.undelivered) event.undelivered->fetch_sub(event.data.size() + 1);
          const std::lock_guard lock(mutex);
          events.push_back(std::move(event));
          changed.notify_all();
        }) {}
  Role(uint32_t role, uint32_t parties, const Certificates* certificates)
      : Role(test::endpoint_config(role, parties, certificates)) {}

  // Waits for the next event of a type; the ones of other types are left.
  EndpointEvent wait(Type type) {
    std::unique_lock lock(mutex);
    EndpointEvent found{type, 0, {}, {}, {}, {}};
    const bool got = changed.wait_for(lock, seconds(10), [&] {
      const auto at =
          std::find_if(events.begin(), events.end(), [&](auto& event) { return event.type == type; });
      if (at == events.end()) return false;
      found = std::move(*at);
      events.erase(at);
      return true;
    });
    if (!got) throw Error(Code::internal, "an event did not come");
    return found;
  }
  size_t count(Type type) {
    const std::lock_guard lock(mutex);
    return static_cast<size_t>(
        std::count_if(events.begin(), events.end(), [&](auto& event) { return event.type == type; }));
  }

  void forget() {
    const std::lock_guard lock(mutex);
    events.clear();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<EndpointEvent> events;
  Endpoint endpoint;
};

struct Pair {
  explicit Pair(const Certificates* certificates) : a(0, 2, certificates), b(1, 2, certificates) {
    test::join(a.endpoint, b.endpoint);
  }
  Role a, b;
};

// What a connection attempt fails with.
std::optional<Error> attempt(Endpoint& from, uint32_t peer, uint16_t port,
                             milliseconds timeout = seconds(5)) {
  std::promise<std::optional<Error>> done;
  from.connect(peer, "127.0.0.1", port, timeout,
               [&](const Error* error) { done.set_value(error ? std::optional(*error) : std::nullopt); });
  return done.get_future().get();
}

std::vector<std::byte> bytes_of(size_t count, uint32_t seed) {
  std::vector<std::byte> out(count);
  std::minstd_rand random(seed + 1);
  for (std::byte& byte : out) byte = static_cast<std::byte>(random() >> 8);
  return out;
}

Deadline in(milliseconds time) { return Clock::now() + time; }

void send(Link& link, uint32_t exchange, std::span<const std::byte> data) {
  link.send(encode_header({data.size(), 0, exchange, exchange + 1, 0}), data);
}

std::vector<std::byte> receive(Link& link, uint32_t exchange, Deadline deadline = in(seconds(20))) {
  const FrameHeader header = decode_header(link.receive_header(deadline));
  CHECK(header.exchange == exchange && header.clock == exchange + 1 && header.crc == 0);
  std::vector<std::byte> data(header.bytes);
  link.receive_payload(data, deadline);
  return data;
}

Code code_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code;
  }
  return Code::internal;
}

int raw_client(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address))) {
    close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

TEST("frames arrive as they were sent: any sizes, both ways at once, read ahead or not") {
  for (const Certificates* certificates : both_ways()) {
    Pair pair(certificates);
    const std::vector<size_t> sizes = {0,       1,       64,      16359, 16360, 16361,
                                       16384,   65511,   65512,   65513, 65536, 200000,
                                       1 << 20, 5000000, 1 << 20, 7,     0,     3000000};
    const auto play = [&](Endpoint& endpoint, uint32_t peer, uint32_t seed, bool slow) {
      Waiter waiter;
      PhaseLinks links(endpoint, {peer}, waiter, in(seconds(60)));
      Link& link = *links.links()[peer];
      for (uint32_t i = 0; i < sizes.size(); ++i) {
        send(link, i, bytes_of(sizes[i], i * 2 + seed));
        if (slow && i % 3 == 0) std::this_thread::sleep_for(milliseconds(12));
        if (i % 4 != 3) continue;
        for (uint32_t j = i - 3; j <= i; ++j) CHECK(receive(link, j) == bytes_of(sizes[j], j * 2 + 1 - seed));
      }
      for (uint32_t j = 16; j < sizes.size(); ++j)
        CHECK(receive(link, j) == bytes_of(sizes[j], j * 2 + 1 - seed));
    };
    std::thread other([&] { play(pair.b.endpoint, 0, 1, true); });
    play(pair.a.endpoint, 1, 0, false);
    other.join();
  }
}

TEST("many small rounds, and phases one after the other") {
  for (const Certificates* certificates : both_ways()) {
    Pair pair(certificates);
    const auto play = [](Endpoint& endpoint, uint32_t peer, bool first) {
      for (uint32_t phase = 0; phase < 5; ++phase) {
        Waiter waiter;
        PhaseLinks links(endpoint, {peer}, waiter, in(seconds(60)));
        Link& link = *links.links()[peer];
        for (uint32_t i = 0; i < 300; ++i) {
          const auto data = bytes_of(64, i + phase * 1000);
          if (first) send(link, i, data);
          CHECK(receive(link, i) == data);
          if (!first) send(link, i, data);
        }
      }
    };
    std::thread other([&] { play(pair.b.endpoint, 0, false); });
    play(pair.a.endpoint, 1, true);
    other.join();
  }
}

TEST("control messages keep their order, and their place before the frames that follow") {
  for (const Certificates* certificates : both_ways()) {
    Pair pair(certificates);
    for (uint32_t i = 0; i < 50; ++i) {
      pair.a.endpoint.send(1, bytes_of(i * 100, i));
      Waiter waiter;
      PhaseLinks links(pair.a.endpoint, {1}, waiter, kNoDeadline);
      send(*links.links()[1], i, bytes_of(100000, i));
    }
    Waiter waiter;
    PhaseLinks links(pair.b.endpoint, {0}, waiter, kNoDeadline);
    for (uint32_t i = 0; i < 50; ++i) {
      CHECK(receive(*links.links()[0], i) == bytes_of(100000, i));
      const EndpointEvent event = pair.b.wait(Type::message);
      CHECK(event.peer == 0 && event.data == bytes_of(i * 100, i));
    }
  }
}

TEST("a control message arrives while its receiver waits for a frame, and is sent while its sender does") {
  for (const Certificates* certificates : both_ways()) {
    Pair pair(certificates);
    const auto wait = [](Endpoint& endpoint, uint32_t peer) {
      Waiter waiter;
      PhaseLinks links(endpoint, {peer}, waiter, kNoDeadline);
      CHECK_ERROR(Code::timeout, receive(*links.links()[peer], 0, in(milliseconds(500))));
    };
    std::thread one([&] { wait(pair.a.endpoint, 1); }), other([&] { wait(pair.b.endpoint, 0); });
    std::this_thread::sleep_for(milliseconds(50));
    const auto start = Clock::now();
    pair.a.endpoint.send(1, bytes_of(10, 1));
    CHECK(pair.b.wait(Type::message).data == bytes_of(10, 1));
    CHECK(Clock::now() - start < milliseconds(200));
    one.join();
    other.join();
  }
}

TEST("a wait ends at its deadline, by cancelling, and when either side closes the link") {
  for (const Certificates* certificates : both_ways()) {
    for (const auto& [code, act] : std::vector<std::pair<Code, std::function<void(Pair&, Waiter&)>>>{
             {Code::timeout, [](Pair&, Waiter&) {}},
             {Code::cancelled, [](Pair&, Waiter&waiter) { waiter.cancel(); }},
             {Code::connection,
              [](Pair&pair, Waiter&) { pair.b.endpoint.disconnect(0, Error(Code::handshake, "enough")); }},
             {Code::handshake,
              [](Pair&pair, Waiter&) { pair.a.endpoint.disconnect(1, Error(Code::handshake, "enough")); }},
             {Code::connection, [](Pair&pair, Waiter&) { pair.b.endpoint.close(nullptr); }}}) {
      Pair pair(certificates);
      Waiter waiter;
      PhaseLinks links(pair.a.endpoint, {1}, waiter, kNoDeadline);
      std::thread other([&, act = act] {
        std::this_thread::sleep_for(milliseconds(30));
        act(pair, waiter);
      });
      const auto start = Clock::now();
      CHECK_ERROR(code, receive(*links.links()[1], 0, in(milliseconds(300))));
      CHECK(Clock::now() - start < milliseconds(code == Code::timeout ? 600 : 250));
      other.join();
      if (code == Code::connection || code == Code::handshake) {
        CHECK(pair.a.wait(Type::down).error->code == code);
        CHECK(!pair.a.endpoint.connection(1));
        CHECK_ERROR(Code::connection, pair.a.endpoint.send(1, {}));
      }
    }
  }
}

TEST("frames that were sent before the link was closed still arrive") {
  for (const Certificates* certificates : both_ways()) {
    Pair pair(certificates);
    Waiter waiter;
    PhaseLinks links(pair.a.endpoint, {1}, waiter, kNoDeadline);
    {
      Waiter sender;
      PhaseLinks other(pair.b.endpoint, {0}, sender, kNoDeadline);
      for (uint32_t i = 0; i < 3; ++i) send(*other.links()[0], i, bytes_of(300000, i));
    }
    pair.b.endpoint.send(0, bytes_of(20, 9));
    pair.b.endpoint.disconnect(0, Error(Code::cancelled, "done"));
    std::this_thread::sleep_for(milliseconds(50));
    for (uint32_t i = 0; i < 3; ++i) CHECK(receive(*links.links()[1], i) == bytes_of(300000, i));
    CHECK_ERROR(Code::connection, receive(*links.links()[1], 3));
    CHECK(pair.a.wait(Type::message).data == bytes_of(20, 9));
    CHECK(pair.a.wait(Type::down).error->code == Code::connection);
    CHECK(pair.b.wait(Type::down).error->code == Code::cancelled);
  }
}

TEST("a role that has gone can come back") {
  for (const Certificates* certificates : both_ways()) {
    Role a(0, 2, certificates);
    const uint16_t port = a.endpoint.listen("127.0.0.1", 0);
    for (int i = 0; i < 5; ++i) {
      Role b(1, 2, certificates);
      CHECK(!attempt(b.endpoint, 0, port));
      a.wait(Type::up);
      CHECK(a.endpoint.connection(1) != nullptr);
    }
  }
}

TEST("a sender does not wait for a receiver that is busy, and never forever") {
  Pair pair(&authority());
  Waiter waiter;
  PhaseLinks links(pair.a.endpoint, {1}, waiter, in(seconds(60)));
  const auto data = bytes_of(8 << 20, 1);
  const auto start = Clock::now();
  for (uint32_t i = 0; i < 20; ++i) send(*links.links()[1], i, data);
  CHECK(Clock::now() - start < seconds(30));
  Waiter other;
  PhaseLinks back(pair.b.endpoint, {0}, other, in(seconds(60)));
  for (uint32_t i = 0; i < 20; ++i) CHECK(receive(*back.links()[0], i) == data);
}

TEST("who is not the role that is expected is turned away, on both sides and with a reason") {
  Role dealer(2, 2, &authority());
  const uint16_t port = dealer.endpoint.listen("127.0.0.1", 0);
  const auto config = [&](const std::string& uri, long valid = 3600) {
    EndpointConfig made = test::endpoint_config(1, 2, nullptr);
    made.tls = authority().issue(uri, valid);
    return made;
  };
  const auto refused = [&](const EndpointConfig& given, Code here, Code there, uint32_t peer = 2) {
    Role role(given);
    dealer.forget();
    const auto error = attempt(role.endpoint, peer, port);
    CHECK(error && error->code == here);
    if (error && error->code != here) std::printf("      %s: %s\n", code_name(error->code), error->what());
    if (there == Code::internal) return;
    const EndpointEvent event = dealer.wait(Type::refused);
    CHECK(event.error->code == there);
    if (event.error->code != there)
      std::printf("      %s: %s\n", code_name(event.error->code), event.error->what());
  };
  refused(config("urn:cryptorch:test:party:1", -10), Code::certificate, Code::certificate);
  const Certificates strangers;
  EndpointConfig stranger = test::endpoint_config(1, 2, &strangers);
  refused(stranger, Code::certificate, Code::certificate);
  stranger.tls->authorities = authority().issue("").authorities;  // so that it accepts the dealer
  refused(stranger, Code::certificate, Code::certificate);
  EndpointConfig third = test::endpoint_config(2, 3, nullptr);
  third.tls = authority().issue("urn:cryptorch:test:party:2");
  refused(third, Code::certificate, Code::internal, 0);
  EndpointConfig other = config("urn:cryptorch:other:party:1");
  other.deployment = "other";
  refused(other, Code::certificate, Code::certificate);
  EndpointConfig many = config("urn:cryptorch:test:party:1");
  many.parties = 3;
  refused(many, Code::handshake, Code::handshake, 3);
  refused(config("urn:cryptorch:test:party:1"), Code::certificate, Code::internal, 0);

  Role one(1, 2, &authority());
  CHECK(!attempt(one.endpoint, 2, port));
  refused(config("urn:cryptorch:test:party:1"), Code::handshake, Code::handshake);
  CHECK(dealer.endpoint.connection(1) && one.endpoint.connection(2));
  const auto again = attempt(one.endpoint, 2, port);
  CHECK(again && again->code == Code::handshake);
}

TEST("an endpoint refuses a certificate that is not its own") {
  const auto make = [](const TlsConfig& tls) {
    EndpointConfig config = test::endpoint_config(1, 2, nullptr);
    config.tls = tls;
    Role role(config);
  };
  const TlsConfig good = authority().issue("urn:cryptorch:test:party:1");
  make(good);
  for (const char* uri :
       {"", "urn:cryptorch:test:party:0", "urn:cryptorch:test:dealer", "urn:cryptorch:other:party:1"}) {
    CHECK_ERROR(Code::certificate, (make(authority().issue(uri)), 0));
  }
  TlsConfig bad = good;
  bad.key = authority().issue("urn:cryptorch:test:party:1").key;
  CHECK_ERROR(Code::certificate, (make(bad), 0));
  bad = good;
  bad.certificate = "nonsense";
  CHECK_ERROR(Code::certificate, (make(bad), 0));
  bad = good;
  bad.key = "";
  CHECK_ERROR(Code::certificate, (make(bad), 0));
  bad = good;
  bad.authorities = "";
  CHECK_ERROR(Code::certificate, (make(bad), 0));
}

TEST("TLS is refused where OpenSSL is another one, or none") {
  CHECK(openssl_version().starts_with("3."));
  require_openssl();
  CHECK(!openssl_refusal(3, openssl_version()));
  const std::pair<unsigned int, const char*> others[] = {{1, "1.1.1"}, {4, "4.0.0"}, {0, ""}};
  for (const auto& [major, version] : others) {
    const auto refusal = openssl_refusal(major, version);
    CHECK(refusal && refusal->code == Code::tls_unavailable);
    CHECK(refusal && refusal->message.find(*version ? version : "none") != std::string::npos);
  }
}

TEST("without certificates, roles are checked too, and only this machine is reached") {
  Role dealer(2, 2, nullptr);
  const uint16_t port = dealer.endpoint.listen("127.0.0.1", 0);
  const auto reason = [&](EndpointConfig config, uint32_t peer) {
    Role role(config);
    const auto error = attempt(role.endpoint, peer, port);
    return error && error->code == Code::handshake ? std::get<std::string>(error->details.at(0).value) : "";
  };
  EndpointConfig config = test::endpoint_config(1, 2, nullptr);
  config.deployment = "other";
  CHECK(reason(config, 2) == "deployment");
  CHECK(reason(test::endpoint_config(1, 3, nullptr), 3) == "parties");
  CHECK(reason(test::endpoint_config(1, 2, nullptr), 0) == "role");
  Role one(1, 2, nullptr);
  CHECK(!attempt(one.endpoint, 2, port));
  CHECK(reason(test::endpoint_config(1, 2, nullptr), 2) == "duplicate");
  CHECK_ERROR(Code::invalid_option, one.endpoint.listen("0.0.0.0", 0));
  CHECK(code_of([&] { one.endpoint.connect(2, "192.0.2.1", 1, seconds(1), nullptr); }) ==
        Code::invalid_option);
  CHECK(code_of([&] { one.endpoint.connect(2, "localhost", 1, seconds(1), nullptr); }) ==
        Code::invalid_option);
}

TEST("nobody listens, or nobody answers") {
  Role one(1, 2, &authority());
  const int silent = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof(address);
  CHECK(!bind(silent, reinterpret_cast<sockaddr*>(&address), bytes));
  getsockname(silent, reinterpret_cast<sockaddr*>(&address), &bytes);
  auto error = attempt(one.endpoint, 0, ntohs(address.sin_port));
  CHECK(error && error->code == Code::connection);
  listen(silent, 1);
  const auto start = Clock::now();
  error = attempt(one.endpoint, 0, ntohs(address.sin_port), milliseconds(200));
  CHECK(error && error->code == Code::timeout);
  CHECK(Clock::now() - start < milliseconds(500));
  close(silent);
}

TEST("strangers in any number neither block a peer nor take memory") {
  for (const Certificates* certificates : both_ways()) {
    Role dealer(2, 2, certificates);
    const uint16_t port = dealer.endpoint.listen("127.0.0.1", 0);
    std::vector<int> strangers;
    for (int i = 0; i < 300; ++i) {
      const int fd = raw_client(port);
      if (fd >= 0) strangers.push_back(fd);
      if (i % 3 == 0 && fd >= 0) CHECK(write(fd, "GET / HTTP/1.1\r\n\r\n", 18) == 18);
    }
    Role one(1, 2, certificates);
    const auto start = Clock::now();
    const auto error = attempt(one.endpoint, 2, port);
    CHECK(!error);
    if (error) std::printf("      %s\n", error->what());
    CHECK(Clock::now() - start < seconds(2));
    CHECK(dealer.count(Type::refused) > 10);
    for (const int fd : strangers) close(fd);
  }
}

TEST("an endpoint closes at once, whatever goes on") {
  for (const Certificates* certificates : both_ways()) {
    for (int round = 0; round < 10; ++round) {
      Pair pair(certificates);
      const auto play = [](Endpoint& endpoint, uint32_t peer) {
        Waiter waiter;
        PhaseLinks links(endpoint, {peer}, waiter, in(seconds(20)));
        const auto data = bytes_of(100000, 1);
        for (uint32_t i = 0;; ++i) {
          send(*links.links()[peer], i, data);
          receive(*links.links()[peer], i);
        }
      };
      std::thread one([&] { CHECK(code_of([&] { play(pair.a.endpoint, 1); }) == Code::connection); });
      std::thread other([&] { CHECK(code_of([&] { play(pair.b.endpoint, 0); }) == Code::connection); });
      std::this_thread::sleep_for(milliseconds(round * 3));
      const auto start = Clock::now();
      std::promise<void> closed;
      pair.a.endpoint.close([&] { closed.set_value(); });
      closed.get_future().get();
      CHECK(Clock::now() - start < seconds(2));
      one.join();
      other.join();
    }
  }
}

}  // namespace cryptorch

int main() { return cryptorch::run_net_tests(); }
