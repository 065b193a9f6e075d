// Plans come from files: a kernel's check refuses whatever would make it leave its operands. Known mistakes
// by name, and random ones: attributes and operands are changed at random, and what the check lets through is
// run (under a sanitizer this finds every step outside).
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "kernel_test.hpp"

using namespace cryptorch;
using namespace cryptorch::test;

namespace {

constexpr uint64_t kMostRun = 1 << 16;  // elements of an operand, units of a run

// A step without memory; memory is given to it when it is run.
struct Step {
  uint16_t id;
  std::vector<Source> ins;
  std::vector<Sink> outs;
  Attributes attrs;
  uint32_t lead = 1;
};

Source ring(uint64_t n) { return {nullptr, Layout::ring, 64, 0, n, 1, n, nullptr, 0, nullptr}; }
Source planes(uint64_t n, uint32_t k) {
  return {nullptr, Layout::planes, 1, k, n, 1, n, nullptr, 0, nullptr};
}
Sink ring_out(uint64_t n) { return {nullptr, Layout::ring, 64, 0, n}; }
Sink planes_out(uint64_t n, uint32_t k) { return {nullptr, Layout::planes, 1, k, n}; }

// One good step of every kernel.
std::vector<Step> steps() {
  const uint64_t n = 700;
  return {
      {1, {ring(n), ring(n)}, {ring_out(n)}, {3, 1, -1}},
      {2, {planes(n, 3), planes(n, 3)}, {planes_out(n, 3)}, {1}},
      {3, {ring(n), ring(n), ring(n)}, {ring_out(n)}, {1, 5, 1, 6}},
      {4, {ring(n)}, {ring_out(n)}, {16}},
      {5, {ring(n), ring(n), ring(n)}, {ring_out(n)}, {16, int64_t{1} << 62, 64}},
      {6,
       {planes(n, 3), ring(n), ring(n), ring(n), ring(4 * n), ring(4 * n), ring(4 * n)},
       {ring_out(n)},
       {16, 0, 40, 2, 7}},
      {7, {planes(n, 1), ring(n), ring(n), ring(n), ring(n)}, {ring_out(n)}, {0}},
      {8, {planes(n, 1)}, {ring_out(n)}, {}},
      {9, {ring(n)}, {planes_out(n, 19)}, {2, 0, 4, 4, 2, 10}},
      {10,
       {ring(n), planes(n, 19)},
       {planes_out(n, 2), planes_out(n, 1), planes_out(n, 1)},
       {9, 2, 0, 4, 0, -1, 4, 2, -2, 1, 10}},
      {11,
       {planes(n, 5), planes(n, 5), planes(n, 3), planes(n, 2)},
       {planes_out(n, 2), planes_out(n, 1)},
       {2, 2, 1, -2, 0, 2, 0, 1, -1}},
      {12, {planes(n, 5)}, {planes_out(n, 3)}, {2, 2, 1, 2, 0}},
      {13, {ring(60), ring(40), ring(48)}, {ring_out(48)}, {2, 6, 5, 4, 0, 1, 30, 20, 1, 1}},
      {14,
       {ring(2 * 4 * 49), ring(6 * 2 * 9), ring(2 * 6 * 16)},
       {ring_out(2 * 6 * 16)},
       {2, 4, 7, 7, 6, 3, 3, 2, 2, 1, 1, 1, 1, 4, 4, 2, 1, 1}},
      {15, {ring(60), ring(7)}, {ring_out(67)}, {0, 0, 2, 2, 0, 0, 6, 10, 1, 10, 1, 6, 1, 60, 6, 7, 1, -1}},
      {16, {ring(98)}, {ring_out(9 * 2 * 16)}, {2, 7, 7, 3, 3, 2, 2, 1, 1, 1, 1, 4, 4}},
      {17, {ring(60)}, {ring_out(12)}, {3, 5, 4}},
      {18, {ring(98)}, {ring_out(2 * 16)}, {2, 7, 7, 3, 3, 2, 2, 1, 1, 1, 1, 4, 4}},
      {19, {ring(n), ring(n)}, {ring_out(n)}, {16, 0}},
      {20, {ring(n), ring(n)}, {ring_out(n)}, {0, 0, 64}},
      {21, {planes(n, 3), ring(n)}, {ring_out(4 * n)}, {2}},
      {25, {planes(n, 3)}, {planes_out(n / 2, 6)}, {}},
      {26, {planes(n, 3), planes(n, 3), planes(n, 5)}, {planes_out(n, 2)}, {3, 2, 3, 0, 3, 4, 2, 1, 4}},
      {27, {planes(n, 3)}, {planes_out(n, 5)}, {3, 2, 3, 0, 3, 4, 2, 1, 4}},
      {40, {ring(n)}, {ring_out(8 * n)}, {30, 2, 1, 5, 9, 1, 2, 3, 4, 5, 6, 7, 8}},
      {41, {ring(n), ring(12 * n)}, {ring_out(n)}, {30, 2, 2, 5, 4}},
      {40, {ring(n)}, {ring_out(8 * n)}, {30, 3, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}},
      {41, {ring(n), ring(8)}, {ring_out(n)}, {30, 3, 0}},
      {55, {ring(n)}, {ring_out(n)}, {33, 12, 3, 1}},
      {56,
       {ring(n), ring(n), ring(n), ring(n), ring(n)},
       {ring_out(n)},
       {33, 77, 1, 500, 0, 3, -20, 1 << 20}},
  };
}

// Bytes of a value; none if it is out of the question.
uint64_t bytes_of(Layout layout, uint64_t elements, uint64_t bits, uint64_t planes) {
  if (elements > kMostRun || planes > 4096) return ~uint64_t{0};
  return 8 * (layout == Layout::ring     ? elements
              : layout == Layout::packed ? (elements * bits + 63) / 64
                                         : (elements + 63) / 64 * planes);
}

const char* check(const Step& step, const KernelTable& table = *tables()[0]) {
  std::vector<Source> ins = step.ins;
  std::vector<Sink> outs = step.outs;
  uint64_t dummy = 0;
  for (Source& in : ins) {
    if (!in.prgs && !in.correction) in.data = &dummy;
  }
  for (Sink& out : outs) out.data = &dummy;
  const Args args = {ins.data(),
                     static_cast<uint32_t>(ins.size()),
                     outs.data(),
                     static_cast<uint32_t>(outs.size()),
                     step.attrs.data(),
                     static_cast<uint32_t>(step.attrs.size()),
                     step.lead,
                     0,
                     0};
  return kernel_of(table, step.id).check(args);
}

// Runs a step that passed its check, in memory of exactly the size it declares.
void run(const Step& step, const KernelTable& table) {
  std::vector<std::unique_ptr<uint64_t[]>> memory;
  std::vector<Source> ins = step.ins;
  std::vector<Sink> outs = step.outs;
  for (Source& in : ins) {
    const uint64_t bytes = bytes_of(in.layout, in.elements, in.bits, in.planes);
    if (bytes > 1 << 22) return;
    memory.push_back(std::make_unique<uint64_t[]>(bytes / 8));
    in.data = memory.back().get();
  }
  for (Sink& out : outs) {
    const uint64_t bytes = bytes_of(out.layout, out.elements, out.bits, out.planes);
    if (bytes > 1 << 22) return;
    memory.push_back(std::make_unique<uint64_t[]>(bytes / 8));
    out.data = memory.back().get();
  }
  Args args = {ins.data(),
               static_cast<uint32_t>(ins.size()),
               outs.data(),
               static_cast<uint32_t>(outs.size()),
               step.attrs.data(),
               static_cast<uint32_t>(step.attrs.size()),
               step.lead,
               0,
               0};
  const Kernel& kernel = kernel_of(table, step.id);
  if (kernel.check(args)) return;
  uint64_t grain = 1;
  args.count = kernel.units(args, &grain);
  const size_t bytes = (kernel.scratch(args) + 127) / 64 * 64;
  if (args.count > kMostRun || bytes > 1 << 26) return;
  const std::unique_ptr<void, void (*)(void*)> scratch(std::aligned_alloc(64, bytes), std::free);
  kernel.run(args, scratch.get());
}

int64_t wild(Rng& rng, int64_t old) {
  static const int64_t kEdges[] = {
      0, -1, 1, 2, 63, 64, 65, 512, 1 << 24, int64_t{1} << 36, int64_t{1} << 62, INT64_MAX, INT64_MIN};
  switch (rng.below(4)) {
    case 0:
      return static_cast<int64_t>(static_cast<uint64_t>(old) + rng.below(3) - 1);
    case 1:
      return static_cast<int64_t>(static_cast<uint64_t>(old) << rng.below(3));
    case 2:
      return static_cast<int64_t>(rng.below(20));
    default:
      return kEdges[rng.below(sizeof(kEdges) / sizeof(kEdges[0]))];
  }
}

void mutate(Rng& rng, Step& step) {
  const auto pick = [&](auto& list) -> auto& { return list[rng.below(list.size())]; };
  const auto wild64 = [&](uint64_t old) {
    return static_cast<uint64_t>(wild(rng, static_cast<int64_t>(old)));
  };
  const uint64_t choice = rng.below(12);
  if (choice < 6 && !step.attrs.empty()) {
    int64_t& attribute = pick(step.attrs);
    attribute = wild(rng, attribute);
  } else if (choice == 6 && !step.attrs.empty()) {
    step.attrs.pop_back();
  } else if (choice < 9) {
    Source& in = pick(step.ins);
    switch (rng.below(6)) {
      case 0:
        in.elements = wild64(in.elements);
        break;
      case 1:
        in.mid = wild64(in.mid);
        break;
      case 2:
        in.inner = wild64(in.inner);
        break;
      case 3:
        in.bits = static_cast<uint32_t>(1 + rng.below(64));
        break;
      case 4:
        in.layout = static_cast<Layout>(rng.below(3));
        break;
      default:
        in.planes = static_cast<uint32_t>(wild64(in.planes));
        break;
    }
  } else {
    Sink& out = pick(step.outs);
    switch (rng.below(4)) {
      case 0:
        out.elements = wild64(out.elements);
        break;
      case 1:
        out.bits = static_cast<uint32_t>(1 + rng.below(64));
        break;
      case 2:
        out.layout = static_cast<Layout>(rng.below(3));
        break;
      default:
        out.planes = static_cast<uint32_t>(wild64(out.planes));
        break;
    }
  }
}

// Good steps of kernel `id`, with one thing changed, are refused.
void refuse(uint16_t id, const std::function<void(Step&)>& change) {
  const std::vector<Step> all = steps();
  Step step = *std::find_if(all.begin(), all.end(), [&](const Step& s) { return s.id == id; });
  change(step);
  if (!check(step)) fail("kernel", id, "a bad step was let through");
}

}  // namespace

