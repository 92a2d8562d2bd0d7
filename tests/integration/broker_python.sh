#!/bin/bash
# kafka-python 2.0.2, as Debian has it: guesses the broker's version from the list of APIs, old versions of every request.
. "$(dirname "$0")/lib/broker.sh"
PYTHON=/usr/bin/python3
[ -x $PYTHON ] || skip "there is no python3"
$PYTHON -c 'import kafka' 2>/dev/null || skip "python3-kafka is not installed"
start_broker num.partitions=2
timeout 120 $PYTHON "$HERE/lib/python_client.py" $B || fail "the python client"
stop_broker
