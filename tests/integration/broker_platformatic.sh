#!/bin/bash
# @platformatic/kafka: only flexible versions, topic ids in Fetch; the strictest reader among the clients here.
. "$(dirname "$0")/lib/broker.sh"
npm_install @platformatic/kafka@1.35.0
start_broker num.partitions=2
timeout 120 node "$HERE/lib/platformatic_client.mjs" $B || fail "@platformatic/kafka"
stop_broker
