// A test runner that fits on a page: TEST registers a function, CHECK and CHECK_ERROR count what they find.
// Each program ends with a line "N passed, N failed" and fails if anything did.
#pragma once
#include <cstdio>
#include <vector>

#include "../core/error.hpp"

namespace cryptorch::test {

struct Case {
  const char* name;
  void (*body)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

inline size_t& failures_of_case() {
  static size_t count = 0;
  return count;
}

struct Register {
  Register(const char* name, void (*body)()) { cases().push_back({name, body}); }
};

inline void fail(const char* file, int line, const char* what) {
  if (++failures_of_case() <= 5) std::printf("    %s:%d: %s\n", file, line, what);
}

inline int run_all() {
  size_t passed = 0, failed = 0;
  for (const Case& test : cases()) {
    failures_of_case() = 0;
    try {
      test.body();
    } catch (...) {
      const Error error = current_error();
      fail(code_name(error.code), 0, error.what());
    }
    const bool good = !failures_of_case();
    std::printf("%s %s\n", good ? "ok  " : "FAIL", test.name);
    ++(good ? passed : failed);
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed || !passed ? 1 : 0;
}

}  // namespace cryptorch::test

#define CT_JOIN2(a, b) a##b
#define CT_JOIN(a, b) CT_JOIN2(a, b)
#define TEST(name)                                                                                       \
  static void CT_JOIN(test_, __LINE__)();                                                                \
  static const ::cryptorch::test::Register CT_JOIN(register_, __LINE__)(name, CT_JOIN(test_, __LINE__)); \
  static void CT_JOIN(test_, __LINE__)()

#define CHECK(...)                                                                 \
  do {                                                                             \
    if (!(__VA_ARGS__)) ::cryptorch::test::fail(__FILE__, __LINE__, #__VA_ARGS__); \
  } while (0)

// The expression throws an Error with this code.
#define CHECK_ERROR(expected, ...)                                                                      \
  do {                                                                                                  \
    try {                                                                                               \
      (void)(__VA_ARGS__);                                                                              \
      ::cryptorch::test::fail(__FILE__, __LINE__, "no error: " #__VA_ARGS__);                           \
    } catch (const ::cryptorch::Error& error) {                                                         \
      if (error.code != (expected)) ::cryptorch::test::fail(__FILE__, __LINE__, error.message.c_str()); \
    }                                                                                                   \
  } while (0)
