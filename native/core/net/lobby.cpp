#include "lobby.hpp"

#include <algorithm>

namespace cryptorch {
namespace {

constexpr auto kHandshakeTime = std::chrono::seconds(5);
constexpr size_t kMostStrangers = 64;

uint32_t role_of(const Identity& identity, uint32_t parties) {
  if (identity.dealer) return parties;
  return identity.party < parties ? identity.party : ~uint32_t{0};
}

}  // namespace

Lobby::Lobby(const LobbyConfig& config, Loop& loop, LobbyHost& host)
    : config_(config), loop_(loop), host_(host) {}

Lobby::~Lobby() = default;

void Lobby::accepted(Socket socket, const Address& from) {
  if (strangers_ >= kMostStrangers) evict();
  Entry& entry = entries_.emplace_back();
  ++strangers_;
  entry.address = from.text();
  entry.deadline = Clock::now() + kHandshakeTime;
  const auto position = std::prev(entries_.end());
  try {
    if (!config_.tls && !from.is_loopback()) throw Error(Code::handshake, "plain TCP from another machine");
    open(entry, std::move(socket));
    entry.watch = loop_.watch(entry.connection->fd(), [this, position] {
      position->heard = true;
      step(position);
    });
    entry.watch->set(true, false);
  } catch (...) {
    const Error error = current_error();
    leave(position, &error);
  }
}

void Lobby::connect(uint32_t peer, const Address& to, Deadline deadline, Done done) {
  Entry& entry = entries_.emplace_back();
  entry.stage = Stage::connecting;
  entry.outgoing = true;
  entry.peer = peer;
  entry.address = to.text();
  entry.deadline = deadline;
  entry.done = std::move(done);
  const auto position = std::prev(entries_.end());
  try {
    entry.socket = start_connecting(to);
    entry.watch = loop_.watch(entry.socket.fd(), [this, position] { step(position); });
    entry.watch->set(false, true);
  } catch (...) {
    const Error error = current_error();
    leave(position, &error);
  }
}

void Lobby::open(Entry& entry, Socket socket) {
  const int fd = socket.release();
  entry.connection = std::make_shared<Connection>(
      config_.tls ? config_.tls->channel(fd, !entry.outgoing) : plain_channel(fd), config_.limits,
      entry.address, host_);
  entry.stage = Stage::handshake;
}

void Lobby::step(Entries::iterator entry) {
  try {
    if (!advance(*entry)) {
      entry->watch->set(true, !entry->connection->flush());
      return;
    }
    leave(entry, nullptr);
  } catch (...) {
    const Error error = current_error();
    leave(entry, &error);
  }
}

// True when the peer may join.
bool Lobby::advance(Entry& entry) {
  if (entry.stage == Stage::connecting) {
    check_connected(entry.socket.fd());
    open(entry, std::move(entry.socket));
  }
  if (entry.stage == Stage::handshake) {
    if (!entry.connection->handshake()) return false;
    identify(entry);
    entry.stage = Stage::introduction;
    if (entry.outgoing) introduce(entry, Verdict::accepted);
  }
  const auto introduction = entry.connection->introduction();
  if (!introduction) return false;
  const Verdict verdict = judge(entry, *introduction);
  if (entry.outgoing) {
    if (introduction->verdict != Verdict::accepted) throw refusal(introduction->verdict);
    if (verdict != Verdict::accepted) throw turned_away(verdict, "the peer");
  } else {
    introduce(entry, verdict);
    if (verdict != Verdict::accepted) {
      throw turned_away(verdict,
                        "a peer that calls itself " + role_name(introduction->role, config_.parties));
    }
  }
  entry.connection->establish(introduction->role);
  return true;
}

// What the certificate says counts before anything else that the peer says.
void Lobby::identify(Entry& entry) {
  const auto identity = entry.connection->identity();
  if (!identity) return;
  const uint32_t role = role_of(*identity, config_.parties);
  if (identity->deployment != config_.deployment || role == config_.role || role > config_.parties) {
    throw Error(Code::certificate,
                "the peer's certificate is for " + identity_uri(*identity) + ", which has no place here");
  }
  if (entry.outgoing && role != entry.peer) {
    throw Error(Code::certificate, "the peer's certificate is for " + role_name(role, config_.parties) +
                                       ", not for " + role_name(entry.peer, config_.parties));
  }
  entry.peer = role;
  entry.certified = true;
}

Verdict Lobby::judge(const Entry& entry, const Introduction& introduction) {
  if (introduction.deployment != config_.deployment) return Verdict::other_deployment;
  if (introduction.parties != config_.parties) return Verdict::other_parties;
  if (introduction.role > config_.parties || introduction.role == config_.role) return Verdict::other_role;
  if ((entry.certified || entry.outgoing) && introduction.role != entry.peer) return Verdict::other_role;
  return host_.admit(introduction.role);
}

void Lobby::introduce(Entry& entry, Verdict verdict) {
  entry.connection->introduce({config_.role, config_.parties, verdict, config_.deployment});
}

// The entry is gone before anybody hears of it, because they may come back at once.
void Lobby::leave(Entries::iterator position, const Error* error) {
  Entry entry = std::move(*position);
  entries_.erase(position);
  entry.watch.reset();
  if (!entry.outgoing) --strangers_;
  if (!error) {
    host_.joined(std::move(entry.connection));
  } else if (!entry.outgoing) {
    host_.refused(entry.address, *error, std::move(entry.connection));
  }
  if (entry.done) entry.done(error);
}

void Lobby::expire(Clock::time_point now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto late = entry++;
    if (now < late->deadline) continue;
    const Error error(Code::timeout, late->outgoing ? "no connection to " + late->address + " in time"
                                                    : "no handshake from " + late->address + " in time");
    leave(late, &error);
  }
}

bool Lobby::evict() {
  const auto silent = std::find_if(entries_.begin(), entries_.end(),
                                   [](const Entry& entry) { return !entry.outgoing && !entry.heard; });
  const auto oldest = silent != entries_.end()
                          ? silent
                          : std::find_if(entries_.begin(), entries_.end(),
                                         [](const Entry& entry) { return !entry.outgoing; });
  if (oldest == entries_.end()) return false;
  const Error error(Code::handshake, "too many connections wait for their handshake", {{"reason", "crowd"}});
  leave(oldest, &error);
  return true;
}

void Lobby::close() {
  while (!entries_.empty()) {
    const Error error(Code::cancelled, "the endpoint was closed");
    leave(entries_.begin(), &error);
  }
}

}  // namespace cryptorch
