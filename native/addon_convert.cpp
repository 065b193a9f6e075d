#include "addon_convert.hpp"

#include <cmath>

#include "core/kernel_choice.hpp"

namespace cryptorch {

Napi::Error to_js(Napi::Env env, const Error& error) {
  Napi::Error js = Napi::Error::New(env, error.message);
  js.Set("code", Napi::String::New(env, code_name(error.code)));
  Napi::Object details = Napi::Object::New(env);
  for (const Detail& detail : error.details) {
    if (const auto* number = std::get_if<int64_t>(&detail.value)) {
      details.Set(detail.key, Napi::Number::New(env, static_cast<double>(*number)));
    } else {
      details.Set(detail.key, Napi::String::New(env, std::get<std::string>(detail.value)));
    }
  }
  js.Set("details", details);
  return js;
}

void invalid(const std::string& what) { throw Error(Code::invalid_option, what); }

std::span<std::byte> bytes_of(const Napi::Value& value, const char* what) {
  if (!value.IsTypedArray()) invalid(std::string(what) + " is not a typed array");
  // Not through napi_get_arraybuffer_info, which refuses memory that is shared between threads.
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  const napi_status status =
      napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok) invalid(std::string(what) + " cannot be read");
  const size_t bytes = length * value.As<Napi::TypedArray>().ElementSize();
  if (!data || !bytes) return {};
  return {static_cast<std::byte*>(data), bytes};
}

std::span<uint64_t> words_of(const Napi::Value& value, const char* what) {
  const auto bytes = bytes_of(value, what);
  const napi_typedarray_type type = value.As<Napi::TypedArray>().TypedArrayType();
  if (type != napi_biguint64_array && type != napi_bigint64_array) {
    invalid(std::string(what) + " is not an array of 64-bit integers");
  }
  return {reinterpret_cast<uint64_t*>(bytes.data()), bytes.size() / 8};
}

Element element_of(const Napi::Value& value, const char* what) {
  if (!value.IsTypedArray()) invalid(std::string(what) + " is not a typed array");
  switch (value.As<Napi::TypedArray>().TypedArrayType()) {
    case napi_float32_array:
      return Element::f32;
    case napi_float64_array:
      return Element::f64;
    case napi_int32_array:
      return Element::i32;
    case napi_bigint64_array:
      return Element::i64;
    default:
      invalid(std::string(what) + " is none of Float32Array, Float64Array, Int32Array and BigInt64Array");
  }
}

uint64_t integer_of(const Napi::Value& value, const char* what, uint64_t most) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= static_cast<double>(most)) || number != std::floor(number)) {
    invalid(std::string(what) + " is not an integer from 0 to " + std::to_string(most));
  }
  return static_cast<uint64_t>(number);
}

double number_of(const Napi::Value& value, const char* what) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number < 1e300)) invalid(std::string(what) + " must be a number that is not negative");
  return number;
}

uint64_t integer_or(const Napi::Value& value, const char* what, uint64_t most, uint64_t missing) {
  return value.IsUndefined() ? missing : integer_of(value, what, most);
}

const KernelTable& table_of(const Napi::Value& isa) {
  return kernels_for(isa.IsString() ? isa.As<Napi::String>().Utf8Value() : "");
}

}  // namespace cryptorch
