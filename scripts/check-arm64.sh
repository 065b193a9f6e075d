#!/usr/bin/env bash
# The native core for 64-bit ARM, built by a cross compiler and run by an emulator: its tests, the tests of kernels, and a
# whole run by the driver, whose outputs must be those of the driver of this machine in BUILD (build/Release by default).
# Only the portable kernels exist there. Takes some minutes. Needs g++-aarch64-linux-gnu and qemu-user.
#
#   scripts/check-arm64.sh [BUILD]
set -euo pipefail
cd "$(dirname "$0")/.."
own=${1:-build/Release}
build=build-arm64

CXX=${ARM64_CXX:-aarch64-linux-gnu-g++} cmake -S . -B "$build" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_BUILD_TYPE=Release -DCRYPTORCH_ADDON=OFF >/dev/null
cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)" --target core_test kernel_test driver

# Emulated code is slow; how long emulated links take is measured elsewhere.
export CRYPTORCH_ANY_TIMES=1
export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
for program in core_test kernel_test; do
  log=$build/$program.log
  if ! qemu-aarch64 "$build/$program" >"$log" 2>&1; then
    grep -v '^ok ' "$log" | tail -100
    echo "$program: FAILED"
    exit 1
  fi
  echo "$program: $(tail -1 "$log")"
done

mkdir -p "$build/emulated"
printf '#!/bin/sh\nexec qemu-aarch64 "%s" "$@"\n' "$PWD/$build/driver" >"$build/emulated/driver"
chmod +x "$build/emulated/driver"
node --import tsx scripts/check-driver.ts "$build/emulated" "$own"
