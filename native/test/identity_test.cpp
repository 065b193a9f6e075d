// Roles in certificates and introductions: what is written is read, and nothing else is.
#include "../core/net/identity.hpp"

#include "harness.hpp"

namespace cryptorch {

TEST("a role's URI is read as it is written") {
  for (const Identity& identity :
       {Identity{"a", true, 0}, Identity{"clinic-2", false, 0}, Identity{std::string(64, 'z'), false, 255}}) {
    const auto read = parse_identity(identity_uri(identity));
    CHECK(read && *read == identity);
  }
  CHECK(identity_uri({"demo", false, 12}) == "urn:cryptorch:demo:party:12");
  CHECK(identity_uri({"demo", true, 0}) == "urn:cryptorch:demo:dealer");
}

TEST("anything else is no role") {
  const std::string none[] = {"",
                              "urn:cryptorch:",
                              "urn:cryptorch:demo",
                              "urn:cryptorch::dealer",
                              "urn:cryptorch:demo:dealer ",
                              "urn:cryptorch:demo:dealer:1",
                              "urn:cryptorch:demo:party",
                              "urn:cryptorch:demo:party:",
                              "urn:cryptorch:demo:party:01",
                              "urn:cryptorch:demo:party:-1",
                              "urn:cryptorch:demo:party:1000",
                              "urn:cryptorch:demo:party:1x",
                              "urn:cryptorch:Demo:dealer",
                              "urn:cryptorch:de mo:dealer",
                              "URN:cryptorch:demo:dealer",
                              "xurn:cryptorch:demo:dealer",
                              "urn:cryptorch:" + std::string(65, 'a') + ":dealer",
                              std::string("urn:cryptorch:demo:dealer\0", 26)};
  for (const std::string& text : none) CHECK(!parse_identity(text));
}

TEST("an introduction is read as it is written, and no shorter or longer one") {
  const Introduction introduction{3, 4, Verdict::duplicate, "demo"};
  const auto bytes = encode_introduction(introduction);
  CHECK(bytes.size() <= 256);
  const Introduction read = decode_introduction(bytes);
  CHECK(read.role == 3 && read.parties == 4 && read.verdict == Verdict::duplicate &&
        read.deployment == "demo");
  for (size_t length = 0; length < bytes.size(); ++length) {
    CHECK_ERROR(Code::protocol, decode_introduction(std::span(bytes).first(length)));
  }
  auto longer = bytes;
  longer.push_back(std::byte{'x'});
  CHECK_ERROR(Code::protocol, decode_introduction(longer));
  for (const size_t at : {size_t{0}, size_t{16}, size_t{20}, bytes.size() - 1}) {
    auto other = bytes;
    other[at] ^= std::byte{0x80};
    CHECK_ERROR(Code::protocol, decode_introduction(other));
  }
}

}  // namespace cryptorch
