// The sending end of one connection: bytes that are ready for the socket (ciphertext, or plain bytes without
// TLS), in chunks that are used again. Written with as few system calls as the socket allows. Used by one
// thread at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace cryptorch {

class Outbox {
 public:
  // Chunks that held shares in the clear are wiped before they go back to the system.
  explicit Outbox(bool sensitive) : sensitive_(sensitive) {}
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  uint64_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }
  void append(std::span<const std::byte> data);

  // Writes what the socket takes now; false if something is left. Throws Error(connection).
  bool flush(int fd);
  // The same for bytes of the caller, without a copy of what the socket takes; only with an empty outbox.
  // What the socket does not take is appended.
  bool write_through(int fd, std::span<const std::byte> head, std::span<const std::byte> body);

  // All bytes that were ever handed to the socket.
  uint64_t written() const { return written_; }

 private:
  struct Chunk {
    std::unique_ptr<std::byte[]> data;
    size_t first = 0, last = 0;
  };
  void consume(size_t bytes);

  const bool sensitive_;
  uint64_t bytes_ = 0;
  uint64_t written_ = 0;
  std::deque<Chunk> chunks_;
  std::vector<Chunk> spare_;
};

}  // namespace cryptorch
