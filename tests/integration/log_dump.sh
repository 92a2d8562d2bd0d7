#!/bin/bash
# Apache Kafka's own reader (KAFKA_CLASSPATH names its jars) accepts every file of a log that we wrote: each record is there, each batch
# valid, each index entry where it says.  usage: log_dump.sh <log_program> <work directory>
set -u
skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAILED: $*"; exit 1; }
command -v java >/dev/null || skip "java is missing"
[ -n "${KAFKA_CLASSPATH:-}" ] || skip "KAFKA_CLASSPATH does not name the jars of Apache Kafka's tools"
export CLASSPATH=$KAFKA_CLASSPATH
PROGRAM=$1
WORK=$2
rm -rf "$WORK" && mkdir -p "$WORK" || fail "no work directory"

dump() {
    timeout 120 java -Xmx256m org.apache.kafka.tools.DumpLogSegments "$@" >"$WORK/out" 2>"$WORK/err" || { cat "$WORK/err"; fail "dump $*"; }
    grep -iE 'corrupt|mismatch|invalid|exception|found .* not|Index position' "$WORK/out" && fail "dump $* complains"
    return 0
}
list() { find "$WORK/data/dumped-0" -name "*$1" | sort | paste -sd,; }

read -r records segments < <("$PROGRAM" "$WORK/data") || fail "$PROGRAM"
[ "$segments" -gt 5 ] || fail "only $segments segments"

dump --deep-iteration --print-data-log --files "$(list .log)"
[ "$(grep -c 'record [0-9]* of batch' "$WORK/out")" -eq "$records" ] || fail "Kafka sees $(grep -c 'record [0-9]* of batch' "$WORK/out") of $records records"
grep '^baseOffset' "$WORK/out" | grep -qv 'isvalid: true' && fail "a batch is not valid to Kafka"
[ "$(grep -c '^baseOffset' "$WORK/out")" -eq 2000 ] || fail "Kafka sees $(grep -c '^baseOffset' "$WORK/out") of 2000 batches"

dump --index-sanity-check --files "$(list .index),$(list .timeindex)"
[ "$(grep -c 'passed sanity check' "$WORK/out")" -ge "$segments" ] || fail "an index fails the sanity check: $(cat "$WORK/out")"
dump --verify-index-only --files "$(list .index),$(list .timeindex)"
dump --files "$(list .snapshot)"
grep -q 'producerId: 1' "$WORK/out" || fail "the producer snapshot shows no producer"
echo "Kafka reads $records records in $segments segments, their indexes and snapshots"
