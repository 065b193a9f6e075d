#include "transport.hpp"

#include <algorithm>
#include <string>

namespace cryptorch {
namespace {

[[noreturn]] void unexpected(const Exchange& exchange, const char* what, uint64_t expected, uint64_t found) {
  throw Error(Code::protocol,
              "peer " + std::to_string(exchange.peer) + " sent an unexpected frame in exchange " +
                  std::to_string(exchange.id) + ": " + what + " is " + std::to_string(found) + ", not " +
                  std::to_string(expected),
              {{"peer", static_cast<int64_t>(exchange.peer)},
               {"exchange", static_cast<int64_t>(exchange.id)},
               {"field", std::string(what)},
               {"expected", static_cast<int64_t>(expected)},
               {"found", static_cast<int64_t>(found)}});
}

void expect(const Exchange& exchange, const char* what, uint64_t expected, uint64_t found) {
  if (expected != found) unexpected(exchange, what, expected, found);
}

}  // namespace

Transport::Transport(std::vector<Link*> links) {
  for (Link* link : links) peers_.push_back({link});
}

Transport::Peer& Transport::peer(uint32_t index) {
  if (!connected(index)) {
    throw Error(Code::connection, "no link to peer " + std::to_string(index), {{"peer", int64_t{index}}});
  }
  return peers_[index];
}

void Transport::send(const Exchange& exchange, std::span<const Segment> segments,
                     std::span<const std::byte> payload, Counters& counters) {
  Peer& to = peer(exchange.peer);
  const FrameHeader header{payload.size(), to.sent++, exchange.id, counters.clock + 1, 0};
  to.link->send(encode_header(header), payload);
  counters.bytes_sent[exchange.peer] += kHeaderBytes + payload.size();
  for (const Segment& segment : segments) {
    counters.nodes[segment.node].bytes += segment.bytes;
    counters.nodes[segment.node].exchanges += segment.first;
  }
}

void Transport::receive(const Exchange& exchange, std::span<const Segment> segments,
                        std::span<std::byte> into, Counters& counters, Deadline deadline) {
  Peer& from = peer(exchange.peer);
  const FrameHeader header = decode_header(from.link->receive_header(deadline));
  expect(exchange, "its length", into.size(), header.bytes);
  expect(exchange, "its sequence number", from.received, header.sequence);
  expect(exchange, "its exchange", exchange.id, header.exchange);
  ++from.received;
  from.link->receive_payload(into, deadline);
  counters.clock = std::max(counters.clock, header.clock);
  for (const Segment& segment : segments) counters.nodes[segment.node].exchanges += segment.first;
}

}  // namespace cryptorch
