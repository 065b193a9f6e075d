// The Node-API surface of the native core, for lib/native.ts and lib/native-endpoint.ts only. Thin: arguments
// in, one call of the core, results out. There is no state outside of a call or a run, so worker threads can
// load the addon too.
#include "addon.hpp"

#include "addon_convert.hpp"
#include "core/arena.hpp"
#include "core/net/tls.hpp"
#include "cpu/dispatch.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace cryptorch {
namespace {

Napi::Value info(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    const Napi::Env env = call.Env();
    const KernelTable& active = table_of(env.Undefined());
    Napi::Object out = Napi::Object::New(env);
    out.Set("isa", active.isa);
    const KernelTable* tables[kMostTables];
    const size_t count = kernel_tables(tables, std::size(tables));
    Napi::Array available = Napi::Array::New(env, count);
    for (uint32_t i = 0; i < count; ++i) available.Set(i, tables[i]->isa);
    out.Set("available", available);
    Napi::Object kernels = Napi::Object::New(env);
    for (size_t i = 0; i < active.count; ++i) kernels.Set(active.kernels[i].name, active.kernels[i].id);
    out.Set("kernels", kernels);
    out.Set("napi", Napi::VersionManagement::GetNapiVersion(env));
    out.Set("openssl", openssl_version());
    const LiveMemory live = live_memory();
    Napi::Object memory = Napi::Object::New(env);
    memory.Set("regions", static_cast<double>(live.regions));
    memory.Set("bytes", static_cast<double>(live.bytes));
    out.Set("memory", memory);
    return out;
  });
}

// Whether this runtime's OpenSSL is the right one is settled when the addon is loaded, before anything can
// call it. Loading itself succeeds even so: local runs, and roles on loopback without certificates, need no
// TLS, and every function of OpenSSL is looked up by the linker only when it is called. What needs TLS asks
// first.
Napi::Value require_tls(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    require_openssl();
    return call.Env().Undefined();
  });
}

// Detaches the memory of typed arrays, which frees it at once instead of when their garbage is collected, and
// gives free memory of the heap back to the system.
Napi::Value release(const Napi::CallbackInfo& call) {
  return guarded(call, [&]() -> Napi::Value {
    for (size_t i = 0; i < call.Length(); ++i) {
      const std::span<std::byte> bytes = bytes_of(call[i], "what is released");
      wipe(bytes.data(), bytes.size());
      Napi::ArrayBuffer buffer = call[i].As<Napi::TypedArray>().ArrayBuffer();
      if (!buffer.IsDetached()) buffer.Detach();
    }
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    return call.Env().Undefined();
  });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("version", CT_VERSION);
  exports.Set("release", Napi::Function::New(env, release, "release"));
  exports.Set("info", Napi::Function::New(env, info, "info"));
  exports.Set("requireTls", Napi::Function::New(env, require_tls, "requireTls"));
  try {
    require_openssl();
  } catch (const Error&) {
    // Told to whoever wants TLS.
  }
  export_run(env, exports);
  export_ring(env, exports);
  export_invoke(env, exports);
  export_endpoint(env, exports);
  return exports;
}

}  // namespace
}  // namespace cryptorch

static Napi::Object init_addon(Napi::Env env, Napi::Object exports) { return cryptorch::init(env, exports); }

NODE_API_MODULE(NODE_GYP_MODULE_NAME, init_addon)
