#!/usr/bin/env bash
# Builds the addon for this machine with CMake, as it is released, and puts it into prebuilds/, from where the package
# loads it (`npm run build:release`). Needs CMake, a C++20 compiler and make.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/node_modules/.bin:$PATH
folder=build-cmake

# prebuildify takes the addon from build/Release of the folder that it is told; node-gyp has nothing left to do.
cmake-js configure --out "$folder/build"
cmake --build "$folder/build" --parallel "$(getconf _NPROCESSORS_ONLN)" --target cryptorch_native
prebuildify --napi --strip --tag-libc --name cryptorch-native --cwd "$folder" --out . --node-gyp true
