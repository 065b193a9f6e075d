#include "plan.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "error.hpp"
#include "layout.hpp"
#include "plan_check.hpp"
#include "plan_reader.hpp"

namespace cryptorch {
namespace {

constexpr int64_t kMagic = 0x314E414C50544343;  // "CCTPLAN1"
constexpr uint64_t kMostParties = 256;
constexpr uint64_t kMostNodes = uint64_t{1} << 20;
constexpr uint64_t kMostBytes = uint64_t{1} << 46;     // of a region
constexpr uint64_t kMostElements = uint64_t{1} << 46;  // of an operand
constexpr uint64_t kMostPlanes = uint64_t{1} << 20;

// Decodes one plan; what a kernel does with its operands is checked in plan_check.cpp.
class Decoder {
 public:
  Decoder(std::span<const int64_t> words, const KernelTable& table) : reader_(words), size_(words.size()) {
    for (size_t i = 0; i < table.count; ++i) {
      const Kernel& kernel = table.kernels[i];
      if (kernels_.size() <= kernel.id) kernels_.resize(kernel.id + 1u);
      kernels_[kernel.id] = &kernel;
    }
  }

  Plan decode() {
    if (reader_.word("the header") != kMagic) reader_.fail("does not start with CCTPLAN1");
    if (reader_.word("the version") != 1) reader_.fail("unknown version");
    plan_.parties = reader_.number32("parties", kMostParties);
    if (!plan_.parties) reader_.fail("no parties");
    plan_.role = reader_.number32("role", plan_.parties + 1);
    for (const Place place : {kState, kMaterial, kWork})
      plan_.bytes[place] = reader_.number("region size", kMostBytes);
    plan_.keys = reader_.number32("keys", kMostParties + 1);
    const size_t ios = reader_.number("inputs and outputs", size_);
    plan_.nodes = reader_.number32("nodes", kMostNodes);
    std::array<size_t, kPhases> steps;
    for (size_t& count : steps) count = reader_.number("steps", size_);

    for (size_t i = 0; i < ios; ++i) io();
    for (size_t phase = 0; phase < kPhases; ++phase) {
      seen_.clear();
      plan_.phases[phase].reserve(steps[phase]);
      for (size_t i = 0; i < steps[phase]; ++i) step(phase);
    }
    if (reader_.left()) reader_.fail("goes on after its last step");
    for (uint32_t key = 0; key < plan_.keys; ++key) {
      if (key_used_[key]) plan_.used_keys.push_back(key);
    }
    return std::move(plan_);
  }

 private:
  void io() {
    Io io{};
    io.output = reader_.number("kind of input or output", 1) == 1;
    io.phase = static_cast<Phase>(reader_.number("phase", kPhases - 1));
    io.elements = reader_.number("elements", kMostElements);
    const int64_t scale = reader_.word("scale");
    if (scale < -512 || scale > 512) reader_.fail("scale out of range");
    io.scale = static_cast<int32_t>(scale);
    io.bits = reader_.number32("bits", io.output ? 64 : 63);
    if (!io.bits) reader_.fail("an input or output of 0 bits");
    plan_.ios.push_back(io);
  }

  void step(size_t phase) {
    const size_t start = reader_.position();
    const size_t words = reader_.number("length of a step", reader_.left());
    if (words < 2) reader_.fail("a step of less than 2 words");
    const size_t end = reader_.end();
    reader_.set_end(start + words);
    const auto type = static_cast<StepType>(reader_.number("type of a step", 5));
    uint32_t index = 0;
    switch (type) {
      case StepType::kernel:
        index = kernel();
        break;
      case StepType::send:
      case StepType::receive:
        index = exchange();
        break;
      case StepType::input:
      case StepType::output:
      case StepType::share_input:
        index = io_step(type, static_cast<Phase>(phase));
        break;
    }
    if (reader_.left()) reader_.fail("a step is longer than its fields");
    reader_.set_end(end);
    plan_.phases[phase].push_back({type, index});
  }

