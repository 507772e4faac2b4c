#!/bin/sh
# Shows the whole on one machine: a MariaDB server under load, its binary log replicated by one maintainer and three
# dispatcher processes into a SQLite database, schema changes included, and both compared at the end.
# Installs what is missing, keeps everything in a temporary directory, and leaves nothing running.
# ROWS: row changes to make (default 200000).
set -eu
cd "$(dirname "$0")/.."
rows=${ROWS:-200000}
build=${BUILD:-build}

echo "== installing what is missing (a minute or two at the first time)"
sh deploy/packages.sh run >/dev/null
echo "== building"
[ -d "$build" ] || meson setup "$build" --buildtype=release >/dev/null
ninja -C "$build" dispatcher/sluice-dispatcher maintainer/sluice-maintainer maintainer/ctl/sluicectl |
    tail -n 1
BUILD=$(cd "$build" && pwd)
export BUILD

work=$(mktemp -d)
socket=$work/source.sock
server="" cluster=""
finish() {
    status=$?
    trap '' HUP INT TERM
    trap - EXIT
    for pid in $cluster $server; do
        kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    done
    [ "$status" -eq 0 ] || [ "$status" -eq 130 ] || tail -n 5 "$work"/*/*.log "$work"/*.log 2>/dev/null >&2 || true
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' HUP INT TERM

free_ports() {
    python3 -c '
import socket
sockets = [socket.socket() for _ in range(4)]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))'
}
# shellcheck disable=SC2046
set -- $(free_ports)
port=$1 HTTP=$2 CONTROL=$3 STATUS=$4
export HTTP CONTROL STATUS

echo "== starting a MariaDB source on port $port"
# A server that starts removes the temporary tables it finds: not those of another server on this machine.
mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$work/data" --tmpdir="$work" --skip-test-db \
    --auth-root-authentication-method=normal >"$work/install.log" 2>&1
mariadbd --no-defaults --user="$(id -un)" --datadir="$work/data" --tmpdir="$work" --socket="$socket" --port="$port" \
    --bind-address=127.0.0.1 --server-id=1 --log-bin=binlog --binlog-format=ROW \
    --binlog-row-image=FULL --binlog-row-metadata=FULL --gtid-strict-mode=1 \
    --log-error="$work/source.log" 2>"$work/start.log" &
server=$!
sql() { mariadb --no-defaults -uroot --socket="$socket" -N "$@"; }
for _ in $(seq 300); do
    sql -e "SELECT 1" >/dev/null 2>&1 && break
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.1
done

echo "== starting one maintainer and three dispatcher processes"
sh deploy/run-local.sh 3 "$work/cluster" >"$work/cluster.log" 2>&1 &
cluster=$!
ctl() { "$BUILD/maintainer/ctl/sluicectl" --server "http://127.0.0.1:$HTTP" "$@"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
for _ in $(seq 300); do
    [ "$(ctl --output json capture list 2>/dev/null | field total 2>/dev/null)" = 3 ] && break
    kill -0 "$cluster" 2>/dev/null || exit 1
    sleep 0.1
done
ctl changefeed create -c quickstart --source "mariadb://root@127.0.0.1:$port" \
    --sink "sqlite://$work/sink.db" --filter 'shop.*' --filter 'stock.*' --filter 'crm.*' >/dev/null

echo "== four writers make some $rows row changes in 24 tables, with schema changes between them"
python3 deploy/quickstart_load.py schema | sql
for writer in 0 1 2 3; do
    python3 deploy/quickstart_load.py rows "$writer" "$((rows / 4))" 2>>"$work/writers.log" | sql 2>>"$work/writers.log" &
    writers="${writers:-} $!"
done
python3 deploy/quickstart_load.py changes 2>>"$work/writers.log" | sql 2>>"$work/writers.log" &
writers="$writers $!"
for pid in $writers; do
    while kill -0 "$pid" 2>/dev/null; do
        ctl changefeed query -c quickstart -s
        sleep 1
    done
    wait "$pid"
done

echo "== the writers have stopped; waiting until everything is in the sink"
position=$(sql -e "SELECT @@gtid_binlog_pos" | cut -d- -f3)
for _ in $(seq 240); do
    at=$(ctl --output json changefeed query -c quickstart | field checkpoint_ts)
    [ "$at" -ge "$position" ] && break
    ctl changefeed query -c quickstart -s
    sleep 0.5
done
[ "$at" -ge "$position" ] || {
    echo "not all of it arrived: the checkpoint is at $at, the source at $position" >&2
    exit 1
}
changes=$(ctl --output json changefeed query -c quickstart | field ddl_applied)
applied=$(ctl --output json changefeed query -c quickstart | field rows_applied)

echo "== comparing source and sink"
ctl compare --source "mariadb://root@127.0.0.1:$port" --sink "sqlite://$work/sink.db" \
    --filter 'shop.*' --filter 'stock.*' --filter 'crm.*' >"$work/compare.log" || {
    cat "$work/compare.log"
    exit 1
}
echo "== stopping"
kill -TERM "$cluster"
wait "$cluster"
cluster=""
sed '$d' "$work/compare.log"
tables=$(sql -e "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema IN ('shop', 'stock', 'crm')
 AND table_type = 'BASE TABLE'")
echo "$tables tables, $applied row changes and $changes schema changes went through three dispatcher processes"
tail -n 1 "$work/compare.log"
