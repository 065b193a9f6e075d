// Times of the element-wise kernels on one core, per instruction set: `kernel_bench [part of a name]`. Each
// line is the best of several runs. Products, and goals, are in bench/kernels.ts.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "../core/prg.hpp"
#include "../cpu/dispatch.hpp"

using namespace cryptorch;

namespace {

const char* filter = "";

struct Step {
  uint16_t id;
  std::vector<Source> ins;
  std::vector<Sink> outs;
  std::vector<int64_t> attrs;
};

// Processor time of this thread: others may be working too.
double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double seconds_of(const std::function<void()>& body) {
  std::vector<double> times;
  double total = 0;
  while (times.size() < 5 || (total < 0.2 && times.size() < 1000)) {
    const double start = now();
    body();
    times.push_back(now() - start);
    total += times.back();
  }
  return *std::min_element(times.begin(), times.end());
}

// `work` per second in `unit` (G...), or ns per unit of work.
void measure(const KernelTable& table, const std::string& name, const Step& step, double work, bool rate,
             const char* unit) {
  if (name.find(filter) == std::string::npos) return;
  std::vector<Sink> outs = step.outs;
  Args args = {step.ins.data(),
               static_cast<uint32_t>(step.ins.size()),
               outs.data(),
               static_cast<uint32_t>(outs.size()),
               step.attrs.data(),
               static_cast<uint32_t>(step.attrs.size()),
               1,
               0,
               0};
  for (size_t i = 0; i < table.count; ++i) {
    const Kernel& kernel = table.kernels[i];
    if (kernel.id != step.id) continue;
    if (const char* wrong = kernel.check(args)) {
      std::printf("%-44s %s\n", name.c_str(), wrong);
      return;
    }
    uint64_t grain = 1;
    args.count = kernel.units(args, &grain);
    std::vector<uint64_t> scratch(kernel.scratch(args) / 8 + 16);
    void* memory = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64);
    const double seconds = seconds_of([&] { kernel.run(args, memory); });
    std::printf("%-44s %-9s %9.3f %s\n", name.c_str(), table.isa,
                rate ? work / seconds / 1e9 : seconds / work * 1e9, unit);
  }
}

struct Memory {
  explicit Memory(uint64_t count) : words(count + 64) {
    uint64_t x = 1;
    for (uint64_t& word : words) word = x = x * 6364136223846793005 + 1442695040888963407;
  }
  Source ring(uint64_t n) const { return {words.data(), Layout::ring, 64, 0, n, 1, n, nullptr, 0, nullptr}; }
  Sink sink(uint64_t n) { return {words.data(), Layout::ring, 64, 0, n}; }
  std::vector<uint64_t> words;
};