  // `bytes` at an offset of a region, or nothing.
  Ref ref(uint64_t bytes, bool may_be_absent, const char* what) {
    Ref ref;
    ref.place = reader_.number32("region", kWork);
    ref.offset = reader_.number("offset", kMostBytes);
    if (ref.place == kNowhere) {
      if (!may_be_absent) reader_.fail(std::string("no region for ") + what);
      return ref;
    }
    if (ref.offset % 8) reader_.fail(std::string("misaligned ") + what);
    const uint64_t size = plan_.bytes[ref.place];
    if (ref.offset > size || bytes > size - ref.offset)
      reader_.fail(std::string(what) + " outside of its region");
    return ref;
  }

  void form(Layout& layout, uint32_t& bits, uint32_t& planes, uint64_t& elements) {
    layout = static_cast<Layout>(reader_.number("layout", 2));
    bits = reader_.number32("bits", 64);
    planes = reader_.number32("planes", kMostPlanes);
    elements = reader_.number("elements", kMostElements);
    if (!bits) reader_.fail("a value of 0 bits");
  }

  // The place of an operand comes before its form, but its size is known after it.
  void source() {
    const size_t start = reader_.position();
    reader_.take(2);
    Operand operand;
    Source& s = operand.source;
    s = {};
    form(s.layout, s.bits, s.planes, s.elements);
    s.inner = reader_.number("inner", kMostElements);
    s.mid = reader_.number("mid", kMostElements);
    if (s.elements && (!s.inner || !s.mid || s.mid > s.elements))
      reader_.fail("broadcast outside of the operand");
    const uint64_t bytes = layout_bytes(s.layout, s.elements, s.bits, s.planes);
    operand.data = again(start, bytes, "an operand");

    s.prgs = reader_.number32("streams", kMostParties + 1);
    operand.first_stream = static_cast<uint32_t>(plan_.streams.size());
    for (uint32_t i = 0; i < s.prgs; ++i) {
      Stream stream;
      if (!plan_.keys) reader_.fail("a stream without keys");
      stream.key = reader_.number32("key", plan_.keys - 1);
      key_used_[stream.key] = true;
      stream.fresh = reader_.number("fresh", 1) == 1;
      stream.value = reader_.number32("value");
      stream.sign = reader_.word("sign");
      if (stream.sign != 1 && stream.sign != -1) reader_.fail("sign is neither 1 nor -1");
      plan_.streams.push_back(stream);
    }
    const Layout layout = s.layout == Layout::planes ? Layout::planes : Layout::packed;
    const uint64_t correction = layout_bytes(layout, s.elements, s.bits, s.planes);
    operand.correction = ref(correction, true, "a correction");
    plan_.operands.push_back(operand);
  }

  void sink() {
    const size_t start = reader_.position();
    reader_.take(2);
    Result result;
    Sink& s = result.sink;
    s = {};
    form(s.layout, s.bits, s.planes, s.elements);
    result.data = again(start, layout_bytes(s.layout, s.elements, s.bits, s.planes), "a result");
    plan_.results.push_back(result);
  }

  // Reads the two words of a place that were skipped at `start`.
  Ref again(size_t start, uint64_t bytes, const char* what) {
    const PlanReader here = reader_;
    reader_.rewind(start);
    const Ref found = ref(bytes, true, what);
    reader_ = here;
    return found;
  }

  uint32_t node() {
    if (!plan_.nodes) reader_.fail("a step without nodes");
    return reader_.number32("node", plan_.nodes - 1);
  }

  uint32_t kernel() {
    KernelStep step;
    const size_t id = reader_.number("kernel", 0xFFFF);
    step.kernel = id < kernels_.size() ? kernels_[id] : nullptr;
    if (!step.kernel) reader_.fail("unknown kernel " + std::to_string(id));
    step.node = node();
    step.lead = reader_.number32("lead", 1);
    step.operands = reader_.number32("operands", reader_.left());
    step.results = reader_.number32("results", reader_.left());
    step.attributes = reader_.number32("attributes", reader_.left());
    step.first_operand = static_cast<uint32_t>(plan_.operands.size());
    step.first_result = static_cast<uint32_t>(plan_.results.size());
    step.first_attribute = static_cast<uint32_t>(plan_.attributes.size());
    const size_t first_stream = plan_.streams.size();
    for (uint32_t i = 0; i < step.operands; ++i) source();
    for (uint32_t i = 0; i < step.results; ++i) sink();
    const auto attributes = reader_.take(step.attributes);
    plan_.attributes.insert(plan_.attributes.end(), attributes.begin(), attributes.end());

    plan_.most_operands = std::max(plan_.most_operands, step.operands);
    plan_.most_results = std::max(plan_.most_results, step.results);
    plan_.most_streams =
        std::max(plan_.most_streams, static_cast<uint32_t>(plan_.streams.size() - first_stream));
    if (const std::string wrong = check_.prepare(plan_, step); !wrong.empty()) reader_.fail(wrong);
    plan_.kernel_steps.push_back(step);
    return static_cast<uint32_t>(plan_.kernel_steps.size() - 1);
  }

