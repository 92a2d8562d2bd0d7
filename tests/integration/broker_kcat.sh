#!/bin/bash
# kcat (librdkafka): round trips by offset, by timestamp and in a group, with every codec; two members share a topic; offsets outlive
# a restart and a kill -9.
. "$(dirname "$0")/lib/broker.sh"
need kcat
K="timeout 30 kcat -b"
start_broker num.partitions=4

seq 1 10 | $K $B -P -t numbers -p 0
expect "what was produced is consumed, by offset" "8 9 10" "$($K $B -C -t numbers -p 0 -o 7 -e -q | tr '\n' ' ' | sed 's/ $//')"
expect "the last three" "8 9 10" "$($K $B -C -t numbers -p 0 -o -3 -e -q | tr '\n' ' ' | sed 's/ $//')"
expect "the end" "numbers [0] offset 10" "$($K $B -Q -t numbers:0:-1)"

sleep 0.01
between=$(date +%s%3N)
sleep 0.01
seq 11 15 | $K $B -P -t numbers -p 0
expect "a timestamp finds its offset" "numbers [0] offset 10" "$($K $B -Q -t numbers:0:$between)"
expect "from a timestamp on" "5" "$($K $B -C -t numbers -p 0 -o s@$between -e -q | wc -l)"

for codec in none gzip snappy lz4 zstd; do
    seq 1 1000 | $K $B -P -t codec-$codec -z $codec -p 0
    expect "$codec comes back" "$(seq 1 1000 | md5sum)" "$($K $B -C -t codec-$codec -p 0 -o beginning -e -q | md5sum)"
done
head -c 900000 /dev/zero | tr '\0' x | $K $B -P -t large -p 0
expect "a message of 900 kB" "900000" "$($K $B -C -t large -p 0 -o beginning -e -q -D '' | wc -c)"

seq 1 1000 | sed 's/.*/&:&/' | $K $B -P -t keyed -K:
expect "keys spread over four partitions" "4" "$($K $B -C -t keyed -o beginning -e -q -f '%p\n' | sort -u | wc -l)"
seq 1 1000 | $K $B -P -t idempotent -X enable.idempotence=true
expect "idempotent producer" "$(seq 1 1000 | md5sum)" "$($K $B -C -t idempotent -o beginning -e -q | sort -n | md5sum)"

echo "old" | $K $B -P -t acks -X acks=0 -p 0
echo "new" | $K $B -P -t acks -X acks=1 -p 0
expect "acks 0 and 1" "old new" "$($K $B -C -t acks -p 0 -o beginning -e -q | tr '\n' ' ' | sed 's/ $//')"

# expect_in_group <what> <wanted>: how many records there are for it; a client that fails has not read none.
expect_in_group() {
    $K $B -G readers keyed -e -q -X auto.offset.reset=earliest >"$WORK/readers" 2>"$WORK/readers.err" ||
        fail "$1: $(cat "$WORK/readers.err")"
    expect "$1" "$2" "$(wc -l <"$WORK/readers")"
}
expect_in_group "a group reads all" 1000
expect_in_group "and goes on where it was" 0

# Two members: both get partitions, together every record once.
timeout 30 kcat -b $B -G pair keyed -X auto.offset.reset=earliest -u -f '%p %o\n' -X session.timeout.ms=6000 >"$WORK/one" 2>"$WORK/one.err" &
one=$!
until [ -s "$WORK/one" ]; do sleep 0.05; done
timeout 30 kcat -b $B -G pair keyed -X auto.offset.reset=earliest -u -f '%p %o\n' -X session.timeout.ms=6000 >"$WORK/two" 2>"$WORK/two.err" &
two=$!
until grep -q 'assigned: keyed \[[0-9]\], keyed \[[0-9]\]$' "$WORK/two.err" && [ "$(grep -c assigned "$WORK/one.err")" -ge 2 ]; do sleep 0.05; done
sleep 0.3 # each shows once that nothing is left
seq 2001 3000 | sed 's/.*/&:&/' | $K $B -P -t keyed -K:
until [ "$(cat "$WORK/one" "$WORK/two" | wc -l)" -ge 2000 ]; do sleep 0.05; done
kill -TERM $one $two
wait $one $two 2>/dev/null || true
expect "two members read every record" "2000" "$(cat "$WORK/one" "$WORK/two" | sort -u | wc -l)"
expect "the second one has two partitions" "2" "$(cut -d' ' -f1 "$WORK/two" | sort -u | wc -l)"

stop_broker
start_broker num.partitions=4
echo "ready after $READY_MS ms"
expect_in_group "offsets outlive a restart" 1000
seq 3001 3010 | sed 's/.*/&:&/' | $K $B -P -t keyed -K:
expect_in_group "ten more" 10
kill_broker
start_broker num.partitions=4
echo "ready after $READY_MS ms"
expect_in_group "offsets outlive a kill -9" 0
expect "so do records" "2010" "$($K $B -C -t keyed -o beginning -e -q | wc -l)"
stop_broker
