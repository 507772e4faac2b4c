#!/bin/sh
# Installs by apt what building, testing or running Sluice needs and is not there yet.
# usage: packages.sh build|run|test   (test: everything)
set -eu

build="gcc libc6-dev meson ninja-build pkg-config git ca-certificates libczmq-dev libzmq3-dev
 libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libmariadb-dev libsqlite3-dev
 libmicrohttpd-dev libjansson-dev libyaml-dev libxxhash-dev uthash-dev libcmocka-dev
 libcurl4-openssl-dev zlib1g-dev librocksdb-dev python3"
run="mariadb-server-core mariadb-client-core"
test="mariadb-server mariadb-client clang-format python3-pymysql binutils sqlite3"

case "${1:-}" in
build) wanted="$build" ;;
run) wanted="$build $run" ;;
test) wanted="$build $run $test" ;;
*)
    echo "usage: packages.sh build|run|test" >&2
    exit 1
    ;;
esac

missing=""
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "please install:$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes
# A server that the packages would start is not wanted: tests and examples start their own.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -q
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing
