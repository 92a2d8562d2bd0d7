#!/bin/sh
# cli_commands.sh MILLSTREAM DIRECTORY: the `millstream` command against a broker that it runs itself: what it prints, and its exit codes.
set -eu
MILLSTREAM=$1
WORK=$2
HERE=$(cd "$(dirname "$0")" && pwd)
rm -rf "$WORK"
mkdir -p "$WORK"
cd "$WORK"

fail() {
    echo "FAILED: $*"
    cat broker.log
    exit 1
}

# expect WANTED COMMAND...: what it prints on standard output, compared whole.
expect() {
    wanted=$1
    shift
    got=$("$@" 2>stderr) || fail "$* ended with $?: $(cat stderr)"
    [ "$got" = "$wanted" ] || fail "$*
wanted: $wanted
got:    $got"
}

# expect_status CODE COMMAND...
expect_status() {
    wanted=$1
    shift
    status=0
    "$@" >stdout 2>stderr || status=$?
    [ $status -eq "$wanted" ] || fail "$* ended with $status, not $wanted: $(cat stderr)"
}

# expect_says PATTERN: of the command before, on standard error.
expect_says() {
    grep -q -e "$1" stderr || fail "no '$1' in: $(cat stderr)"
}

# start_broker DATA
start_broker() {
    : >broker.log
    "$MILLSTREAM" broker --data "$1" --listen 127.0.0.1:0 2>broker.log &
    BROKER=$!
    trap 'kill $BROKER 2>/dev/null || true; wait' EXIT
    until address=$(sed -n 's/.*broker at \([^,]*\), data.*/\1/p' broker.log) && [ -n "$address" ]; do
        kill -0 $BROKER || fail "the broker ended"
        sleep 0.05
    done
    export MILLSTREAM_BOOTSTRAP_SERVERS=$address
}

stop_broker() {
    kill $BROKER
    wait $BROKER || fail "the broker ended with $?"
    trap - EXIT
}

start_broker data

# topics
expect '' "$MILLSTREAM" topic list
expect 'four created' "$MILLSTREAM" topic create four --partitions 4 --config retention.ms=-1
expect 'four is there' "$MILLSTREAM" topic create four --if-not-exists
expect_status 1 "$MILLSTREAM" topic create four
expect_status 1 "$MILLSTREAM" topic create five --config no.such.property=1
expect "$(printf 'four\t4\t1')" "$MILLSTREAM" topic list
expect_status 3 "$MILLSTREAM" topic describe missing
expect 'four would be deleted with all its records' "$MILLSTREAM" topic delete four
expect_status 2 "$MILLSTREAM" topic create
expect_status 2 "$MILLSTREAM" topic list --output yaml
expect_status 2 "$MILLSTREAM" topic list -X no.such.property=1
expect_status 2 "$MILLSTREAM" no-such-command
for command in "topic list" "topic create x" "topic delete x --execute" "topic describe x" "group list" "group describe x" "consume x"; do
    expect_status 4 timeout 10 "$MILLSTREAM" $command -b 127.0.0.1:1 -X default.api.timeout.ms=300
    expect_says '^millstream: .*connection refused'
done

# what is mistyped is refused with what may have been meant
expect_status 2 "$MILLSTREAM" topic creat
expect_says "did you mean 'topic create'?"
expect_status 2 "$MILLSTREAM" topic list -b ''
expect_says 'needs HOST:PORT'
expect_status 2 "$MILLSTREAM" broker -X listenrs=x
expect_says 'did you mean listeners?'
expect_status 2 "$MILLSTREAM" broker -X foo.bar=1
expect_says 'millstream help broker'
"$MILLSTREAM" help broker | grep -q '^  log.retention.hours ' || fail "the help of broker lists no properties"
"$MILLSTREAM" --version | grep -q '^millstream [0-9]' || fail "--version"

