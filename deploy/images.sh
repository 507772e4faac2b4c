#!/bin/sh
# Builds the images of docker-compose.yml: Sluice's and, for trials and tests, MariaDB's.
# Where no Docker engine runs it says so and ends with 77.
set -eu
cd "$(dirname "$0")/.."
if ! command -v docker >/dev/null || ! docker info >/dev/null 2>&1; then
    echo "no Docker engine runs here"
    exit 77
fi
command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || {
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends docker-compose >/dev/null
}
compose() {
    if command -v docker-compose >/dev/null; then docker-compose "$@"; else docker compose "$@"; fi
}
BASE=$(sh deploy/base-image.sh)
export BASE
# One service of each image.
compose -f deploy/docker-compose.yml build source maintainer
