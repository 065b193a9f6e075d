// Links and the transport over them: order, deadlines, closing, counters, and frames that are not the
// expected ones.
#include "../core/transport.hpp"

#include <array>
#include <cstring>
#include <thread>

#include "../core/memory_link.hpp"
#include "harness.hpp"

namespace cryptorch {
namespace {

constexpr std::chrono::microseconds kPolls[] = {std::chrono::microseconds(0), std::chrono::microseconds(100)};

std::array<std::byte, 16> payload(uint8_t id) {
  std::array<std::byte, 16> bytes;
  bytes.fill(std::byte{id});
  return bytes;
}

Deadline soon() { return Clock::now() + std::chrono::milliseconds(20); }

// Two transports, parties 0 and 1, and their counters for three nodes.
struct Pair {
  Pair() {
    std::tie(one, other) = memory_link(kPolls[0]);
    a = std::make_unique<Transport>(std::vector<Link*>{nullptr, one.get(), nullptr});
    b = std::make_unique<Transport>(std::vector<Link*>{other.get(), nullptr, nullptr});
  }
  std::unique_ptr<Link> one, other;
  std::unique_ptr<Transport> a, b;
  Counters of_a{3, 3}, of_b{3, 3};
};

Exchange exchange(uint32_t id, uint32_t peer, uint64_t bytes) { return {id, peer, {}, bytes, 0, 0}; }

}  // namespace

TEST("the frame header is little-endian and 24 bytes") {
  const HeaderBytes bytes =
      encode_header({0x0102030405060708, 0x11121314, 0x21222324, 0x31323334, 0x41424344});
  const uint8_t expected[24] = {8,    7,    6,    5,    4,    3,    2,    1,    0x14, 0x13, 0x12, 0x11,
                                0x24, 0x23, 0x22, 0x21, 0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41};
  CHECK(!std::memcmp(bytes.data(), expected, 24));
  const FrameHeader header = decode_header(bytes);
  CHECK(header.bytes == 0x0102030405060708 && header.sequence == 0x11121314 && header.exchange == 0x21222324);
  CHECK(header.clock == 0x31323334 && header.crc == 0x41424344);
}

TEST("a link keeps frames in order, across threads, for any sizes") {
  for (const auto poll : kPolls) {
    auto [one, other] = memory_link(poll);
    std::thread sender([&link = one] {
      std::vector<std::byte> bytes;
      for (uint32_t i = 0; i < 500; ++i) {
        bytes.assign(i * 37 % 1000, static_cast<std::byte>(i));
        link->send(encode_header({bytes.size(), i, 0, 0, 0}), bytes);
      }
    });
    bool good = true;
    std::vector<std::byte> bytes;
    for (uint32_t i = 0; i < 500; ++i) {
      const FrameHeader header = decode_header(other->receive_header(kNoDeadline));
      good &= header.sequence == i && header.bytes == i * 37 % 1000;
      bytes.assign(header.bytes, std::byte{0});
      other->receive_payload(bytes, kNoDeadline);
      for (const std::byte byte : bytes) good &= byte == static_cast<std::byte>(i);
    }
    sender.join();
    CHECK(good);
  }
}

TEST("a wait ends at its deadline, or when either side closes the link") {
  for (const auto poll : kPolls) {
    auto [one, other] = memory_link(poll);
    CHECK_ERROR(Code::timeout, one->receive_header(soon()));
    other->send(encode_header({0, 0, 0, 0, 0}), {});
    std::thread closer([&link = other] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      link->close();
    });
    one->receive_header(kNoDeadline);  // sent before the link was closed
    one->receive_payload({}, kNoDeadline);
    CHECK_ERROR(Code::connection, one->receive_header(kNoDeadline));
    closer.join();
    CHECK_ERROR(Code::connection, (one->send(encode_header({0, 0, 0, 0, 0}), {}), 0));
    CHECK_ERROR(Code::connection, other->receive_header(kNoDeadline));
  }
}

