// One role's place in the network: it listens, connects, authenticates peers, and keeps one connection to
// each. It has a thread of its own with a libuv loop. Control messages pass through here; frames of a
// computation go between its thread and the connection directly (PhaseLinks).
#pragma once
#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "farewells.hpp"
#include "lobby.hpp"

namespace cryptorch {

struct EndpointConfig {
  uint32_t role = 0;  // of `parties` parties, or `parties` for the dealer
  uint32_t parties = 0;
  std::string deployment;
  std::optional<TlsConfig> tls;  // none: plain TCP, on loopback only
  uint64_t frame_bytes = 0;      // the largest payload a plan has
  uint64_t control_bytes = 1 << 20;
  uint64_t queue_bytes = 16 << 20;  // read ahead per peer
};

struct EndpointEvent {
  enum class Type { up, down, message, refused };
  Type type;
  uint32_t peer = ~uint32_t{0};
  std::string address;
  std::optional<Error> error;   // of down and refused
  std::vector<std::byte> data;  // of a message
  Undelivered undelivered;      // of a message: lowered by its size and 1 once it was handed on
};

class Endpoint : private LobbyHost {
 public:
  using Events = std::function<void(EndpointEvent)>;  // from any thread; must not wait for the endpoint
  using Done = Lobby::Done;

  // Throws Error(invalid_option), Error(tls_unavailable) or Error(certificate).
  Endpoint(const EndpointConfig& config, Events events);
  ~Endpoint() override;

  uint32_t role() const { return config_.role; }
  uint32_t parties() const { return config_.parties; }
  uint64_t frame_bytes() const { return config_.frame_bytes; }

  // The port it listens on. Throws Error(connection).
  uint16_t listen(const std::string& address, uint16_t port);
  // One attempt; `done` is called on the endpoint's thread.
  void connect(uint32_t peer, const std::string& address, uint16_t port, std::chrono::milliseconds timeout,
               Done done);
  // Throws Error(connection) if the peer is not connected.
  void send(uint32_t peer, std::vector<std::byte> message);
  // What was sent before still goes out.
  void disconnect(uint32_t peer, const Error& why);
  // Ends all connections; `closed` is called as the last thing the thread does. No events after it was
  // called.
  void close(std::function<void()> closed);
  void join();

  // Null if the peer is not connected.
  std::shared_ptr<Connection> connection(uint32_t peer);
  // Between the two, computing threads drive connections.
  void begin_phase();
  void end_phase();

 private:
  struct Served {
    std::shared_ptr<Connection> connection;
    std::unique_ptr<Loop::Watch> watch;
    bool reading = false, writing = false;
  };
  void received(Connection& connection, std::vector<std::byte> message, Undelivered undelivered) override;
  void needs_service(Connection& connection) override;
  Verdict admit(uint32_t role) override;
  void joined(std::shared_ptr<Connection> connection) override;
  void refused(const std::string& address, const Error& error,
               std::shared_ptr<Connection> connection) override;

  void accept(int listener);
  void serve(Connection* connection);
  void serve_idle();
  void drop(Connection* connection, const Error& error);
  void linger(std::shared_ptr<Connection> connection, Clock::duration time);
  void keep_house();
  void shut_down(Clock::duration time);
  void require_reachable(const Address& address) const;
  void emit(EndpointEvent event);

  EndpointConfig config_;  // without the texts of its certificate and key
  const bool secure_;
  std::mutex events_mutex_;
  const Events events_;
  std::unique_ptr<TlsContext> tls_;
  Loop loop_;
  std::mutex table_mutex_;
  std::vector<std::shared_ptr<Connection>> table_;  // by peer
  std::atomic<bool> closing_{false};                // somebody asked for it
  std::function<void()> closed_;

  // The loop thread's.
  std::unique_ptr<Lobby> lobby_;
  std::map<Connection*, Served> served_;
  Farewells farewells_{loop_};
  struct Listener {
    Socket socket;
    std::unique_ptr<Loop::Watch> watch;
  };
  std::list<Listener> listeners_;
  std::unique_ptr<Loop::Timer> house_, tick_;
  uint32_t phases_ = 0;
  bool shut_down_ = false;
  int refusals_ = 0;  // that may be told in this second
  Deadline refusals_since_{};

  std::thread thread_;
};

}  // namespace cryptorch
