#!/bin/sh
# Builds and runs enrich: sh examples/enrich/run.sh [FLIGHTS AIRPORTS]
#
# FLIGHTS is a JSON array of flights, AIRPORTS a CSV file with a header (plain or .gz), as in the vega datasets' flights-20k.json
# and airports.csv. Without them a handful of each is made up. Shows the delays per state and hour once all flights are in.
set -eu
[ $# = 0 ] || [ $# = 2 ] || { echo "usage: run.sh [FLIGHTS AIRPORTS]" >&2; exit 2; }
FLIGHTS=${1:-}
AIRPORTS=${2:-}
for file in "$@"; do
    [ -r "$file" ] || { echo "$file cannot be read" >&2; exit 2; }
done
[ $# = 0 ] || FLIGHTS=$(cd "$(dirname "$1")" && pwd)/$(basename "$1") AIRPORTS=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
cd "$(dirname "$0")/../.."
. examples/common/demo.sh

build enrich
start_example $BUILD/examples/enrich/enrich

airports() {
    [ -z "$AIRPORTS" ] || { lines_of "$AIRPORTS"; return; }
    printf '%s\n' 'DTW,Detroit Metropolitan,Detroit,MI,USA' 'LAS,McCarran,Las Vegas,NV,USA' 'HNL,Honolulu,Honolulu,HI,USA'
}

flights() {
    [ -z "$FLIGHTS" ] || { lines_of "$FLIGHTS"; return; }
    awk 'BEGIN {
        split("DTW LAS HNL", origins, " ")
        for (i = 0; i < 300; i++)
            printf "%s{\"date\":\"2001/01/01 %02d:%02d\",\"delay\":%d,\"origin\":\"%s\"}", i ? "," : "[", i / 60, i % 60, \
                   i * 37 % 90 - 15, origins[i % 3 + 1]
        print "]"
    }'
}

airports | $MILLSTREAM produce airports --key-field 1 --field-separator , --quiet
flights | sed 's/^\[//; s/\]$//; s/},{/}\n{/g' | $MILLSTREAM produce flights --quiet

cat <<TEXT

${FLIGHTS:-Made-up flights} went into the topic flights of the broker at $BROKER, the airports into airports; enrich joins them there.
Its source is examples/enrich/main.c. To look further, while it runs:

    $MILLSTREAM consume enriched-flights --from-beginning -b $BROKER
    $MILLSTREAM consume late-flights --from-beginning -b $BROKER

State and hour: flights, sum of their delays in minutes, largest delay.

TEXT
sleep 3 # two commits
$MILLSTREAM consume delays --from-beginning --until-end --key windowed:1h | tail -n 20
