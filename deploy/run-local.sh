#!/bin/sh
# Starts a maintainer and N dispatcher processes on this machine and stops them cleanly with Ctrl-C or TERM.
# usage: run-local.sh N [DIRECTORY]      (state and logs; default ./sluice-local)
# A further node: SLUICE_NODE_ID=extra build/dispatcher/sluice-dispatcher --config DIRECTORY/sluice.yaml
# BUILD: the build directory (default build). HTTP, CONTROL, STATUS: the maintainer's ports.
set -eu
count=${1:?usage: run-local.sh N [DIRECTORY]}
directory=${2:-sluice-local}
here=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$here/build}
http=${HTTP:-7610}
control=${CONTROL:-7611}
status=${STATUS:-7612}

mkdir -p "$directory/meta"
directory=$(cd "$directory" && pwd)
cat >"$directory/sluice.yaml" <<YAML
maintainer:
  http: '127.0.0.1:$http'
  control: 'tcp://127.0.0.1:$control'
  status: 'tcp://127.0.0.1:$status'
  data: '$directory/meta'
node:
  control: ['tcp://127.0.0.1:$control']
  status: ['tcp://127.0.0.1:$status']
YAML

pids=""
stop() {
    trap '' INT TERM
    # Nodes first, so that they can hand back what they own.
    for pid in $pids; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in $pids; do wait "$pid" || echo "a node ended with $?" >&2; done
    kill -TERM "$maintainer" 2>/dev/null || true
    wait "$maintainer" || echo "the maintainer ended with $?" >&2
    echo "stopped"
    exit 0
}

"$build/maintainer/sluice-maintainer" --config "$directory/sluice.yaml" \
    2>>"$directory/maintainer.log" &
maintainer=$!
for number in $(seq "$count"); do
    SLUICE_NODE_ID="n$number" "$build/dispatcher/sluice-dispatcher" --config "$directory/sluice.yaml" \
        2>>"$directory/n$number.log" &
    pids="$pids $!"
done
trap stop INT TERM
echo "maintainer and $count nodes run; logs in $directory; API at http://127.0.0.1:$http"
# wait returns when a signal came or one of the processes ended.
while kill -0 "$maintainer" 2>/dev/null; do
    wait "$maintainer" || true
done
echo "the maintainer ended: see $directory/maintainer.log" >&2
for pid in $pids; do kill -TERM "$pid" 2>/dev/null || true; done
exit 1
