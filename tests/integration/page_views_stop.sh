#!/bin/bash
# page_views_stop.sh PAGE_VIEWS DIRECTORY MILLSTREAM: a pipeline and the `millstream` command are stopped when their broker is gone: they
# end soon, say what they wait for, and a second signal ends them at once. Afterwards the pipeline goes on as if nothing had been.
. "$(dirname "$0")/lib/broker.sh"
MILLSTREAM=$3
APP=
PRODUCE=
trap 'kill -9 $BROKER_PID $APP $PRODUCE 2>/dev/null || true' EXIT
cd "$WORK"

has_address() {
    address=$(sed -n 's/.*broker at \([^,]*\), data.*/\1/p' broker.err)
    [ -n "$address" ]
}
run_broker() {
    : >broker.err
    "$MILLSTREAM" broker --data data --listen "${address:-127.0.0.1:0}" 2>broker.err &
    BROKER_PID=$!
    wait_for 30 has_address
}
# start_app RESULTS: without a commit, so that there is one to be made at the end, and without a cache, so that results show what has
# been read.
start_app() {
    : >app.err
    "$PROGRAM" -X bootstrap.servers="$address" -X state.dir=state -X commit.interval.ms=600000 -X statestore.cache.max.bytes=0 \
        -X session.timeout.ms=6000 2>app.err &
    APP=$!
    wait_for 60 has_results "$1"
}
has_results() {
    [ "$("$MILLSTREAM" consume page-views --until-end -b "$address" 2>/dev/null | wc -l)" -ge "$1" ]
}
# ended PID WANTED WHAT: its exit code, and how long it took since $began, below $3 seconds.
ended() {
    local code=0
    wait "$1" || code=$?
    took=$((($(date +%s%N) - began) / 1000000))
    [ $code -eq "$2" ] || fail "$4 ended with $code, not $2: $(cat app.err produce.err 2>/dev/null)"
    [ $took -lt $(($3 * 1000)) ] || fail "$4 took $took ms"
    echo "ok: $4, after $took ms"
}

run_broker
"$MILLSTREAM" topic create access-log -b "$address" >/dev/null
for i in $(seq 100); do
    echo "1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] \"GET /page HTTP/1.0\" 200 1"
done >lines
"$MILLSTREAM" produce access-log lines -b "$address" --quiet

start_app 100
kill_broker
began=$(date +%s%N)
kill -TERM $APP
wait_for 5 grep -q 'waiting for .* to commit the last offsets (.*connection.*); interrupt again' app.err
ended $APP 1 20 "a pipeline without a broker"
grep -q 'records since the last commit are read again' app.err || fail "no word of what follows: $(cat app.err)"

run_broker
start_app 200
kill_broker
began=$(date +%s%N)
kill -TERM $APP
wait_for 5 grep -q 'interrupt again' app.err
kill -INT $APP
ended $APP 130 4 "a second signal"

# nothing is lost of what was read before
run_broker
"$PROGRAM" -X bootstrap.servers="$address" -X state.dir=state -X commit.interval.ms=100 -X session.timeout.ms=6000 2>app.err &
APP=$!
last() {
    "$MILLSTREAM" consume "$1" --until-end --value long -b "$address" 2>/dev/null | tail -1
}
wait_for 60 has_results 201
[ "$(last page-views)" -ge 100 ] || fail "$(last page-views) views of 100"
[ "$(last unique-visitors)" -eq 1 ] || fail "$(last unique-visitors) visitors of 1"
kill -TERM $APP
began=$(date +%s%N)
ended $APP 0 20 "a pipeline with its broker"

# the command
: >produce.err
yes 'a line' | "$MILLSTREAM" produce access-log -b "$address" --rate 1000 --quiet 2>produce.err &
PRODUCE=$!
has_lines() {
    "$MILLSTREAM" topic describe access-log -b "$address" | awk 'END { exit $NF < 300 }'
}
wait_for 30 has_lines
kill_broker
wait_for 30 grep -q 'connection refused' produce.err # by then lines wait that nobody has acknowledged
began=$(date +%s%N)
kill -INT $PRODUCE
ended $PRODUCE 4 3 "produce"
grep -q 'lines are not acknowledged, and may be lost: broker .*connection' produce.err || fail "no word of what is lost: $(cat produce.err)"
for command in "produce access-log lines" "consume access-log" "consume access-log --until-end" \
    "topic list" "topic create other" "group list" "group describe g"; do
    : >produce.err # what the one before has said
    "$MILLSTREAM" $command -b "$address" -X default.api.timeout.ms=60000 2>produce.err &
    PRODUCE=$!
    wait_for 30 grep -q 'connection refused' produce.err
    began=$(date +%s%N)
    kill -INT $PRODUCE
    case $command in
    produce*) ended $PRODUCE 4 3 "$command" ;;
    "consume access-log") ended $PRODUCE 0 3 "$command" ;;
    *) ended $PRODUCE 130 3 "$command" ;;
    esac
done
PRODUCE=
