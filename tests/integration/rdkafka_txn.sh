#!/bin/bash
# librdkafka's transactions and read_committed consumer, and kcat's view of them.   rdkafka_txn.sh <broker_program> <work> <program>
CLIENT=${3:-}
. "$(dirname "$0")/lib/broker.sh"
[ -n "$CLIENT" ] && [ -x "$CLIENT" ] || skip "librdkafka's headers (librdkafka-dev) were not there at build time"
start_broker
timeout 120 "$CLIENT" $B | grep -v '^ok: \(begin\|a client\|a record is taken\|offsets are fetched\)' || fail "librdkafka"
[ "${PIPESTATUS[0]}" -eq 0 ] || fail "librdkafka"
if command -v kcat >/dev/null; then
    expect "kcat reads what was committed" "a b c d" "$(kcat -b $B -C -t rd-txn -e -q -X isolation.level=read_committed | paste -sd' ')"
    stop_broker
    start_broker
    expect "also after a restart" "a b c d" "$(kcat -b $B -C -t rd-txn -e -q -X isolation.level=read_committed | paste -sd' ')"
fi
stop_broker
