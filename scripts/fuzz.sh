#!/usr/bin/env bash
# Runs every fuzz target of native/fuzz on its regression inputs, and then for SECONDS (60 by default), two at a time.
# Needs clang with its runtime (clang, libclang-rt-14-dev). What was found before stays in build-fuzz/corpus; an input
# that breaks a target is left in build-fuzz/found, and belongs into native/fuzz/regressions/TARGET once it is fixed.
#
#   scripts/fuzz.sh [SECONDS] [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift $(($# > 0 ? 1 : 0))
build=build-fuzz

CXX=${FUZZ_CXX:-clang++} cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O1 \
  -DCRYPTORCH_SANITIZE=address,undefined -DCRYPTORCH_FUZZ=ON -DCRYPTORCH_BASELINE_ONLY=ON -DCRYPTORCH_ADDON=OFF >/dev/null
all=()
for file in native/fuzz/*_fuzz.cpp; do all+=("$(basename "$file" .cpp)"); done
targets=("${@:-${all[@]}}")
cmake --build "$build" --parallel 2 --target "${targets[@]}"
node --import tsx scripts/fuzz-seeds.ts "$build/seeds"

export UBSAN_OPTIONS=print_stacktrace=1
mkdir -p "$build/found"

regressions() {
  local inputs=(native/fuzz/regressions/"$1"/*)
  if [[ -e ${inputs[0]} ]]; then "$build/$1" -timeout=10 "${inputs[@]}" 2>&1; fi
}

fuzz() {
  local target=$1 log=$build/$1.log
  mkdir -p "$build/corpus/$target"
  if ! { regressions "$target" &&
    "$build/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=24576 -print_final_stats=1 \
      -artifact_prefix="$build/found/$target-" "$build/corpus/$target" "$build/seeds/$target"; } >"$log" 2>&1; then
    echo "$target: FAILED"
    tail -60 "$log"
    return 1
  fi
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, nothing found"
}

status=0
running=0
for target in "${targets[@]}"; do
  if ((running == 2)); then
    wait -n || status=1
    running=1
  fi
  fuzz "$target" &
  running=$((running + 1))
done
while ((running-- > 0)); do wait -n || status=1; done
exit "$status"
