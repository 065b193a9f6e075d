// Connections that are not peers yet: TCP, TLS and introductions, each with a deadline. Strangers cost
// little: their number is limited, the ones that said nothing go first, and nothing is allocated for what
// they announce. Used on the loop's thread.
#pragma once
#include <functional>
#include <list>
#include <memory>

#include "connection.hpp"
#include "loop.hpp"
#include "socket.hpp"
#include "tls.hpp"

namespace cryptorch {

// What the lobby asks and tells.
class LobbyHost : public ConnectionOwner {
 public:
  // Whether a peer in this role may join now.
  virtual Verdict admit(uint32_t role) = 0;
  virtual void joined(std::shared_ptr<Connection> connection) = 0;
  // Somebody who connected was turned away. The connection may have something left to say.
  virtual void refused(const std::string& address, const Error& error,
                       std::shared_ptr<Connection> connection) = 0;
};

struct LobbyConfig {
  uint32_t role = 0, parties = 0;
  std::string deployment;
  const TlsContext* tls = nullptr;  // null: plain TCP
  InboxLimits limits;
};

class Lobby {
 public:
  using Done = std::function<void(const Error*)>;

  Lobby(const LobbyConfig& config, Loop& loop, LobbyHost& host);
  ~Lobby();

  void accepted(Socket socket, const Address& from);
  void connect(uint32_t peer, const Address& to, Deadline deadline, Done done);

  // Turns away who is late.
  void expire(Clock::time_point now);
  // Frees a descriptor; false if there is none to free.
  bool evict();
  bool empty() const { return entries_.empty(); }
  void close();

 private:
  enum class Stage { connecting, handshake, introduction };
  struct Entry {
    Stage stage = Stage::handshake;
    bool outgoing = false, heard = false;
    uint32_t peer = ~uint32_t{0};  // that is expected, or that the certificate names
    bool certified = false;
    std::string address;
    Deadline deadline;
    Socket socket;  // while connecting
    std::shared_ptr<Connection> connection;
    std::unique_ptr<Loop::Watch> watch;
    Done done;
  };
  using Entries = std::list<Entry>;

  void step(Entries::iterator entry);
  bool advance(Entry& entry);
  void open(Entry& entry, Socket socket);
  void identify(Entry& entry);
  Verdict judge(const Entry& entry, const Introduction& introduction);
  void introduce(Entry& entry, Verdict verdict);
  void leave(Entries::iterator entry, const Error* error);

  const LobbyConfig config_;
  Loop& loop_;
  LobbyHost& host_;
  Entries entries_;
  size_t strangers_ = 0;
};

}  // namespace cryptorch
