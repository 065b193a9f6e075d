#!/usr/bin/env bash
# The native core under sanitizers, without Node: its tests, the tests of kernels and of the network code, and a whole
# run by the driver; under AddressSanitizer and UndefinedBehaviorSanitizer, then under ThreadSanitizer. The kernels are
# those for the smallest processor: the sources are the same, and sanitizers do not see masked vector accesses. Needs
# clang with its runtime, which compiles these several times as fast as GCC, libssl-dev and libuv1-dev.
#
#   scripts/sanitize.sh [address] [thread]
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=("${@:-address}")
if (($# == 0)); then wanted=(address thread); fi

# Configures and builds FOLDER with the options that follow.
build() {
  local folder=$1 programs=$2
  shift 2
  CXX=${SANITIZE_CXX:-clang++} cmake -S . -B "$folder" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O1 -DCRYPTORCH_ADDON=OFF \
    -DCRYPTORCH_NET_TEST=ON "$@" >/dev/null
  # shellcheck disable=SC2086
  cmake --build "$folder" --parallel 2 --target $programs
}

run() {
  local log=$1.log
  if ! "$@" >"$log" 2>&1; then
    grep -v '^ok ' "$log" | tail -100
    echo "$1: FAILED"
    return 1
  fi
  echo "$1: $(tail -1 "$log")"
}

# Instrumented code is slow; how long emulated links take is measured elsewhere.
export CRYPTORCH_ANY_TIMES=1
export UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS=detect_stack_use_after_return=1:check_initialization_order=1
export TSAN_OPTIONS=second_deadlock_stack=1

for sanitizer in "${wanted[@]}"; do
  case $sanitizer in
    address)
      build build-asan 'core_test kernel_test net_test driver' -DCRYPTORCH_SANITIZE=address,undefined -DCRYPTORCH_BASELINE_ONLY=ON
      run build-asan/core_test
      run build-asan/kernel_test
      run build-asan/net_test
      node --import tsx scripts/check-driver.ts build-asan
      ;;
    thread)
      build build-tsan 'core_test net_test driver' -DCRYPTORCH_SANITIZE=thread -DCRYPTORCH_BASELINE_ONLY=ON
      run build-tsan/core_test
      run build-tsan/net_test
      node --import tsx scripts/check-driver.ts build-tsan
      ;;
    *)
      echo "unknown sanitizer $sanitizer: address or thread" >&2
      exit 2
      ;;
  esac
done
