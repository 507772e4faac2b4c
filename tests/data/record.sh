#!/bin/sh
# Records the binary logs of tests/data anew: record.sh BUILD-DIRECTORY [SET…]
#
# Each set is a directory with setup.sql (run before recording begins) and workload.sql; recording
# leaves binlog.000001…, schema.sluice (the schema when recording began), end.sluice (when it ended)
# and state.txt (all rows at the end) beside them. A server is started for it in a temporary
# directory and ended again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
record=$(cd "$1" && pwd)/tests/data/record
shift
[ $# -gt 0 ] || set -- types compressed old ddl refused-minimal refused-statement refused-xa \
    refused-mismatch

work=$(mktemp -d /tmp/sluice-record-XXXXXX)
socket=$work/socket
server=
finish() {
    [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
    rm -rf "$work"
}
trap finish EXIT

mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$work/data" --tmpdir="$work" \
    --auth-root-authentication-method=normal --skip-test-db >"$work/install.log" 2>&1
mariadbd --no-defaults --user="$(id -un)" --datadir="$work/data" --tmpdir="$work" --socket="$socket" \
    --skip-networking --server-id=7 --log-bin=binlog --binlog-format=ROW \
    --binlog-row-metadata=FULL --binlog-row-event-max-size=1024 --gtid-strict-mode=1 \
    --innodb-buffer-pool-size=32M --innodb-log-file-size=8M --character-set-server=utf8mb4 \
    >"$work/server.log" 2>&1 &
server=$!

sql() { mariadb --no-defaults -uroot -S "$socket" --default-character-set=utf8mb4 "$@"; }

tries=0
until sql -e 'SELECT 1' >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { cat "$work/server.log" >&2; exit 1; }
    sleep 0.1
done

reset_globals='SET GLOBAL log_bin_compress=0, GLOBAL binlog_checksum=CRC32,
    GLOBAL mysql56_temporal_format=ON, GLOBAL binlog_row_image=FULL'

for set in "$@"; do
    cd "$here/$set"
    rm -f binlog.* schema.sluice end.sluice state.txt
    sql -e "$reset_globals"
    sql -N -e "SELECT CONCAT('DROP DATABASE \`', SCHEMA_NAME, '\`;') FROM
        information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN
        ('mysql', 'information_schema', 'performance_schema', 'sys')" | sql
    sql <setup.sql
    sql -e 'RESET MASTER'
    "$record" schema "mariadb+unix://root@$socket" schema.sluice
    sql <workload.sql
    sql -e 'FLUSH BINARY LOGS'
    "$record" schema "mariadb+unix://root@$socket" end.sluice
    "$record" state "mariadb+unix://root@$socket" state.unsorted
    LC_ALL=C sort state.unsorted >state.txt
    rm state.unsorted
    cp "$work/data"/binlog.[0-9]* .
    chmod 644 binlog.*
    rm "$(ls binlog.* | tail -1)" # what followed the last rotation
done
