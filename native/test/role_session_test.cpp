// Roles on endpoints of their own compute a plan together: results as in one process, cancelling and lost
// peers at any moment.
#include "../core/net/role_session.hpp"

#include <cstring>

#include "harness.hpp"
#include "net_support.hpp"
#include "plans.hpp"

namespace cryptorch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const test::Certificates& authority() {
  static const test::Certificates certificates;
  return certificates;
}

// Two parties and a dealer, connected, with the plans of test::triple.
struct Trio {
  explicit Trio(uint64_t elements) : config(test::triple(elements)), elements(elements) {
    for (uint32_t role = 0; role < 3; ++role) {
      endpoints.push_back(
          std::make_shared<Endpoint>(test::endpoint_config(role, 2, &authority()), [](EndpointEvent) {}));
    }
    test::join(*endpoints[0], *endpoints[1]);
    test::join(*endpoints[2], *endpoints[0]);
    test::join(*endpoints[2], *endpoints[1]);
    for (uint32_t role = 0; role < 3; ++role) {
      const LocalRole& local = config.roles[role];
      sessions.push_back(
          std::make_unique<RoleSession>(endpoints[role], RoleConfig{{local.plan}, local.keys, 1, 0, ""}));
    }
  }

  PhaseCall call(uint32_t role, uint32_t run) const {
    return {{0, run}, config.roles[role].inputs, {}, seconds(20), nullptr};
  }

  // The phases of one role; what they fail with.
  std::optional<Error> play(uint32_t role, uint32_t run) {
    try {
      const int64_t material = sessions[role]->offline(0, call(role, run)).material;
      const PhaseResult result = sessions[role]->online(0, material, call(role, run));
      if (role == 0) output = result.outputs;
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  }

  // All roles at once; whether the result is right.
  bool run(uint32_t number) {
    std::vector<std::thread> threads;
    std::vector<std::optional<Error>> failures(3);
    for (uint32_t role = 0; role < 3; ++role) {
      threads.emplace_back([&, role] { failures[role] = play(role, number); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& failure : failures) {
      if (failure) throw *failure;
    }
    for (uint64_t i = 0; i < elements; ++i) {
      double y;
      std::memcpy(&y, &output[1].data[i], 8);
      if (y != 3 * test::triple_input(i)) return false;
    }
    return true;
  }

  LocalConfig config;
  uint64_t elements;
  std::vector<std::shared_ptr<Endpoint>> endpoints;
  std::vector<std::unique_ptr<RoleSession>> sessions;
  std::vector<LocalOutput> output;
};

}  // namespace

TEST("roles compute over their endpoints, run after run") {
  for (const uint64_t elements : {uint64_t{1}, uint64_t{1000}, uint64_t{300000}}) {
    Trio trio(elements);
    for (uint32_t run = 1; run <= 5; ++run) CHECK(trio.run(run));
  }
}

TEST("a phase can be cancelled from another thread at any moment") {
  for (int delay = 0; delay < 12; ++delay) {
    Trio trio(20000);
    std::optional<Error> failure;
    std::atomic<bool> over{false};
    std::thread computing([&] {
      failure = trio.play(0, 1);  // its peer never answers
      over = true;
    });
    std::this_thread::sleep_for(milliseconds(delay));
    const auto start = Clock::now();
    while (!over) {  // a phase that has not begun yet cannot be cancelled
      trio.sessions[0]->cancel();
      std::this_thread::sleep_for(milliseconds(1));
    }
    CHECK(Clock::now() - start < seconds(2));
    computing.join();
    CHECK(failure && failure->code == Code::cancelled);
  }
}

TEST("a role that is lost in the middle of a run fails the others, and a new one takes its place") {
  Trio trio(50000);
  CHECK(trio.run(1));
  for (int delay = 0; delay < 6; ++delay) {
    std::optional<Error> failure;
    std::thread computing([&] { failure = trio.play(0, 2); });
    std::this_thread::sleep_for(milliseconds(delay));
    trio.sessions[1].reset();
    trio.endpoints[1].reset();
    computing.join();
    CHECK(failure && failure->code == Code::connection);
    for (const uint32_t role : {0u, 2u}) {
      while (trio.endpoints[role]->connection(1)) std::this_thread::yield();
    }
    trio.endpoints[1] =
        std::make_shared<Endpoint>(test::endpoint_config(1, 2, &authority()), [](EndpointEvent) {});
    test::join(*trio.endpoints[0], *trio.endpoints[1]);
    test::join(*trio.endpoints[2], *trio.endpoints[1]);
    const LocalRole& local = trio.config.roles[1];
    trio.sessions[1] =
        std::make_unique<RoleSession>(trio.endpoints[1], RoleConfig{{local.plan}, local.keys, 1, 0, ""});
    CHECK(trio.run(3));
  }
}

}  // namespace cryptorch
