#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "../cpu/aes_portable.hpp"
#include "../cpu/dispatch.hpp"
#include "kernel_test.hpp"

namespace cryptorch::test {

uint64_t Rng::next() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

uint64_t Rng::value(uint32_t bits) {
  static const uint64_t kEdges[] = {
      0, 1, ~uint64_t{0}, uint64_t{1} << 63, (uint64_t{1} << 63) - 1, uint64_t{1} << 62, 0xFFFFFFFF};
  const uint64_t choice = below(4);
  const uint64_t any = choice ? next() : kEdges[below(sizeof(kEdges) / sizeof(kEdges[0]))];
  return any & low_mask(bits);
}

const std::vector<Form>& forms() {
  using Memory = Form::Memory;
  static const std::vector<Form> all = {
      {Memory::ring, 0, false},   {Memory::none, 0, false},  {Memory::packed, 0, false},
      {Memory::none, 1, false},   {Memory::none, 3, false},  {Memory::none, 1, true},
      {Memory::ring, 2, false},   {Memory::packed, 1, true}, {Memory::ring, 0, true},
      {Memory::packed, 2, false}, {Memory::none, 0, true}};
  return all;
}

Streams::Streams(Rng& rng, uint32_t count) {
  keys.resize(count);
  for (Key& key : keys) {
    uint8_t seed[16];
    for (uint8_t& byte : seed) byte = static_cast<uint8_t>(rng.next());
    expand_key(seed, &key);
    prgs.push_back({&key, rng.next(), rng.below(1 << 20) << 40, rng.below(2) ? 1 : -1});
  }
}

// Portable AES is slow: the last block is remembered.
static uint64_t stream_word(const Prg& prg, uint64_t word) {
  static uint64_t address[2], block[2];
  static Key key;
  const uint64_t wanted[2] = {prg.base | word / 2, prg.hi};
  if (std::memcmp(address, wanted, sizeof(wanted)) || std::memcmp(&key, prg.key, sizeof(key))) {
    std::memcpy(address, wanted, sizeof(wanted));
    std::memcpy(block, wanted, sizeof(wanted));
    key = *prg.key;
    aes_portable(key, block);
  }
  return block[word % 2];
}

uint64_t stream_element(const Prg& prg, uint32_t bits, uint64_t index) {
  const uint32_t bytes = bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
  const uint64_t byte = index * bytes;
  return stream_word(prg, byte / 8) >> (byte % 8 * 8) & low_mask(bits);
}

bool stream_bit(const Prg& prg, uint32_t planes, uint64_t element, uint32_t plane) {
  const uint64_t block = element / kBlock, inside = element % kBlock;
  return stream_word(prg, (block * planes + plane) * 8 + inside / 64) >> (inside % 64) & 1;
}

uint64_t packed_element(const uint64_t* words, uint32_t bits, uint64_t index) {
  uint64_t value = 0;
  for (uint32_t b = 0; b < bits; ++b) {
    const uint64_t at = index * bits + b;
    value |= (words[at / 64] >> (at % 64) & 1) << b;
  }
  return value;
}

Words packed(const Words& values, uint32_t bits) {
  Words words((values.size() * bits + 63) / 64);
  for (size_t i = 0; i < values.size(); ++i) {
    for (uint32_t b = 0; b < bits; ++b)
      words[(i * bits + b) / 64] |= (values[i] >> b & 1) << ((i * bits + b) % 64);
  }
  return words;
}

uint64_t plane_word(uint64_t elements, uint32_t planes, uint64_t element, uint32_t plane) {
  const uint64_t block = element / kBlock, rest = elements - block * kBlock;
  const uint64_t words = rest >= kBlock ? 8 : (rest + 63) / 64;
  return block * planes * 8 + plane * words + element % kBlock / 64;
}

RingOperand::RingOperand(Rng& rng, uint64_t total, uint32_t bits, Form form, uint64_t inner, uint64_t mid)
    : inner_(inner), streams_(rng, form.streams) {
  build(rng, mid ? mid : total, bits, form, nullptr);
}

RingOperand::RingOperand(Rng& rng, const Words& values, uint32_t bits, Form form)
    : inner_(1), streams_(rng, form.streams) {
  build(rng, values.size(), bits, form, &values);
}

void RingOperand::build(Rng& rng, uint64_t elements, uint32_t bits, Form form, const Words* wanted) {
  const uint64_t mask = low_mask(bits);
  values_.assign(elements, 0);
  for (uint64_t i = 0; i < elements; ++i) {
    for (const Prg& prg : streams_.prgs)
      values_[i] += static_cast<uint64_t>(prg.sign) * stream_element(prg, bits, i);
  }
  const auto part = [&](bool last) {  // the last part makes the sum what is wanted
    Words part(elements);
    for (uint64_t i = 0; i < elements; ++i) {
      part[i] = (last && wanted ? (*wanted)[i] - values_[i] : rng.value(bits)) & mask;
      values_[i] += part[i];
    }
    return part;
  };
  if (form.memory != Form::Memory::none) {
    const Words values = part(!form.correction);
    if (form.memory == Form::Memory::packed) {
      memory_ = packed(values, bits);
    } else {
      memory_ = values;
      if (bits < 64) {
        for (uint64_t& word : memory_) word |= rng.next() & ~mask;  // unspecified bits
      }
    }
  }
  if (form.correction) correction_ = packed(part(true), bits);
  for (uint64_t& value : values_) value &= mask;
  source_.data = form.memory == Form::Memory::none ? nullptr : memory_.data();
  source_.layout = form.memory == Form::Memory::packed ? Layout::packed : Layout::ring;
  source_.bits = bits;
  source_.elements = elements;
  source_.inner = inner_;
  source_.mid = elements;
  source_.prg = streams_.prgs.data();
  source_.prgs = form.streams;
  source_.correction = form.correction ? correction_.data() : nullptr;
  if (values_.empty()) values_.push_back(0);
}

PlaneOperand::PlaneOperand(Rng& rng, uint64_t elements, uint32_t planes, Form form,
                           const std::vector<std::vector<bool>>* wanted)
    : streams_(rng, form.streams), bits_(planes, std::vector<bool>(elements)) {
  for (uint32_t k = 0; k < planes; ++k) {
    for (uint64_t i = 0; i < elements; ++i) {
      bool bit = false;
      for (const Prg& prg : streams_.prgs) bit ^= stream_bit(prg, planes, i, k);
      bits_[k][i] = bit;
    }
  }
  const auto part = [&](bool last) {
    Words words((elements + 63) / 64 * planes);
    for (uint64_t& word : words) word = rng.next();
    for (uint32_t k = 0; k < planes; ++k) {
      for (uint64_t i = 0; i < elements; ++i) {
        uint64_t& word = words[plane_word(elements, planes, i, k)];
        if (last && wanted) {
          const uint64_t bit = (*wanted)[k][i] != bits_[k][i];
          word = (word & ~(uint64_t{1} << (i % 64))) | bit << (i % 64);
        }
        bits_[k][i] = bits_[k][i] != ((word >> (i % 64) & 1) != 0);
      }
    }
    return words;
  };
  if (form.memory != Form::Memory::none) memory_ = part(!form.correction);
  if (form.correction) correction_ = part(true);
  source_.data = form.memory == Form::Memory::none ? nullptr : memory_.data();
  source_.layout = Layout::planes;
  source_.bits = 1;
  source_.planes = planes;
  source_.elements = source_.mid = elements;
  source_.inner = 1;
  source_.prg = streams_.prgs.data();
  source_.prgs = form.streams;
  source_.correction = form.correction ? correction_.data() : nullptr;
}

constexpr uint64_t kCanary = 0xA5C3F00DDEADBEEF;

Result::Result(Layout layout, uint32_t bits, uint32_t planes, uint64_t elements)
    : sink_{nullptr, layout, bits, planes, elements},
      words_(layout == Layout::ring     ? elements
             : layout == Layout::packed ? (elements * bits + 63) / 64
                                        : (elements + 63) / 64 * planes),
      memory_(words_ + 16) {
  clear();
  sink_.data = memory_.data() + 8;
}

void Result::clear() { memory_.assign(words_ + 16, kCanary); }

bool Result::intact() const {
  for (size_t i = 0; i < 8; ++i) {
    if (memory_[i] != kCanary || memory_[words_ + 8 + i] != kCanary) return false;
  }
  return true;
}

uint64_t Result::element(uint64_t i) const {
  const uint64_t* words = memory_.data() + 8;
  return sink_.layout == Layout::ring ? words[i] & low_mask(sink_.bits)
                                      : packed_element(words, sink_.bits, i);
}

bool Result::bit(uint32_t plane, uint64_t element) const {
  return memory_[8 + plane_word(sink_.elements, sink_.planes, element, plane)] >> (element % 64) & 1;
}

bool Result::padded() const {
  const uint64_t used = sink_.elements * sink_.bits % 64;
  return sink_.layout != Layout::packed || !used || !(memory_[7 + words_] >> used);
}

Result ring_result(uint64_t elements, uint32_t bits, Layout layout) {
  return Result(layout, bits, 0, elements);
}
Result plane_result(uint64_t elements, uint32_t planes) {
  return Result(Layout::planes, 1, planes, elements);
}

std::vector<const KernelTable*> tables() {
  const KernelTable* all[kMostTables];
  return {all, all + kernel_tables(all, kMostTables)};
}

const Kernel& kernel_of(const KernelTable& table, uint16_t id) {
  for (size_t i = 0; i < table.count; ++i) {
    if (table.kernels[i].id == id) return table.kernels[i];
  }
  std::abort();
}

const char* Invocation::check(const KernelTable& table) const {
  std::vector<Sink> sinks;
  for (const Result* out : outs) sinks.push_back(out->sink());
  const Args args = {ins.data(),
                     static_cast<uint32_t>(ins.size()),
                     sinks.data(),
                     static_cast<uint32_t>(sinks.size()),
                     attrs.data(),
                     static_cast<uint32_t>(attrs.size()),
                     lead,
                     0,
                     0};
  return kernel_of(table, id).check(args);
}

void Invocation::run(const std::function<void()>& verify) const {
  std::vector<Sink> sinks;
  for (Result* out : outs) sinks.push_back(out->sink());
  Args args = {ins.data(),
               static_cast<uint32_t>(ins.size()),
               sinks.data(),
               static_cast<uint32_t>(sinks.size()),
               attrs.data(),
               static_cast<uint32_t>(attrs.size()),
               lead,
               0,
               0};
  for (const KernelTable* table : tables()) {
    const Kernel& kernel = kernel_of(*table, id);
    if (const char* wrong = kernel.check(args)) {
      fail(kernel.name, id, wrong);
      return;
    }
    uint64_t grain = 0;
    const uint64_t units = kernel.units(args, &grain);
    if (!grain) fail(kernel.name, id, "no grain");
    if (grain % kBlock == 0) grain = kBlock;  // element-wise: any block
    const size_t bytes = (kernel.scratch(args) + 63) / 64 * 64;
    for (const uint64_t pieces : {uint64_t{1}, uint64_t{3}, uint64_t{1000}}) {
      for (Result* out : outs) out->clear();
      const uint64_t grains = (units + grain - 1) / grain;
      const uint64_t step = std::max<uint64_t>((grains + pieces - 1) / pieces, 1) * grain;
      for (uint64_t first = 0; first < units; first += step) {
        const std::unique_ptr<void, void (*)(void*)> scratch(std::aligned_alloc(64, bytes + 64), std::free);
        auto* tail = static_cast<uint64_t*>(scratch.get()) + bytes / 8;
        *tail = kCanary;
        args.first = first;
        args.count = std::min(step, units - first);
        kernel.run(args, scratch.get());
        if (*tail != kCanary) fail(kernel.name, id, "wrote behind its scratch memory");
      }
      for (const Result* out : outs) {
        if (!out->intact()) fail(table->isa, id, "wrote outside of a result");
        if (!out->padded()) fail(table->isa, id, "did not pad a result");
      }
      verify();
      if (pieces >= grains) break;
    }
  }
}

void expect_ring(const Invocation& invocation, const std::function<uint64_t(uint64_t)>& expected) {
  const Result& out = *invocation.outs[0];
  Words wanted(out.sink().elements);
  for (uint64_t i = 0; i < wanted.size(); ++i) wanted[i] = expected(i) & low_mask(out.sink().bits);
  invocation.run([&] {
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < wanted.size(); ++i) wrong += out.element(i) != wanted[i];
    CHECK(wrong == 0);
  });
}

const std::vector<uint64_t>& sizes() {
  static const std::vector<uint64_t> all = {0, 1, 7, 63, 64, 65, 200, 511, 512, 513, 1000, 1024, 2600};
  return all;
}

}  // namespace cryptorch::test
