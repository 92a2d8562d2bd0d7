#!/bin/bash
# kill -9 at random moments while kcat produces: what was acknowledged is there afterwards, in order, once, and the broker is
# back without help.
. "$(dirname "$0")/lib/broker.sh"
need kcat
SEED=${MILLSTREAM_SEED:-$RANDOM}
RANDOM=$SEED
echo "seed $SEED"
start_broker log.segment.bytes=200000
slowest=0
all_acked=0
for round in $(seq 1 15); do
    # Idempotent and acks=all: the delivery report of line n means that lines 1..n are durable.
    seq 1 20000 | sed "s/^/$round /" |
        timeout 20 kcat -b $B -P -t lines -p 0 -X enable.idempotence=true -X linger.ms=0 -X batch.num.messages=50 -T -vvv >/dev/null 2>"$WORK/reports" &
    producer=$!
    sleep 0.$((RANDOM % 40 + 10))
    kill_broker
    kill -9 $producer 2>/dev/null || true
    wait $producer 2>/dev/null || true
    acked=$(grep -c 'Message delivered' "$WORK/reports" || true)
    start_broker log.segment.bytes=200000
    slowest=$(printf '%s\n%s\n' "$slowest" "$READY_MS" | sort -n | tail -1)
    timeout 30 kcat -b $B -C -t lines -p 0 -o beginning -e -q >"$WORK/lines" 2>"$WORK/lines.err" || fail "kcat: $(cat "$WORK/lines.err")"
    grep "^$round " "$WORK/lines" | cut -d' ' -f2 >"$WORK/found" || true # a kill may come before the first line
    found=$(wc -l <"$WORK/found")
    [ "$(sort -n "$WORK/found" | md5sum)" = "$(seq 1 $found | md5sum)" ] || fail "round $round: $found lines, but not 1 to $found"
    cmp -s "$WORK/found" <(seq 1 $found) || fail "round $round: the order is lost"
    [ "$found" -ge "$acked" ] || fail "round $round: $acked acknowledged, $found found"
    all_acked=$((all_acked + acked))
    echo "round $round: $acked acknowledged, $found found, ready after $READY_MS ms"
done
[ "$all_acked" -gt 0 ] || fail "kcat has reported nothing as delivered, so nothing was compared"
echo "slowest restart: $slowest ms"
stop_broker
