// The inbox: any cut of the stream gives the same frames, whoever claims them when; and nothing that is not
// the next frame gets in.
#include "../core/net/inbox.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include "../core/crc32c.hpp"
#include "harness.hpp"

namespace cryptorch {
namespace {

constexpr InboxLimits kLimits{1000, 100, 2500, false};
constexpr InboxLimits kChecked{1000, 100, 2500, true};

std::vector<std::byte> bytes_of(size_t count, uint32_t seed) {
  std::vector<std::byte> out(count);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<std::byte>(seed * 31 + i * 7);
  return out;
}

void append(std::vector<std::byte>& stream, const FrameHeader& header, std::span<const std::byte> payload) {
  const HeaderBytes bytes = encode_header(header);
  stream.insert(stream.end(), bytes.begin(), bytes.end());
  stream.insert(stream.end(), payload.begin(), payload.end());
}

// Gives the inbox as much as it takes, in pieces of at most `piece`; how many bytes it took.
size_t feed(Inbox& inbox, std::span<const std::byte> stream, size_t piece, bool ahead) {
  size_t taken = 0;
  while (taken < stream.size()) {
    const auto room = inbox.room(ahead);
    const size_t part = std::min({room.size(), piece, stream.size() - taken});
    if (!part) break;
    std::memcpy(room.data(), stream.data() + taken, part);
    inbox.advance(part);
    taken += part;
  }
  return taken;
}

// What an established inbox says to one header.
Code verdict(const InboxLimits& limits, const FrameHeader& header) {
  Inbox inbox(limits);
  inbox.establish();
  std::vector<std::byte> stream;
  append(stream, header, {});
  try {
    feed(inbox, stream, stream.size(), true);
    return Code::internal;
  } catch (const Error& error) {
    return error.code;
  }
}

}  // namespace

TEST("any cut of the stream gives the same frames and messages") {
  for (const InboxLimits& limits : {kLimits, kChecked}) {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
      std::vector<std::byte> stream;
      std::vector<std::vector<std::byte>> frames, messages;
      for (uint32_t i = 0; i < 20; ++i) {
        const bool message = random() % 4 == 0;
        const auto payload = bytes_of(random() % 3 ? random() % (message ? 101 : 1001) : 0, i);
        const uint32_t crc = limits.checksums ? crc32c(payload) : 0;
        append(stream, {payload.size(), i, message ? kControlExchange : i, 5, crc}, payload);
        (message ? messages : frames).push_back(payload);
      }
      Inbox inbox(limits);
      inbox.establish();
      std::span<const std::byte> rest(stream);
      std::vector<std::byte> target;
      bool claimed = false;
      size_t frame = 0, message = 0;
      while (!rest.empty() || frame < frames.size()) {
        const size_t piece = 1 + random() % 300;
        const auto now = rest.first(std::min<size_t>(rest.size(), random() % 900));
        rest = rest.subspan(feed(inbox, now, piece, random() % 2 == 0));
        while (const auto got = inbox.take_message()) CHECK(got->data == messages[message++]);
        if (!claimed && inbox.front() && random() % 2) {
          CHECK(inbox.front()->bytes == frames[frame].size() && inbox.front()->clock == 5);
          target.assign(frames[frame].size(), std::byte{0xEE});
          inbox.claim(target);
          claimed = true;
        }
        if (claimed && inbox.finish()) {
          claimed = false;
          CHECK(target == frames[frame++]);
        }
      }
      CHECK(message == messages.size() && inbox.queued_bytes() == 0);
    }
  }
}

TEST("without reading ahead a payload waits for its receiver") {
  Inbox inbox(kLimits);
  inbox.establish();
  std::vector<std::byte> stream;
  const auto payload = bytes_of(500, 1);
  append(stream, {500, 0, 1, 1, 0}, payload);
  CHECK(feed(inbox, stream, 10000, false) == kHeaderBytes);
  CHECK(inbox.front() && inbox.queued_bytes() == 0);
  std::vector<std::byte> target(500);
  inbox.claim(target);
  CHECK(!inbox.finish());
  CHECK(inbox.room(false).data() == target.data());
  CHECK(feed(inbox, std::span(stream).subspan(kHeaderBytes), 10000, false) == 500);
  CHECK(inbox.finish() && target == payload && !inbox.front());
}

