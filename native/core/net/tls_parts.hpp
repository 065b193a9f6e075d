// What the parts of the TLS code share: OpenSSL's objects with owners, its errors as ours, and the making of
// channels. Included only where OpenSSL is used.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>

#include "channel.hpp"

namespace cryptorch::tls {

constexpr unsigned char kProtocol[] =
    "\x0b"
    "cryptorch/1";  // with its length in front
constexpr size_t kProtocolBytes = sizeof(kProtocol) - 1;

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Free<BIO_free_all>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Free<SSL_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;
using MethodPtr = std::unique_ptr<BIO_METHOD, Free<BIO_meth_free>>;

// OpenSSL's queue of errors belongs to the thread, and other code of the process uses it too: it is left
// empty. Where something was done well there is nothing to clear.
struct ErrorQueue {
  ErrorQueue() { ERR_clear_error(); }
  ~ErrorQueue() {
    if (!good) ERR_clear_error();
  }
  bool good = false;
};

// What OpenSSL says about its last failure; names functions and fields, never contents.
std::string reason_text();

// The role that a certificate carries. Exactly one URI of ours, or none counts.
std::optional<Identity> identity_of(X509* certificate);

// How OpenSSL reaches the sockets of channels.
MethodPtr make_method();

// Takes the socket over, also where it throws.
std::unique_ptr<Channel> make_channel(int fd, SSL_CTX* context, const BIO_METHOD* method, bool server);

}  // namespace cryptorch::tls
