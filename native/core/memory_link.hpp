// Links between threads of one process: a queue per direction, whose buffers are used again.
#pragma once
#include <memory>
#include <utility>

#include "link.hpp"

namespace cryptorch {

// The two ends of a new link. A receiver polls for `poll` before it sleeps.
std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> memory_link(std::chrono::microseconds poll);

}  // namespace cryptorch
