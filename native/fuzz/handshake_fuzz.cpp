// What a stranger may say before it is known: the name in its certificate, and the first frame of a
// connection. Whatever it is, at most one introduction comes out, and it is one that this side could have
// written.
#include "../core/net/identity.hpp"
#include "../core/net/inbox.hpp"
#include "fuzz.hpp"

using namespace cryptorch;
using fuzz::require;

namespace {

constexpr InboxLimits kLimits{1 << 20, 1 << 16, 1 << 20, false};

void name(std::string_view text) {
  const auto identity = parse_identity(text);
  if (identity) require(identity_uri(*identity) == text, "one name for an identity");
}

void message(std::span<const std::byte> data) {
  const Introduction introduction = decode_introduction(data);
  require(introduction.verdict <= Verdict::closing, "a verdict");
  require(is_deployment_name(introduction.deployment), "a name of a deployment");
  const std::vector<std::byte> again = encode_introduction(introduction);
  require(std::equal(again.begin(), again.end(), data.begin(), data.end()), "one text for an introduction");
  refusal(introduction.verdict);
  role_name(introduction.role, introduction.parties);
}

// A stranger's stream, cut anywhere.
void stream(std::span<const std::byte> data, size_t piece) {
  Inbox inbox(kLimits);
  while (!data.empty()) {
    const std::span<std::byte> room = inbox.room(true);
    require(!room.empty() && room.size() <= kMostIntroBytes, "room for an introduction");
    const size_t count = std::min({piece, room.size(), data.size()});
    std::memcpy(room.data(), data.data(), count);
    data = data.subspan(count);
    inbox.advance(count);
    require(!inbox.front(), "no data from a stranger");
    if (const auto found = inbox.take_message()) {
      require(found->exchange == kIntroExchange, "introductions only");
      return message(found->data);  // the lobby decides what follows
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (!size) return 0;
  const std::span<const std::byte> rest = std::as_bytes(std::span(data + 1, size - 1));
  name({reinterpret_cast<const char*>(data) + 1, size - 1});
  fuzz::accepts(Code::protocol, [&] { message(rest); });
  fuzz::accepts(Code::protocol, [&] { stream(rest, 1 + data[0] % 64); });
  return 0;
}
