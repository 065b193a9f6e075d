#include "tls.hpp"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "core/arena.hpp"

namespace cryptorch {
namespace {

constexpr unsigned char kProtocol[] = "\x0b" "cryptorch/1";  // with its length in front
constexpr size_t kProtocolBytes = sizeof(kProtocol) - 1;
constexpr char kCiphers[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr size_t kRecord = 16384;          // plaintext of a full record
constexpr size_t kReadBuffer = 256 << 10;  // of ciphertext, so that one system call brings many records
constexpr uint64_t kKeyLifetime = uint64_t{1} << 36;  // bytes under one key, far below the limit of AES-GCM

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

// OpenSSL's queue of errors belongs to the thread, and other code of the process uses it too: it is left empty.
struct ErrorQueue {
  ErrorQueue() { ERR_clear_error(); }
  ~ErrorQueue() { ERR_clear_error(); }
};

std::string reason_text() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error ? ERR_reason_error_string(error) : nullptr;
  return reason ? reason : "unknown reason";
}

[[noreturn]] void bad_certificate(const std::string& what) { throw Error(Code::certificate, what); }

BioPtr memory(const std::string& text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

// Never asks at the terminal.
int no_password(char*, int, int, void*) { return -1; }

X509Ptr next_certificate(BIO* bio) { return X509Ptr(PEM_read_bio_X509(bio, nullptr, no_password, nullptr)); }

// The role that a certificate carries. Exactly one URI of ours, or none counts.
std::optional<Identity> identity_of(X509* certificate) {
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::optional<Identity> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_STRING* uri = name->d.uniformResourceIdentifier;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri));
    const auto identity = parse_identity({text, static_cast<size_t>(ASN1_STRING_length(uri))});
    if (!identity) continue;
    if (found) return std::nullopt;
    found = identity;
  }
  return found;
}

// Whether an alert of the peer is about this side's certificate. A certificate that names an accepted authority
// but was signed with another key is a decrypt error to TLS.
bool refuses_certificate(int alert) {
  return (alert >= SSL3_AD_NO_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) || alert == SSL_AD_UNKNOWN_CA ||
         alert == SSL_AD_ACCESS_DENIED || alert == SSL_AD_DECRYPT_ERROR || alert == SSL_AD_CERTIFICATE_REQUIRED;
}

// OpenSSL has few of these numbers, so the process takes one.
int bio_type() {
  static const int type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK;
  return type;
}

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

}  // namespace

struct TlsContext::Data {
  ContextPtr context;
  MethodPtr method;
};

namespace {

class TlsChannel : public Channel {
 public:
  TlsChannel(int fd, SSL_CTX* context, const BIO_METHOD* method, bool server) : Channel(fd, false) {
    const ErrorQueue queue;
    ssl_.reset(SSL_new(context));
    BIO* bio = ssl_ ? BIO_new(method) : nullptr;
    if (!bio) throw std::bad_alloc();
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    if (server) {
      SSL_set_accept_state(ssl_.get());
    } else {
      SSL_set_alpn_protos(ssl_.get(), kProtocol, kProtocolBytes);
      SSL_set_connect_state(ssl_.get());
    }
  }
  ~TlsChannel() override { wipe(staging_.data(), staging_.size()); }

