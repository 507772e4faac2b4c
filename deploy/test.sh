#!/bin/sh
# Runs every test on a Debian 12 machine, installing what it needs. Last line: N passed, N failed.
set -eu
cd "$(dirname "$0")/.."
sh deploy/packages.sh test >/dev/null
build=${SLUICE_TEST_BUILD:-build-test}
[ -d "$build" ] || meson setup "$build" -Db_sanitize=address,undefined -Db_lundef=false -Dwerror=true \
    -Dfail_points=true
[ -d "$build-threads" ] || meson setup "$build-threads" -Db_sanitize=thread -Db_lundef=false -Dwerror=true \
    -Dfail_points=true >/dev/null
ninja -C "$build"
exec /usr/bin/python3 tests/run.py "$build" "$@"
