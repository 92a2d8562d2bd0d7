# What the client must do with any broker; sourced by client_broker.sh and client_kafka.sh, which set PROGRAM, BOOTSTRAP and WORK.
set -e
say() { echo "== $*"; }
die() { echo "FAILED: $*" >&2; exit 1; }
client() { timeout 120 "$PROGRAM" -X bootstrap.servers="$BOOTSTRAP" -X auto.offset.reset=earliest "$@"; }

# Every number from 0 to COUNT - 1 once, and within a partition in rising order.
check_numbers() { # file count
    awk -v count="$2" '
        { number = substr($3, 5) + 0; if (($1 in last) && number <= last[$1]) { print "out of order or twice: " $0; exit 1 }
          last[$1] = number; seen++ }
        END { if (seen != count) { print seen " records instead of " count; exit 1 } }' "$1" || die "$1"
}

case_round_trip() {
    say "each codec makes the round trip"
    for codec in none gzip snappy lz4 zstd; do
        client create "rt-$codec" 3 >/dev/null
        client -X compression.type=$codec produce "rt-$codec" 3 20000 60 >"$WORK/produced"
        client consume "rt-$codec" 3 >"$WORK/consumed" 2>/dev/null
        check_numbers "$WORK/consumed" 20000
    done
}

case_topics() {
    say "topics are created, described and deleted"
    client create made 5 >/dev/null
    client describe made | grep -q "made partitions=5" || die "describe"
    client create made 5 >/dev/null 2>"$WORK/error" && die "created twice"
    grep -q "exists" "$WORK/error" || die "$(cat "$WORK/error")"
    client configs made | grep -q "cleanup.policy=delete" || die "configs"
    client delete made >/dev/null
    client describe made >/dev/null 2>"$WORK/error" && die "still there"
    grep -q "no such topic" "$WORK/error" || die "$(cat "$WORK/error")"
}

case_group() {
    say "two members share the partitions, commit, and one takes over from the other"
    client create shared 4 >/dev/null
    client produce shared 4 20000 60 >/dev/null
    client -X group.id=pair -X session.timeout.ms=10000 -X heartbeat.interval.ms=300 member shared 14000 >"$WORK/first" &
    local first=$!
    sleep 1.5
    client -X group.id=pair -X session.timeout.ms=10000 -X heartbeat.interval.ms=300 member shared 5000 >"$WORK/second"
    client produce shared 4 20000 60 >/dev/null
    wait $first
    grep -q "assigned generation=1 partitions=0,1,2,3" "$WORK/first" || die "first did not begin alone"
    [ "$(grep -c '^assigned' "$WORK/first")" -ge 3 ] || die "first did not see two rebalances"
    grep -q "^assigned" "$WORK/second" || die "second got nothing"
    # At least once: what was read but not committed when a member stopped is read again by the other.
    local read
    read=$(cat "$WORK/first" "$WORK/second" | grep ' key-' | sort -u | wc -l)
    [ "$read" = 40000 ] || die "$read different records read, not 40000"
    client group pair | tee "$WORK/group" | grep -q "lag=0" || die "$(cat "$WORK/group")"
    ! grep -q "lag=[1-9]" "$WORK/group" || die "$(cat "$WORK/group")"
    client groups | grep -q "^pair " || die "not listed"
}
