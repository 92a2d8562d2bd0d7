#!/bin/bash
# KafkaJS 2.2: old, non-flexible versions of every request, with its own group protocol code.
. "$(dirname "$0")/lib/broker.sh"
npm_install kafkajs@2.2.4
start_broker num.partitions=4
timeout 120 node "$HERE/lib/kafkajs_client.js" $B || fail "kafkajs"
stop_broker
