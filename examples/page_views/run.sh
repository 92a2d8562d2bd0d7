#!/bin/sh
# Builds and runs page_views: sh examples/page_views/run.sh [ACCESS_LOG]
#
# Reads the lines of ACCESS_LOG (plain or .gz), at RATE a second (20000; 0: as fast as it goes). Without one, traffic is made up.
# Shows what is found as it grows, until Ctrl-C; without a terminal, once at the end.
set -eu
LOG=${1:-}
case $LOG in '' | /*) ;; *) LOG=$PWD/$LOG ;; esac
[ -z "$LOG" ] || { [ -r "$LOG" ] && [ ! -d "$LOG" ]; } || { echo "$LOG cannot be read" >&2; exit 2; }
cd "$(dirname "$0")/../.."
. examples/common/demo.sh

build page_views page_views_traffic
start_example $BUILD/examples/page_views/page_views

feed() {
    if [ -n "$LOG" ]; then
        lines_of "$LOG" | $MILLSTREAM produce access-log --quiet --rate "${RATE:-20000}"
    elif [ -t 1 ]; then
        $BUILD/examples/page_views/page_views_traffic --rate "${RATE:-2000}" | $MILLSTREAM produce access-log --quiet
    else
        $BUILD/examples/page_views/page_views_traffic --rate 0 --count 100000 | $MILLSTREAM produce access-log --quiet
    fi
}
feed &
FEED=$!

cat <<TEXT

${LOG:-Made-up traffic} goes into the topic access-log of the broker at $BROKER; page_views reads it there.
Its source is examples/page_views/main.c. To look further, while it runs:

    $MILLSTREAM consume unique-visitors --from-beginning --key windowed:1h --value long -b $BROKER
    kcat -b $BROKER -C -t access-log -o -5 -c 5      (apt-get install kcat)
    $MILLSTREAM group describe page-views -b $BROKER

TEXT
if [ -t 1 ]; then
    echo 'Ctrl-C stops it.'
    echo
    $MILLSTREAM top || true
else
    $MILLSTREAM top --until-idle
fi
