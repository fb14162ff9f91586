#!/bin/sh
# A tour of the Python tests with an extension built for a sanitizer:
#     BIN=<folder of python> sh tools/sanitized.sh asan|tsan
set -eu
compiler=${CXX:-c++}
library() { "$compiler" -print-file-name="$1"; }

case $1 in
    asan)
        # The interpreter itself is not instrumented, so the runtimes must come first.
        preload="$(library libasan.so) $(library libubsan.so) $(library libstdc++.so)"
        # CPython keeps memory until it ends; leaks of the core are counted by the C++ tests.
        export ASAN_OPTIONS="detect_leaks=0 halt_on_error=1"
        export UBSAN_OPTIONS="print_stacktrace=1 halt_on_error=1"
        fixed=
        ;;
    tsan)
        preload="$(library libtsan.so) $(library libstdc++.so)"
        export TSAN_OPTIONS="halt_on_error=1"
        # Address randomization of recent kernels is too wide for GCC's thread sanitizer.
        fixed="setarch -R"
        ;;
esac

# shellcheck disable=SC2086
$fixed env LD_PRELOAD="$preload" "$BIN/python" "$BIN/pytest" -p no:cacheprovider tests/test_tiny.py tests/test_graph_engine.py
