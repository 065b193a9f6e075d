// TLS 1.3 with certificates on both sides, by the OpenSSL 3 that node brings along (or that a test links).
// No session tickets, no resumption, no renegotiation; the application protocol is "cryptorch/1".
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "channel.hpp"

namespace cryptorch {

// The OpenSSL of this process, such as "3.0.19"; empty where it has none.
std::string openssl_version();

// What is wrong with an OpenSSL of this major version (0: none), if anything.
std::optional<Error> openssl_refusal(unsigned int major, const std::string& version);

// Looks at the OpenSSL of this process once, and throws Error(tls_unavailable) ever after unless it is the
// one that this code is made for.
void require_openssl();

struct TlsConfig {
  std::string certificate;  // PEM: this role's, then intermediate ones
  std::string key;          // PEM, not encrypted
  std::string authorities;  // PEM: whose certificates are accepted
};

class TlsContext {
 public:
  // Throws Error(tls_unavailable) as require_openssl does, Error(certificate) where the texts are unusable or
  // the certificate does not carry `identity`.
  TlsContext(const TlsConfig& config, const Identity& identity);
  ~TlsContext();

  // Takes the socket over, also where it throws.
  std::unique_ptr<Channel> channel(int fd, bool server) const;

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace cryptorch