void elementwise(const KernelTable& table) {
  const uint64_t n = 1 << 16;
  Key key;
  const uint8_t seed[16] = {1, 2, 3};
  expand_key(seed, &key);
  const Prg prgs[2] = {{&key, 1, 0, 1}, {&key, 2, 0, -1}};
  const Memory x(n), y(n), planes(64 * n);
  Memory out(n), more(64 * n), most(64 * n);
  const auto streams = [&](uint32_t bits, uint32_t count, const void* correction) {
    return Source{nullptr, Layout::ring, bits, 0, n, 1, n, prgs, count, correction};
  };
  const auto plane_streams = [&](uint32_t k, const void* correction = nullptr) {
    return Source{nullptr, Layout::planes, 1, k, n, 1, n, prgs, 1, correction};
  };
  const auto plane_memory = [&](uint32_t k) {
    return Source{planes.words.data(), Layout::planes, 1, k, n, 1, n, nullptr, 0, nullptr};
  };
  const auto plane_sink = [&](Memory& m, uint32_t k) {
    return Sink{m.words.data(), Layout::planes, 1, k, n};
  };
  const auto packed_source = [&](uint32_t bits) {
    return Source{x.words.data(), Layout::packed, bits, 0, n, 1, n, nullptr, 0, nullptr};
  };
  const auto packed_sink = [&](uint32_t bits) { return Sink{out.words.data(), Layout::packed, bits, 0, n}; };
  const double elements = static_cast<double>(n), bytes = 8 * elements;

  measure(table, "expansion of 64-bit elements", {1, {streams(64, 1, nullptr)}, {out.sink(n)}, {0, 1}}, bytes,
          true, "GB/s");
  measure(table, "expansion of planes", {2, {plane_streams(64)}, {plane_sink(more, 64)}, {0}}, bytes, true,
          "GB/s");
  measure(table, "expansion of 32-bit elements", {1, {streams(32, 1, nullptr)}, {out.sink(n)}, {0, 1}},
          elements, false, "ns/element");
  measure(table, "add", {1, {x.ring(n), y.ring(n)}, {out.sink(n)}, {0, 1, 1}}, elements, false, "ns/element");
  measure(table, "mask and pack 64 bits", {1, {x.ring(n), streams(64, 1, nullptr)}, {out.sink(n)}, {0, 1, 1}},
          elements, false, "ns/element");
  measure(table, "pack 43 bits", {1, {x.ring(n)}, {packed_sink(43)}, {0, 1}}, elements, false, "ns/element");
  measure(table, "unpack 43 bits", {1, {packed_source(43)}, {out.sink(n)}, {0, 1}}, elements, false,
          "ns/element");
  measure(table, "mulsum a b", {3, {x.ring(n), y.ring(n)}, {out.sink(n)}, {1, 1, 0}}, elements, false,
          "ns/element");
  measure(table, "truncate",
          {5,
           {x.ring(n), streams(64, 1, planes.words.data()), streams(16, 1, planes.words.data())},
           {out.sink(n)},
           {16, 1, 64}},
          elements, false, "ns/element");
  for (const uint32_t bits : {64u, 43u}) {
    for (const uint32_t groups : {1u, 2u, 3u, 4u}) {
      const uint64_t count = (3 * (uint64_t{1} << (groups - 1)) - 2) * n;
      Memory products(count);
      const std::string name =
          ", last gate of " + std::to_string(groups) + ", " + std::to_string(bits) + " bits";
      const auto dealt = [&](uint64_t elements, uint32_t width, bool corrected) {
        const void* correction = corrected ? products.words.data() : nullptr;
        return Source{nullptr, Layout::ring, width, 0, elements, 1, elements, prgs, 1, correction};
      };
      for (const bool corrected : {false, true}) {
        measure(table, (corrected ? "truncate_select, corrected" : "truncate_select") + name,
                {6,
                 {plane_memory(2 * groups - 1), x.ring(n), dealt(n, bits, corrected), dealt(n, 16, corrected),
                  dealt(count, bits, corrected), dealt(count, bits, corrected), dealt(count, 16, corrected)},
                 {out.sink(n)},
                 {16, 1, bits, groups, 0}},
                elements, false, "ns/element");
      }
      measure(table, "ring_monomials times a mask" + name,
              {21,
               {plane_streams(2 * groups - 1), x.ring(n)},
               {Sink{products.words.data(), Layout::ring, bits, 0, count}},
               {groups}},
              elements, false, "ns/element");
    }
  }
  for (const uint32_t degree : {2u, 4u}) {
    for (const bool repairs : {false, true}) {
      // Powers of the mask from a stream; times its top bit, in fewer bits.
      std::vector<Source> ins = {x.ring(n)};
      ins.insert(ins.end(), degree, streams(60, 1, nullptr));
      if (repairs) ins.insert(ins.end(), degree, streams(38, 1, nullptr));
      std::vector<int64_t> attrs = {8, 1 << 28, 30, degree};
      for (uint32_t k = 0; k <= degree; ++k) attrs.push_back(k + 3);
      measure(table, "polynomial of degree " + std::to_string(degree) + (repairs ? ", wrap repaired" : ""),
              {32, ins, {out.sink(n)}, attrs}, elements, false, "ns/element");
    }
  }
  for (const int64_t frequencies : {1, 6}) {
    std::vector<Source> ins = {x.ring(n)};
    std::vector<int64_t> attrs = {20, 1 << 20};
    for (int64_t k = 1; k <= frequencies; ++k) {
      for (int i = 0; i < 2; ++i) ins.push_back(streams(26, 1, nullptr));
      attrs.insert(attrs.end(), {k, 3000, -2000});
    }
    measure(table, "fourier of " + std::to_string(frequencies) + " frequencies",
            {56, ins, {out.sink(n)}, attrs}, elements, false, "ns/element");
  }
  measure(table, "wave", {55, {x.ring(n)}, {out.sink(n)}, {20, 12, 3, 1}}, elements, false, "ns/element");
  for (const int64_t degree : {0, 2}) {
    const int64_t cells = degree ? 5 : 8;
    const uint64_t few = 1 << 12, entries = static_cast<uint64_t>(degree + 1) << cells;
    Memory tables(few * entries);
    std::vector<int64_t> place = {20, cells, degree, 9, 7};
    place.resize(static_cast<size_t>(3 + degree));
    const std::string name = " of " + std::to_string(1 << cells) + " cells, degree " + std::to_string(degree);
    const Source rows = {
        nullptr, Layout::ring, 26, 0, few * entries, 1, few * entries, streams(26, 1, nullptr).prg,
        1,       nullptr};
    measure(table, "spline_select" + name, {41, {x.ring(few), rows}, {out.sink(few)}, place},
            static_cast<double>(few), false, "ns/element");
    place.push_back(4);
    for (uint64_t i = 0; i < entries; ++i) place.push_back(static_cast<int64_t>(i * 1000));
    measure(table, "spline_table" + name, {40, {x.ring(few)}, {tables.sink(few * entries)}, place},
            static_cast<double>(few), false, "ns/element");
  }
  measure(table, "select",
          {7,
           {plane_memory(1), x.ring(n), y.ring(n), streams(64, 1, planes.words.data()),
            streams(64, 1, planes.words.data())},
           {out.sink(n)},
           {0}},
          elements, false, "ns/element");
  for (const int64_t width : {4, 8, 9}) {
    const std::string name = std::to_string(width) + "-bit digits";
    std::vector<int64_t> digits = {0, 0};
    uint32_t count = 0, hot = 1;
    std::vector<int64_t> dealt = {0};
    for (int64_t low = 0; low < 63; low += width, ++count) {
      const int64_t bits = std::min<int64_t>(width, 63 - low);
      digits.insert(digits.end(),
                    {low, bits, static_cast<int64_t>(2 * count), static_cast<int64_t>(2 * count + 1)});
      dealt.insert(dealt.end(), {low, bits});
      hot += (1u << bits) - 1;
    }
    digits[1] = count;
    digits.push_back(63);
    dealt[0] = count;
    dealt.push_back(63);
    Memory hots(static_cast<uint64_t>(hot) * n / 64);
    measure(table, "digits, 2 streams, " + name,
            {9, {streams(64, 2, nullptr)}, {plane_sink(hots, hot)}, dealt}, elements, false, "ns/element");
    measure(table, "leaf from streams, " + name,
            {10,
             {x.ring(n), plane_streams(hot)},
             {plane_sink(more, 2 * count), plane_sink(most, 0), plane_sink(out, 1)},
             digits},
            elements, false, "ns/element");
    measure(table, "leaf from streams and correction, " + name,
            {10,
             {x.ring(n), plane_streams(hot, hots.words.data())},
             {plane_sink(more, 2 * count), plane_sink(most, 0), plane_sink(out, 1)},
             digits},
            elements, false, "ns/element");
  }
  // Four nodes of fan-in 4: the first level of a 64-bit comparison.
  const std::vector<int64_t> gates = {4, 4, 1, 0, 1, 4, 1, 2, 3, 4, 1, 4, 5, 4, 0, 6, 7};
  measure(table, "gate, 4 of fan-in 4",
          {11,
           {plane_memory(27), plane_streams(27), plane_streams(81), plane_memory(4)},
           {plane_sink(more, 8), plane_sink(most, 0)},
           gates},
          elements, false, "ns/element");
  measure(table, "monomials, 4 of fan-in 4",
          {12, {plane_streams(27)}, {plane_sink(more, 81)}, {4, 4, 1, 4, 1, 4, 1, 4, 0}}, elements, false,
          "ns/element");
  measure(table, "xor of planes, 2 streams",
          {2, {plane_memory(33), plane_streams(33)}, {plane_sink(more, 33)}, {0}}, elements, false,
          "ns/element");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) filter = argv[1];
  const KernelTable* tables[kMostTables];
  const size_t count = kernel_tables(tables, kMostTables);
  for (size_t i = 0; i < count; ++i) elementwise(*tables[i]);
}
