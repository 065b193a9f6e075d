// What a role gives to a computation and what it gets back, between JavaScript and the core.
#pragma once
#include <napi.h>

#include "core/local.hpp"

namespace cryptorch {

Seed seed_of(const Napi::Value& value);
std::vector<Seed> seeds_of(const Napi::Value& value);
std::vector<int64_t> plan_of(const Napi::Value& value);
// Copies; undefined stands for none.
std::vector<LocalInput> inputs_of(const Napi::Value& value);
// Positions of outputs that are wanted as integers.
std::vector<uint32_t> integers_of(const Napi::Value& value);

Napi::Object phase_to_js(Napi::Env env, const PhaseReport& phase);
Napi::Value output_to_js(Napi::Env env, const LocalOutput& output);

}  // namespace cryptorch
