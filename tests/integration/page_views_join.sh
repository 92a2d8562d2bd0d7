#!/bin/bash
# A further process that joins the group before the one with the broker inside, and so leads it: the source topic is made all the
# same. strace holds the first one's threads back, so that the order is sure.
. "$(dirname "$0")/lib/broker.sh"
need strace
need kcat
strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
FIRST=
SECOND=
trap 'kill -9 $(pgrep -P "${FIRST:-0}") $FIRST $SECOND 2>/dev/null; true' EXIT

leads() {
    grep -q 'joined generation 1 .*, leading' "$WORK/two.err" 2>/dev/null
}
# Without a name: asking for a topic by name would make it.
has_source() {
    kcat -b "$ADDRESS" -L 2>/dev/null | grep -q '"access-log" with 1 partitions'
}

strace -f -qq -o "$WORK/strace" -e trace=rseq -e inject=rseq:delay_enter=1000000 \
    "$PROGRAM" -X state.dir="$WORK/one" -X listeners=PLAINTEXT://127.0.0.1:0 2>"$WORK/one.err" &
FIRST=$!
wait_for 30 test -s "$WORK/one/bootstrap.servers"
ADDRESS=$(cat "$WORK/one/bootstrap.servers")
"$PROGRAM" -X state.dir="$WORK/two" -X bootstrap.servers="$ADDRESS" -X mill.trace.level=info 2>"$WORK/two.err" &
SECOND=$!
wait_for 30 leads
wait_for 30 has_source
echo "ok: the second process leads, the first has made the source topic"
