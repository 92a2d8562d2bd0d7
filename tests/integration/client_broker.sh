#!/bin/bash
# The client against our broker over TCP: client_broker.sh BROKER_PROGRAM CLIENT_PROGRAM WORK
BROKER=$1 PROGRAM=$2 WORK=$3
. "$(dirname "$0")/client_cases.sh"
rm -rf "$WORK"
mkdir -p "$WORK"

start_broker() { # port
    : >"$WORK/ready"
    "$BROKER" "$WORK/data" "$1" >"$WORK/ready" 2>>"$WORK/broker.trace" &
    BROKER_PID=$!
    until grep -q ready "$WORK/ready"; do
        kill -0 $BROKER_PID || die "the broker did not start: $(tail -3 "$WORK/broker.trace")"
        sleep 0.02
    done
    PORT=$(awk '/ready/ { print $2 }' "$WORK/ready")
    BOOTSTRAP=127.0.0.1:$PORT
}
trap 'kill $BROKER_PID 2>/dev/null' EXIT

case_killed_broker() {
    say "a broker that is killed while records are produced gets each of them once"
    client create killed 3 >/dev/null
    client -X linger.ms=1 -X batch.size=2000 -X buffer.memory=65536 produce killed 3 400000 60 >"$WORK/produced" &
    local producing=$! kills=0
    for i in 1 2 3; do
        sleep 0.3
        kill -0 $producing 2>/dev/null || break
        kills=$i
        kill -9 $BROKER_PID
        wait $BROKER_PID 2>/dev/null || true
        start_broker $PORT
    done
    [ $kills -gt 0 ] || die "all was produced before the broker could be killed"
    echo "killed $kills times"
    wait $producing || die "records were lost: $(cat "$WORK/produced")"
    client consume killed 3 >"$WORK/consumed" 2>/dev/null
    check_numbers "$WORK/consumed" 400000
}

start_broker 0
case_round_trip
case_topics
case_group
case_killed_broker
say "done"
