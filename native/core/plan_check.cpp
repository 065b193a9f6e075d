#include "plan_check.hpp"

#include <algorithm>

namespace cryptorch {
namespace {

// An address that is never read: a multiple of 64, from a range of its region.
void* dummy(const Ref& ref) {
  if (ref.place == kNowhere) return nullptr;
  return reinterpret_cast<void*>((uintptr_t{ref.place} << 48 >> 1) + ref.offset);
}

}  // namespace

std::string KernelCheck::prepare(Plan& plan, KernelStep& step) {
  sources_.clear();
  sinks_.clear();
  prgs_.clear();
  for (uint32_t i = 0; i < step.operands; ++i) {
    const Operand& operand = plan.operands[step.first_operand + i];
    for (uint32_t j = 0; j < operand.source.prgs; ++j) {
      const Stream& stream = plan.streams[operand.first_stream + j];
      prgs_.push_back({reinterpret_cast<const Key*>(uintptr_t{64}), 0, 0, stream.sign});
    }
  }
  const Prg* prg = prgs_.data();
  for (uint32_t i = 0; i < step.operands; ++i) {
    const Operand& operand = plan.operands[step.first_operand + i];
    Source source = operand.source;
    source.data = dummy(operand.data);
    source.correction = dummy(operand.correction);
    source.prg = prg;
    prg += source.prgs;
    sources_.push_back(source);
  }
  for (uint32_t i = 0; i < step.results; ++i) {
    const Result& result = plan.results[step.first_result + i];
    Sink sink = result.sink;
    sink.data = dummy(result.data);
    sinks_.push_back(sink);
  }
  const Args args = plan.args(step, sources_.data(), sinks_.data());
  if (const char* wrong = step.kernel->check(args)) {
    return std::string("kernel ") + step.kernel->name + ": " + wrong;
  }
  step.grain = 1;
  step.units = step.kernel->units(args, &step.grain);
  if (!step.grain) step.grain = 1;
  plan.scratch = std::max(plan.scratch, step.kernel->scratch(args));
  return {};
}

}  // namespace cryptorch
