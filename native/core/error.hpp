// Failures of the native core: a stable code, a sentence for people, and plain details for programs. Details
// name inputs, positions and sizes, never a value that a party computes with.
#pragma once
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cryptorch {

enum class Code {
  bad_plan,         // a plan or bundle that is malformed or does not fit the other roles' plans
  invalid_option,   // a call with arguments that do not fit each other
  invalid_input,    // an input of the wrong length
  value_range,      // an input that the fixed point cannot hold
  out_of_memory,    // regions could not be had
  timeout,          // a deadline passed
  cancelled,        // the caller stopped the run
  connection,       // a link was lost or closed
  protocol,         // a frame that is not the expected one
  certificate,      // a certificate, or the role it names, was refused
  handshake,        // a peer that refused, or was refused
  bad_state,        // stored state that is damaged or belongs to another deployment
  tls_unavailable,  // an OpenSSL that does not fit
  file,             // a file that cannot be read or written
  internal,         // a failure of the implementation
};

// The code as JavaScript sees it, ERR_CRYPTORCH_...
const char* code_name(Code code);

struct Detail {
  std::string key;
  std::variant<int64_t, std::string> value;
};

class Error : public std::exception {
 public:
  Error(Code code, std::string message, std::vector<Detail> details = {})
      : code(code), message(std::move(message)), details(std::move(details)) {}
  const char* what() const noexcept override { return message.c_str(); }

  Code code;
  std::string message;
  std::vector<Detail> details;
};

// The exception in flight as an Error, whatever it was. Call inside a catch block only.
Error current_error();

}  // namespace cryptorch
