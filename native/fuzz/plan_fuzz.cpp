// A plan from a file: it is refused, or everything in it lies where it may. Nothing is executed; what kernels
// do with a step that passed their check is tested by native/test/kernel_test_checks.cpp.
#include <vector>

#include "../core/layout.hpp"
#include "../core/plan.hpp"
#include "../cpu/dispatch.hpp"
#include "fuzz.hpp"

using namespace cryptorch;
using fuzz::require;

namespace {

void inside(const Plan& plan, const Ref& ref, uint64_t bytes) {
  if (ref.place == kNowhere) return;
  require(ref.place < kPlaces && ref.offset % 8 == 0, "a place");
  require(ref.offset <= plan.bytes[ref.place] && bytes <= plan.bytes[ref.place] - ref.offset, "a range");
}

void check(const Plan& plan) {
  for (const Operand& operand : plan.operands) {
    const Source& s = operand.source;
    inside(plan, operand.data, layout_bytes(s.layout, s.elements, s.bits, s.planes));
    require(operand.first_stream + uint64_t{s.prgs} <= plan.streams.size(), "streams of an operand");
  }
  for (const Stream& stream : plan.streams) require(stream.key < plan.keys, "a key");
  for (const Result& result : plan.results) {
    const Sink& s = result.sink;
    inside(plan, result.data, layout_bytes(s.layout, s.elements, s.bits, s.planes));
  }
  for (const Exchange& exchange : plan.exchanges) {
    require(exchange.peer <= plan.parties && exchange.peer != plan.role, "a peer");
    inside(plan, exchange.data, exchange.bytes);
    require(exchange.first_segment + uint64_t{exchange.segments} <= plan.segments.size(), "segments");
  }
  for (const IoStep& step : plan.io_steps) {
    require(step.io < plan.ios.size(), "an input or output");
    inside(plan, step.data, layout_bytes(Layout::ring, plan.ios[step.io].elements, 64, 0));
  }
  for (const KernelStep& step : plan.kernel_steps) {
    require(step.kernel && step.node < plan.nodes && step.grain, "a kernel step");
    require(step.first_operand + uint64_t{step.operands} <= plan.operands.size(), "operands");
    require(step.first_result + uint64_t{step.results} <= plan.results.size(), "results");
    require(step.first_attribute + uint64_t{step.attributes} <= plan.attributes.size(), "attributes");
  }
  for (const auto& steps : plan.phases) {
    for (const Step& step : steps) {
      const size_t bound = step.type == StepType::kernel ? plan.kernel_steps.size()
                           : step.type == StepType::send || step.type == StepType::receive
                               ? plan.exchanges.size()
                               : plan.io_steps.size();
      require(step.index < bound, "a step");
    }
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  return fuzz::mutate_words(data, size, most, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<int64_t> words(size / 8);
  if (!words.empty()) std::memcpy(words.data(), data, 8 * words.size());
  fuzz::accepts(Code::bad_plan, [&] { check(decode_plan(words, *kernel_table("baseline"))); });
  return 0;
}
