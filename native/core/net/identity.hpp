// Who a peer is. Its certificate carries one URI among its subject alternative names,
//   urn:cryptorch:DEPLOYMENT:party:INDEX    or    urn:cryptorch:DEPLOYMENT:dealer
// and the first frame in each direction of a connection is an introduction that says the same, how many
// parties the speaker counts, and whether it accepts the other side. Without TLS the introduction is all
// there is.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace cryptorch {

struct Identity {
  std::string deployment;
  bool dealer = false;
  uint32_t party = 0;  // of a party

  bool operator==(const Identity&) const = default;
};

// Null where the text is no such URI. Deployments are named by 1 to 64 of a-z, 0-9 and '-'.
std::optional<Identity> parse_identity(std::string_view uri);
std::string identity_uri(const Identity& identity);
bool is_deployment_name(std::string_view name);

enum class Verdict : uint32_t {
  accepted = 0,
  other_deployment = 1,
  other_role = 2,     // not the role it should have here, or not that of its certificate
  other_parties = 3,  // counts another number of parties
  duplicate = 4,      // that role is connected already
  closing = 5,
};

struct Introduction {
  uint32_t role = 0;  // by index: parties, then the dealer
  uint32_t parties = 0;
  Verdict verdict = Verdict::accepted;
  std::string deployment;
};

std::vector<std::byte> encode_introduction(const Introduction& introduction);
// Throws Error(protocol).
Introduction decode_introduction(std::span<const std::byte> data);

// What the side that gave the verdict says, and what the side that is told does.
Error turned_away(Verdict verdict, const std::string& who);
Error refusal(Verdict verdict);

// "party 1", "the dealer"
std::string role_name(uint32_t role, uint32_t parties);

}  // namespace cryptorch
