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
list() { find "$WORK/data/${2:-dumped-0}" -name "*$1" | sort | paste -sd,; }

"$PROGRAM" "$WORK/data" >"$WORK/made" || fail "$PROGRAM ended with $?"
read -r records segments unclean <"$WORK/made" || fail "$PROGRAM says nothing"
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

# The compacted one: valid, offsets in order, each key once below what came after its compaction, tombstones with their horizon.
dump --deep-iteration --print-data-log --files "$(list .log compacted-0)"
grep '^baseOffset' "$WORK/out" | grep -qv 'isvalid: true' && fail "a compacted batch is not valid to Kafka"
grep '^baseOffset' "$WORK/out" | grep -q 'count: 0 ' || fail "no producer's last batch was kept as a header"
grep '^baseOffset' "$WORK/out" | grep -q 'deleteHorizonMs: OptionalLong.1700086400000' || fail "no batch has a delete horizon"
grep -o 'offset: [0-9]* CreateTime.* key: key-[0-9]*' "$WORK/out" | sed 's/^offset: \([0-9]*\) .* key: /\1 /' | sort -n >"$WORK/keys"
clean=$(($(wc -l <"$WORK/keys") - unclean))
[ "$clean" -gt 100 ] && [ "$clean" -le 200 ] || fail "$clean clean records of 200 keys"
[ -z "$(head -n "$clean" "$WORK/keys" | cut -d' ' -f2 | sort | uniq -d)" ] || fail "a key is there twice in the compacted part"
dump --index-sanity-check --files "$(list .index compacted-0),$(list .timeindex compacted-0)"
echo "Kafka reads $clean records of 200 keys in a compacted log"
echo "Kafka reads $records records in $segments segments, their indexes and snapshots"
