#include "role_session.hpp"

#include <algorithm>
#include <set>

#include "core/kernel_choice.hpp"
#include "core/state_file.hpp"

namespace cryptorch {
namespace {

std::vector<uint32_t> peers_of(const Plan& plan, Phase phase) {
  std::set<uint32_t> peers;
  for (const Step& step : plan.phases[static_cast<size_t>(phase)]) {
    if (step.type == StepType::send || step.type == StepType::receive) {
      peers.insert(plan.exchanges[step.index].peer);
    }
  }
  return {peers.begin(), peers.end()};
}

}  // namespace

RoleSession::RoleSession(std::shared_ptr<Endpoint> endpoint, const RoleConfig& config)
    : endpoint_(std::move(endpoint)) {
  const KernelTable& table = kernels_for(config.isa);
  if (config.plans.empty()) throw Error(Code::invalid_option, "a session without plans");
  for (const auto& words : config.plans) {
    const Plan& plan = plans_.emplace_back(decode_plan(words, table));
    if (plan.parties != endpoint_->parties() || plan.role != endpoint_->role()) {
      throw Error(Code::bad_plan, "a plan for another role than the endpoint's");
    }
    for (const Exchange& exchange : plan.exchanges) {
      if (exchange.bytes <= endpoint_->frame_bytes()) continue;
      throw Error(Code::invalid_option, "a plan with a frame of " + std::to_string(exchange.bytes) +
                                            " bytes, which is more than the endpoint accepts");
    }
  }
  arena_ = std::make_unique<Arena>(config.memory_limit);
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  pool_ = std::make_unique<Pool>((config.threads ? config.threads : cores) - 1);
  session_ = std::make_unique<Session>(plans_, table, *arena_, *pool_);
  for (uint32_t i = 0; i < config.keys.size(); ++i) session_->set_key(i, config.keys[i]);
}

RoleSession::~RoleSession() = default;

const Plan& RoleSession::plan_of(uint32_t program) const {
  if (program >= plans_.size()) throw Error(Code::invalid_option, "no such program");
  return plans_[program];
}

uint32_t RoleSession::keys() const {
  uint32_t keys = 0;
  for (const Plan& plan : plans_) keys = std::max(keys, plan.keys);
  return keys;
}

PhaseResult RoleSession::setup(PhaseCall&& call) {
  Region material = session_->new_material(plans_.front());
  return run(plans_.front(), Phase::setup, material, std::move(call));
}

PhaseResult RoleSession::offline(uint32_t program, PhaseCall&& call) {
  const Plan& plan = plan_of(program);
  Region material = session_->new_material(plan);
  PhaseResult result = run(plan, Phase::offline, material, std::move(call));
  if (!plan.is_dealer()) {
    result.material = next_material_++;
    materials_.emplace(result.material, Material{program, std::move(material)});
  }
  return result;
}

PhaseResult RoleSession::online(uint32_t program, int64_t handle, PhaseCall&& call) {
  const Plan& plan = plan_of(program);
  if (plan.is_dealer() && handle == -1) {
    Region none = session_->new_material(plan);
    return run(plan, Phase::online, none, std::move(call));
  }
  auto node = materials_.extract(handle);
  if (node.empty()) throw Error(Code::invalid_option, "no such material: it is used once only");
  Material material = std::move(node.mapped());
  if (material.program != program) throw Error(Code::invalid_option, "material of another program");
  return run(plan, Phase::online, material.region, std::move(call));
}

void RoleSession::drop_material(int64_t material) { materials_.erase(material); }

PhaseResult RoleSession::run(const Plan& plan, Phase phase, Region& material, PhaseCall&& call) {
  std::vector<Input> inputs(plan.ios.size());
  for (size_t i = 0; i < std::min(inputs.size(), call.inputs.size()); ++i) {
    LocalInput& input = call.inputs[i];
    if (input.type == Element::none) continue;
    const size_t elements = input.data.size() / element_bytes(input.type);
    inputs[i] = {input.type, input.data.data(), elements, &input.data};
  }
  PhaseResult result;
  std::vector<Output> outputs(plan.ios.size());
  result.outputs.resize(plan.ios.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!plan.ios[i].output || plan.ios[i].phase != phase) continue;
    LocalOutput& to = result.outputs[i];
    to.present = true;
    to.integers = std::find(call.integers.begin(), call.integers.end(), i) != call.integers.end();
    to.data.resize(plan.ios[i].elements);
    outputs[i] = {to.integers, to.data.data(), to.data.size()};
  }
  result.report = session_->new_report(plan);

  const auto start = Clock::now();
  Control control;
  control.deadline = start + call.timeout;
  {
    const std::lock_guard lock(mutex_);
    waiter_.cancelled = false;
    waiter_.wakeup.clear();
    running_ = &control;
    const uint32_t run = phase == Phase::setup ? 0 : call.address.run;
    running_phase_ = {phase, run, 0, plan.phases[static_cast<size_t>(phase)].size()};
  }
  struct Over {
    RoleSession& self;
    ~Over() {
      const std::lock_guard lock(self.mutex_);
      self.running_ = nullptr;
    }
  } const over{*this};

  if (call.cancelled && *call.cancelled) throw Error(Code::cancelled, "the run was cancelled");
  PhaseLinks links(*endpoint_, peers_of(plan, phase), waiter_, control.deadline);
  Transport transport(links.links());
  try {
    session_->run_phase(plan, phase, call.address, &transport, material, inputs, outputs, result.report,
                        control);
  } catch (const Error& error) {
    links.broken_by(error);
    throw;
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

void RoleSession::cancel() {
  const std::lock_guard lock(mutex_);
  if (!running_) return;
  running_->cancelled = true;
  waiter_.cancel();
}

std::optional<PhaseProgress> RoleSession::progress() {
  const std::lock_guard lock(mutex_);
  if (!running_) return std::nullopt;
  PhaseProgress progress = running_phase_;
  progress.steps = running_->steps.load(std::memory_order_relaxed);
  return progress;
}

void RoleSession::save(const std::string& path, std::span<const std::byte> header) {
  save_state(path, header, session_->state());
}

std::vector<std::byte> RoleSession::load(const std::string& path) {
  return load_state(path, session_->state());
}

}  // namespace cryptorch
