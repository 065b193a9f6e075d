// For tests and benches of native/core/net: certificates made on the spot, and endpoints of one deployment.
#pragma once
#include <string>

#include "../core/net/endpoint.hpp"

namespace cryptorch::test {

// A certificate authority for one deployment, with keys on P-256.
class Certificates {
 public:
  Certificates();
  ~Certificates();

  // `uri` becomes the only alternative name. Valid from an hour ago until `seconds` from now.
  TlsConfig issue(const std::string& uri, long seconds = 3600) const;

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

// The configuration of a role of deployment "test"; plain TCP without certificates.
EndpointConfig endpoint_config(uint32_t role, uint32_t parties, const Certificates* certificates);

// Connects two endpoints over loopback, `from` to `to`; throws what the connection fails with.
void join(Endpoint& to, Endpoint& from);

}  // namespace cryptorch::test
