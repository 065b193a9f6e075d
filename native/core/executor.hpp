// Runs one role: the steps of its plans in order, kernels spread over a pool, frames over a transport. All
// memory is taken when the session is made; a phase allocates nothing.
//
// A session serves the plans of one role over one state (a program per batch size, say), one phase at a time.
// Material is a region of its own, handed to every phase, so that material for several runs can be prepared
// ahead.
#pragma once
#include <array>
#include <atomic>
#include <span>
#include <vector>

#include "arena.hpp"
#include "io.hpp"
#include "plan.hpp"
#include "pool.hpp"
#include "prg.hpp"
#include "transport.hpp"

namespace cryptorch {

using Seed = std::array<uint8_t, 16>;

// Which run a phase belongs to: part of the address of everything pseudo-random. Run 0 is the state itself;
// the same pair must never serve two runs of one deployment.
struct RunAddress {
  uint64_t epoch;  // below 2^24
  uint32_t run;
};

// What a run is told from outside, and what it tells.
struct Control {
  std::atomic<bool> cancelled{false};
  std::atomic<uint64_t> steps{0};  // done so far
  Deadline deadline = kNoDeadline;

  void check() const;  // throws Error(cancelled) or Error(timeout)
};

// What one phase of one run did.
struct PhaseReport {
  PhaseReport() = default;
  PhaseReport(size_t peers, size_t nodes) : counters(peers, nodes), seconds(nodes) {}

  Counters counters;
  std::vector<double> seconds;  // by node, waiting for its frames included
};

class Session {
 public:
  // The plans belong to one role and agree in the size of the state. Everything handed over must outlive the
  // session.
  Session(std::span<const Plan> plans, const KernelTable& table, Arena& arena, Pool& pool);

  // The role's seeds, in the order of its plans. A phase is refused while a key that its plan uses was never
  // set.
  void set_key(uint32_t index, const Seed& seed);
  // Expands the shares of inputs that arrive as shares.
  void set_share_seed(const Seed& seed);

  std::span<std::byte> state() const { return {state_.data(), state_.size()}; }
  Region new_material(const Plan& plan) { return arena_.allocate(plan.bytes[kMaterial]); }
  PhaseReport new_report(const Plan& plan) const { return PhaseReport(plan.parties + 1, plan.nodes); }

  // Inputs and outputs by their position in the plan's table; those of other phases are not looked at. The
  // transport may be null where the plan exchanges nothing.
  void run_phase(const Plan& plan, Phase phase, RunAddress address, Transport* transport, Region& material,
                 std::span<Input> inputs, std::span<const Output> outputs, PhaseReport& report,
                 Control& control);

 private:
  void check(const Plan& plan, Phase phase, RunAddress address, const Region& material, size_t inputs,
             size_t outputs, const PhaseReport& report) const;
  void kernel(const Plan& plan, const KernelStep& step);
  void exchange(const Plan& plan, StepType type, const Exchange& exchange, Transport* transport,
                PhaseReport& report, Control& control);
  void share_input(const IoStep& step, uint64_t elements);
  void execute(const Kernel& kernel, const Args& args, uint64_t units, uint64_t grain);
  std::byte* at(const Ref& ref) const {
    return ref.place == kNowhere ? nullptr : base_[ref.place] + ref.offset;
  }
  const Prg* bind(const Stream* streams, uint32_t count, size_t* used);
  Key* key(size_t index) const { return reinterpret_cast<Key*>(keys_.data()) + index; }

  std::span<const Plan> plans_;
  Arena& arena_;
  Pool& pool_;
  const Kernel* lincomb_ = nullptr;
  Region keys_, state_, work_, scratch_;
  std::vector<bool> key_set_;  // the last key is that of shared inputs
  size_t scratch_stride_ = 0;

  // Of the phase that runs.
  std::array<std::byte*, kPlaces> base_{};
  RunAddress address_{};
  std::vector<Source> sources_;
  std::vector<Sink> sinks_;
  std::vector<Prg> prgs_;
};

}  // namespace cryptorch
