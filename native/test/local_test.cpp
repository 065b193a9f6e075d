// Whole runs of plans written by hand: results, counters, and every way in which a run can end early.
#include "../core/local.hpp"

#include <cstring>
#include <random>
#include <thread>

#include "harness.hpp"
#include "plans.hpp"

namespace cryptorch {
namespace {

bool is_triple(const LocalOutput& output, uint64_t elements) {
  if (!output.present || output.data.size() != elements) return false;
  for (uint64_t i = 0; i < elements; ++i) {
    double y = 0;
    std::memcpy(&y, &output.data[i], 8);
    if (y != 3 * test::triple_input(i)) return false;
  }
  return true;
}

Code code_of(LocalConfig config) {
  try {
    LocalRun(std::move(config)).run();
    return Code::internal;
  } catch (const Error& error) {
    return error.code;
  }
}

// A role whose online phase is these steps, with 64 bytes of work.
LocalRole role(int64_t id, std::vector<test::Words> online) {
  test::PlanSpec plan;
  plan.role = id;
  plan.work = 64;
  plan.online = std::move(online);
  return {encode(plan), {}, {}, {}};
}

}  // namespace

TEST("two parties and a dealer compute 3 x, for any size and number of threads") {
  for (const uint64_t elements : {1, 64, 511, 512, 513, 40000}) {
    for (const uint32_t threads : {0, 1, 4}) {
      LocalConfig config = test::triple(elements);
      config.threads = threads;
      const LocalResult result = LocalRun(std::move(config)).run();
      CHECK(result.roles.size() == 3 && is_triple(result.roles[0].outputs.at(1), elements));
      CHECK(result.seconds[0] >= 0 && result.seconds[1] > 0 && result.seconds[2] > 0);
    }
  }
}

TEST("bytes, rounds and memory of a run are counted") {
  const LocalResult result = LocalRun(test::triple(100)).run();
  const auto& of0 = result.roles[0].phases[2].counters;
  const auto& of1 = result.roles[1].phases[2].counters;
  const auto& dealer = result.roles[2].phases[1].counters;
  CHECK(of0.bytes_sent == std::vector<uint64_t>{0, 824, 0} && of0.clock == 2);
  CHECK(of1.bytes_sent == std::vector<uint64_t>{1648, 0, 0} && of1.clock == 1);
  CHECK(dealer.bytes_sent == std::vector<uint64_t>{0, 824, 0} &&
        result.roles[1].phases[1].counters.clock == 1);
  CHECK(of1.nodes[0].bytes == 800 && of1.nodes[1].bytes == 0 && of1.nodes[2].bytes == 800);
  CHECK(of0.nodes[2].exchanges == 1 && of0.nodes[2].bytes == 0);
  CHECK(result.roles[0].peak_bytes >= 6 * 832 && result.roles[0].peak_bytes < 6 * 832 + (1 << 20));
  CHECK(result.roles[0].role == 0 && result.roles[2].role == 2);
}

TEST("inputs can arrive as shares, and the cleartext role gives the same") {
  const LocalResult shared = LocalRun(test::shared_triple(1000)).run();
  CHECK(is_triple(shared.roles[0].outputs.at(1), 1000));
  const LocalResult clear = LocalRun(test::cleartext_triple(1000)).run();
  CHECK(is_triple(clear.roles[0].outputs.at(1), 1000) && clear.roles[0].role == 3);
}

TEST("outputs can be had as integers") {
  LocalConfig config = test::cleartext_triple(3);
  config.roles[0].integers = {1};
  const LocalResult result = LocalRun(std::move(config)).run();
  CHECK(result.roles[0].outputs[1].integers);
  CHECK(static_cast<int64_t>(result.roles[0].outputs[1].data[0]) == -60 * 65536);
}

TEST("the first failure of any role is the failure of the run") {
  LocalConfig config = test::triple(10);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::memcpy(config.roles[0].inputs[0].data.data() + 8 * 4, &nan, 8);
  try {
    LocalRun(std::move(config)).run();
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.code == Code::value_range);
    CHECK(error.details.back().key == "role" && std::get<int64_t>(error.details.back().value) == 0);
  }
}

