#include "local.hpp"

#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "kernel_choice.hpp"

namespace cryptorch {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(100);
constexpr auto kPoll = std::chrono::microseconds(50);

Seed random_seed() {
  Seed seed;
  if (getentropy(seed.data(), seed.size())) throw Error(Code::internal, "no randomness from the system");
  return seed;
}

}  // namespace

struct LocalRun::State {
  explicit State(LocalConfig given) : config(std::move(given)) {}
  ~State() {
    for (LocalRole& role : config.roles) wipe(role.keys.data(), role.keys.size() * sizeof(Seed));
    if (config.share_seed) wipe(config.share_seed->data(), sizeof(Seed));
  }

  LocalConfig config;
  const KernelTable* table = nullptr;
  std::vector<Plan> plans;
  std::vector<std::unique_ptr<Link>> links;
  std::vector<std::vector<Link*>> links_of;  // by position of the role, then by peer
  std::unique_ptr<Pool> pool;
  LocalResult result;
  std::vector<std::unique_ptr<Control>> controls;
  Deadline deadline = kNoDeadline;

  std::mutex mutex;
  std::condition_variable changed;
  bool started = false, cancelled = false;
  std::optional<Error> failure;
  size_t arrived = 0, finished = 0;
  uint64_t barriers = 0;
  std::array<Clock::time_point, kPhases + 1> times{};

  void prepare();
  void connect();
  void play(size_t position);
  void run_role(size_t position);
  void fail(const Error& error);
  void barrier();
};

// Decodes the plans and takes what is shared between roles.
void LocalRun::State::prepare() {
  table = &kernels_for(config.isa);
  result.isa = table->isa;
  if (config.roles.empty()) throw Error(Code::invalid_option, "a run without roles");
  if (config.timeout_ms) deadline = Clock::now() + std::chrono::milliseconds(config.timeout_ms);

  std::set<uint32_t> roles;
  uint64_t bytes = 0;
  for (const LocalRole& role : config.roles) {
    plans.push_back(decode_plan(role.plan, *table));
    const Plan& plan = plans.back();
    if (plan.parties != plans.front().parties)
      throw Error(Code::bad_plan, "the plans differ in their parties");
    if (!roles.insert(plan.role).second) {
      throw Error(Code::bad_plan, "two plans for role " + std::to_string(plan.role));
    }
    if (plan.has_shared_inputs() && !config.share_seed) config.share_seed = random_seed();
    bytes += plan.total_bytes();
  }
  for (size_t i = 0; i < plans.size(); ++i) {
    const Plan& plan = plans[i];
    const size_t given = config.roles[i].keys.size();
    if (given != plan.keys) {
      throw Error(Code::invalid_option, "the plan of role " + std::to_string(plan.role) + " needs " +
                                            std::to_string(plan.keys) + " keys, " + std::to_string(given) +
                                            " were given");
    }
    for (const Exchange& exchange : plan.exchanges) {
      if (!roles.count(exchange.peer)) {
        throw Error(Code::bad_plan, "role " + std::to_string(plan.role) + " exchanges frames with role " +
                                        std::to_string(exchange.peer) + ", which has no plan");
      }
    }
  }
  require_memory(bytes, config.memory_limit);
  connect();

  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  const size_t threads = config.threads ? config.threads : cores;
  const size_t computing = std::min<size_t>(plans.front().parties, plans.size());  // the dealer works alone
  pool = std::make_unique<Pool>(threads > computing ? threads - computing : 0);
  result.roles.resize(plans.size());
  for (size_t i = 0; i < plans.size(); ++i) {
    controls.push_back(std::make_unique<Control>());
    controls.back()->deadline = deadline;
  }
}

void LocalRun::State::connect() {
  const size_t peers = plans.front().parties + 1;
  const bool idle_core = std::thread::hardware_concurrency() >= plans.front().parties;
  const auto poll = idle_core ? kPoll : std::chrono::microseconds(0);
  links_of.assign(plans.size(), std::vector<Link*>(peers));
  for (size_t a = 0; a < plans.size(); ++a) {
    for (size_t b = a + 1; b < plans.size(); ++b) {
      if (plans[a].is_cleartext() || plans[b].is_cleartext()) continue;
      auto [one, other] = memory_link(poll, config.network);
      links_of[a][plans[b].role] = one.get();
      links_of[b][plans[a].role] = other.get();
      links.push_back(std::move(one));
      links.push_back(std::move(other));
    }
  }
}

void LocalRun::State::fail(const Error& error) {
  {
    std::lock_guard lock(mutex);
    if (!failure) failure = error;
  }
  changed.notify_all();
  for (const auto& control : controls) control->cancelled = true;
  for (const auto& link : links) link->close();
}

