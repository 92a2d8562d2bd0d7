#!/bin/sh
# log_aggregation_count.sh LOG DIRECTORY THRESHOLD: what log_aggregation has to say about the services' log, counted with awk,
# sort and uniq alone.
#
# Written from the definitions, not from the parser: a row is eight CSV fields (time, _, _, pod, _, _, _, "{""log"":""clock LEVEL
# ...}"), its service is the pod less its last two '-' parts. An ERROR counts in each of the five windows of five minutes around
# it, one of which starts every minute. Written to DIRECTORY:
#
#     counts    "service-errors ms count service" and, where count > THRESHOLD, "alerts ms count service", ms being the window's
#               start
#     facts     "lines n", "parsed n", "errors n", "lateness s" (how far a row lies behind the latest before it)
set -eu
LOG=$1
OUT=$2
THRESHOLD=$3
export LC_ALL=C TZ=UTC0

awk -F , '
/^[0-9-]+T[0-9:.]+Z?,[^,"]*,[^,"]*,[^,"]+-[^,"-]+-[^,"-]*,[^,"]*,[^,"]*,[^,"]*,"\{""log"":""[0-9:.]+ [A-Z]+ ([^"]|"")*\}"$/ {
    service = $4
    sub(/-[^-]*-[^-]*$/, "", service)
    level = substr($0, index($0, "\"{\"\"log\"\":\"\""))
    split(level, words, " ")
    print mktime(substr($1, 1, 4) " " substr($1, 6, 2) " " substr($1, 9, 2) " " substr($1, 12, 2) " " substr($1, 15, 2) " " \
                 substr($1, 18, 2)), words[2], service
}' "$LOG" >"$OUT/entries"

awk '$2 == "ERROR" {
    last = $1 - $1 % 60
    for (start = last - 240; start <= last; start += 60)
        print start "000", $3
}' "$OUT/entries" | sort | uniq -c | awk -v threshold="$THRESHOLD" '
{ print "service-errors", $2, $1, $3 }
$1 > threshold { print "alerts", $2, $1, $3 }' >"$OUT/counts"

{
    echo "lines $(wc -l <"$LOG")"
    awk 'NR == 1 { last = $1 }
         $1 > last { last = $1 }
         last - $1 > late { late = last - $1 }
         $2 == "ERROR" { errors++ }
         END { print "parsed", NR; print "errors", errors + 0; print "lateness", late + 0 }' "$OUT/entries"
} >"$OUT/facts"
