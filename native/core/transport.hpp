// Frames between a role and its peers, and the one place where communication is counted: bytes with their
// headers per peer, payload per node of the model, rounds by a Lamport clock. A frame is counted when it is
// handed to its link.
#pragma once
#include <vector>

#include "link.hpp"
#include "plan.hpp"

namespace cryptorch {

struct NodeCount {
  uint64_t bytes = 0;      // payload sent
  uint32_t exchanges = 0;  // exchanges with a segment of this node, sent or received
};

// What one phase of one run has exchanged so far. All memory is taken when it is made.
struct Counters {
  Counters() = default;
  Counters(size_t peers, size_t nodes) : bytes_sent(peers), nodes(nodes) {}

  uint32_t clock = 0;  // the longest chain of frames that ends here
  std::vector<uint64_t> bytes_sent;
  std::vector<NodeCount> nodes;
};

class Transport {
 public:
  // Links by peer, null where there is none: parties 0..n-1, then the dealer. They must outlive the
  // transport.
  explicit Transport(std::vector<Link*> links);

  size_t peers() const { return peers_.size(); }
  bool connected(uint32_t peer) const { return peer < peers_.size() && peers_[peer].link; }

  void send(const Exchange& exchange, std::span<const Segment> segments, std::span<const std::byte> payload,
            Counters& counters);

  // Throws Error(protocol) unless the next frame is this exchange, in its place and of its size.
  void receive(const Exchange& exchange, std::span<const Segment> segments, std::span<std::byte> into,
               Counters& counters, Deadline deadline);

 private:
  struct Peer {
    Link* link;
    uint32_t sent = 0, received = 0;  // sequence numbers
  };
  Peer& peer(uint32_t index);

  std::vector<Peer> peers_;
};

}  // namespace cryptorch