TEST("bytes are counted per peer and node, rounds by the clock") {
  Pair p;
  auto bytes = payload(1);
  const std::array<Segment, 2> segments{Segment{0, true, 10}, Segment{2, true, 6}};
  const std::array<Segment, 1> again{Segment{2, false, 16}};
  // a -> b, b -> a, a -> b twice in the same round: three rounds.
  p.a->send(exchange(1, 1, 16), segments, bytes, p.of_a);
  p.b->receive(exchange(1, 0, 16), segments, bytes, p.of_b, soon());
  p.b->send(exchange(2, 0, 16), segments, bytes, p.of_b);
  p.a->receive(exchange(2, 1, 16), segments, bytes, p.of_a, soon());
  p.a->send(exchange(3, 1, 16), again, bytes, p.of_a);
  p.a->send(exchange(4, 1, 0), {}, {}, p.of_a);
  p.b->receive(exchange(3, 0, 16), again, bytes, p.of_b, soon());
  p.b->receive(exchange(4, 0, 0), {}, {}, p.of_b, soon());
  CHECK(p.of_a.clock == 2 && p.of_b.clock == 3);
  CHECK(p.of_a.bytes_sent == std::vector<uint64_t>{0, 3 * 24 + 32, 0});
  CHECK(p.of_b.bytes_sent == std::vector<uint64_t>{24 + 16, 0, 0});
  CHECK(p.of_a.nodes[0].bytes == 10 && p.of_a.nodes[1].bytes == 0 && p.of_a.nodes[2].bytes == 22);
  CHECK(p.of_a.nodes[0].exchanges == 2 && p.of_a.nodes[2].exchanges == 2 && p.of_b.nodes[2].exchanges == 2);
}

TEST("both sides of one exchange count one round") {
  Pair p;
  auto bytes = payload(1);
  p.a->send(exchange(1, 1, 16), {}, bytes, p.of_a);
  p.b->send(exchange(1, 0, 16), {}, bytes, p.of_b);
  p.a->receive(exchange(1, 1, 16), {}, bytes, p.of_a, soon());
  p.b->receive(exchange(1, 0, 16), {}, bytes, p.of_b, soon());
  CHECK(p.of_a.clock == 1 && p.of_b.clock == 1);
}

TEST("a frame of another length, exchange or place is refused") {
  const auto refused = [](const FrameHeader& header, size_t bytes) {
    Pair p;
    auto sent = payload(1);
    p.one->send(encode_header(header), std::span(sent).first(bytes));
    auto into = payload(7);
    try {
      p.b->receive(exchange(1, 0, 8), {}, std::span(into).first(8), p.of_b, soon());
    } catch (const Error& error) {
      bool untouched = true;
      for (const std::byte byte : into) untouched &= byte == std::byte{7};
      return error.code == Code::protocol && untouched;
    }
    return false;
  };
  CHECK(!refused({8, 0, 1, 1, 0}, 8));
  CHECK(refused({9, 0, 1, 1, 0}, 9));
  CHECK(refused({7, 0, 1, 1, 0}, 7));
  CHECK(refused({8, 0, 1, 1, 0}, 9));  // longer than its header says
  CHECK(refused({8, 1, 1, 1, 0}, 8));
  CHECK(refused({8, 0, 2, 1, 0}, 8));
  CHECK(refused({~uint64_t{0}, 0, 1, 1, 0}, 8));
}

TEST("a frame that is repeated is refused") {
  Pair p;
  auto bytes = payload(1);
  const HeaderBytes header = encode_header({16, 0, 1, 1, 0});
  p.one->send(header, bytes);
  p.one->send(header, bytes);
  p.b->receive(exchange(1, 0, 16), {}, bytes, p.of_b, soon());
  CHECK_ERROR(Code::protocol, (p.b->receive(exchange(1, 0, 16), {}, bytes, p.of_b, soon()), 0));
  CHECK_ERROR(Code::connection, (p.b->send(exchange(1, 2, 16), {}, bytes, p.of_b), 0));
}

}  // namespace cryptorch
