#!/bin/bash
# KafkaJS 2.2: transactions in the protocol's first versions.
. "$(dirname "$0")/lib/broker.sh"
npm_install kafkajs@2.2.4
start_broker
timeout 120 node "$HERE/lib/kafkajs_txn.js" $B || fail "kafkajs"
stop_broker
