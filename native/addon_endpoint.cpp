// endpoint(config, onEvent) -> {listen, connect, send, disconnect, session, close}: one role's place in the
// network. Events and the ends of promises come to the JavaScript thread through a thread-safe function. An
// endpoint that is still open when its environment ends is closed and joined.
#include <cstring>
#include <memory>

#include "addon.hpp"
#include "addon_convert.hpp"
#include "addon_session.hpp"
#include "core/arena.hpp"
#include "core/net/endpoint.hpp"

namespace cryptorch {
namespace {

constexpr uint64_t kMostSafe = (uint64_t{1} << 53) - 1;

std::string string_of(const Napi::Value& value, const char* what) {
  if (!value.IsString()) invalid(std::string(what) + " is not a string");
  return value.As<Napi::String>().Utf8Value();
}

EndpointConfig config_of(const Napi::Value& value) {
  if (!value.IsObject()) invalid("the configuration is not an object");
  const auto given = value.As<Napi::Object>();
  EndpointConfig config;
  config.parties = static_cast<uint32_t>(integer_of(given.Get("parties"), "parties", 256));
  config.role = static_cast<uint32_t>(integer_of(given.Get("role"), "role", 256));
  config.deployment = string_of(given.Get("deployment"), "deployment");
  config.frame_bytes = integer_of(given.Get("maxFrameBytes"), "maxFrameBytes", kMostSafe);
  config.control_bytes = integer_of(given.Get("maxControlBytes"), "maxControlBytes", 64 << 20);
  config.queue_bytes = integer_or(given.Get("queueBytes"), "queueBytes", kMostSafe, config.queue_bytes);
  const Napi::Value tls = given.Get("tls");
  if (tls.IsNull()) return config;
  if (!tls.IsObject()) invalid("tls is neither an object nor null");
  const auto texts = tls.As<Napi::Object>();
  config.tls = TlsConfig{string_of(texts.Get("cert"), "tls.cert"), string_of(texts.Get("key"), "tls.key"),
                         string_of(texts.Get("ca"), "tls.ca")};
  return config;
}

const char* type_name(EndpointEvent::Type type) {
  switch (type) {
    case EndpointEvent::Type::up:
      return "up";
    case EndpointEvent::Type::down:
      return "down";
    case EndpointEvent::Type::message:
      return "message";
    case EndpointEvent::Type::refused:
      return "refused";
  }
  return "";
}

Napi::Object event_to_js(Napi::Env env, const EndpointEvent& event) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("type", type_name(event.type));
  if (event.type != EndpointEvent::Type::refused) out.Set("peer", event.peer);
  if (event.type != EndpointEvent::Type::message) out.Set("address", event.address);
  if (event.error) {
    out.Set("code", code_name(event.error->code));
    out.Set("message", event.error->message);
  }
  if (event.type == EndpointEvent::Type::message) {
    Napi::Uint8Array data = Napi::Uint8Array::New(env, event.data.size());
    if (!event.data.empty()) std::memcpy(data.Data(), event.data.data(), event.data.size());
    out.Set("data", data);
  }
  return out;
}

// Made, called and dropped on the JavaScript thread.
class Bridge : public std::enable_shared_from_this<Bridge> {
 public:
  Bridge(Napi::Env env, const Napi::Value& on_event) : env_(env) {
    if (!on_event.IsFunction()) invalid("onEvent is not a function");
    post_ = Napi::ThreadSafeFunction::New(env, on_event.As<Napi::Function>(), "cryptorch endpoint", 0, 1);
  }

  void start(const EndpointConfig& config) {
    try {
      endpoint_ = std::make_shared<Endpoint>(config, [this](EndpointEvent event) {
        const auto shared = std::make_shared<EndpointEvent>(std::move(event));
        post_.NonBlockingCall(
            [shared](Napi::Env env, Napi::Function callback) { tell(env, callback, *shared); });
      });
    } catch (...) {
      post_.Release();
      throw;
    }
    self_ = shared_from_this();
    // Registered after the thread-safe function, so it runs before that one is torn down.
    napi_add_env_cleanup_hook(env_, leave, this);
  }

  Endpoint& endpoint() {
    if (!endpoint_ || closing_) invalid("the endpoint is closed");
    return *endpoint_;
  }
  std::shared_ptr<Endpoint> shared() {
    endpoint();
    return endpoint_;
  }

  Napi::Promise connect(uint32_t peer, const std::string& host, uint16_t port,
                        std::chrono::milliseconds timeout) {
    const auto deferred = std::make_shared<Napi::Promise::Deferred>(Napi::Promise::Deferred::New(env_));
    endpoint().connect(peer, host, port, timeout, [this, deferred](const Error* error) {
      std::shared_ptr<Error> failure;
      if (error) failure = std::make_shared<Error>(*error);
      post_.NonBlockingCall([deferred, failure](Napi::Env env, Napi::Function) {
        if (failure) {
          deferred->Reject(to_js(env, *failure).Value());
        } else {
          deferred->Resolve(env.Undefined());
        }
      });
    });
    return deferred->Promise();
  }

