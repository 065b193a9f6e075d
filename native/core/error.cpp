#include "error.hpp"

#include <new>

namespace cryptorch {

const char* code_name(Code code) {
  switch (code) {
    case Code::bad_plan:
      return "ERR_CRYPTORCH_BAD_PLAN";
    case Code::invalid_option:
      return "ERR_CRYPTORCH_INVALID_OPTION";
    case Code::invalid_input:
      return "ERR_CRYPTORCH_INVALID_INPUT";
    case Code::value_range:
      return "ERR_CRYPTORCH_VALUE_RANGE";
    case Code::out_of_memory:
      return "ERR_CRYPTORCH_OUT_OF_MEMORY";
    case Code::timeout:
      return "ERR_CRYPTORCH_TIMEOUT";
    case Code::cancelled:
      return "ERR_CRYPTORCH_CANCELLED";
    case Code::connection:
      return "ERR_CRYPTORCH_CONNECTION";
    case Code::protocol:
      return "ERR_CRYPTORCH_PROTOCOL";
    case Code::certificate:
      return "ERR_CRYPTORCH_CERTIFICATE";
    case Code::handshake:
      return "ERR_CRYPTORCH_HANDSHAKE";
    case Code::bad_state:
      return "ERR_CRYPTORCH_BAD_STATE";
    case Code::tls_unavailable:
      return "ERR_CRYPTORCH_TLS_UNAVAILABLE";
    case Code::file:
      return "ERR_CRYPTORCH_FILE";
    case Code::internal:
      return "ERR_CRYPTORCH_INTERNAL";
  }
  return "ERR_CRYPTORCH_INTERNAL";
}

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(Code::out_of_memory, "out of memory");
  } catch (const std::exception& error) {
    return Error(Code::internal, error.what());
  } catch (...) {
    return Error(Code::internal, "unknown failure in the native core");
  }
}

}  // namespace cryptorch
