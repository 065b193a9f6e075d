#include "phase_links.hpp"

namespace cryptorch {
namespace {

const int64_t* peer_named(const Error& error) {
  for (const Detail& detail : error.details) {
    if (detail.key == "peer") return std::get_if<int64_t>(&detail.value);
  }
  return nullptr;
}

}  // namespace

// A transport numbers the frames of its phase; on the wire, those of the whole connection are numbered, with
// control messages between them. The connection checks its own numbers and checksums.
class PhaseLinks::NetLink : public Link {
 public:
  NetLink(std::shared_ptr<Connection> connection, Waiter& waiter, Deadline deadline)
      : connection_(std::move(connection)), deadline_(deadline) {
    connection_->attach(&waiter);
  }
  ~NetLink() override { connection_->attach(nullptr); }

  void send(const HeaderBytes& header, std::span<const std::byte> payload) override {
    const FrameHeader frame = decode_header(header);
    named([&] { connection_->send(frame.exchange, frame.clock, payload, deadline_); });
  }

  HeaderBytes receive_header(Deadline deadline) override {
    FrameHeader frame{};
    named([&] { frame = connection_->receive_header(deadline); });
    return encode_header({frame.bytes, received_++, frame.exchange, frame.clock, 0});
  }

  void receive_payload(std::span<std::byte> into, Deadline deadline) override {
    named([&] { connection_->receive_payload(into, deadline); });
  }

  void close() override { fail(Error(Code::connection, "the link was closed")); }
  void fail(const Error& error) { connection_->fail(error); }

 private:
  // Failures say whose connection it was.
  template <typename Body>
  void named(Body body) {
    try {
      body();
    } catch (Error& error) {
      if (!peer_named(error)) error.details.push_back({"peer", int64_t{connection_->peer()}});
      throw;
    }
  }

  const std::shared_ptr<Connection> connection_;
  const Deadline deadline_;
  uint32_t received_ = 0;
};

PhaseLinks::PhaseLinks(Endpoint& endpoint, const std::vector<uint32_t>& peers, Waiter& waiter,
                       Deadline deadline)
    : endpoint_(endpoint), links_(endpoint.parties() + 1) {
  for (const uint32_t peer : peers) {
    auto connection = endpoint.connection(peer);
    if (!connection) {
      throw Error(Code::connection, role_name(peer, endpoint.parties()) + " is not connected",
                  {{"peer", int64_t{peer}}});
    }
    owned_.push_back(std::make_unique<NetLink>(std::move(connection), waiter, deadline));
    links_[peer] = owned_.back().get();
  }
  endpoint_.begin_phase();
}

void PhaseLinks::broken_by(const Error& error) {
  if (error.code != Code::protocol) return;
  const int64_t* peer = peer_named(error);
  for (const auto& link : owned_) {
    if (peer && links_[static_cast<size_t>(*peer)] == link.get()) link->fail(error);
  }
}

PhaseLinks::~PhaseLinks() { endpoint_.end_phase(); }

}  // namespace cryptorch