  uint32_t exchange() {
    if (plan_.is_cleartext()) reader_.fail("a cleartext plan that exchanges frames");
    Exchange exchange;
    exchange.id = reader_.number32("exchange");
    exchange.peer = reader_.number32("peer", plan_.parties);
    if (exchange.peer == plan_.role) reader_.fail("a frame to its own sender");
    const size_t start = reader_.position();
    reader_.take(2);
    exchange.bytes = reader_.number("bytes of a frame", kMostBytes);
    exchange.data = again(start, exchange.bytes, "a frame");
    if (exchange.data.place == kNowhere) reader_.fail("no region for a frame");
    exchange.segments = reader_.number32("segments", reader_.left() / 2);
    exchange.first_segment = static_cast<uint32_t>(plan_.segments.size());
    uint64_t left = exchange.bytes;
    for (uint32_t i = 0; i < exchange.segments; ++i) {
      Segment segment;
      segment.node = node();
      segment.bytes = reader_.number("bytes of a segment", left);
      const bool dealt = exchange.peer == plan_.parties;
      segment.first = !dealt && seen_.insert(uint64_t{exchange.id} << 32 | segment.node).second;
      left -= segment.bytes;
      plan_.segments.push_back(segment);
    }
    if (left) reader_.fail("the segments do not fill their frame");
    plan_.exchanges.push_back(exchange);
    return static_cast<uint32_t>(plan_.exchanges.size() - 1);
  }

  uint32_t io_step(StepType type, Phase phase) {
    IoStep step;
    if (plan_.ios.empty()) reader_.fail("a step without inputs and outputs");
    step.io = reader_.number32("input or output", plan_.ios.size() - 1);
    Io& io = plan_.ios[step.io];
    if (io.output != (type == StepType::output))
      reader_.fail("an input where an output belongs, or the reverse");
    if (io.phase != phase) reader_.fail("an input or output in a phase that is not its own");
    step.data = ref(layout_bytes(Layout::ring, io.elements, 64, 0), false, "an input or output");
    io.written = io.output;
    step.part = 0;
    step.parts = 1;
    if (type == StepType::share_input) {
      step.part = reader_.number32("part", kMostParties);
      step.parts = reader_.number32("parts", kMostParties);
      if (step.part >= step.parts) reader_.fail("part out of range");
      plan_.most_shares = std::max(plan_.most_shares, step.parts);
    }
    plan_.io_steps.push_back(step);
    return static_cast<uint32_t>(plan_.io_steps.size() - 1);
  }

  PlanReader reader_;
  size_t size_;
  Plan plan_;
  std::vector<const Kernel*> kernels_;
  std::unordered_set<uint64_t> seen_;  // exchange << 32 | node, of the current phase
  std::array<bool, kMostParties + 2> key_used_{};
  KernelCheck check_;
};

}  // namespace

const char* phase_name(Phase phase) {
  switch (phase) {
    case Phase::setup:
      return "setup";
    case Phase::offline:
      return "offline";
    case Phase::online:
      return "online";
  }
  return "";
}

bool Plan::has_peer(uint32_t peer) const {
  return std::any_of(exchanges.begin(), exchanges.end(), [&](const Exchange& e) { return e.peer == peer; });
}

Plan decode_plan(std::span<const int64_t> words, const KernelTable& table) {
  return Decoder(words, table).decode();
}

}  // namespace cryptorch
