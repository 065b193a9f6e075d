#include "executor.hpp"

#include <algorithm>
#include <string>

namespace cryptorch {
namespace {

constexpr size_t kLine = 64;
constexpr uint16_t kLincomb = 1;
constexpr size_t kShareScratch = 1 << 16;  // what lincomb takes for any number of shares

// Inputs that arrive as shares have streams of their own: value = input << 8 | part.
constexpr uint32_t share_stream(uint32_t io, uint32_t part) { return io << 8 | part; }

struct Job {
  const Kernel* kernel;
  Args args;
  std::byte* scratch;
  size_t stride;
};

void run_range(void* context, uint64_t first, uint64_t count, size_t thread) {
  const Job& job = *static_cast<const Job*>(context);
  Args args = job.args;
  args.first = first;
  args.count = count;
  job.kernel->run(args, job.scratch + thread * job.stride);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

void Control::check() const {
  if (cancelled.load(std::memory_order_relaxed)) throw Error(Code::cancelled, "the run was cancelled");
  if (deadline != kNoDeadline && Clock::now() > deadline) throw Error(Code::timeout, "the run took too long");
}

Session::Session(std::span<const Plan> plans, const KernelTable& table, Arena& arena, Pool& pool)
    : plans_(plans), arena_(arena), pool_(pool) {
  if (plans.empty()) throw Error(Code::invalid_option, "a session without plans");
  uint64_t work = 0;
  size_t keys = 0, scratch = 0, operands = 1, results = 1, streams = 1;
  bool shared = false;
  for (const Plan& plan : plans) {
    if (plan.role != plans[0].role || plan.parties != plans[0].parties ||
        plan.bytes[kState] != plans[0].bytes[kState]) {
      throw Error(Code::bad_plan,
                  "the plans of a session differ in their role or in the size of their state");
    }
    work = std::max(work, plan.bytes[kWork]);
    keys = std::max<size_t>(keys, plan.keys);
    scratch = std::max(scratch, plan.scratch);
    operands = std::max<size_t>(operands, plan.most_operands);
    results = std::max<size_t>(results, plan.most_results);
    streams = std::max<size_t>({streams, plan.most_streams, plan.most_shares});
    shared |= plan.has_shared_inputs();
  }
  for (size_t i = 0; i < table.count; ++i) {
    if (table.kernels[i].id == kLincomb) lincomb_ = &table.kernels[i];
  }
  if (shared) scratch = std::max(scratch, kShareScratch);

  keys_ = arena.allocate((keys + 1) * sizeof(Key));
  key_set_.resize(keys + 1);
  state_ = arena.allocate(plans[0].bytes[kState]);
  work_ = arena.allocate(work);
  scratch_stride_ = (scratch + kLine - 1) / kLine * kLine;
  scratch_ = arena.allocate(scratch_stride_ * (pool.workers() + 1));
  sources_.resize(operands);
  sinks_.resize(results);
  prgs_.resize(streams);
}

void Session::set_key(uint32_t index, const Seed& seed) {
  if (index + size_t{1} >= key_set_.size()) throw Error(Code::invalid_option, "no such key");
  expand_key(seed.data(), key(index));
  key_set_[index] = true;
}

void Session::set_share_seed(const Seed& seed) {
  expand_key(seed.data(), key(key_set_.size() - 1));
  key_set_.back() = true;
}

void Session::check(const Plan& plan, Phase phase, RunAddress address, const Region& material, size_t inputs,
                    size_t outputs, const PhaseReport& report) const {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw Error(Code::invalid_option, what);
  };
  const bool mine = std::any_of(plans_.begin(), plans_.end(), [&](const Plan& own) { return &own == &plan; });
  require(mine, "a plan of another session");
  require(phase == Phase::setup || address.run, "runs are numbered from 1");
  require(!(address.epoch >> 24), "the epoch must be below 2^24");
  require(material.size() >= plan.bytes[kMaterial], "material of another plan");
  require(inputs >= plan.ios.size() && outputs >= plan.ios.size(), "inputs or outputs are missing");
  require(report.seconds.size() == plan.nodes && report.counters.bytes_sent.size() > plan.parties,
          "a report of another plan");
  require(!plan.has_shared_inputs() || key_set_.back(), "no seed for shared inputs");
  for (const uint32_t used : plan.used_keys) require(key_set_[used], "a key that the plan uses was not set");
}

void Session::run_phase(const Plan& plan, Phase phase, RunAddress address, Transport* transport,
                        Region& material, std::span<Input> inputs, std::span<const Output> outputs,
                        PhaseReport& report, Control& control) {
  check(plan, phase, address, material, inputs.size(), outputs.size(), report);
  base_ = {nullptr, state_.data(), material.data(), work_.data()};
  address_ = {address.epoch, phase == Phase::setup ? 0 : address.run};

  for (const Step& step : plan.phases[static_cast<size_t>(phase)]) {
    control.check();
    switch (step.type) {
      case StepType::kernel: {
        const KernelStep& item = plan.kernel_steps[step.index];
        const auto start = Clock::now();
        kernel(plan, item);
        report.seconds[item.node] += seconds_since(start);
        break;
      }
      case StepType::send:
      case StepType::receive:
        exchange(plan, step.type, plan.exchanges[step.index], transport, report, control);
        break;
      case StepType::input:
      case StepType::output:
      case StepType::share_input: {
        const IoStep& item = plan.io_steps[step.index];
        const Io& io = plan.ios[item.io];
        auto* memory = reinterpret_cast<uint64_t*>(at(item.data));
        if (step.type == StepType::output) {
          decode_output(io, item.io, memory, outputs[item.io], pool_);
        } else {
          encode_input(io, item.io, inputs[item.io], memory, pool_);
          if (inputs[item.io].own) discard(inputs[item.io]);
          if (item.parts > 1 && io.elements) share_input(item, io.elements);
        }
        break;
      }
    }
    control.steps.fetch_add(1, std::memory_order_relaxed);
  }
}

const Prg* Session::bind(const Stream* streams, uint32_t count, size_t* used) {
  Prg* first = prgs_.data() + *used;
  for (uint32_t i = 0; i < count; ++i) {
    const Stream& s = streams[i];
    const uint64_t run = s.fresh ? address_.run : 0;
    first[i] = {key(s.key), uint64_t{s.value} << 32 | run, address_.epoch << 40, s.sign};
  }
  *used += count;
  return first;
}

void Session::kernel(const Plan& plan, const KernelStep& step) {
  size_t used = 0;
  for (uint32_t i = 0; i < step.operands; ++i) {
    const Operand& operand = plan.operands[step.first_operand + i];
    Source& source = sources_[i];
    source = operand.source;
    source.data = at(operand.data);
    source.correction = at(operand.correction);
    source.prg = bind(plan.streams.data() + operand.first_stream, source.prgs, &used);
  }
  for (uint32_t i = 0; i < step.results; ++i) {
    const Result& result = plan.results[step.first_result + i];
    sinks_[i] = result.sink;
    sinks_[i].data = at(result.data);
  }
  const Args args = plan.args(step, sources_.data(), sinks_.data());
  execute(*step.kernel, args, step.units, step.grain);
}

void Session::execute(const Kernel& kernel, const Args& args, uint64_t units, uint64_t grain) {
  Job job{&kernel, args, scratch_.data(), scratch_stride_};
  pool_.run(units, grain, run_range, &job);
}

void Session::exchange(const Plan& plan, StepType type, const Exchange& exchange, Transport* transport,
                       PhaseReport& report, Control& control) {
  if (!transport) throw Error(Code::connection, "the plan exchanges frames, but there is no transport");
  const auto start = Clock::now();
  const std::span<const Segment> segments(plan.segments.data() + exchange.first_segment, exchange.segments);
  const std::span<std::byte> frame(at(exchange.data), exchange.bytes);
  if (type == StepType::send) {
    transport->send(exchange, segments, frame, report.counters);
  } else {
    transport->receive(exchange, segments, frame, report.counters, control.deadline);
  }
  const double seconds = seconds_since(start);
  for (const Segment& segment : segments) {
    const double part = exchange.bytes
                            ? static_cast<double>(segment.bytes) / static_cast<double>(exchange.bytes)
                            : 1.0 / exchange.segments;
    report.seconds[segment.node] += seconds * part;
  }
}

// The clear value v is in memory; part j > 0 is stream j, part 0 is v minus all of them.
void Session::share_input(const IoStep& step, uint64_t elements) {
  if (!lincomb_) throw Error(Code::internal, "no kernel to share an input with");
  uint32_t streams = 0;
  const auto add = [&](uint32_t part, int64_t sign) {
    const uint64_t value = share_stream(step.io, part);
    prgs_[streams++] = {key(key_set_.size() - 1), value << 32 | address_.run, address_.epoch << 40, sign};
  };
  if (step.part) {
    add(step.part, 1);
  } else {
    for (uint32_t part = 1; part < step.parts; ++part) add(part, -1);
  }
  void* memory = at(step.data);
  sources_[0] = {step.part ? nullptr : memory,
                 Layout::ring,
                 64,
                 0,
                 elements,
                 1,
                 elements,
                 prgs_.data(),
                 streams,
                 nullptr};
  sinks_[0] = {memory, Layout::ring, 64, 0, elements};
  static constexpr int64_t attributes[] = {0, 1};
  const Args args{sources_.data(), 1, sinks_.data(), 1, attributes, 2, 0, 0, 0};
  if (const char* wrong = lincomb_->check(args))
    throw Error(Code::internal, std::string("lincomb: ") + wrong);
  if (lincomb_->scratch(args) > scratch_stride_)
    throw Error(Code::internal, "lincomb needs more scratch memory");
  uint64_t grain = 1;
  const uint64_t units = lincomb_->units(args, &grain);
  execute(*lincomb_, args, units, grain);
}

}  // namespace cryptorch