TEST("reading ahead stops at the limit of the queue, also for empty frames") {
  Inbox inbox(kLimits);
  inbox.establish();
  std::vector<std::byte> stream;
  for (uint32_t i = 0; i < 4; ++i) append(stream, {1000, i, 1, 1, 0}, bytes_of(1000, i));
  CHECK(feed(inbox, stream, 100000, true) == 2 * (kHeaderBytes + 1000) + kHeaderBytes);
  CHECK(inbox.queued_bytes() == 2000);

  Inbox empty(kLimits);
  empty.establish();
  stream.clear();
  for (uint32_t i = 0; i < 10000; ++i) append(stream, {0, i, 1, 1, 0}, {});
  CHECK(feed(empty, stream, 100000, true) < stream.size() / 2);
}

TEST("a frame that is too long, repeated, out of order or damaged is refused") {
  CHECK(verdict(kLimits, {1000, 0, 7, 1, 0}) == Code::internal);
  CHECK(verdict(kLimits, {1001, 0, 7, 1, 0}) == Code::protocol);
  CHECK(verdict(kLimits, {~uint64_t{0}, 0, 7, 1, 0}) == Code::protocol);
  CHECK(verdict(kLimits, {100, 0, kControlExchange, 0, 0}) == Code::internal);
  CHECK(verdict(kLimits, {101, 0, kControlExchange, 0, 0}) == Code::protocol);
  CHECK(verdict(kLimits, {10, 1, 7, 1, 0}) == Code::protocol);
  CHECK(verdict(kLimits, {10, ~0u, 7, 1, 0}) == Code::protocol);
  CHECK(verdict(kLimits, {10, 0, 7, 1, 9}) == Code::protocol);
  CHECK(verdict(kLimits, {10, 0, kIntroExchange, 0, 0}) == Code::protocol);

  Inbox inbox(kChecked);
  inbox.establish();
  std::vector<std::byte> stream;
  const auto payload = bytes_of(10, 3);
  append(stream, {10, 0, 7, 1, crc32c(payload) ^ 1}, payload);
  feed(inbox, stream, 1000, true);
  std::vector<std::byte> target(10);
  inbox.claim(target);
  CHECK_ERROR(Code::protocol, inbox.finish());

  stream.clear();
  append(stream, {10, 1, kControlExchange, 0, crc32c(payload) ^ 1}, payload);
  CHECK_ERROR(Code::protocol, feed(inbox, stream, 1000, true));
}

TEST("before the introduction nothing else is accepted, and nothing long") {
  for (const FrameHeader& header : {FrameHeader{10, 0, 1, 1, 0}, FrameHeader{10, 0, kControlExchange, 1, 0},
                                    FrameHeader{kMostIntroBytes + 1, 0, kIntroExchange, 0, 0}}) {
    Inbox inbox(kLimits);
    std::vector<std::byte> stream;
    append(stream, header, {});
    CHECK_ERROR(Code::protocol, feed(inbox, stream, 1000, true));
  }
  Inbox inbox(kLimits);
  std::vector<std::byte> stream;
  append(stream, {3, 0, kIntroExchange, 0, 0}, bytes_of(3, 1));
  CHECK(feed(inbox, stream, 5, true) == stream.size());
  const auto message = inbox.take_message();
  CHECK(message && message->exchange == kIntroExchange && message->data == bytes_of(3, 1));
}

TEST("an abandoned frame leaves its receiver's memory alone") {
  Inbox inbox(kLimits);
  inbox.establish();
  std::vector<std::byte> stream;
  append(stream, {500, 0, 1, 1, 0}, bytes_of(500, 1));
  std::vector<std::byte> target(500, std::byte{1});
  feed(inbox, std::span(stream).first(100), 1000, true);
  inbox.claim(target);
  inbox.abandon();
  CHECK(inbox.room(true).empty() && !inbox.front() && !inbox.finish());
}

}  // namespace cryptorch
