#!/bin/sh
# Starts a maintainer and N dispatcher processes on this machine and stops them cleanly with Ctrl-C or TERM.
# usage: run-local.sh N [DIRECTORY]      (state and logs; default ./sluice-local)
# A further node: SLUICE_NODE_ID=extra build/dispatcher/sluice-dispatcher --config DIRECTORY/sluice.yaml
# BUILD: the build directory (default build). HTTP, CONTROL, STATUS: the maintainer's ports.
set -eu
count=${1:-}
case "$count" in
'' | *[!0-9]*)
    echo "usage: run-local.sh N [DIRECTORY]" >&2
    exit 1
    ;;
esac
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
  events: 'tcp://127.0.0.1:0'
  control: ['tcp://127.0.0.1:$control']
  status: ['tcp://127.0.0.1:$status']
YAML

maintainer="" nodes=""
# TERM and wait for each; 1 if one ended badly.
end() {
    bad=0
    for pid in "$@"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "$@"; do
        wait "$pid" || {
            echo "process $pid ended with $?: see the logs in $directory" >&2
            bad=1
        }
    done
    return $bad
}
stop() {
    trap '' HUP INT TERM
    code=0
    # Nodes first, so that they can hand back what they own.
    end $nodes || code=1
    end $maintainer || code=1
    echo "stopped"
    exit $code
}
trap stop HUP INT TERM

# In sessions of their own: Ctrl-C is for this script, which stops them in order.
setsid "$build/maintainer/sluice-maintainer" --config "$directory/sluice.yaml" \
    2>>"$directory/maintainer.log" &
maintainer=$!
for number in $(seq "$count"); do
    SLUICE_NODE_ID="n$number" setsid "$build/dispatcher/sluice-dispatcher" \
        --config "$directory/sluice.yaml" 2>>"$directory/n$number.log" &
    nodes="$nodes $!"
done
echo "maintainer and $count nodes run; logs in $directory; API at http://127.0.0.1:$http"
# wait returns when a signal came or the maintainer ended.
while kill -0 "$maintainer" 2>/dev/null; do
    wait "$maintainer" || true
done
trap '' HUP INT TERM
echo "the maintainer ended:" >&2
tail -n 3 "$directory/maintainer.log" >&2
end $nodes || true
exit 1
