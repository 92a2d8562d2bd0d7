# For tests/run.sh and .ci/run: configure, build and test a preset, quiet unless something fails. Run from the project's root.

# say WHAT
say() {
    echo "== $*"
}

# quietly LOG COMMAND...: the output goes to the log, and is shown when the command fails.
quietly() {
    log=$1
    shift
    "$@" >"$log" 2>&1 || { cat "$log"; echo "FAILED: $*"; exit 1; }
}

# build PRESET [TARGET...]
build() {
    preset=$1
    shift
    say "building $preset in .build/$preset"
    mkdir -p .build
    quietly .build/$preset.log cmake --preset $preset
    quietly .build/$preset.log cmake --build --preset $preset ${*:+--target "$@"}
}

# run_tests PRESET [CTEST OPTION...]: the failures with all that they printed, what was skipped, and ctest's summary as the last line.
run_tests() {
    preset=$1
    shift
    say "testing $preset"
    status=0
    ctest --preset $preset -j 2 --timeout 900 "$@" >.build/$preset.log 2>&1 || status=$?
    if [ $status -ne 0 ]; then
        grep -Ev '^ *Start |  Passed  ' .build/$preset.log
        exit $status
    fi
    awk '/^[0-9]+\/[0-9]+ Test: / { name = $3 } /^skipped: / { print name " " $0 }' .build/$preset/Testing/Temporary/LastTest.log
    grep 'tests passed' .build/$preset.log
}
