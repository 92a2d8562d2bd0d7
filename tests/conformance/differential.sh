#!/bin/sh
# Finds Java and Maven, fetches Kafka Streams of the version in java/pom.xml, compiles java/ and runs the differential tester:
#
#   differential.sh PROGRAM DIRECTORY [OPTION...]      the options are differential.c's
#
# Without Java, Maven or a way to its repository it says so and ends with 77.
set -eu
program=$1
directory=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)

skip() {
    echo "skipped: $*"
    exit 77
}

for command in java javac mvn; do
    command -v $command >/dev/null || skip "there is no $command, so no Kafka Streams to compare with"
done
mkdir -p "$directory"
peer=$(cd "$directory/.." && pwd)/peer
mkdir -p "$peer"
# Two tests may come here at once.
exec 9>"$peer/lock"
flock 9
if [ ! -e "$peer/fetched" ] || [ "$here/java/pom.xml" -nt "$peer/fetched" ]; then
    rm -rf "$peer/lib"
    mvn -q -B -f "$here/java/pom.xml" dependency:copy-dependencies -DoutputDirectory="$peer/lib" >"$peer/mvn.log" 2>&1 ||
        skip "Maven could not fetch Kafka Streams: $(head -n 1 "$peer/mvn.log")"
    touch "$peer/fetched"
fi
javac -nowarn -cp "$peer/lib/*" -d "$peer/classes" "$here"/java/*.java 2>"$peer/javac.log" || {
    cat "$peer/javac.log"
    exit 1
}
flock -u 9
exec "$program" "$peer/classes:$peer/lib/*" "$directory/state" "$@"
