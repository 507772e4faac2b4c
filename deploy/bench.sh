#!/bin/sh
# Measures against yardsticks of the same run and prints ratio, target and verdict. Takes some minutes.
# usage: bench.sh data [ROWS [REPEATS]]      D1–D4, the data path
#        bench.sh start [TABLES [REPEATS]]   D5 and T12, the start with many tables and what an idle one costs
set -eu
cd "$(dirname "$0")/.."
what=${1:-}
case "$what" in
data | start) shift ;;
*)
    echo "usage: bench.sh data [ROWS [REPEATS]] | start [TABLES [REPEATS]]" >&2
    exit 1
    ;;
esac
sh deploy/packages.sh test >/dev/null
build=${SLUICE_BENCH_BUILD:-build-bench}
[ -d "$build" ] || meson setup "$build" --buildtype=release >/dev/null
ninja -C "$build" >/dev/null
if [ "$what" = start ]; then
    exec /usr/bin/python3 tests/bench/start_tables.py "$build" "$@"
fi
status=0
/usr/bin/python3 tests/bench/replica.py "$build" "$@" || status=1
/usr/bin/python3 tests/bench/data_path.py "$build" "$@" || true
exit $status
