#!/bin/sh
# The live load, into MariaDB and into SQLite, while every process is killed and stopped in turn; four to six minutes a sink.
# usage: chaos.sh [SEED…]      SLUICE_CHAOS_KILLS, _STOPS, _ROWS, _CHANGES and _LEASE (seconds) change its size
set -eu
cd "$(dirname "$0")/.."
sh deploy/packages.sh test >/dev/null
build=${SLUICE_CHAOS_BUILD:-build-chaos}
[ -d "$build" ] || meson setup "$build" --buildtype=release >/dev/null
ninja -C "$build" >/dev/null
export SLUICE_BUILD="$PWD/$build" PYTHONDONTWRITEBYTECODE=1
export SLUICE_CHAOS_KILLS="${SLUICE_CHAOS_KILLS:-32}" SLUICE_CHAOS_STOPS="${SLUICE_CHAOS_STOPS:-10}"
export SLUICE_CHAOS_ROWS="${SLUICE_CHAOS_ROWS:-300000}" SLUICE_CHAOS_CHANGES="${SLUICE_CHAOS_CHANGES:-200}"
export SLUICE_CHAOS_LEASE="${SLUICE_CHAOS_LEASE:-10}"
[ $# -gt 0 ] || set -- 1 2 3
for seed; do
    SLUICE_CHAOS_SEED=$seed /usr/bin/python3 tests/integration/test_chaos.py
done