# a broker that cannot start says why, and what would help
expect_status 2 "$MILLSTREAM" broker --config /tmp
expect_says 'it is a directory'
expect_status 1 "$MILLSTREAM" broker --data other --listen 192.0.2.1:9092
expect_says 'the address is not of this machine'
expect_status 1 "$MILLSTREAM" broker --data other -X listeners="PLAINTEXT://$address"
expect_says 'listen HOST:0'
expect_status 1 "$MILLSTREAM" broker --data data --listen 127.0.0.1:0
expect_says '^millstream: data is in use'
expect_says 'Try: --data'

# IPv6, where the machine has it
if grep -q 1 /proc/net/if_inet6 2>/dev/null; then
    "$MILLSTREAM" broker --data six --listen '[::1]:0' 2>six.log &
    SIX=$!
    until six=$(sed -n 's/.*broker at \([^,]*\), data.*/\1/p' six.log) && [ -n "$six" ]; do
        kill -0 $SIX || fail "no broker on IPv6: $(cat six.log)"
        sleep 0.05
    done
    expect '' "$MILLSTREAM" topic list -b "$six"
    kill $SIX
    wait $SIX || fail "the broker on IPv6 ended with $?"
fi

# produce and consume: what goes in comes out, keys in their partitions, order within each
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "key-%d;line %d\n", i % 97, i }' >lines
"$MILLSTREAM" produce four lines --key-separator ';' --quiet || fail "produce"
"$MILLSTREAM" consume four --until-end --key text --format '%p;%o;%k;%s\n' >out || fail "consume"
[ "$(wc -l <out)" -eq 20000 ] || fail "$(wc -l <out) lines of 20000 came out"
cut -d ';' -f 3- out | sort >out.sorted
sort lines | cmp -s - out.sorted || fail "other lines came out than went in"
awk -F ';' '$3 in partition && partition[$3] != $1 { exit 1 } { partition[$3] = $1 }' out || fail "one key in two partitions"
awk -F ';' '{ split($4, n, " ") } n[2] <= last[$3] + 0 && last[$3] != "" { exit 1 } { last[$3] = n[2] }' out || fail "order within a key"

# kcat reads what was produced, and puts the same keys into the same partitions
if command -v kcat >/dev/null; then
    kcat -b "$address" -C -t four -o beginning -e -q -f '%k;%s\n' | sort | cmp -s - out.sorted || fail "kcat reads other lines"
    "$MILLSTREAM" topic create peer --partitions 4 >/dev/null
    kcat -b "$address" -P -t peer -K ';' -X topic.partitioner=murmur2 -l lines || fail "kcat produces"
    "$MILLSTREAM" consume peer --until-end --key text --format '%p;%k\n' | sort -u >peer.partitions
    cut -d ';' -f 1,3 out | sort -u | cmp -s - peer.partitions || fail "kcat puts keys into other partitions"
    "$MILLSTREAM" topic delete peer --execute >/dev/null
fi

# starts, limits, standard input, compression
expect 'one created' "$MILLSTREAM" topic create one --partitions 1
printf 'a 1\nb 2\n\nc 3' | "$MILLSTREAM" produce one --key-field 1 -X compression.type=zstd --quiet || fail "produce from standard input"
expect "$(printf 'a 1\nb 2\n\nc 3')" "$MILLSTREAM" consume one --until-end
expect 'c c 3 3' "$MILLSTREAM" consume one --offset -1 --until-end --format '%k %s %o\n'
expect 'b 2' "$MILLSTREAM" consume one --offset 1 --count 1
expect '' "$MILLSTREAM" consume one --offset end --until-end
expect '{"topic":"one","partition":0,"offset":0,"key":"a","value":"a 1"}' sh -c \
    "'$MILLSTREAM' consume one --until-end --count 1 --output json | sed 's/\"timestamp\":[0-9]*,//'"
