// What the parts of the addon add to its exports.
#pragma once
#include <napi.h>

namespace cryptorch {

void export_run(Napi::Env env, Napi::Object exports);
void export_ring(Napi::Env env, Napi::Object exports);
void export_invoke(Napi::Env env, Napi::Object exports);
void export_endpoint(Napi::Env env, Napi::Object exports);

}  // namespace cryptorch