TEST("plans that do not belong together are refused") {
  LocalConfig config = test::triple(10);
  config.roles[1] = config.roles[0];
  CHECK(code_of(config) == Code::bad_plan);  // two of one role
  config = test::triple(10);
  config.roles.pop_back();
  CHECK(code_of(config) == Code::bad_plan);  // nobody to receive from
  config = test::triple(10);
  config.roles[0].keys.pop_back();
  CHECK(code_of(config) == Code::invalid_option);
  config = test::triple(10);
  config.address.run = 0;
  CHECK(code_of(config) == Code::invalid_option);
  config = test::triple(10);
  config.roles[0].inputs.clear();
  CHECK(code_of(config) == Code::invalid_input);
  config = test::triple(10);
  config.roles[1] = test::triple(11).roles[1];
  CHECK(code_of(config) == Code::protocol);  // another number of elements
  config = test::triple(10);
  config.isa = "avx1024";
  CHECK(code_of(config) == Code::invalid_option);
  CHECK(code_of({}) == Code::invalid_option);
}

TEST("a run that needs more memory than allowed does not start") {
  LocalConfig config = test::triple(1000);
  config.memory_limit = 10000;
  try {
    LocalRun(std::move(config)).run();
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.code == Code::out_of_memory);
    CHECK(std::get<int64_t>(error.details.at(0).value) > 13 * 8000);
  }
}

// With the address sanitizer, regions are fenced: a kernel that leaves one is found.
TEST("mutants of plans give an error or a result, never more") {
  const LocalConfig good = test::triple(70);
  const int64_t values[] = {
      0, 1, -1, 2, 64, 65, 512, 4096, int64_t{1} << 32, int64_t{1} << 46, int64_t{1} << 62};
  std::mt19937 random(3);
  size_t results = 0, errors = 0;
  for (int i = 0; i < 1500; ++i) {
    LocalConfig config = good;
    test::Words& plan = config.roles[random() % 3].plan;
    int64_t& word = plan[random() % plan.size()];
    const uint64_t near = static_cast<uint64_t>(word) + random() % 9 - 4;
    word = random() % 2 ? values[random() % std::size(values)] : static_cast<int64_t>(near);
    config.memory_limit = 1 << 24;
    config.timeout_ms = 50;
    try {
      LocalRun(std::move(config)).run();
      ++results;
    } catch (const Error& error) {
      ++errors;
      CHECK(error.code != Code::internal);
    }
  }
  CHECK(results > 100 && errors > 500);
}

// Two parties that wait for each other.
TEST("a run that waits for ever ends at its deadline") {
  LocalConfig config;
  config.roles = {role(0, {test::frame(false, 1, 1, 3, 0, 8, 0)}),
                  role(1, {test::frame(false, 1, 0, 3, 0, 8, 0)})};
  config.timeout_ms = 30;
  const auto start = Clock::now();
  CHECK(code_of(config) == Code::timeout);
  CHECK(Clock::now() - start < std::chrono::seconds(5));
}

TEST("a run can be cancelled from another thread, at any time") {
  LocalConfig config;
  config.roles = {role(0, {test::frame(false, 1, 1, 3, 0, 8, 0)}),
                  role(1, {test::frame(false, 1, 0, 3, 0, 8, 0)})};
  for (const int delay : {0, 1, 20}) {
    LocalRun run(config);
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      run.cancel();
    });
    CHECK_ERROR(Code::cancelled, run.run());
    other.join();
    run.cancel();  // afterwards it does nothing
  }
  LocalRun early(config);
  early.cancel();
  CHECK_ERROR(Code::cancelled, early.run());
}

TEST("progress is reported while a run lasts") {
  LocalConfig config;
  config.roles = {role(0, {test::frame(false, 1, 1, 3, 0, 8, 0)}),
                  role(1, {test::frame(false, 1, 0, 3, 0, 8, 0)})};
  config.timeout_ms = 250;
  size_t reports = 0;
  LocalRun run(config);
  CHECK_ERROR(Code::timeout, run.run([&](const LocalProgress& progress) {
    ++reports;
    CHECK(progress.phase == Phase::online && progress.steps == 0 && progress.of == 2);
  }));
  CHECK(reports == 1);  // nothing changed after the first one
}

}  // namespace cryptorch
