// The stream of a peer that was accepted. The first bytes of the input say how the stream is cut, when frames
// are claimed, and whether frames carry checksums; then a command for each piece:
//   bit 0      read ahead            bits 1, 2  claim the oldest frame, take it if it is complete
//   bits 3..7  size of the piece
// Oracle: what comes out is what a reader that has the whole stream finds in it.
#include "../core/crc32c.hpp"
#include "../core/net/inbox.hpp"
#include "fuzz.hpp"

using namespace cryptorch;
using fuzz::require;

namespace {

constexpr InboxLimits kLimits{600, 300, 700, false};
constexpr size_t kCommands = 32;

// Reads frames off the whole stream.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> stream) : stream_(stream) {}

  // The next frame of data, or the next message.
  std::span<const std::byte> next(bool message) {
    for (;;) {
      require(stream_.size() >= kHeaderBytes, "a frame where one came out");
      HeaderBytes bytes;
      std::memcpy(bytes.data(), stream_.data(), kHeaderBytes);
      const FrameHeader header = decode_header(bytes);
      const auto payload = stream_.subspan(kHeaderBytes);
      require(header.bytes <= payload.size(), "a payload where one came out");
      stream_ = payload.subspan(header.bytes);
      if ((header.exchange == kControlExchange) == message) return payload.first(header.bytes);
    }
  }

 private:
  std::span<const std::byte> stream_;
};

void same(std::span<const std::byte> found, std::span<const std::byte> expected) {
  require(std::equal(found.begin(), found.end(), expected.begin(), expected.end()),
          "the payload that was sent");
}

// Gives the frames that are there the checksums that the stream should have, as a peer would.
void seal(std::span<std::byte> stream) {
  while (stream.size() >= kHeaderBytes) {
    HeaderBytes bytes;
    std::memcpy(bytes.data(), stream.data(), kHeaderBytes);
    FrameHeader header = decode_header(bytes);
    const auto payload = stream.subspan(kHeaderBytes);
    if (header.bytes > payload.size()) return;
    header.crc = crc32c(payload.first(header.bytes));
    bytes = encode_header(header);
    std::memcpy(stream.data(), bytes.data(), kHeaderBytes);
    stream = payload.subspan(header.bytes);
  }
}

void run(std::span<const std::byte> commands, std::span<const std::byte> stream, bool checksums) {
  InboxLimits limits = kLimits;
  limits.checksums = checksums;
  Inbox inbox(limits);
  inbox.establish();
  Reader data(stream), messages(stream);
  std::vector<std::byte> target;
  bool claimed = false;
  size_t refusals = 0;
  for (size_t turn = 0; refusals < commands.size(); ++turn) {
    const auto command = static_cast<uint8_t>(commands[turn % commands.size()]);
    if (!claimed && (command & 2) && inbox.front()) {
      require(inbox.front()->bytes <= limits.frame_bytes, "a frame within the limits");
      target.assign(inbox.front()->bytes, std::byte{0xA5});
      inbox.claim(target);
      claimed = true;
    }
    if (claimed && (command & 4) && inbox.finish()) {
      same(target, data.next(false));
      claimed = false;
    }
    const std::span<std::byte> room = inbox.room(command & 1);
    const size_t count = std::min({size_t{1} + (command >> 3) * 7, room.size(), stream.size()});
    if (count) std::memcpy(room.data(), stream.data(), count);
    stream = stream.subspan(count);
    if (count) inbox.advance(count);
    while (const auto message = inbox.take_message()) {
      require(message->exchange == kControlExchange, "no second introduction");
      same(message->data, messages.next(true));
    }
    require(inbox.queued_bytes() <= limits.queue_bytes, "a queue within its limit");
    refusals = count ? 0 : refusals + 1;
  }
  if (claimed) inbox.abandon();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= kCommands + 1) return 0;
  const bool checksums = data[0] & 1;
  const auto commands = std::as_bytes(std::span(data + 1, kCommands));
  const auto rest = std::as_bytes(std::span(data + 1 + kCommands, size - 1 - kCommands));
  std::vector<std::byte> stream(rest.begin(), rest.end());
  if (checksums && (data[0] & 2)) seal(stream);
  fuzz::accepts(Code::protocol, [&] { run(commands, stream, checksums); });
  return 0;
}