  bool handshake() override {
    const ErrorQueue queue;
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) return blocked(result);
    const unsigned char* protocol = nullptr;
    unsigned int length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &length);
    if (length + size_t{1} != kProtocolBytes || memcmp(protocol, kProtocol + 1, length)) {
      throw Error(Code::protocol, "the peer does not speak cryptorch/1");
    }
    return true;
  }

  std::optional<Identity> peer() const override {
    const ErrorQueue queue;
    const X509Ptr certificate(SSL_get1_peer_certificate(ssl_.get()));
    if (!certificate || SSL_get_verify_result(ssl_.get()) != X509_V_OK) {
      bad_certificate("the peer has no valid certificate");
    }
    const auto identity = identity_of(certificate.get());
    if (!identity) bad_certificate("the peer's certificate names no role of a deployment");
    return identity;
  }

  size_t read(std::span<std::byte> into) override {
    const ErrorQueue queue;
    size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
    if (result == 1) return got;
    blocked(result);
    return 0;
  }

  bool buffered() const override { return SSL_has_pending(ssl_.get()); }

  void write(std::span<const std::byte> head, std::span<const std::byte> body) override {
    const ErrorQueue queue;
    if (!head.empty()) {
      const size_t part = std::min(body.size(), kRecord - head.size());
      memcpy(staging_.data(), head.data(), head.size());
      if (part) memcpy(staging_.data() + head.size(), body.data(), part);
      encrypt(std::span(staging_).first(head.size() + part));
      body = body.subspan(part);
    }
    if (!body.empty()) encrypt(body);
  }

  void finish() override {
    const ErrorQueue queue;
    SSL_shutdown(ssl_.get());
  }

  // How OpenSSL reaches the socket.
  static int bio_write(BIO* bio, const char* data, size_t bytes, size_t* written) {
    auto* self = static_cast<TlsChannel*>(BIO_get_data(bio));
    try {
      self->outbox_.append(std::as_bytes(std::span(data, bytes)));
    } catch (...) {
      return 0;
    }
    *written = bytes;
    return 1;
  }

  static int bio_read(BIO* bio, char* data, size_t bytes, size_t* got) {
    auto* self = static_cast<TlsChannel*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t count;
    do {
      count = recv(self->fd_, data, bytes, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    *got = 0;
    if (count > 0) {
      *got = static_cast<size_t>(count);
      return 1;
    }
    if (count == 0) {
      self->ended_ = true;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      BIO_set_retry_read(bio);
      return -1;
    } else {
      self->lost_ = errno;
    }
    return 0;
  }

  static long bio_control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return static_cast<TlsChannel*>(BIO_get_data(bio))->ended_;
    return 0;
  }

 private:
  void encrypt(std::span<const std::byte> data) {
    size_t written = 0;
    if (SSL_write_ex(ssl_.get(), data.data(), data.size(), &written) != 1 || written != data.size()) {
      throw Error(Code::connection, "the connection was lost: " + reason_text());
    }
    under_key_ += written;
    if (under_key_ < kKeyLifetime) return;
    under_key_ = 0;
    SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
  }

  // False if OpenSSL waits for the socket; throws if it gave up.
  bool blocked(int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
    if (error == SSL_ERROR_ZERO_RETURN) throw Error(Code::connection, "the peer closed the connection");
    if (lost_) throw Error(Code::connection, std::string("the connection was lost: ") + strerror(lost_));
    const long verified = SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK) {
      bad_certificate(std::string("the peer's certificate was refused: ") +
                      X509_verify_cert_error_string(verified));
    }
    const unsigned long last = ERR_peek_last_error();
    const int reason = last && ERR_GET_LIB(last) == ERR_LIB_SSL ? ERR_GET_REASON(last) : 0;
    if (ended_ && (!reason || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)) {
      throw Error(Code::connection, "the peer closed the connection");
    }
    const int alert = reason - SSL_AD_REASON_OFFSET;
    if (refuses_certificate(alert)) {
      bad_certificate("the peer refused the certificate of this role: " + reason_text());
    }
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) bad_certificate("the peer sent no certificate");
    throw Error(Code::protocol, "TLS failed: " + reason_text());
  }

  SslPtr ssl_;
  uint64_t under_key_ = 0;
  int lost_ = 0;
  bool ended_ = false;
  std::array<std::byte, kRecord> staging_;
};

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
    bad_certificate("the certificate is for " + identity_uri(*carried) + ", not for " + identity_uri(identity));
  }
  check(SSL_CTX_use_certificate(context, certificate.get()) == 1, "the certificate cannot be used");
  while (X509Ptr next = next_certificate(own.get())) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) == 1) static_cast<void>(next.release());
  }
  ERR_clear_error();

  const BioPtr secret = memory(config.key);
  const KeyPtr key(PEM_read_bio_PrivateKey(secret.get(), nullptr, no_password, nullptr));
  check(key != nullptr, "the private key is not an unencrypted PEM text");
  check(SSL_CTX_use_PrivateKey(context, key.get()) == 1, "the private key does not belong to the certificate");

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

std::string openssl_version() {
  using Version = const char* (*)(int);
  const auto version = reinterpret_cast<Version>(dlsym(RTLD_DEFAULT, "OpenSSL_version"));
  const char* text = version ? version(OPENSSL_VERSION_STRING) : nullptr;
  return text ? text : "";
}

TlsContext::TlsContext(const TlsConfig& config, const Identity& identity) : data_(std::make_unique<Data>()) {
  using Major = unsigned int (*)();
  const auto major = reinterpret_cast<Major>(dlsym(RTLD_DEFAULT, "OPENSSL_version_major"));
  if (!major || major() != OPENSSL_VERSION_MAJOR) {
    const std::string version = openssl_version();
    throw Error(Code::tls_unavailable,
                "TLS needs the OpenSSL 3 that comes with Node.js, and this runtime has " +
                    (version.empty() ? std::string("none") : "version " + version),
                {{"openssl", version}});
  }
  const ErrorQueue queue;
  data_->context.reset(SSL_CTX_new(TLS_method()));
  data_->method.reset(BIO_meth_new(bio_type(), "cryptorch"));
  SSL_CTX* context = data_->context.get();
  BIO_METHOD* method = data_->method.get();
  if (!context || !method) throw Error(Code::tls_unavailable, "TLS cannot be set up: " + reason_text());
  BIO_meth_set_write_ex(method, TlsChannel::bio_write);
  BIO_meth_set_read_ex(method, TlsChannel::bio_read);
  BIO_meth_set_ctrl(method, TlsChannel::bio_control);

  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, kCiphers);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CLEANSE_PLAINTEXT);
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
  return std::make_unique<TlsChannel>(fd, data_->context.get(), data_->method.get(), server);
}

}  // namespace cryptorch