// All roles meet here before and after each phase.
void LocalRun::State::barrier() {
  std::unique_lock lock(mutex);
  const uint64_t current = barriers;
  if (++arrived == plans.size()) {
    arrived = 0;
    times[std::min<size_t>(barriers++, kPhases)] = Clock::now();
    changed.notify_all();
  } else {
    const auto ready = [&] { return barriers != current || failure; };
    if (deadline == kNoDeadline) {
      changed.wait(lock, ready);
    } else if (!changed.wait_until(lock, deadline, ready)) {
      throw Error(Code::timeout, "the run took too long");
    }
  }
  if (failure) throw *failure;
}

void LocalRun::State::run_role(size_t position) {
  const LocalRole& role = config.roles[position];
  const Plan& plan = plans[position];
  LocalRoleResult& out = result.roles[position];
  Control& control = *controls[position];
  out.role = plan.role;

  std::vector<Input> inputs(plan.ios.size());
  for (size_t i = 0; i < std::min(inputs.size(), role.inputs.size()); ++i) {
    const LocalInput& input = role.inputs[i];
    if (input.type == Element::none) continue;
    inputs[i] = {input.type, input.data.data(), input.data.size() / element_bytes(input.type)};
  }
  std::vector<Output> outputs(plan.ios.size());
  out.outputs.resize(plan.ios.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!plan.ios[i].written) continue;
    LocalOutput& to = out.outputs[i];
    to.present = true;
    to.integers = std::find(role.integers.begin(), role.integers.end(), i) != role.integers.end();
    to.data.resize(plan.ios[i].elements);
    outputs[i] = {to.integers, to.data.data(), to.data.size()};
  }

  Arena arena(config.memory_limit);
  Transport transport(links_of[position]);
  Session session({&plan, 1}, *table, arena, *pool);
  for (uint32_t i = 0; i < role.keys.size(); ++i) session.set_key(i, role.keys[i]);
  if (config.share_seed) session.set_share_seed(*config.share_seed);
  Region material = session.new_material(plan);
  for (PhaseReport& report : out.phases) report = session.new_report(plan);

  for (size_t phase = 0; phase < kPhases; ++phase) {
    barrier();
    session.run_phase(plan, static_cast<Phase>(phase), config.address, &transport, material, inputs, outputs,
                      out.phases[phase], control);
  }
  barrier();
  out.peak_bytes = arena.peak();
}

void LocalRun::State::play(size_t position) {
  try {
    run_role(position);
  } catch (...) {
    Error error = current_error();
    error.details.push_back({"role", int64_t{plans[position].role}});
    fail(error);
  }
  {
    std::lock_guard lock(mutex);
    ++finished;
  }
  changed.notify_all();
}

LocalRun::LocalRun(LocalConfig config) : state_(std::make_unique<State>(std::move(config))) {}
LocalRun::~LocalRun() = default;

LocalResult LocalRun::run(const std::function<void(const LocalProgress&)>& progress) {
  State& s = *state_;
  s.prepare();
  {
    std::lock_guard lock(s.mutex);
    s.started = true;
    if (s.cancelled) throw Error(Code::cancelled, "the run was cancelled");
  }
  uint64_t of = 0;
  for (const Plan& plan : s.plans) {
    for (const auto& steps : plan.phases) of += steps.size();
  }

  std::vector<std::thread> threads;
  try {
    for (size_t i = 0; i < s.plans.size(); ++i) threads.emplace_back([&s, i] { s.play(i); });
  } catch (...) {
    s.fail(current_error());
  }
  {
    std::unique_lock lock(s.mutex);
    const auto over = [&] { return s.finished == threads.size(); };
    uint64_t reported = ~uint64_t{0};
    while (!s.changed.wait_for(lock, kProgressInterval, over)) {
      uint64_t steps = 0;
      for (const auto& control : s.controls) steps += control->steps.load(std::memory_order_relaxed);
      if (!progress || steps == reported) continue;
      reported = steps;
      const uint64_t phase = std::min<uint64_t>(s.barriers ? s.barriers - 1 : 0, kPhases - 1);
      lock.unlock();
      progress({static_cast<Phase>(phase), steps, of});
      lock.lock();
    }
  }
  for (std::thread& thread : threads) thread.join();
  if (s.failure) throw *s.failure;
  for (size_t phase = 0; phase < kPhases; ++phase) {
    s.result.seconds[phase] = std::chrono::duration<double>(s.times[phase + 1] - s.times[phase]).count();
  }
  return std::move(s.result);
}

void LocalRun::cancel() {
  State& s = *state_;
  {
    std::lock_guard lock(s.mutex);
    s.cancelled = true;
    if (!s.started) return;
  }
  s.fail(Error(Code::cancelled, "the run was cancelled"));
}

}  // namespace cryptorch
