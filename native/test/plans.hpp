// Plans written by hand for the tests of the core; the format is that of core/plan.hpp.
#pragma once
#include <string>
#include <vector>

#include "../core/local.hpp"

namespace cryptorch::test {

using Words = std::vector<int64_t>;

struct StreamSpec {
  int64_t key, value;
  int64_t fresh = 1, sign = 1;
};

// A ring operand: memory, streams, a correction, or all of them.
struct OperandSpec {
  int64_t region = 0, offset = 0;
  std::vector<StreamSpec> streams;
  int64_t correction_region = 0, correction_offset = 0;
};

struct Term {
  OperandSpec operand;
  int64_t coefficient;
};

struct PlanSpec {
  int64_t parties = 2, role = 0;
  int64_t state = 0, material = 0, work = 0;
  int64_t keys = 0, nodes = 1;
  std::vector<Words> ios;                     // five words each
  std::vector<Words> setup, offline, online;  // steps without their length
};

Words encode(const PlanSpec& spec);
Words lincomb(int64_t node, int64_t lead, const std::vector<Term>& terms, int64_t region, int64_t offset,
              int64_t elements, int64_t constant = 0);
Words frame(bool send, int64_t exchange, int64_t peer, int64_t region, int64_t offset, int64_t bytes,
            int64_t node);
Seed seed(uint8_t id);

// y = 3 x by two parties and a dealer: party 0 owns x (doubles in sixteenths, so that 2^16 holds them
// exactly) and learns y. The parties open x + r; the dealer deals shares of 2 r; shares of 3 x are revealed
// under a zero sharing. Node 0 is the opening, 1 the product, 2 the reveal.
LocalConfig triple(uint64_t elements);

// The same on inputs that every role has in the clear and takes shares of; the cleartext role computes it
// alone.
LocalConfig shared_triple(uint64_t elements);
LocalConfig cleartext_triple(uint64_t elements);

// The number at position i of the input of the plans above.
double triple_input(uint64_t i);

}  // namespace cryptorch::test
