// The connections of an endpoint as the links of one phase of one session. Between construction and
// destruction the session's thread drives them.
#pragma once
#include <memory>
#include <vector>

#include "core/link.hpp"
#include "endpoint.hpp"

namespace cryptorch {

class PhaseLinks {
 public:
  // Throws Error(connection) where one of `peers` is not connected.
  PhaseLinks(Endpoint& endpoint, const std::vector<uint32_t>& peers, Waiter& waiter, Deadline deadline);
  ~PhaseLinks();
  PhaseLinks(const PhaseLinks&) = delete;
  PhaseLinks& operator=(const PhaseLinks&) = delete;

  // By peer, null where there is none.
  const std::vector<Link*>& links() const { return links_; }

  // A frame that no plan expects makes its connection useless.
  void broken_by(const Error& error);

 private:
  class NetLink;

  Endpoint& endpoint_;
  std::vector<std::unique_ptr<NetLink>> owned_;
  std::vector<Link*> links_;
};

}  // namespace cryptorch
