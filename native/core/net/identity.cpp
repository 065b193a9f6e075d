#include "identity.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/frame.hpp"

namespace cryptorch {
namespace {

constexpr std::string_view kPrefix = "urn:cryptorch:";
constexpr std::string_view kDealer = "dealer";
constexpr std::string_view kParty = "party:";
constexpr uint64_t kIntroduction = 0x314B4E494C545443;  // "CTTLINK1"
constexpr size_t kFixedBytes = 24;
constexpr size_t kMostName = 64;
constexpr size_t kMostDigits = 3;

constexpr std::array<const char*, 5> kReasons = {"deployment", "role", "parties", "duplicate", "closing"};

Error verdict_error(Verdict verdict, const std::string& who, const std::array<const char*, 5>& texts) {
  const size_t index = static_cast<size_t>(verdict) - 1;
  if (index >= texts.size()) return Error(Code::handshake, who + " refused the connection");
  return Error(Code::handshake, who + " " + texts[index], {{"reason", std::string(kReasons[index])}});
}

}  // namespace

bool is_deployment_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::optional<Identity> parse_identity(std::string_view uri) {
  if (!uri.starts_with(kPrefix)) return std::nullopt;
  uri.remove_prefix(kPrefix.size());
  const size_t colon = uri.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Identity identity;
  identity.deployment = uri.substr(0, colon);
  if (!is_deployment_name(identity.deployment)) return std::nullopt;
  uri.remove_prefix(colon + 1);
  if (uri == kDealer) {
    identity.dealer = true;
    return identity;
  }
  if (!uri.starts_with(kParty)) return std::nullopt;
  uri.remove_prefix(kParty.size());
  if (uri.empty() || uri.size() > kMostDigits || (uri.size() > 1 && uri[0] == '0')) return std::nullopt;
  for (const char c : uri) {
    if (c < '0' || c > '9') return std::nullopt;
    identity.party = identity.party * 10 + static_cast<uint32_t>(c - '0');
  }
  return identity;
}

std::string identity_uri(const Identity& identity) {
  std::string uri(kPrefix);
  uri += identity.deployment + ":";
  if (identity.dealer) return uri + std::string(kDealer);
  return uri + std::string(kParty) + std::to_string(identity.party);
}

std::vector<std::byte> encode_introduction(const Introduction& introduction) {
  const std::string& name = introduction.deployment;
  std::vector<std::byte> out(kFixedBytes + name.size());
  store_little(out.data(), kIntroduction);
  store_little(out.data() + 8, introduction.role);
  store_little(out.data() + 12, introduction.parties);
  store_little(out.data() + 16, static_cast<uint32_t>(introduction.verdict));
  store_little(out.data() + 20, static_cast<uint32_t>(name.size()));
  std::memcpy(out.data() + kFixedBytes, name.data(), name.size());
  return out;
}

Introduction decode_introduction(std::span<const std::byte> data) {
  const auto fail = [](const char* what) -> Introduction {
    throw Error(Code::protocol, std::string("the peer's introduction was refused: ") + what);
  };
  if (data.size() < kFixedBytes) return fail("it is too short");
  if (load_little<uint64_t>(data.data()) != kIntroduction) return fail("unknown format");
  Introduction out;
  out.role = load_little<uint32_t>(data.data() + 8);
  out.parties = load_little<uint32_t>(data.data() + 12);
  const auto verdict = load_little<uint32_t>(data.data() + 16);
  if (verdict > static_cast<uint32_t>(Verdict::closing)) return fail("unknown verdict");
  out.verdict = static_cast<Verdict>(verdict);
  if (data.size() - kFixedBytes != load_little<uint32_t>(data.data() + 20)) return fail("wrong length");
  out.deployment.assign(reinterpret_cast<const char*>(data.data()) + kFixedBytes, data.size() - kFixedBytes);
  if (!is_deployment_name(out.deployment)) return fail("no name of a deployment");
  return out;
}

Error turned_away(Verdict verdict, const std::string& who) {
  return verdict_error(
      verdict, who,
      {"belongs to another deployment", "claims a role that it does not have here",
       "counts another number of parties", "is connected already", "came while this side closes"});
}

Error refusal(Verdict verdict) {
  return verdict_error(
      verdict, "the peer",
      {"belongs to another deployment", "expects another role on this connection",
       "counts another number of parties", "is already connected to somebody in this role", "is closing"});
}

std::string role_name(uint32_t role, uint32_t parties) {
  return role == parties ? "the dealer" : "party " + std::to_string(role);
}

}  // namespace cryptorch
