// All roles of a computation as threads of one process, joined by in-memory links: tests, demonstrations,
// tuning, and the reference for what the roles do on machines of their own. Setup, offline and online are
// separated by barriers, so that each has a time of its own. The first failure of any role closes all links
// and is the failure of the run.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "executor.hpp"
#include "memory_link.hpp"

namespace cryptorch {

struct LocalInput {
  Element type = Element::none;
  std::vector<std::byte> data;
};

struct LocalRole {
  std::vector<int64_t> plan;
  std::vector<Seed> keys;
  std::vector<LocalInput> inputs;  // by position in the plan's table; may be shorter
  std::vector<uint32_t> integers;  // outputs wanted as integers instead of doubles
};

struct LocalConfig {
  std::vector<LocalRole> roles;  // of one computation: parties and dealer, or the cleartext role alone
  std::optional<Seed> share_seed;
  RunAddress address{0, 1};
  uint32_t threads = 0;       // computing at the same time; 0: as many as there are cores
  uint64_t memory_limit = 0;  // bytes of all roles together; 0: the memory of the machine
  uint64_t timeout_ms = 0;    // of the whole run; 0: none
  std::string isa;            // empty: the best this machine has
  NetworkShape network;       // of every link
};

struct LocalOutput {
  bool present = false;  // the role computes it
  bool integers = false;
  std::vector<uint64_t> data;  // doubles or int64, bit by bit
};

struct LocalRoleResult {
  uint32_t role = 0;
  std::vector<LocalOutput> outputs;  // by position in the plan's table
  std::array<PhaseReport, kPhases> phases;
  uint64_t peak_bytes = 0;
};

struct LocalResult {
  std::string isa;
  std::array<double, kPhases> seconds{};
  std::vector<LocalRoleResult> roles;  // in the order of the configuration
};

struct LocalProgress {
  Phase phase;
  uint64_t steps, of;  // done and in total, over all roles and phases
};

class LocalRun {
 public:
  explicit LocalRun(LocalConfig config);
  ~LocalRun();

  // Blocks until the run is over; throws its Error. `progress` is called from this thread a few times a
  // second.
  LocalResult run(const std::function<void(const LocalProgress&)>& progress = nullptr);

  // May be called from any thread, at any time.
  void cancel();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cryptorch
