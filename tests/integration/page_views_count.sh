#!/bin/sh
# page_views_count.sh LOG DIRECTORY: what page_views has to say about an access log, counted with awk, sort and uniq alone.
#
# Written from the definitions, not from the parser: a page view is every line of the form
#
#     client ident user [dd/Mon/yyyy:hh:mm:ss +zzzz] "request" status bytes ...
#
# whose page is what stands in the request behind its first blank, up to the last " HTTP/" and the first '?', and "-" for a
# request without a blank. Windows are minutes and hours of UTC. Written to DIRECTORY:
#
#     hits      second client page, a line each, in the log's order
#     counts    "page-views ms count page" and "unique-visitors ms count page", ms being the window's start; "?site" is all pages
#     facts     "lines n", "parsed n", "lateness s" (how far a line lies behind the latest before it), "span s"
set -eu
LOG=$1
OUT=$2
export LC_ALL=C TZ=UTC0

awk '
BEGIN {
    split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", names, " ")
    for (i in names)
        month[names[i]] = i
}
match($0, /^[^ ]+ [^ ]+ [^ ]+ \[[^]]*\] "/) {
    head = substr($0, 1, RLENGTH)
    rest = substr($0, RLENGTH + 1)
    time = substr(head, index(head, "[") + 1)
    if (time !~ /^[0-9][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:[0-9][0-9]:[0-9][0-9]:[0-9][0-9] [-+][0-9][0-9][0-9][0-9]\]/)
        next
    if (!match(rest, /" ([0-9][0-9][0-9]|-) ([0-9]+|-)( |\r|$)/))
        next
    request = substr(rest, 1, RSTART - 1)

    second = mktime(substr(time, 8, 4) " " month[substr(time, 4, 3)] " " substr(time, 1, 2) " " \
                    substr(time, 13, 2) " " substr(time, 16, 2) " " substr(time, 19, 2))
    ahead = substr(time, 23, 2) * 3600 + substr(time, 25, 2) * 60
    second += substr(time, 22, 1) == "-" ? ahead : -ahead

    page = "-"
    if ((blank = index(request, " ")) > 0) {
        page = substr(request, blank + 1)
        if (match(page, /.* HTTP\//))
            page = substr(page, 1, RLENGTH - 6)
        if ((question = index(page, "?")) > 0)
            page = substr(page, 1, question - 1)
    }
    print second, substr(head, 1, index(head, " ") - 1), page
}' "$LOG" >"$OUT/hits"

# A window's start in milliseconds, as text: mawk prints large numbers as floating point.
minute='{ second = $1; sub(/^[^ ]+ [^ ]+ /, ""); print second - second % 60 "000", $0 }'
hour='{ second = $1; client = $2; sub(/^[^ ]+ [^ ]+ /, ""); print second - second % 3600 "000", client, $0 }'
site='{ print $1 - $1 % 3600 "000", $2, "?site" }'
count='{ n = $1; ms = $2; sub(/^ *[0-9]+ [0-9]+ /, ""); print topic, ms, n, $0 }'
drop_client='{ ms = $1; sub(/^[^ ]+ [^ ]+ /, ""); print ms, $0 }'
{
    awk "$minute" "$OUT/hits" | sort | uniq -c | awk -v topic=page-views "$count"
    awk "$hour" "$OUT/hits" | sort -u | awk "$drop_client" | sort | uniq -c | awk -v topic=unique-visitors "$count"
    awk "$site" "$OUT/hits" | sort -u | awk "$drop_client" | sort | uniq -c | awk -v topic=unique-visitors "$count"
} >"$OUT/counts"

{
    echo "lines $(wc -l <"$LOG")"
    awk 'NR == 1 { first = last = $1 }
         $1 < first { first = $1 }
         $1 > last { last = $1 }
         last - $1 > late { late = last - $1 }
         END { print "parsed", NR; print "lateness", late + 0; print "span", last - first }' "$OUT/hits"
} >"$OUT/facts"
