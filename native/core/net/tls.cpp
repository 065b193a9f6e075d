#include "tls.hpp"

#include <dlfcn.h>
#include <string.h>

#include "tls_parts.hpp"

namespace cryptorch {
namespace {

using namespace tls;

constexpr char kCiphers[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr size_t kReadBuffer = 256 << 10;  // of ciphertext, so that one system call brings many records

[[noreturn]] void bad_certificate(const std::string& what) { throw Error(Code::certificate, what); }

BioPtr memory(const std::string& text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

// Never asks at the terminal.
int no_password(char*, int, int, void*) { return -1; }

X509Ptr next_certificate(BIO* bio) { return X509Ptr(PEM_read_bio_X509(bio, nullptr, no_password, nullptr)); }

int select_protocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* offered,
                    unsigned int bytes, void*) {
  for (unsigned int i = 0; i < bytes; i += 1u + offered[i]) {
    if (i + 1u + offered[i] > bytes) break;
    if (offered[i] + size_t{1} != kProtocolBytes || memcmp(offered + i, kProtocol, kProtocolBytes)) continue;
    *out = offered + i + 1;
    *length = offered[i];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void check(bool good, const char* what) {
  if (!good) bad_certificate(std::string(what) + ": " + reason_text());
}

void load(SSL_CTX* context, const TlsConfig& config, const Identity& identity) {
  const BioPtr own = memory(config.certificate);
  const X509Ptr certificate = next_certificate(own.get());
  check(certificate != nullptr, "the certificate is not a PEM text");
  const auto carried = identity_of(certificate.get());
  if (!carried) bad_certificate("the certificate names no role of a deployment");
  if (*carried != identity) {
    bad_certificate("the certificate is for " + identity_uri(*carried) + ", not for " +
                    identity_uri(identity));
  }
  check(SSL_CTX_use_certificate(context, certificate.get()) == 1, "the certificate cannot be used");
  while (X509Ptr next = next_certificate(own.get())) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) == 1) static_cast<void>(next.release());
  }
  ERR_clear_error();

  const BioPtr secret = memory(config.key);
  const KeyPtr key(PEM_read_bio_PrivateKey(secret.get(), nullptr, no_password, nullptr));
  check(key != nullptr, "the private key is not an unencrypted PEM text");
  check(SSL_CTX_use_PrivateKey(context, key.get()) == 1,
        "the private key does not belong to the certificate");

  const BioPtr trusted = memory(config.authorities);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  size_t authorities = 0;
  while (const X509Ptr authority = next_certificate(trusted.get())) {
    check(X509_STORE_add_cert(store, authority.get()) == 1, "the authority's certificate cannot be used");
    check(SSL_CTX_add_client_CA(context, authority.get()) == 1, "the authority's certificate cannot be used");
    ++authorities;
  }
  check(authorities > 0, "the authority's certificate is not a PEM text");
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
}

}  // namespace

struct TlsContext::Data {
  ContextPtr context;
  MethodPtr method;
};

std::string openssl_version() {
  using Version = const char* (*)(int);
  const auto version = reinterpret_cast<Version>(dlsym(RTLD_DEFAULT, "OpenSSL_version"));
  const char* text = version ? version(OPENSSL_VERSION_STRING) : nullptr;
  return text ? text : "";
}

std::optional<Error> openssl_refusal(unsigned int major, const std::string& version) {
  if (major == OPENSSL_VERSION_MAJOR) return std::nullopt;
  return Error(Code::tls_unavailable,
               "TLS needs the OpenSSL " + std::to_string(OPENSSL_VERSION_MAJOR) +
                   " that comes with Node.js, and this runtime has " +
                   (version.empty() ? std::string("none") : "version " + version),
               {{"openssl", version}});
}

void require_openssl() {
  static const std::optional<Error> refusal = [] {
    // By name: in a runtime with another library the function may be missing, and nothing else may be called.
    using Major = unsigned int (*)();
    const auto major = reinterpret_cast<Major>(dlsym(RTLD_DEFAULT, "OPENSSL_version_major"));
    return openssl_refusal(major ? major() : 0, openssl_version());
  }();
  if (refusal) throw *refusal;
}

TlsContext::TlsContext(const TlsConfig& config, const Identity& identity) : data_(std::make_unique<Data>()) {
  require_openssl();
  const ErrorQueue queue;
  data_->context.reset(SSL_CTX_new(TLS_method()));
  SSL_CTX* context = data_->context.get();
  if (!context) throw Error(Code::tls_unavailable, "TLS cannot be set up: " + reason_text());
  data_->method = make_method();

  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, kCiphers);
  SSL_CTX_set_options(
      context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context, kProtocol, kProtocolBytes);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadBuffer);
  load(context, config, identity);
}

TlsContext::~TlsContext() = default;

std::unique_ptr<Channel> TlsContext::channel(int fd, bool server) const {
  return make_channel(fd, data_->context.get(), data_->method.get(), server);
}

}  // namespace cryptorch
