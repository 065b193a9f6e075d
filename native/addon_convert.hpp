// Between JavaScript and the core: errors with a code and plain details, typed arrays as memory. Nothing here
// keeps a pointer into JavaScript memory beyond the call it is used in.
#pragma once
#include <napi.h>

#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/io.hpp"
#include "core/kernel.hpp"

namespace cryptorch {

// An Error object with code and details; lib/native.ts turns it into a CryptorchError.
Napi::Error to_js(Napi::Env env, const Error& error);

// Runs a function of the addon; whatever the core throws becomes a JavaScript exception.
template <typename Body>
Napi::Value guarded(const Napi::CallbackInfo& info, Body body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js(info.Env(), current_error());
  }
}

[[noreturn]] void invalid(const std::string& what);

// The bytes of a typed array.
std::span<std::byte> bytes_of(const Napi::Value& value, const char* what);

// The words of a BigUint64Array or BigInt64Array.
std::span<uint64_t> words_of(const Napi::Value& value, const char* what);

// The element type of a typed array that holds input numbers.
Element element_of(const Napi::Value& value, const char* what);

// A number that must be an integer in 0..most, or `missing` where the value is undefined.
uint64_t integer_of(const Napi::Value& value, const char* what, uint64_t most);
uint64_t integer_or(const Napi::Value& value, const char* what, uint64_t most, uint64_t missing);

// A finite number that is not negative.
double number_of(const Napi::Value& value, const char* what);

// The kernels of the instruction set that a value names; undefined stands for the best one.
const KernelTable& table_of(const Napi::Value& isa);

}  // namespace cryptorch
