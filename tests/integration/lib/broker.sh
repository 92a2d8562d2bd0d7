# For the broker_*.sh scripts: starts and stops a broker, compares, skips.
#   $1 of a script is the broker program, $2 a directory of its own, emptied here.
set -euo pipefail
PROGRAM=$1
WORK=$2
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
rm -rf "$WORK"
mkdir -p "$WORK"
BROKER_PID=

skip() {
    echo "skipped: $*"
    exit 77
}

need() {
    command -v "$1" >/dev/null || skip "$1 is not installed"
}

# start_broker [property=value]...: sets PORT, B (host:port) and READY_MS. After a restart the port stays.
start_broker() {
    : >"$WORK/broker.out"
    "$PROGRAM" "$WORK/data" ${PORT:-0} "$@" >"$WORK/broker.out" 2>>"$WORK/broker.err" &
    BROKER_PID=$!
    until grep -q ready "$WORK/broker.out"; do
        kill -0 $BROKER_PID 2>/dev/null || { cat "$WORK/broker.err"; fail "the broker did not start"; }
        sleep 0.01
    done
    read -r _ PORT READY_MS <"$WORK/broker.out"
    B=127.0.0.1:$PORT
}

stop_broker() {
    kill -TERM $BROKER_PID
    wait $BROKER_PID || fail "the broker ended with $?"
    BROKER_PID=
}

kill_broker() {
    kill -9 $BROKER_PID
    wait $BROKER_PID 2>/dev/null || true
    BROKER_PID=
}

fail() {
    echo "FAILED: $*"
    [ -s "$WORK/broker.err" ] && tail -20 "$WORK/broker.err"
    exit 1
}

# expect <what> <wanted> <got>
expect() {
    [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
    echo "ok: $1"
}

# wait_for <seconds> <command>...: until the command succeeds; in vain, what programs have said in *.err is shown.
wait_for() {
    local tries=$(($1 * 50))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "in vain: $* ($(cat "$WORK"/*.err 2>/dev/null))"
        sleep 0.02
    done
}

# npm_install <package>...: into $MILLSTREAM_NPM, or the script's own directory; skips when the registry cannot be reached.
npm_install() {
    need node
    need npm
    NODE_DIR=${MILLSTREAM_NPM:-$WORK/../npm}
    mkdir -p "$NODE_DIR"
    exec 9>"$NODE_DIR/lock" # tests that run at once have one folder
    flock 9
    for package; do
        [ -e "$NODE_DIR/${package//\//_}.installed" ] && continue
        (cd "$NODE_DIR" && npm install --no-audit --no-fund --ignore-scripts "$package" >"$WORK/npm.log" 2>&1) ||
            skip "npm cannot install $package"
        touch "$NODE_DIR/${package//\//_}.installed"
    done
    exec 9>&-
    export NODE_PATH=$NODE_DIR/node_modules
}

trap '[ -n "$BROKER_PID" ] && kill -9 $BROKER_PID 2>/dev/null; true' EXIT
