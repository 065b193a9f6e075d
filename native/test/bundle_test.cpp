// Bundles: what was written is read back and gives the same run; damaged ones are errors.
#include "../core/bundle.hpp"

#include <random>

#include "harness.hpp"
#include "plans.hpp"

namespace cryptorch {
namespace {

bool refused(std::span<const std::byte> bytes) {
  try {
    decode_bundle(bytes);
    return false;
  } catch (const Error& error) {
    return error.code == Code::bad_plan;
  }
}

}  // namespace

TEST("a bundle holds a whole run") {
  LocalConfig config = test::shared_triple(100);
  config.share_seed = test::seed(50);
  config.address = {3, 7};
  config.roles[0].integers = {1};
  const auto bytes = encode_bundle(config);
  LocalConfig read = decode_bundle(bytes);
  CHECK(read.address.epoch == 3 && read.address.run == 7 && read.share_seed == config.share_seed);
  CHECK(read.roles.size() == 3 && read.roles[1].plan == config.roles[1].plan);
  CHECK(read.roles[2].keys == config.roles[2].keys &&
        read.roles[0].inputs[0].data == config.roles[0].inputs[0].data);
  CHECK(encode_bundle(read) == bytes);
  const auto one = LocalRun(std::move(config)).run(), other = LocalRun(std::move(read)).run();
  CHECK(one.roles[0].outputs[1].data == other.roles[0].outputs[1].data && one.roles[0].outputs[1].integers);
}

TEST("damaged bundles are refused") {
  const auto good = encode_bundle(test::triple(3));
  CHECK(!refused(good));
  for (size_t length = 0; length < good.size(); length += 4) CHECK(refused(std::span(good).first(length)));
  auto longer = good;
  longer.resize(good.size() + 8);
  CHECK(refused(longer));
  std::mt19937 random(2);
  for (int i = 0; i < 5000; ++i) {
    auto mutant = good;
    for (int changes = 0; changes < 3; ++changes) {
      const size_t word = random() % (mutant.size() / 8);
      store_little(mutant.data() + 8 * word, uint64_t{random()} << (random() % 40));
    }
    refused(mutant);  // either way, without a crash
  }
}

}  // namespace cryptorch
