// A RoleSession for JavaScript: a thread that does what it is asked to, one thing after the other, and
// settles a promise for each.
#pragma once
#include <napi.h>

#include <memory>

namespace cryptorch {

class Endpoint;

// {setKey, setup, offline, online, dropMaterial, cancel, saveState, loadState, close}
Napi::Object session_to_js(Napi::Env env, std::shared_ptr<Endpoint> endpoint, const Napi::Value& config);

}  // namespace cryptorch
