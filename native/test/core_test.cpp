// Runs the tests of native/core, which the other files of this folder register.
#include "harness.hpp"

int main() { return cryptorch::test::run_all(); }
