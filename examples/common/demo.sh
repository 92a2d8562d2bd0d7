# For the examples' run.sh: builds, starts an example with a broker of its own, and stops everything at the end. Run from the
# project's root.

BUILD=.build/examples
DATA=$BUILD/data
MILLSTREAM=$BUILD/millstream

# build TARGET...
build() {
    sh .ci/packages.sh build
    echo "Building in $BUILD"
    mkdir -p $BUILD
    { cmake -S . -B $BUILD -G Ninja -DCMAKE_BUILD_TYPE=Release -DMILLSTREAM_TESTS=OFF &&
        cmake --build $BUILD --target millstream_cli "$@"; } >$BUILD/build.log 2>&1 || { tail -n 40 $BUILD/build.log >&2; exit 1; }
}

# Sets BROKER once the example is ready; 1: it ended before.
wait_until_ready() {
    while ! BROKER=$(sed -n 's/.*ready, broker at //p' $DATA.log) || [ -z "$BROKER" ]; do
        kill -0 "$APP" 2>/dev/null || return 1
        sleep 0.05
    done
}

# start_example PROGRAM [OPTION]...: on port 9092, or a free one when that is taken. Its data are new each time.
start_example() {
    rm -rf $DATA
    unset MILLSTREAM_BOOTSTRAP_SERVERS
    for port in 9092 0; do
        "$@" -X state.dir=$DATA -X listeners=PLAINTEXT://127.0.0.1:$port 2>$DATA.log &
        APP=$!
        trap stop_all EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
        wait_until_ready && break
        [ $port = 9092 ] && grep -q 'address' $DATA.log || { cat $DATA.log >&2; exit 1; }
    done
    export MILLSTREAM_BOOTSTRAP_SERVERS=$BROKER
}

stop_all() {
    trap - EXIT INT TERM
    for pid in ${FEED:-} ${APP:-}; do
        kill $pid 2>/dev/null || true
    done
    wait
}

# lines_of FILE: unpacked.
lines_of() {
    case $1 in
    *.gz) gzip -dc -- "$1" ;;
    *) cat -- "$1" ;;
    esac
}
