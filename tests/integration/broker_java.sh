#!/bin/bash
# Apache Kafka's own command-line tools (KAFKA_CLASSPATH names their jars): topics, console clients, groups, configs, and
# DumpLogSegments over the files that the broker wrote.
. "$(dirname "$0")/lib/broker.sh"
need java
[ -n "${KAFKA_CLASSPATH:-}" ] || skip "KAFKA_CLASSPATH does not name the jars of Apache Kafka's tools"
export CLASSPATH=$KAFKA_CLASSPATH
start_broker num.partitions=4 log.cleaner.backoff.ms=200 log.retention.check.interval.ms=500 metadata.log.max.snapshot.interval.ms=1000

tool() {
    local class=$1
    shift
    timeout 60 java -Xmx256m "$class" "$@" 2>"$WORK/tool.err" || { cat "$WORK/tool.err"; fail "$class $*"; }
}
TOPICS="org.apache.kafka.tools.TopicCommand --bootstrap-server $B"
GROUPS_TOOL="org.apache.kafka.tools.consumer.group.ConsumerGroupCommand --bootstrap-server $B"
DUMP=org.apache.kafka.tools.DumpLogSegments

tool $TOPICS --create --topic tool --partitions 3 --config retention.ms=100000 >/dev/null
expect "a described topic" "3" "$(tool $TOPICS --describe --topic tool | grep -c 'Leader: 1')"
seq 1 1000 | tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server $B --topic tool >/dev/null
expect "an idempotent producer and a group of one" "$(seq 1 1000 | md5sum)" \
    "$(tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server $B --topic tool --from-beginning --max-messages 1000 --group tools | sort -n | md5sum)"
expect "no lag" "0 1000" "$(tool $GROUPS_TOOL --describe --group tools | awk '/^tools/ { end += $5; lag += $6 } END { print lag, end }')"
tool $GROUPS_TOOL --reset-offsets --to-earliest --topic tool --group tools --execute >/dev/null
expect "offsets are reset" "1000" "$(tool $GROUPS_TOOL --describe --group tools | awk '/^tools/ { lag += $6 } END { print lag }')"
tool org.apache.kafka.tools.TopicCommand --bootstrap-server $B --alter --topic tool --partitions 5 >/dev/null
expect "a topic grows" "5" "$(tool $TOPICS --describe --topic tool | grep -c 'Leader: 1')"
tool $GROUPS_TOOL --delete --group tools >/dev/null
tool $GROUPS_TOOL --list >"$WORK/groups"
expect "a deleted group is gone" "" "$(grep -x tools "$WORK/groups" || true)"
expect "end offsets" "1000" "$(tool org.apache.kafka.tools.GetOffsetShell --bootstrap-server $B --topic tool | awk -F: '{ n += $3 } END { print n }')"
expect "verifiable producer" "5000" "$(tool org.apache.kafka.tools.VerifiableProducer --bootstrap-server $B --topic verified --max-messages 5000 | grep -c producer_send_success)"
tool $TOPICS --create --topic compacted --partitions 1 --config cleanup.policy=compact --config segment.ms=500 >/dev/null
seq 1 5000 | awk '{ print "key-" $1 % 50 ":value-" $1 }' |
    tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server $B --topic compacted --reader-property parse.key=true --reader-property key.separator=: >/dev/null
for _ in $(seq 50); do
    dump_records() { tool $DUMP --deep-iteration --print-data-log --files "$(ls "$WORK"/data/compacted-0/*.log | paste -sd,)" | grep -c ' key: key-'; }
    left=$(dump_records)
    [ "$left" -eq 50 ] && break
    sleep 0.2
done
[ "$left" -eq 50 ] || fail "the compacted topic has $left records of 50 keys"
stop_broker
start_broker num.partitions=4
expect "the latest value of each key in a compacted topic" "$(seq 4951 5000 | awk '{ print "key-" $1 % 50 ":value-" $1 }' | sort | md5sum)" \
    "$(tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server $B --topic compacted --from-beginning --max-messages 50 \
        --formatter-property print.key=true --formatter-property key.separator=: | sort | md5sum)"

stop_broker
newest=$(ls "$WORK"/data/__cluster_metadata-0/*.checkpoint | tail -1)
tool $DUMP --cluster-metadata-decoder --files "$newest" >"$WORK/snapshot"
expect "Kafka reads our snapshot of the metadata" "3" "$(grep -c TOPIC_RECORD.*'"tool"\|TOPIC_RECORD.*"verified"\|TOPIC_RECORD.*"compacted"' "$WORK/snapshot")"
expect "with its header and footer" "2" "$(grep -c 'SnapshotHeader\|SnapshotFooter' "$WORK/snapshot")"
for log in "$WORK"/data/__cluster_metadata-0/*.log; do
    tool $DUMP --cluster-metadata-decoder --files "$log" >"$WORK/dump"
    grep -q 'isvalid: true' "$WORK/dump" || [ ! -s "$log" ] || fail "Kafka sees no batch in $log"
    ! grep -q 'isvalid: false' "$WORK/dump" || fail "$log is not valid to Kafka"
done
for log in "$WORK"/data/tool-*/*.log; do
    tool $DUMP --deep-iteration --verify-index-only --files "${log%.log}.index","${log%.log}.timeindex" >/dev/null
    tool $DUMP --deep-iteration --files "$log" >"$WORK/dump"
    grep -q '^baseOffset.*isvalid: true' "$WORK/dump" || [ ! -s "$log" ] || fail "Kafka sees no batch in $log"
    ! grep '^baseOffset' "$WORK/dump" | grep -qv 'isvalid: true' || fail "$log is not valid to Kafka"
done
expect "and our committed offsets" "1" "$(tool $DUMP --offsets-decoder --files "$(echo "$WORK"/data/__consumer_offsets-*/*.log | tr ' ' ,)" |
    grep -c '"group":"tools"}.*"protocolType":"consumer","generation":1,')"
