#!/bin/bash
# patterns_check.sh PROGRAM DIRECTORY MILLSTREAM [PROPERTY=VALUE]: sources by pattern while topics come and go, on the broker of the
# `millstream` command or, with KAFKA_BOOTSTRAP=host:port, on Apache Kafka.
. "$(dirname "$0")/lib/broker.sh"
MILLSTREAM=$3
OPTION=${4:-commit.interval.ms=100}
APP=
SECOND=
trap 'kill -9 $BROKER_PID $APP $SECOND 2>/dev/null || true' EXIT
cd "$WORK"
: >broker.err

# wait_until WHAT COMMAND...
wait_until() {
    local what=$1
    shift
    wait_for 90 "$@"
    echo "ok: $what"
}
mill() {
    "$MILLSTREAM" "$@" -b "$address"
}
start() {
    "$PROGRAM" -X bootstrap.servers="$address" -X state.dir="$1" -X application.id="$ID" -X metadata.max.age.ms=500 \
        -X mill.trace.level=info -X session.timeout.ms=6000 -X "$OPTION" 2>>"$1.err" &
}
# send TOPIC FIRST LAST: numbers as lines, whose keys are their last digits.
send() {
    seq "$2" "$3" | sed 's/.*\(.\)$/\1 &/' | mill produce "$1" --key-separator ' ' --quiet 2>produce.err || fail "produce: $(cat produce.err)"
}
copies() {
    mill consume copies --until-end -X isolation.level=read_committed 2>/dev/null | sort
}
# has_copies FILE: what has been copied, each once
has_copies() {
    copies | cmp -s - <(sort "$1")
}
# has_counts N: the last count of each of the ten keys adds up to it
has_counts() {
    mill consume counts --until-end --key text --value long -X isolation.level=read_committed 2>/dev/null |
        awk -F '\t' -v n="$1" '{ count[$1] = $2 } END { for (k in count) sum += count[k]; exit sum != n }'
}
lines() {
    seq "$2" "$3" | sed "s/^/$1 /"
}

if [ -n "${KAFKA_BOOTSTRAP:-}" ]; then
    address=$KAFKA_BOOTSTRAP
else
    "$MILLSTREAM" broker --data data --listen 127.0.0.1:0 2>broker.err &
    BROKER_PID=$!
    until address=$(sed -n 's/.*broker at \([^,]*\), data.*/\1/p' broker.err) && [ -n "$address" ]; do
        kill -0 $BROKER_PID || fail "the broker ended"
        sleep 0.05
    done
fi
ID=patterns-$$
for topic in $(mill topic list | cut -f 1 | grep -E '^(x?logs-|orders-|copies|counts|few|many|merged)'); do
    mill topic delete "$topic" --execute >/dev/null
done
mill topic create copies counts --partitions 1 >/dev/null

# a topic with fewer partitions than the one it is merged with: its tasks do not wait for those that it has not
mill topic create few --partitions 1 >/dev/null
mill topic create many --partitions 3 >/dev/null
send few 1 100
send many 101 400
has_merged() {
    mill consume merged --until-end -X isolation.level=read_committed 2>/dev/null | sort -n | cmp -s - <(seq 1 400)
}

# nothing matches yet: it waits
mill topic create xlogs-a >/dev/null
start one
APP=$!
wait_until "it runs though nothing matches" grep -q -- '-> RUNNING' one.err
wait_until "topics of different sizes are merged" has_merged

# topics that come later, with what was written before they were noticed
mill topic create logs-a --partitions 1 >/dev/null
mill topic create orders-a --partitions 2 >/dev/null
send logs-a 1 100
send orders-a 1 100
send xlogs-a 1 100
lines logs-a 1 100 >wanted
wait_until "topics that come later are read" has_copies wanted
wait_until "and counted" has_counts 100

# one more of each, with more partitions where no state is
mill topic create logs-b --partitions 4 >/dev/null
mill topic create orders-b orders-1 --partitions 2 >/dev/null
send logs-b 1 200
send logs-a 101 150
send orders-b 1 100
send orders-1 1 100
{ lines logs-a 1 150; lines logs-b 1 200; } >wanted
wait_until "a topic with more partitions is read beside the first" has_copies wanted
wait_until "what does not match is not counted" has_counts 200

# a second process takes its share, also of a topic that comes then
start two
SECOND=$!
wait_until "the second process has a share" grep -q -- '-> RUNNING' two.err
mill topic create logs-c --partitions 3 >/dev/null
send logs-c 1 100
send logs-b 201 300
send orders-a 101 200
{ lines logs-a 1 150; lines logs-b 1 300; lines logs-c 1 100; } >wanted
wait_until "two processes read a third topic" has_copies wanted
wait_until "and go on counting" has_counts 300

# one that is deleted leaves, and is not made again by those who read it
mill topic delete logs-b orders-b --execute >/dev/null
send logs-c 101 200
send orders-a 201 300
{ lines logs-a 1 150; lines logs-b 1 300; lines logs-c 1 200; } >wanted
wait_until "the others go on without a deleted one" has_copies wanted
wait_until "with its counts" has_counts 400
is_told() {
    grep -q "which was read by a pattern" one.err two.err
}
wait_until "its end is noticed" is_told
kill -TERM $SECOND
wait $SECOND || fail "the second process ended with $?: $(cat two.err)"
SECOND=
mill topic list >topics || fail "the topics cannot be listed"
grep -q '^logs-a' topics || fail "no list of topics: $(cat topics)"
! cut -f 1 topics | grep -E '^(logs|orders)-b$' || fail "a deleted topic is there again"

# and again where they were
kill -TERM $APP
wait $APP || fail "the first process ended with $?: $(cat one.err)"
send logs-a 151 200
send orders-a 301 400
start one
APP=$!
{ lines logs-a 1 200; lines logs-b 1 300; lines logs-c 1 200; } >wanted
wait_until "after a restart nothing is read twice" has_copies wanted
wait_until "nor counted twice" has_counts 500
kill -TERM $APP
wait $APP || fail "it ended with $?: $(cat one.err)"
APP=
grep -E ' (WARN|ERROR) ' one.err two.err || true
