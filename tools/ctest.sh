#!/bin/sh
# Builds the C++ tests with a preset of CMakePresets.json and runs them:
#     BIN=<folder of python, cmake and ninja> sh tools/ctest.sh <preset> [<build folder>]
set -eu
preset=$1
build=${2:-build/$preset}
PATH="$BIN:$PATH"
CMAKE_GENERATOR=Ninja
export PATH CMAKE_GENERATOR
export TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1 halt_on_error=1 ${UBSAN_OPTIONS:-}"

cmake --preset "$preset" -B "$build" -DPython_EXECUTABLE="$BIN/python" \
    -Dpybind11_DIR="$("$BIN/python" -m pybind11 --cmakedir)"
cmake --build "$build"
# Address randomization of recent kernels is too wide for GCC's thread sanitizer.
fixed=
if [ "$preset" = tsan ] && command -v setarch >/dev/null; then fixed="setarch -R"; fi
$fixed ctest --test-dir "$build" --output-on-failure --no-tests=error
