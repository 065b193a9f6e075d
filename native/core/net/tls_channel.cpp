#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "core/arena.hpp"
#include "tls_parts.hpp"

namespace cryptorch::tls {
namespace {

constexpr size_t kRecord = 16384;                     // plaintext of a full record
constexpr uint64_t kKeyLifetime = uint64_t{1} << 36;  // bytes under one key, far below the limit of AES-GCM

[[noreturn]] void bad_certificate(const std::string& what) { throw Error(Code::certificate, what); }

// Whether an alert of the peer is about this side's certificate. A certificate that names an accepted
// authority but was signed with another key is a decrypt error to TLS.
bool refuses_certificate(int alert) {
  return (alert >= SSL3_AD_NO_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
         alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_ACCESS_DENIED || alert == SSL_AD_DECRYPT_ERROR ||
         alert == SSL_AD_CERTIFICATE_REQUIRED;
}

// OpenSSL has few of these numbers, so the process takes one.
int bio_type() {
  static const int type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK;
  return type;
}

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
    ErrorQueue queue;
    size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
    queue.good = result == 1;
    if (queue.good) return got;
    blocked(result);
    return 0;
  }

  bool buffered() const override { return SSL_has_pending(ssl_.get()); }

  void write(std::span<const std::byte> head, std::span<const std::byte> body) override {
    ErrorQueue queue;
    if (!head.empty()) {
      const size_t part = std::min(body.size(), kRecord - head.size());
      memcpy(staging_.data(), head.data(), head.size());
      if (part) memcpy(staging_.data() + head.size(), body.data(), part);
      encrypt(std::span(staging_).first(head.size() + part));
      body = body.subspan(part);
    }
    if (!body.empty()) encrypt(body);
    queue.good = true;
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

}  // namespace

std::string reason_text() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error ? ERR_reason_error_string(error) : nullptr;
  return reason ? reason : "unknown reason";
}

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

MethodPtr make_method() {
  MethodPtr method(BIO_meth_new(bio_type(), "cryptorch"));
  if (!method) throw std::bad_alloc();
  BIO_meth_set_write_ex(method.get(), TlsChannel::bio_write);
  BIO_meth_set_read_ex(method.get(), TlsChannel::bio_read);
  BIO_meth_set_ctrl(method.get(), TlsChannel::bio_control);
  return method;
}

std::unique_ptr<Channel> make_channel(int fd, SSL_CTX* context, const BIO_METHOD* method, bool server) {
  return std::make_unique<TlsChannel>(fd, context, method, server);
}

}  // namespace cryptorch::tls
