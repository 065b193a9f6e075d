// Sessions: several plans over one state, material for several runs at once, keys that must be set, addresses
// that make every run's streams its own.
#include <array>

#include "../core/executor.hpp"
#include "../cpu/dispatch.hpp"
#include "harness.hpp"
#include "plans.hpp"

namespace cryptorch {
namespace {

using test::StreamSpec;
using test::Words;

// Setup writes w (8 integers) to the state; offline writes stream 5 of key 0 to the material; online gives w
// + material.
test::PlanSpec spec(int64_t elements) {
  test::PlanSpec plan;
  plan.role = 3;
  plan.state = plan.material = plan.work = 64;
  plan.keys = 1;
  plan.ios = {{0, 0, 8, 0, 40}, {1, 2, elements, 0, 64}};
  plan.setup = {{3, 0, 1, 0}};
  plan.offline = {test::lincomb(0, 0, {{{0, 0, {StreamSpec{0, 5}}, 0, 0}, 1}}, 2, 0, elements)};
  plan.online = {test::lincomb(0, 0, {{{1, 0, {}, 0, 0}, 1}, {{2, 0, {}, 0, 0}, 1}}, 3, 0, elements),
                 {4, 1, 3, 0}};
  return plan;
}

struct Bench {
  explicit Bench(const std::vector<test::PlanSpec>& specs) : table(*kernel_table(nullptr)), pool(1) {
    for (const test::PlanSpec& one : specs) plans.push_back(decode_plan(encode(one), table));
    session = std::make_unique<Session>(plans, table, arena, pool);
  }

  void phase(const Plan& plan, Phase which, RunAddress address, Region& material) {
    Input inputs[2] = {{Element::i64, weights.data(), weights.size()}, {}};
    const Output outputs[2] = {{}, {true, result.data(), plan.ios[1].elements}};
    PhaseReport report = session->new_report(plan);
    session->run_phase(plan, which, address, nullptr, material, inputs, outputs, report, control);
  }

  const KernelTable& table;
  Arena arena;
  Pool pool;
  Control control;
  std::vector<Plan> plans;
  std::unique_ptr<Session> session;
  std::array<int64_t, 8> weights{1, 2, 3, 4, 5, 6, 7, 8};
  std::array<int64_t, 8> result{};
};

}  // namespace

TEST("plans of one role share a state, and material is prepared ahead") {
  Bench bench({spec(8), spec(4)});
  bench.session->set_key(0, test::seed(1));
  const Plan &eight = bench.plans[0], &four = bench.plans[1];
  Region one = bench.session->new_material(eight), two = bench.session->new_material(eight),
         three = bench.session->new_material(four);
  bench.phase(eight, Phase::setup, {1, 0}, one);
  bench.phase(eight, Phase::offline, {1, 1}, one);
  bench.phase(eight, Phase::offline, {1, 2}, two);
  bench.phase(four, Phase::offline, {1, 2}, three);
  bench.phase(eight, Phase::online, {1, 1}, one);
  const auto first = bench.result;
  bench.phase(eight, Phase::online, {1, 2}, two);
  const auto second = bench.result;
  bench.result = {};
  bench.phase(four, Phase::online, {1, 2}, three);
  bool different = true, same = true;
  for (size_t i = 0; i < 8; ++i) different &= first[i] != second[i];
  for (size_t i = 0; i < 4; ++i) same &= bench.result[i] == second[i];
  CHECK(different && same && bench.result[4] == 0);

  // Another epoch, another key: other streams.
  bench.phase(eight, Phase::offline, {2, 1}, one);
  bench.phase(eight, Phase::online, {2, 1}, one);
  CHECK(bench.result[0] != first[0]);
  bench.session->set_key(0, test::seed(2));
  bench.phase(eight, Phase::offline, {1, 1}, one);
  bench.phase(eight, Phase::online, {1, 1}, one);
  CHECK(bench.result[0] != first[0]);
  bench.session->set_key(0, test::seed(1));
  bench.phase(eight, Phase::offline, {1, 1}, one);
  bench.phase(eight, Phase::online, {1, 1}, one);
  CHECK(bench.result == first);
}

TEST("the state can be saved and put back") {
  Bench bench({spec(8)});
  bench.session->set_key(0, test::seed(1));
  Region material = bench.session->new_material(bench.plans[0]);
  bench.phase(bench.plans[0], Phase::setup, {0, 0}, material);
  const auto state = bench.session->state();
  CHECK(state.size() == 64 && state[8] == std::byte{2});
  state[8] = std::byte{9};
  bench.phase(bench.plans[0], Phase::online, {0, 1}, material);  // material is zero
  CHECK(bench.result[0] == 1 && bench.result[1] == 9);
}

TEST("what a phase needs must be there") {
  test::PlanSpec large = spec(8);
  large.state = 128;
  CHECK_ERROR(Code::bad_plan, Bench({spec(8), large}));
  CHECK_ERROR(Code::invalid_option, Bench({}));
  Bench bench({spec(8)});
  const Plan& plan = bench.plans[0];
  Region material = bench.session->new_material(plan), none;
  CHECK_ERROR(Code::invalid_option, (bench.phase(plan, Phase::offline, {0, 1}, material), 0));  // no key
  CHECK_ERROR(Code::invalid_option, (bench.session->set_key(1, test::seed(1)), 0));
  bench.session->set_key(0, test::seed(1));
  CHECK_ERROR(Code::invalid_option, (bench.phase(plan, Phase::offline, {0, 0}, material), 0));
  CHECK_ERROR(Code::invalid_option, (bench.phase(plan, Phase::offline, {1 << 24, 1}, material), 0));
  CHECK_ERROR(Code::invalid_option, (bench.phase(plan, Phase::offline, {0, 1}, none), 0));
  const Plan copy = plan;
  CHECK_ERROR(Code::invalid_option, (bench.phase(copy, Phase::offline, {0, 1}, material), 0));
  bench.control.cancelled = true;
  CHECK_ERROR(Code::cancelled, (bench.phase(plan, Phase::offline, {0, 1}, material), 0));
}

}  // namespace cryptorch
