// One role's computations over an endpoint: the plans of its programs, which share one state, run phase by
// phase. Material that an offline phase made is kept here until the online phase of its run takes it, or it
// is dropped. All functions but cancel() and progress() are called by one thread at a time.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/executor.hpp"
#include "core/local.hpp"
#include "phase_links.hpp"

namespace cryptorch {

struct RoleConfig {
  std::vector<std::vector<int64_t>> plans;  // of one role, one per program
  std::vector<Seed> keys;                   // may be set later
  uint32_t threads = 0;                     // computing at the same time; 0: as many as there are cores
  uint64_t memory_limit = 0;                // bytes; 0: the memory of the machine
  std::string isa;                          // empty: the best this machine has
};

struct PhaseCall {
  RunAddress address{};
  std::vector<LocalInput> inputs;  // by position in the plan's table; may be shorter
  std::vector<uint32_t> integers;  // outputs wanted as integers instead of doubles
  std::chrono::milliseconds timeout{};
  std::shared_ptr<std::atomic<bool>> cancelled;  // the phase does not start once this is set
};

struct PhaseResult {
  PhaseReport report;
  double seconds = 0;
  int64_t material = -1;             // of an offline phase of a party
  std::vector<LocalOutput> outputs;  // by position in the plan's table
};

struct PhaseProgress {
  Phase phase;
  uint32_t run;        // 0 in setup
  uint64_t steps, of;  // done and in total
};

class RoleSession {
 public:
  // Throws Error(bad_plan), Error(invalid_option) or Error(out_of_memory).
  RoleSession(std::shared_ptr<Endpoint> endpoint, const RoleConfig& config);
  ~RoleSession();

  uint32_t keys() const;  // that the plans use
  void set_key(uint32_t index, const Seed& seed) { session_->set_key(index, seed); }

  // Inputs of a call are wiped and freed as they are taken over, because weights are large.
  PhaseResult setup(PhaseCall&& call);
  PhaseResult offline(uint32_t program, PhaseCall&& call);
  // The material is gone afterwards, however the phase ends. The dealer has none: -1.
  PhaseResult online(uint32_t program, int64_t material, PhaseCall&& call);
  void drop_material(int64_t material);

  // Ends the phase that runs with Error(cancelled). Any thread.
  void cancel();

  // How far the phase that runs is; none where none does. Any thread.
  std::optional<PhaseProgress> progress();

  void save(const std::string& path, std::span<const std::byte> header);
  std::vector<std::byte> load(const std::string& path);

 private:
  const Plan& plan_of(uint32_t program) const;
  PhaseResult run(const Plan& plan, Phase phase, Region& material, PhaseCall&& call);

  const std::shared_ptr<Endpoint> endpoint_;
  std::unique_ptr<Arena> arena_;
  std::unique_ptr<Pool> pool_;
  std::vector<Plan> plans_;
  std::unique_ptr<Session> session_;

  struct Material {
    uint32_t program;
    Region region;
  };
  std::map<int64_t, Material> materials_;
  int64_t next_material_ = 1;

  Waiter waiter_;
  std::mutex mutex_;
  Control* running_ = nullptr;
  PhaseProgress running_phase_{};
};

}  // namespace cryptorch
