#!/bin/sh
# Builds and runs trace_join: sh examples/trace_join/run.sh [LOGS SPANS]
#
# LOGS and SPANS are tar archives (plain or .gz) of CSV files, as Nezha's of the TrainTicket services. Without them a few of each
# are made up. Shows errors and lines per operation and five minutes once all is in.
set -eu
[ $# = 0 ] || [ $# = 2 ] || { echo "usage: run.sh [LOGS SPANS]" >&2; exit 2; }
for file in "$@"; do
    [ -r "$file" ] || { echo "$file cannot be read" >&2; exit 2; }
done
LOGS=
[ $# = 0 ] || LOGS=$(cd "$(dirname "$1")" && pwd)/$(basename "$1") SPANS=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
cd "$(dirname "$0")/../.."
. examples/common/demo.sh

build trace_join
# Both archives go in one after the other, so that each is late by all of the other.
start_example $BUILD/examples/trace_join/trace_join --grace 10000

# rows_of ARCHIVE: of all its files.
rows_of() {
    lines_of "$1" | tar -xO -f - | awk 1
}

logs() {
    [ -z "$LOGS" ] || { rows_of "$LOGS"; return; }
    awk 'BEGIN {
        for (i = 0; i < 300; i++)
            printf "2023-01-30T12:%02d:%02d.000Z,1,node,ts-order-service-5b67c48447-mv5hb,c,trace%d,span%d," \
                   "\"{\"\"log\"\":\"\"20:00:00.000 %s text\\n\"\"}\"\n", i / 60, i % 60, i / 3, i % 3, i % 7 ? "INFO" : "ERROR"
    }'
}

spans() {
    [ -z "$LOGS" ] || { rows_of "$SPANS"; return; }
    awk 'BEGIN {
        split("OrderController.query OrderService.find OrderRepository.load", operations, " ")
        for (i = 0; i < 300; i++)
            printf "trace%d,span%d,root,ts-order-service-5b67c48447-mv5hb,%s,%d000000000,0,0\n", i / 3, i % 3, \
                   operations[i % 3 + 1], 1675080000 + i
    }'
}

logs | $MILLSTREAM produce service-log --quiet
spans | $MILLSTREAM produce spans --quiet

cat <<TEXT

${LOGS:-Made-up log lines and spans} went into the topics service-log and spans of the broker at $BROKER; trace_join joins them there.
Its source is examples/trace_join/main.c. To look further, while it runs:

    $MILLSTREAM group describe trace-join -b $BROKER

Operation and five minutes: errors, lines.

TEXT
sleep 4 # two commits
$MILLSTREAM consume operation-logs --from-beginning --until-end --key windowed:5m | tail -n 20