TEST("good steps are let through") {
  for (const Step& step : steps()) {
    const char* wrong = check(step);
    if (wrong) fail("kernel", step.id, wrong);
  }
}

TEST("bad steps are refused") {
  for (const Step& step : steps()) {
    const uint16_t id = step.id;
    refuse(id, [](Step& s) { s.attrs.push_back(0); });
    if (id != 2) refuse(id, [](Step& s) { s.ins.push_back(s.ins[0]), s.ins.push_back(s.ins[0]); });
    refuse(id, [](Step& s) { s.outs.push_back(s.outs[0]); });
    refuse(id, [](Step& s) { s.outs.pop_back(); });
    refuse(id, [](Step& s) { s.ins[0].elements = 1; });
    if (id == 10 || id == 11 || id == 21) continue;  // their elements are those of an operand
    refuse(id, [](Step& s) {
      s.outs[0].elements = uint64_t{1} << 60;
      s.ins.clear();
    });
  }
  for (const uint16_t id : {1, 3, 4, 5, 7, 9, 19, 20}) {
    refuse(id, [](Step& s) { s.ins.back().mid = s.ins.back().elements + 1; });
    refuse(id, [](Step& s) { s.ins.back().inner = 0; });
    refuse(id, [](Step& s) { s.ins.back().mid = 0; });
    refuse(id, [](Step& s) { s.ins.back().bits = 65; });
    refuse(id, [](Step& s) { s.ins.back().layout = Layout::planes; });
  }
  for (const uint16_t id : {4, 5, 6, 19}) {
    refuse(id, [](Step& s) { s.attrs[0] = 64; });
    refuse(id, [](Step& s) { s.attrs[0] = -1; });
  }
  for (const uint16_t id : {5, 6}) {
    refuse(id, [](Step& s) { s.attrs[2] = 65; });
    refuse(id, [](Step& s) { s.attrs[2] = 0; });
    refuse(id, [](Step& s) { s.attrs[2] = 16; });
  }
  refuse(10, [](Step& s) { s.attrs[4] = 2; });   // a wire that is not there
  refuse(10, [](Step& s) { s.attrs[5] = -3; });  // a top that is not there
  refuse(10, [](Step& s) { s.attrs[4] = INT64_MIN; });
  refuse(10, [](Step& s) { s.attrs[3] = 10; });  // too wide a digit
  refuse(10, [](Step& s) { s.attrs[10] = -3; });
  refuse(10, [](Step& s) { s.attrs[2] = 61; });  // a digit above bit 63
  for (const uint16_t id : {6, 21}) {
    const size_t groups = id == 6 ? 3 : 0;
    for (const int64_t count : {0, 1, 3, 7}) refuse(id, [=](Step& s) { s.attrs[groups] = count; });
  }
  refuse(6, [](Step& s) { s.ins[5].elements = s.ins[5].mid = s.ins[5].elements + 1; });
  refuse(6, [](Step& s) { s.ins[4].mid = s.ins[0].elements; });
  refuse(21, [](Step& s) { s.outs[0].elements++; });
  refuse(21, [](Step& s) { s.outs[0].layout = Layout::packed, s.outs[0].bits = 43; });
  refuse(11, [](Step& s) { s.attrs[1] = 3; });  // more wires than there are
  refuse(11, [](Step& s) { s.attrs[2] = 2; });
  refuse(11, [](Step& s) { s.attrs[0] = 3; });
  refuse(11, [](Step& s) { s.ins[2].planes = 4; });
  refuse(13, [](Step& s) { s.attrs[0] = 3; });
  refuse(13, [](Step& s) { s.attrs[1] = int64_t{1} << 35, s.attrs[3] = int64_t{1} << 35; });
  refuse(13, [](Step& s) { s.attrs[6] = 31; });
  refuse(13, [](Step& s) { s.attrs[6] = -30; });
  refuse(13, [](Step& s) { s.ins[0].mid = 3; });
  refuse(14, [](Step& s) { s.attrs[15] = 4; });
  refuse(14, [](Step& s) { s.attrs[13] = 5; });
  refuse(14, [](Step& s) { s.attrs[7] = 0; });
  refuse(14, [](Step& s) { s.attrs[4] = 8; });
  refuse(15, [](Step& s) { s.attrs[4] = 8; });  // base of the result
  refuse(15, [](Step& s) { s.attrs[8] = 2; });  // stride of the operand
  refuse(15, [](Step& s) { s.attrs[7] = INT64_MAX; });
  refuse(15, [](Step& s) { s.attrs[17] = -2; });
  refuse(16, [](Step& s) { s.attrs[9] = 7; });  // a window of padding only
  refuse(16, [](Step& s) { s.attrs[5] = 20; });
  refuse(17, [](Step& s) { s.attrs[1] = 6; });
  refuse(20, [](Step& s) { s.attrs[2] = 0; });
  refuse(20, [](Step& s) { s.attrs[2] = 65; });
  refuse(25, [](Step& s) { s.outs[0].planes = 5; });
  for (const uint16_t id : {26, 27}) {
    refuse(id, [](Step& s) { s.attrs[3] = 6; });  // a wire that is not there
    refuse(id, [](Step& s) { s.attrs[3] = -1; });
    refuse(id, [](Step& s) { s.attrs[2] = 9; });  // too many factors
    refuse(id, [](Step& s) { s.attrs[1] = 3; });  // more gates than there are
    refuse(id, [](Step& s) { s.attrs[0] = 2; });
    refuse(id, [](Step& s) { (s.ins.size() > 1 ? s.ins[2].planes : s.outs[0].planes) = 4; });
  }
}

TEST("whatever a check lets through stays inside of its operands") {
  Rng rng(50);
  const std::vector<Step> good = steps();
  const auto all = tables();
  size_t runs = 0;
  for (int t = 0; t < 60000; ++t) {
    Step step = good[rng.below(good.size())];
    for (uint64_t changes = 1 + rng.below(3); changes; --changes) mutate(rng, step);
    const KernelTable& table = *all[rng.below(all.size())];
    if (check(step, table)) continue;
    run(step, table);
    ++runs;
  }
  CHECK(runs > 1000);
}
