#!/bin/bash
# Apache Kafka's own transactional producer and read_committed consumer (KAFKA_CLASSPATH names their jars), and its tools on what they
# leave: commit, abort, offsets, fencing, time-out, a broker killed in the middle.
. "$(dirname "$0")/lib/broker.sh"
need java
[ -n "${KAFKA_CLASSPATH:-}" ] || skip "KAFKA_CLASSPATH does not name the jars of Apache Kafka's tools"
export CLASSPATH=$KAFKA_CLASSPATH:$WORK/classes
PROPERTIES="transaction.abort.timed.out.transaction.cleanup.interval.ms=200 log.segment.bytes=100000"
RECORDS=${RECORDS:-3000}
KILLS=${KILLS:-3}
mkdir -p "$WORK/classes"
javac -cp "$KAFKA_CLASSPATH" -d "$WORK/classes" "$HERE/lib/Transactions.java" 2>"$WORK/javac.err" || skip "javac cannot compile against these jars"
start_broker $PROPERTIES

java_txn() { timeout 120 java -Xmx256m Transactions $B "$@" 2>"$WORK/java.err"; }
tool() { timeout 60 java -Xmx256m "$@" 2>"$WORK/tool.err" || { cat "$WORK/tool.err"; fail "$*"; }; }

java_txn cases || { tail -20 "$WORK/java.err"; fail "cases"; }

# A copy in transactions, while the broker dies again and again.
tool org.apache.kafka.tools.TopicCommand --bootstrap-server $B --create --topic numbers --partitions 2 >/dev/null
tool org.apache.kafka.tools.TopicCommand --bootstrap-server $B --create --topic copies --partitions 2 >/dev/null
seq 0 $((RECORDS - 1)) | tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server $B --topic numbers >/dev/null
java_txn chain copier numbers copies "$RECORDS" >"$WORK/chain.out" &
CHAIN=$!
for ((i = 1; i <= KILLS; i++)); do
    before=$(grep -c copied "$WORK/chain.out" || true)
    for ((wait = 0; wait < 300 && $(grep -c copied "$WORK/chain.out" || true) < before + 2; wait++)); do sleep 0.1; done
    kill -0 $CHAIN 2>/dev/null || break
    kill_broker
    start_broker $PROPERTIES
done
echo "the broker was killed $((i - 1)) times, after $(grep -c copied "$WORK/chain.out") transactions"
[ "$i" -gt 1 ] || fail "the copier was done before the broker could be killed"
wait $CHAIN || { tail -5 "$WORK/chain.out" "$WORK/java.err"; fail "the copier"; }
java_txn check copies "$RECORDS" || fail "the copies"

TRANSACTIONS="org.apache.kafka.tools.TransactionsCommand --bootstrap-server $B"
expect "Kafka's tool lists the transactional ids" "copier fenced first offsets quick slow" \
    "$(tool $TRANSACTIONS list | awk 'NR > 1 { print $1 }' | sort | paste -sd' ')"
expect "and describes one" "CompleteCommit" "$(tool $TRANSACTIONS describe --transactional-id first | awk 'NR == 2 { for (i = 1; i <= NF; i++) if ($i ~ /Complete/) print $i }')"
expect "and a partition's producers" "None" "$(tool $TRANSACTIONS describe-producers --topic fence --partition 0 | awk 'NR == 2 { print $NF }')"
expect "features" "2" "$(tool org.apache.kafka.tools.FeatureCommand --bootstrap-server $B describe | awk '/transaction.version/ { for (i = 1; i < NF; i++) if ($i == "FinalizedVersionLevel:") print $(i + 1) }')"
stop_broker

DUMP=org.apache.kafka.tools.DumpLogSegments
tool $DUMP --transaction-log-decoder --files "$(echo "$WORK"/data/__transaction_state-*/*.log | tr ' ' ,)" >"$WORK/state.out"
grep -q '"transactionalId":"first"\|transactionalId=first' "$WORK/state.out" || { head -20 "$WORK/state.out"; fail "Kafka does not read __transaction_state"; }
echo "ok: Kafka reads __transaction_state"
tool $DUMP --files "$(echo "$WORK"/data/*/*.txnindex | tr ' ' ,)" >"$WORK/txnindex.out"
[ "$(grep -c 'producerId\|AbortedTxn' "$WORK/txnindex.out")" -ge 3 ] || { head -20 "$WORK/txnindex.out"; fail "Kafka does not read our transaction indexes"; }
echo "ok: and the transaction indexes"
tool $DUMP --files "$(echo "$WORK"/data/txn-*/*.snapshot | tr ' ' ,)" | grep -q 'producerId' || fail "Kafka does not read our snapshots"
echo "ok: and the snapshots"
tool $DUMP --deep-iteration --files "$(echo "$WORK"/data/txn-*/*.log | tr ' ' ,)" >"$WORK/log.out"
grep -q 'endTxnMarker: COMMIT' "$WORK/log.out" || { head -20 "$WORK/log.out"; fail "Kafka sees no commit marker"; }
grep -q 'endTxnMarker: ABORT' "$WORK/log.out" || fail "Kafka sees no abort marker"
echo "ok: and the markers"
