#!/bin/sh
# The whole as containers: brought up from nothing, loaded, scaled 2 → 4 → 3, compared. Last line: N passed, N failed.
# Where no Docker engine runs it says so and skips (exit 77).
set -eu
cd "$(dirname "$0")/.."
if ! command -v docker >/dev/null || ! docker info >/dev/null 2>&1; then
    echo "skipped: no Docker engine runs here"
    echo "0 passed, 0 failed, 1 skipped"
    exit 77
fi
command -v docker-compose >/dev/null || {
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends docker-compose >/dev/null
}
sh deploy/packages.sh test >/dev/null
BASE=$(sh deploy/base-image.sh)
export BASE
exec /usr/bin/python3 tests/integration/compose_test.py
