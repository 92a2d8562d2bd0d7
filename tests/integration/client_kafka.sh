#!/bin/bash
# The client against a Kafka that runs already: KAFKA_BOOTSTRAP=host:port client_kafka.sh CLIENT_PROGRAM WORK
PROGRAM=$1 WORK=$2 BOOTSTRAP=$KAFKA_BOOTSTRAP
[ -n "$BOOTSTRAP" ] || { echo "skipped: KAFKA_BOOTSTRAP names no broker"; exit 77; }
. "$(dirname "$0")/client_cases.sh"
rm -rf "$WORK"
mkdir -p "$WORK"
case_round_trip
case_topics
case_group
say "done"