expect '' "$MILLSTREAM" consume one --offset -0 --until-end
expect_status 2 "$MILLSTREAM" consume one --offset -9223372036854775808 --until-end
expect_status 3 "$MILLSTREAM" consume missing --until-end
expect_status 3 "$MILLSTREAM" consume one --partition 1 --until-end
expect_status 2 "$MILLSTREAM" consume one --format '%q'
expect_status 3 "$MILLSTREAM" produce one missing-file --quiet
expect_status 3 "$MILLSTREAM" produce one lines --partition 7 --quiet

# what a command sets otherwise is what its help says; a batch that no segment has room for is split, a record is refused
expect 1 sh -c "'$MILLSTREAM' help produce | grep -c ' batch.size .*\\[262144\\]'"
expect 1 sh -c "'$MILLSTREAM' help group | grep -c ' default.api.timeout.ms .*\\[5000\\]'"
expect 'small created' "$MILLSTREAM" topic create small --config segment.bytes=100000 --partitions 1
expect_status 0 "$MILLSTREAM" produce small lines lines lines --quiet
expect "$(cat lines lines lines | wc -l)" sh -c "'$MILLSTREAM' consume small --until-end | wc -l"
head -c 150000 /dev/zero | tr '\0' x >long
expect_status 1 "$MILLSTREAM" produce small long --quiet
expect_says RECORD_LIST_TOO_LARGE

# what cannot be written is no success
if [ -w /dev/full ]; then
    for command in help 'topic list' 'consume one --until-end'; do
        expect_status 1 sh -c "'$MILLSTREAM' $command >/dev/full"
        expect_says 'standard output: No space left on device'
    done
fi

# who reads no further is not told
"$MILLSTREAM" consume four --from-beginning --until-end 2>stderr | head -n 1 >stdout
[ -s stdout ] && [ ! -s stderr ] || fail "consume into head: $(cat stderr)"

# a pace is kept: 60 lines at 100 a second take at least half a second
began=$(date +%s%N)
head -60 lines | "$MILLSTREAM" produce one --rate 100 --quiet || fail "produce at a rate"
took=$((($(date +%s%N) - began) / 1000000))
[ $took -ge 500 ] || fail "60 lines at 100 a second took $took ms"

# groups
expect '' "$MILLSTREAM" group list
expect_status 3 "$MILLSTREAM" group describe nobody
if command -v kcat >/dev/null; then
    timeout 20 kcat -b "$address" -G readers -c 20000 -X auto.offset.reset=earliest four >/dev/null 2>&1 || fail "kcat in a group"
    expect "$(printf 'readers\tfour\t0\nreaders\tfour\t1\nreaders\tfour\t2\nreaders\tfour\t3')" sh -c \
        "'$MILLSTREAM' group describe readers | cut -f 1-3"
    expect_status 0 "$MILLSTREAM" group describe readers --max-lag 0
    head -10 lines | "$MILLSTREAM" produce four --quiet
    expect_status 5 "$MILLSTREAM" group describe readers --max-lag 9
fi

expect 'four deleted' "$MILLSTREAM" topic delete four --execute
stop_broker

# damage is told with its place, and without the advice to lay it aside
cp -r data damaged
printf damage | dd of=damaged/__cluster_metadata-0/00000000000000000000.log bs=1 seek=300 conv=notrunc 2>dd.log
expect_status 1 "$MILLSTREAM" broker --data damaged --listen 127.0.0.1:0
expect_says '__cluster_metadata-0: .*restore the directory from a copy'
if grep -q 'Try: --data' stderr; then fail "--data does not repair: $(cat stderr)"; fi

# a directory that belongs to another topic of this name is not read, and whoever reads the topic hears that nobody leads it
sed 's/^topic_id: .*/topic_id: AAAAAAAAAAAAAAAAAAAAAQ/' data/one-0/partition.metadata >strange
cp strange data/one-0/partition.metadata
start_broker data
grep -q 'one-0: belongs to another topic' broker.log || fail "no word of the strange directory"
expect_status 1 "$MILLSTREAM" consume one --until-end -X default.api.timeout.ms=500
expect_says 'topic one: a partition has no leader'
stop_broker
