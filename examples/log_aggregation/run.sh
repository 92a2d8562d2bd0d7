#!/bin/sh
# Builds and runs log_aggregation: sh examples/log_aggregation/run.sh [SERVICE_LOG.csv]...
#
# Reads the rows of the files (plain or .gz; a sample when there is none) and prints the alerts that come of them.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- "$HERE/sample.csv"
cat -- "$@" >/dev/null
FROM=$PWD
cd "$HERE/../.."
. examples/common/demo.sh

build log_aggregation
start_example $BUILD/examples/log_aggregation/log_aggregation --threshold "${THRESHOLD:-20}"

echo "The rows go into the topic service-log of the broker at $BROKER; log_aggregation (examples/log_aggregation/main.c) reads it there."
for file in "$@"; do
    (cd "$FROM" && lines_of "$file")
done | $MILLSTREAM produce service-log
until $MILLSTREAM group describe log-aggregation --max-lag 0 >/dev/null 2>&1; do
    sleep 0.2
done
sleep 1.5 # one more commit brings the last results

echo 'Windows of five minutes with errors above the threshold, as they grew:'
$MILLSTREAM consume alerts --until-end --key windowed:5m --value long
