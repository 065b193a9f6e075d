// Support for tests of kernels: operands in every form that a Source can take, together with the values they
// stand for by the definitions of core/kernel.hpp, and runs of a kernel by every instruction set and every
// way to split its range.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../core/kernel.hpp"
#include "../core/prg.hpp"
#include "harness.hpp"

namespace cryptorch::test {

using Words = std::vector<uint64_t>;
using Attributes = std::vector<int64_t>;

class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}
  uint64_t next();
  uint64_t below(uint64_t bound) { return next() % bound; }
  // Any value, but often an extreme one.
  uint64_t value(uint32_t bits = 64);

 private:
  uint64_t state_;
};

inline uint64_t low_mask(uint32_t bits) { return ~uint64_t{0} >> (64 - bits); }

// What is added up to make an operand.
struct Form {
  enum class Memory { none, ring, packed } memory;
  uint32_t streams;
  bool correction;
};
const std::vector<Form>& forms();

struct Streams {
  explicit Streams(Rng& rng, uint32_t count);
  std::vector<Key> keys;
  std::vector<Prg> prgs;
};
uint64_t stream_element(const Prg& prg, uint32_t bits, uint64_t index);
bool stream_bit(const Prg& prg, uint32_t planes, uint64_t element, uint32_t plane);

uint64_t packed_element(const uint64_t* words, uint32_t bits, uint64_t index);
Words packed(const Words& values, uint32_t bits);
// Word of a plane's element, and its bit in that word.
uint64_t plane_word(uint64_t elements, uint32_t planes, uint64_t element, uint32_t plane);

// An operand of ring values for `total` elements.
class RingOperand {
 public:
  RingOperand(Rng& rng, uint64_t total, uint32_t bits, Form form, uint64_t inner = 1, uint64_t mid = 0);
  // Shares: an operand that stands for `values`, whatever its streams are.
  RingOperand(Rng& rng, const Words& values, uint32_t bits, Form form);
  uint64_t operator[](uint64_t i) const { return values_[i / inner_ % values_.size()]; }
  const Source& source() const { return source_; }

 private:
  void build(Rng& rng, uint64_t total, uint32_t bits, Form form, const Words* wanted);
  uint64_t inner_;
  Streams streams_;
  Words values_, memory_, correction_;
  Source source_{};
};

// An operand of bit planes.
class PlaneOperand {
 public:
  PlaneOperand(Rng& rng, uint64_t elements, uint32_t planes, Form form,
               const std::vector<std::vector<bool>>* wanted = nullptr);
  bool at(uint32_t plane, uint64_t element) const { return bits_[plane][element]; }
  const std::vector<std::vector<bool>>& bits() const { return bits_; }
  const Source& source() const { return source_; }

 private:
  Streams streams_;
  std::vector<std::vector<bool>> bits_;
  Words memory_, correction_;
  Source source_{};
};

// A result and the memory it lies in, with something behind it that must stay as it is.
class Result {
 public:
  Result(Layout layout, uint32_t bits, uint32_t planes, uint64_t elements);
  const Sink& sink() const { return sink_; }
  void clear();
  bool intact() const;
  uint64_t element(uint64_t i) const;
  bool bit(uint32_t plane, uint64_t element) const;
  bool padded() const;  // the end of the last word of a packed result is zero
  const Words& memory() const { return memory_; }

 private:
  Sink sink_;
  size_t words_;
  Words memory_;
};

Result ring_result(uint64_t elements, uint32_t bits = 64, Layout layout = Layout::ring);
Result plane_result(uint64_t elements, uint32_t planes);

// Tables that this machine can run.
std::vector<const KernelTable*> tables();
const Kernel& kernel_of(const KernelTable& table, uint16_t id);

struct Invocation {
  uint16_t id;
  std::vector<Source> ins;
  std::vector<Result*> outs;
  Attributes attrs;
  uint32_t lead = 0;

  const char* check(const KernelTable& table) const;
  // Runs by every table, in one range and in several, and calls `verify` after each.
  void run(const std::function<void()>& verify) const;
};

// Runs and compares each element of a ring result with `expected`.
void expect_ring(const Invocation& invocation, const std::function<uint64_t(uint64_t)>& expected);

const std::vector<uint64_t>& sizes();

}  // namespace cryptorch::test
