#!/bin/sh
# Builds and runs sessions: sh examples/sessions/run.sh [ACCESS_LOG]
#
# Reads the lines of ACCESS_LOG (plain or .gz). Without one, traffic is made up. Shows the last visits and the visitors of each
# five minutes once all lines are in.
set -eu
LOG=${1:-}
case $LOG in '' | /*) ;; *) LOG=$PWD/$LOG ;; esac
[ -z "$LOG" ] || { [ -r "$LOG" ] && [ ! -d "$LOG" ]; } || { echo "$LOG cannot be read" >&2; exit 2; }
cd "$(dirname "$0")/../.."
. examples/common/demo.sh

build sessions page_views_traffic
start_example $BUILD/examples/sessions/sessions

if [ -n "$LOG" ]; then
    lines_of "$LOG" | $MILLSTREAM produce access-log --quiet
else
    $BUILD/examples/page_views/page_views_traffic --rate 0 --count 100000 | $MILLSTREAM produce access-log --quiet
fi

cat <<TEXT

${LOG:-Made-up traffic} went into the topic access-log of the broker at $BROKER; sessions reads it there.
Its source is examples/sessions/main.c. To look further, while it runs:

    $MILLSTREAM consume visits --from-beginning --key session -b $BROKER
    $MILLSTREAM group describe sessions -b $BROKER

Start and end of the visit, client, pages, seconds, entry page, exit page:

TEXT
sleep 3 # two commits
$MILLSTREAM consume visits --from-beginning --until-end --key session --format '%w %e %k %s\n' | tail -n 20
echo
echo 'Five minutes and how many different clients were there:'
echo
$MILLSTREAM consume live-visitors --from-beginning --until-end --key windowed:5m --value long --format '%w %s\n' | tail -n 10
