#include "plans.hpp"

#include <cstring>

namespace cryptorch::test {
namespace {

constexpr int64_t kMagic = 0x314E414C50544343;

void append(Words& to, const Words& from) { to.insert(to.end(), from.begin(), from.end()); }

int64_t slot(int64_t index, int64_t elements) { return index * ((elements * 8 + 63) / 64 * 64); }

LocalInput doubles(uint64_t elements) {
  LocalInput input{Element::f64, std::vector<std::byte>(elements * 8)};
  for (uint64_t i = 0; i < elements; ++i) {
    const double x = triple_input(i);
    std::memcpy(input.data.data() + 8 * i, &x, 8);
  }
  return input;
}

OperandSpec stream(int64_t key, int64_t value) { return {0, 0, {{key, value}}, 0, 0}; }

// A party of `triple`; with `shared`, x arrives as shares at both.
PlanSpec party(int64_t role, int64_t elements, bool shared) {
  const int64_t bytes = elements * 8, peer = 1 - role;
  const auto at = [&](int64_t index) { return slot(index, elements); };
  const auto memory = [&](int64_t index) { return OperandSpec{3, at(index), {}, 0, 0}; };
  const int64_t r = 5, dealt = 6, zero = 7;
  PlanSpec plan;
  plan.role = role;
  plan.keys = 3;
  plan.nodes = 3;
  plan.material = role ? slot(1, elements) : 0;
  plan.work = at(6);
  if (role == 0 || shared) plan.ios.push_back({0, 2, elements, 16, 48});
  if (role == 0) plan.ios.push_back({1, 2, elements, 16, 64});
  if (role) plan.offline.push_back(frame(false, 1, 2, 2, 0, bytes, 1));

  std::vector<Term> masked{{stream(0, r), 1}};
  if (shared) {
    plan.online.push_back({5, 0, 3, at(0), role, 2});
    masked.push_back({memory(0), 1});
  } else if (role == 0) {
    plan.online.push_back({3, 0, 3, at(0)});
    masked.push_back({memory(0), 1});
  }
  plan.online.push_back(lincomb(0, 0, masked, 3, at(1), elements));
  plan.online.push_back(frame(true, 2, peer, 3, at(1), bytes, 0));
  plan.online.push_back(frame(false, 2, peer, 3, at(2), bytes, 0));
  plan.online.push_back(lincomb(0, 0, {{memory(1), 1}, {memory(2), 1}}, 3, at(3), elements));
  std::vector<Term> product{{stream(0, r), -1},
                            {role ? OperandSpec{2, 0, {}, 0, 0} : stream(0, dealt), -1},
                            {stream(1 + peer, zero), role ? -1 : 1}};
  if (role == 0) product.push_back({memory(3), 3});
  plan.online.push_back(lincomb(1, role == 0, product, 3, at(4), elements));
  if (role) {
    plan.online.push_back(frame(true, 3, 0, 3, at(4), bytes, 2));
  } else {
    plan.online.push_back(frame(false, 3, 1, 3, at(5), bytes, 2));
    plan.online.push_back(lincomb(2, 0, {{memory(4), 1}, {memory(5), 1}}, 3, at(5), elements));
    plan.online.push_back({4, 1, 3, at(5)});
  }
  return plan;
}

LocalConfig make(uint64_t elements, bool shared) {
  const auto count = static_cast<int64_t>(elements);
  PlanSpec dealer;
  dealer.role = 2;
  dealer.keys = 2;
  dealer.nodes = 3;
  dealer.work = slot(1, count);
  dealer.offline = {lincomb(1, 0, {{stream(0, 5), 2}, {stream(1, 5), 2}, {stream(0, 6), -1}}, 3, 0, count),
                    frame(true, 1, 1, 3, 0, count * 8, 1)};
  LocalConfig config;
  config.roles.resize(3);
  config.roles[0] = {encode(party(0, count, shared)), {seed(1), seed(0), seed(9)}, {doubles(elements)}, {}};
  config.roles[1] = {encode(party(1, count, shared)), {seed(2), seed(9), seed(0)}, {}, {}};
  if (shared) config.roles[1].inputs.push_back(doubles(elements));
  config.roles[2] = {encode(dealer), {seed(1), seed(2)}, {}, {}};
  return config;
}

}  // namespace

double triple_input(uint64_t i) { return static_cast<double>(i) / 16 - 20; }

Words encode(const PlanSpec& spec) {
  Words words{kMagic,    1,          spec.parties,
              spec.role, spec.state, spec.material,
              spec.work, spec.keys,  static_cast<int64_t>(spec.ios.size()),
              spec.nodes};
  for (const auto* steps : {&spec.setup, &spec.offline, &spec.online}) {
    words.push_back(static_cast<int64_t>(steps->size()));
  }
  for (const Words& io : spec.ios) append(words, io);
  for (const auto* steps : {&spec.setup, &spec.offline, &spec.online}) {
    for (const Words& step : *steps) {
      words.push_back(static_cast<int64_t>(step.size()) + 1);
      append(words, step);
    }
  }
  return words;
}

Words lincomb(int64_t node, int64_t lead, const std::vector<Term>& terms, int64_t region, int64_t offset,
              int64_t elements, int64_t constant) {
  const auto count = static_cast<int64_t>(terms.size());
  Words words{0, 1, node, lead, count, 1, count + 1};
  for (const Term& term : terms) {
    const OperandSpec& o = term.operand;
    append(words,
           {o.region, o.offset, 0, 64, 0, elements, 1, elements, static_cast<int64_t>(o.streams.size())});
    for (const StreamSpec& s : o.streams) append(words, {s.key, s.fresh, s.value, s.sign});
    append(words, {o.correction_region, o.correction_offset});
  }
  append(words, {region, offset, 0, 64, 0, elements, constant});
  for (const Term& term : terms) words.push_back(term.coefficient);
  return words;
}

Words frame(bool send, int64_t exchange, int64_t peer, int64_t region, int64_t offset, int64_t bytes,
            int64_t node) {
  return {send ? 1 : 2, exchange, peer, region, offset, bytes, 1, node, bytes};
}

Seed seed(uint8_t id) {
  Seed seed;
  for (size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<uint8_t>(id * 41 + i * 7);
  return seed;
}

LocalConfig triple(uint64_t elements) { return make(elements, false); }
LocalConfig shared_triple(uint64_t elements) { return make(elements, true); }

LocalConfig cleartext_triple(uint64_t elements) {
  const auto count = static_cast<int64_t>(elements);
  PlanSpec plan;
  plan.role = 3;
  plan.work = slot(1, count);
  plan.ios = {{0, 2, count, 16, 48}, {1, 2, count, 16, 64}};
  plan.online = {{3, 0, 3, 0}, lincomb(0, 1, {{{3, 0, {}, 0, 0}, 3}}, 3, 0, count), {4, 1, 3, 0}};
  LocalConfig config;
  config.roles.push_back({encode(plan), {}, {doubles(elements)}, {}});
  return config;
}

}  // namespace cryptorch::test
