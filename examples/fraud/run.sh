#!/bin/sh
# Builds and runs fraud: sh examples/fraud/run.sh [PAYMENTS]
#
# PAYMENTS has lines of CSV: seconds,card,cents,country (plain or .gz). Without it a day of 200 cards is made up. Shows the alerts
# once all payments are in.
set -eu
PAYMENTS=${1:-}
[ -z "$PAYMENTS" ] || { [ -r "$PAYMENTS" ] && [ ! -d "$PAYMENTS" ]; } || { echo "$PAYMENTS cannot be read" >&2; exit 2; }
case $PAYMENTS in '' | /*) ;; *) PAYMENTS=$PWD/$PAYMENTS ;; esac
cd "$(dirname "$0")/../.."
. examples/common/demo.sh

build fraud
start_example $BUILD/examples/fraud/fraud

payments() {
    [ -z "$PAYMENTS" ] || { lines_of "$PAYMENTS"; return; }
    awk 'BEGIN {
        for (i = 0; i < 20000; i++) {
            card = i * 7919 % 200
            country = i % 997 == 0 ? "FR" : "NL"
            printf "%d,4929-%04d,%d,%s\n", 1700000000 + i * 4, card, 100 + i * 31 % 5000, country
            if (i % 1999 == 0)
                for (j = 0; j < 4; j++)
                    printf "%d,4929-%04d,%d,%s\n", 1700000000 + i * 4 + j, card, 100, country
            if (i % 5000 == 4999)
                print "a line of another form"
        }
    }'
}

payments | $MILLSTREAM produce payments --quiet

cat <<TEXT

${PAYMENTS:-Made-up payments} went into the topic payments of the broker at $BROKER; fraud reads it there.
Its source is examples/fraud/main.c. To look further, while it runs:

    $MILLSTREAM consume payments-refused --from-beginning -b $BROKER
    $MILLSTREAM consume card-reports --from-beginning -b $BROKER

Rule, and the payment that broke it.

TEXT
sleep 3 # two commits
$MILLSTREAM consume payments-alerts --from-beginning --until-end | tail -n 20
