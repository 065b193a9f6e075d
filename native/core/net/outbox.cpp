#include "outbox.hpp"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <string>

#include "core/arena.hpp"
#include "core/error.hpp"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0  // node ignores SIGPIPE
#endif

namespace cryptorch {
namespace {

constexpr size_t kChunk = 128 << 10;
constexpr size_t kSpareChunks = 32;
constexpr size_t kVectors = 16;

// Bytes that the socket took; 0 where it is full.
size_t send_vectors(int fd, iovec* vectors, size_t count) {
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<size_t>(sent);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    throw Error(Code::connection, std::string("the connection was lost: ") + strerror(errno));
  }
}

}  // namespace

Outbox::~Outbox() {
  if (!sensitive_) return;
  for (Chunk& chunk : chunks_) wipe(chunk.data.get(), kChunk);
  for (Chunk& chunk : spare_) wipe(chunk.data.get(), kChunk);
}

void Outbox::append(std::span<const std::byte> data) {
  bytes_ += data.size();
  while (!data.empty()) {
    if (chunks_.empty() || chunks_.back().last == kChunk) {
      if (spare_.empty()) {
        chunks_.push_back({std::make_unique_for_overwrite<std::byte[]>(kChunk), 0, 0});
      } else {
        chunks_.push_back(std::move(spare_.back()));
        spare_.pop_back();
      }
    }
    Chunk& chunk = chunks_.back();
    const size_t part = std::min(data.size(), kChunk - chunk.last);
    memcpy(chunk.data.get() + chunk.last, data.data(), part);
    chunk.last += part;
    data = data.subspan(part);
  }
}

void Outbox::consume(size_t bytes) {
  bytes_ -= bytes;
  written_ += bytes;
  while (bytes) {
    Chunk& chunk = chunks_.front();
    const size_t part = std::min(bytes, chunk.last - chunk.first);
    chunk.first += part;
    bytes -= part;
    if (chunk.first < chunk.last) break;
    chunk.first = chunk.last = 0;
    if (chunks_.size() == 1) break;  // the last chunk is filled again from its start
    if (spare_.size() < kSpareChunks) {
      spare_.push_back(std::move(chunk));
    } else if (sensitive_) {
      wipe(chunk.data.get(), kChunk);
    }
    chunks_.pop_front();
  }
}

bool Outbox::flush(int fd) {
  while (bytes_) {
    iovec vectors[kVectors];
    size_t count = 0;
    for (const Chunk& chunk : chunks_) {
      if (count == kVectors) break;
      vectors[count++] = {chunk.data.get() + chunk.first, chunk.last - chunk.first};
    }
    const size_t sent = send_vectors(fd, vectors, count);
    if (!sent) return false;
    consume(sent);
  }
  return true;
}

bool Outbox::write_through(int fd, std::span<const std::byte> head, std::span<const std::byte> body) {
  while (!head.empty() || !body.empty()) {
    iovec vectors[2];
    size_t count = 0;
    for (const auto& part : {head, body}) {
      if (!part.empty()) vectors[count++] = {const_cast<std::byte*>(part.data()), part.size()};
    }
    size_t sent = send_vectors(fd, vectors, count);
    if (!sent) {
      append(head);
      append(body);
      return false;
    }
    written_ += sent;
    const size_t first = std::min(sent, head.size());
    head = head.subspan(first);
    body = body.subspan(sent - first);
  }
  return true;
}

}  // namespace cryptorch
