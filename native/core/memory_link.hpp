// Links between threads of one process: a queue per direction, whose buffers are used again. A link can
// behave like a network: every direction carries so many bits a second, one frame after the other, and a
// frame arrives half a round trip after its last bit was sent. The receiver waits for that moment in its own
// thread; its header arrives before, so that payloads are copied while they travel.
#pragma once
#include <memory>
#include <utility>

#include "link.hpp"

namespace cryptorch {

struct NetworkShape {
  double bits_per_second = 0;  // 0: unlimited
  double round_trip = 0;       // seconds

  bool shaped() const { return bits_per_second > 0 || round_trip > 0; }
};

// The two ends of a new link. A receiver polls for `poll` before it sleeps.
std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> memory_link(std::chrono::microseconds poll,
                                                                    NetworkShape shape = {});

}  // namespace cryptorch
