#include "net_support.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <future>

namespace cryptorch::test {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long bytes = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(bytes));
  BIO_free(bio);
  return text;
}

std::string pem(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return text_of(bio);
}

std::string pem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* blank(EVP_PKEY* key, const std::string& name, long serial, long seconds) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

struct Certificates::Data {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* root = nullptr;
};

Certificates::Certificates() : data_(std::make_unique<Data>()) {
  data_->root = blank(data_->key, "authority", 1, 7200);
  X509_set_issuer_name(data_->root, X509_get_subject_name(data_->root));
  extend(data_->root, data_->root, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(data_->root, data_->key, EVP_sha256());
}

Certificates::~Certificates() {
  X509_free(data_->root);
  EVP_PKEY_free(data_->key);
}

TlsConfig Certificates::issue(const std::string& uri, long seconds) const {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = blank(key, "role", 2, seconds);
  X509_set_issuer_name(certificate, X509_get_subject_name(data_->root));
  extend(certificate, data_->root, NID_ext_key_usage, "clientAuth,serverAuth");
  if (!uri.empty()) extend(certificate, data_->root, NID_subject_alt_name, "URI:" + uri);
  X509_sign(certificate, data_->key, EVP_sha256());
  TlsConfig config{pem(certificate), pem(key), pem(data_->root)};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return config;
}

EndpointConfig endpoint_config(uint32_t role, uint32_t parties, const Certificates* certificates) {
  EndpointConfig config;
  config.role = role;
  config.parties = parties;
  config.deployment = "test";
  config.frame_bytes = uint64_t{1} << 30;
  const bool dealer = role == parties;
  if (certificates) config.tls = certificates->issue(identity_uri({"test", dealer, dealer ? 0 : role}));
  return config;
}

void join(Endpoint& to, Endpoint& from) {
  std::promise<std::optional<Error>> done;
  from.connect(to.role(), "127.0.0.1", to.listen("127.0.0.1", 0), std::chrono::seconds(5),
               [&](const Error* error) { done.set_value(error ? std::optional(*error) : std::nullopt); });
  if (const auto error = done.get_future().get()) throw *error;
  while (!to.connection(from.role())) std::this_thread::yield();
}

}  // namespace cryptorch::test