  Napi::Promise close() {
    if (!closing_) {
      closing_ = std::make_unique<Napi::Promise::Deferred>(Napi::Promise::Deferred::New(env_));
      endpoint_->close(
          [this] { post_.NonBlockingCall([this](Napi::Env env, Napi::Function) { closed(env); }); });
    }
    return closing_->Promise();
  }

 private:
  static void tell(Napi::Env env, Napi::Function callback, EndpointEvent& event) {
    if (event.undelivered) event.undelivered->fetch_sub(event.data.size() + 1);
    const Napi::Object js = event_to_js(env, event);
    wipe(event.data.data(), event.data.size());
    callback.Call({js});
  }

  void closed(Napi::Env env) {
    const auto self = std::move(self_);
    endpoint_->join();
    endpoint_.reset();  // sessions that still end hold it, too, but no event comes from it any more
    napi_remove_env_cleanup_hook(env_, leave, this);
    post_.Release();
    closing_->Resolve(env.Undefined());
  }

  static void leave(void* argument) {
    auto* bridge = static_cast<Bridge*>(argument);
    const auto self = std::move(bridge->self_);
    bridge->endpoint_.reset();
  }

  Napi::Env env_;
  Napi::ThreadSafeFunction post_;
  std::shared_ptr<Bridge> self_;  // while the endpoint has a thread
  std::shared_ptr<Endpoint> endpoint_;
  std::unique_ptr<Napi::Promise::Deferred> closing_;
};

Code code_of(const Napi::Value& value) {
  if (value.IsUndefined()) return Code::connection;
  const std::string name = string_of(value, "the code");
  for (const Code code : {Code::timeout, Code::cancelled, Code::connection, Code::protocol, Code::certificate,
                          Code::handshake}) {
    if (name == code_name(code)) return code;
  }
  invalid("no link is closed with the code " + name);
}

Napi::Value endpoint(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    EndpointConfig config = config_of(info[0]);
    const auto bridge = std::make_shared<Bridge>(env, info[1]);
    struct Wiped {
      std::string* key;
      ~Wiped() {
        if (key) wipe(key->data(), key->size());
      }
    } const wiped{config.tls ? &config.tls->key : nullptr};
    bridge->start(config);

    Napi::Object out = Napi::Object::New(env);
    const auto add = [&](const char* name, auto body) {
      out.Set(name, Napi::Function::New(
                        env,
                        [bridge, body](const Napi::CallbackInfo& call) {
                          return guarded(call, [&] { return body(call, *bridge); });
                        },
                        name));
    };
    const auto peer_of = [](const Napi::Value& value) {
      return static_cast<uint32_t>(integer_of(value, "the peer", 256));
    };
    add("listen", [](const Napi::CallbackInfo& call, Bridge& bridge) -> Napi::Value {
      const auto port = static_cast<uint16_t>(integer_of(call[1], "the port", 0xFFFF));
      const uint16_t bound = bridge.endpoint().listen(string_of(call[0], "the address"), port);
      return Napi::Number::New(call.Env(), bound);
    });
    add("connect", [peer_of](const Napi::CallbackInfo& call, Bridge& bridge) -> Napi::Value {
      const uint32_t peer = peer_of(call[0]);
      const auto port = static_cast<uint16_t>(integer_of(call[2], "the port", 0xFFFF));
      const uint64_t timeout = integer_of(call[3], "timeoutMs", uint64_t{1} << 31);
      return bridge.connect(peer, string_of(call[1], "the address"), port,
                            std::chrono::milliseconds(timeout));
    });
    add("send", [peer_of](const Napi::CallbackInfo& call, Bridge& bridge) -> Napi::Value {
      const auto data = bytes_of(call[1], "the message");
      bridge.endpoint().send(peer_of(call[0]), {data.begin(), data.end()});
      return call.Env().Undefined();
    });
    add("disconnect", [peer_of](const Napi::CallbackInfo& call, Bridge& bridge) -> Napi::Value {
      const Code code = code_of(call[1]);
      bridge.endpoint().disconnect(peer_of(call[0]), Error(code, "the link was closed on this side"));
      return call.Env().Undefined();
    });
    add("session", [](const Napi::CallbackInfo& call, Bridge& bridge) -> Napi::Value {
      return session_to_js(call.Env(), bridge.shared(), call[0]);
    });
    add("close", [](const Napi::CallbackInfo&, Bridge& bridge) -> Napi::Value { return bridge.close(); });
    return out;
  });
}

}  // namespace

void export_endpoint(Napi::Env env, Napi::Object exports) {
  exports.Set("endpoint", Napi::Function::New(env, endpoint, "endpoint"));
}

}  // namespace cryptorch
