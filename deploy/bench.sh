#!/bin/sh
# Measures against yardsticks of the same run and prints ratio, target and verdict. Takes some minutes.
# usage: bench.sh data [ROWS [REPEATS]]      D1–D4, the data path
set -eu
cd "$(dirname "$0")/.."
[ "${1:-}" = data ] || {
    echo "usage: bench.sh data [ROWS [REPEATS]]" >&2
    exit 1
}
shift
sh deploy/packages.sh test >/dev/null
build=${SLUICE_BENCH_BUILD:-build-bench}
[ -d "$build" ] || meson setup "$build" --buildtype=release >/dev/null
ninja -C "$build" >/dev/null
status=0
/usr/bin/python3 tests/bench/replica.py "$build" "$@" || status=1
/usr/bin/python3 tests/bench/data_path.py "$build" "$@" || true
exit $status
