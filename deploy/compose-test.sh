#!/bin/sh
# The whole as containers: brought up from nothing, loaded, scaled 2 → 4 → 3, compared. Last line: N passed, N failed.
# Where no Docker engine runs it says so and skips (exit 77). Leaves images, but no containers, networks or volumes.
set -eu
cd "$(dirname "$0")/.."
if ! command -v docker >/dev/null || ! docker info >/dev/null 2>&1; then
    echo "no Docker engine runs here"
    echo "0 passed, 0 failed, 1 skipped"
    exit 77
fi
command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || {
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends docker-compose >/dev/null
}
sh deploy/packages.sh test >/dev/null
BASE=$(sh deploy/base-image.sh)
export BASE
# One run at a time on an engine: they share names. What hangs is told to clean up.
exec timeout 780 flock --no-fork "$(command -v docker)" /usr/bin/python3 tests/integration/compose_test.py
