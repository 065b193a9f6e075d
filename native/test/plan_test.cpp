// The decoder of plans: what the scheduler writes is read back, and whatever is wrong with it is an error.
#include "../core/plan.hpp"

#include <algorithm>
#include <limits>
#include <random>

#include "../cpu/dispatch.hpp"
#include "harness.hpp"
#include "plans.hpp"

namespace cryptorch {
namespace {

using test::Words;

const KernelTable& table() { return *kernel_table(nullptr); }

Plan decode(const Words& words) { return decode_plan(words, table()); }

bool refused(const Words& words) {
  try {
    decode(words);
    return false;
  } catch (const Error& error) {
    return error.code == Code::bad_plan;
  }
}

// A small plan with one step of every type; the mutants below change one thing each.
test::PlanSpec whole() {
  test::PlanSpec plan;
  plan.state = 1024;
  plan.material = 512;
  plan.work = 2048;
  plan.keys = 3;
  plan.nodes = 2;
  plan.ios = {{0, 0, 10, 16, 40}, {0, 2, 10, 16, 40}, {1, 2, 10, 16, 64}};
  plan.setup = {{3, 0, 1, 0}};
  plan.offline = {test::frame(false, 1, 2, 2, 0, 80, 0)};
  plan.online = {
      {5, 1, 3, 64, 1, 2},
      test::lincomb(1, 1, {{{3, 64, {{0, 5}, {1, 6, 0, -1}}, 2, 0}, 1}, {{1, 0, {}, 0, 0}, -1}}, 3, 256, 10),
      test::frame(true, 2, 1, 3, 256, 80, 1),
      {4, 2, 3, 256}};
  return plan;
}

// The words of `whole` with the online kernel step changed at one position.
Words with_kernel(size_t position, int64_t value) {
  test::PlanSpec plan = whole();
  plan.online[1].at(position) = value;
  return encode(plan);
}

Words with_frame(size_t position, int64_t value) {
  test::PlanSpec plan = whole();
  plan.online[2].at(position) = value;
  return encode(plan);
}

}  // namespace

TEST("a plan is read back as it was written") {
  const Plan plan = decode(encode(whole()));
  CHECK(plan.parties == 2 && plan.role == 0 && !plan.is_dealer() && !plan.is_cleartext());
  CHECK(plan.bytes[kState] == 1024 && plan.bytes[kMaterial] == 512 && plan.bytes[kWork] == 2048);
  CHECK(plan.total_bytes() == 1024 + 512 + 2048);
  CHECK(plan.keys == 3 && plan.nodes == 2 && plan.ios.size() == 3);
  CHECK(plan.phases[0].size() == 1 && plan.phases[1].size() == 1 && plan.phases[2].size() == 4);
  CHECK(plan.has_peer(1) && plan.has_peer(2) && !plan.has_peer(0) && plan.most_shares == 2);
  CHECK(plan.most_operands == 2 && plan.most_results == 1 && plan.most_streams == 2);
  const KernelStep& step = plan.kernel_steps.at(0);
  CHECK(step.node == 1 && step.lead == 1 && step.units == 10 && step.attributes == 3);
  CHECK(plan.streams.at(1).key == 1 && plan.streams[1].value == 6 && !plan.streams[1].fresh);
  CHECK(plan.streams[1].sign == -1 && plan.streams[0].fresh);
  CHECK(plan.exchanges.at(1).id == 2 && plan.exchanges[1].bytes == 80 && plan.exchanges[1].peer == 1);
}

TEST("an exchange is counted once per node and phase, and what the dealer sends only at the dealer") {
  test::PlanSpec plan = whole();
  plan.online = {test::frame(true, 2, 1, 3, 0, 80, 1),
                 test::frame(false, 2, 1, 3, 128, 80, 1),
                 {1, 2, 1, 3, 0, 80, 2, 0, 16, 1, 64},
                 test::frame(true, 3, 1, 3, 0, 80, 1),
                 test::frame(false, 4, 2, 3, 0, 80, 1)};
  std::vector<bool> first;
  for (const Segment& segment : decode(encode(plan)).segments) first.push_back(segment.first);
  CHECK(first == std::vector<bool>{false, true, false, true, false, true, false});
}

TEST("headers that are wrong are refused") {
  const Words good = encode(whole());
  const auto with = [&](size_t position, int64_t value) {
    Words words = good;
    words.at(position) = value;
    return words;
  };
  CHECK(!refused(good));
  CHECK(refused({}));
  CHECK(refused(with(0, 0)));  // magic
  CHECK(refused(with(1, 2)));  // version
  CHECK(refused(with(2, 0)));  // parties
  CHECK(refused(with(2, 1 << 20)));
  CHECK(refused(with(3, 4)));  // role
  CHECK(refused(with(3, -1)));
  CHECK(refused(with(4, -64)));  // region sizes
  CHECK(refused(with(6, std::numeric_limits<int64_t>::max())));
  CHECK(refused(with(6, 64)));  // too small for what lies in it
  CHECK(refused(with(7, 0)));   // keys
  CHECK(refused(with(8, 2)));   // ios
  CHECK(refused(with(8, std::numeric_limits<int64_t>::max())));
  CHECK(refused(with(9, 1)));  // nodes
  CHECK(refused(with(9, int64_t{1} << 40)));
  CHECK(refused(with(12, 5)));  // steps
  CHECK(refused(with(12, std::numeric_limits<int64_t>::max())));
  Words longer = good;
  longer.push_back(0);
  CHECK(refused(longer));
}

TEST("inputs and outputs that are wrong are refused") {
  const auto with = [](size_t io, size_t position, int64_t value) {
    test::PlanSpec plan = whole();
    plan.ios[io].at(position) = value;
    return encode(plan);
  };
  CHECK(refused(with(0, 0, 2)));
  CHECK(refused(with(0, 0, 1)));  // an output that a step reads as an input
  CHECK(refused(with(0, 1, 3)));
  CHECK(refused(with(0, 1, 1)));  // another phase than its step's
  CHECK(refused(with(0, 2, 1000)));
  CHECK(refused(with(0, 2, -1)));
  CHECK(refused(with(0, 3, 1000)));
  CHECK(refused(with(0, 4, 0)));
  CHECK(refused(with(0, 4, 64)));
  CHECK(refused(with(2, 4, 65)));
}

TEST("kernel steps that are wrong are refused") {
  const size_t first =
      7;  // the first source: region, offset, layout, bits, planes, elements, inner, mid, streams, ...
  CHECK(!refused(with_kernel(first, 3)));
  CHECK(refused(with_kernel(1, 999)));  // kernel
  CHECK(refused(with_kernel(1, -1)));
  CHECK(refused(with_kernel(2, 2)));  // node
  CHECK(refused(with_kernel(3, 2)));  // lead
  CHECK(refused(with_kernel(4, 3)));  // operands
  CHECK(refused(with_kernel(4, std::numeric_limits<int64_t>::max())));
  CHECK(refused(with_kernel(5, 0)));          // results
  CHECK(refused(with_kernel(6, 2)));          // attributes
  CHECK(refused(with_kernel(first, 4)));      // region
  CHECK(refused(with_kernel(first + 1, 4)));  // misaligned
  CHECK(refused(with_kernel(first + 1, 2048)));
  CHECK(refused(with_kernel(first + 1, -8)));
  CHECK(refused(with_kernel(first + 2, 3)));  // layout
  CHECK(refused(with_kernel(first + 3, 0)));  // bits
  CHECK(refused(with_kernel(first + 3, 65)));
  CHECK(refused(with_kernel(first + 5, int64_t{1} << 40)));  // elements
  CHECK(refused(with_kernel(first + 5, std::numeric_limits<int64_t>::max())));
  CHECK(refused(with_kernel(first + 6, 0)));  // inner
  CHECK(refused(with_kernel(first + 7, 0)));  // mid
  CHECK(refused(with_kernel(first + 7, 11)));
  CHECK(refused(with_kernel(first + 8, 1000)));               // streams
  CHECK(refused(with_kernel(first + 9, 3)));                  // key
  CHECK(refused(with_kernel(first + 10, 2)));                 // fresh
  CHECK(refused(with_kernel(first + 11, int64_t{1} << 32)));  // value
  CHECK(refused(with_kernel(first + 12, 0)));                 // sign
  CHECK(refused(with_kernel(first + 17, 3 + 4)));             // correction region
  CHECK(refused(with_kernel(first + 18, 440)));               // correction over the end
}

TEST("frames that are wrong are refused") {
  CHECK(!refused(with_frame(1, 77)));
  CHECK(refused(with_frame(1, -1)));    // exchange
  CHECK(refused(with_frame(2, 0)));     // itself
  CHECK(refused(with_frame(2, 3)));     // no such peer
  CHECK(refused(with_frame(3, 0)));     // region
  CHECK(refused(with_frame(4, 4)));     // misaligned
  CHECK(refused(with_frame(4, 2000)));  // over the end
  CHECK(refused(with_frame(5, 88)));    // more than its segments
  CHECK(refused(with_frame(5, 72)));    // less than its segments
  CHECK(refused(with_frame(5, std::numeric_limits<int64_t>::max())));
  CHECK(refused(with_frame(6, 2)));  // segments
  CHECK(refused(with_frame(7, 2)));  // node
  CHECK(refused(with_frame(8, -80)));
  test::PlanSpec clear = whole();
  clear.role = 3;
  CHECK(refused(encode(clear)));  // a cleartext role has nobody to talk to
}

TEST("steps of a wrong length or type are refused") {
  test::PlanSpec plan = whole();
  plan.online[3][0] = 6;
  CHECK(refused(encode(plan)));
  plan = whole();
  plan.online[3].push_back(0);
  CHECK(refused(encode(plan)));
  plan = whole();
  plan.online[3].pop_back();
  CHECK(refused(encode(plan)));
  plan = whole();
  plan.online[0][5] = 1;  // part 1 of 1
  CHECK(refused(encode(plan)));
  plan = whole();
  plan.online[3][1] = 3;  // no such output
  CHECK(refused(encode(plan)));
}

TEST("random mutants are read or refused, never more") {
  const Words good = encode(whole());
  const int64_t values[] = {0,
                            1,
                            -1,
                            2,
                            3,
                            8,
                            63,
                            64,
                            65,
                            512,
                            1 << 20,
                            int64_t{1} << 32,
                            int64_t{1} << 46,
                            int64_t{1} << 62,
                            std::numeric_limits<int64_t>::min(),
                            std::numeric_limits<int64_t>::max()};
  std::mt19937 random(1);
  size_t refusals = 0;
  for (int i = 0; i < 20000; ++i) {
    Words words = good;
    for (uint32_t changes = random() % 3 + 1; changes; --changes) {
      int64_t& word = words[random() % words.size()];
      const uint64_t near = static_cast<uint64_t>(word) + random() % 9 - 4;
      word = random() % 2 ? values[random() % std::size(values)] : static_cast<int64_t>(near);
    }
    if (random() % 8 == 0) words.resize(random() % words.size());
    refusals += refused(words);
  }
  CHECK(refusals > 15000);
}

}  // namespace cryptorch
