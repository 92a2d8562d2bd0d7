#!/usr/bin/env python3
"""Millstream and Kafka Streams on the same records, in turns within one run, and the ratio of their rates.

    compare.py BUILD [--peers DIRECTORY] [--turns N] [--scale X] [JOB...]

    jobs: filtermap pv pv-zipf uv restore join ssjoin sessions table hll exactly-once exactly-once-1m start

BUILD is a release build with bench.pipeline. DIRECTORY has kafka.sh, which runs Apache Kafka and StreamsBench on this machine (setup
done); default $KAFKA_PEERS, else shared/peers beside the repository. The jobs that StreamsBench does not have are those of
java/StreamsJobs.java, which is compiled first. --scale multiplies the numbers of records: 0.1 for a look.

Both sides read 100-byte records from a topic of four partitions, with one thread, a commit every second and the broker on the same
machine; both clocks run from the first record read until the application has closed, that of restore from the first changelog record
until it runs again. exactly-once compares the rates at exactly-once and a commit every 100 ms; start the time from exec to the first
record after a kill -9, ours with a broker that was killed and starts as well, theirs with one that runs on. Kafka's broker syncs
nothing; ours syncs before it acknowledges.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BAR = 15
BARS = {"ssjoin": 7}

# job: (our arguments and records, theirs: job, records, keys, further arguments). Commits are a second apart but in exactly-once.
JOBS = {
    "filtermap": (["filtermap"], 100_000_000, "filtermap", 5_000_000, 10_000, []),
    "pv": (["pv"], 100_000_000, "pv", 5_000_000, 10_000, []),
    "pv-zipf": (["pv", "--keys", "1000000", "--zipf"], 50_000_000, "pv", 3_000_000, 1_000_000, ["zipf"]),
    "uv": (["uv"], 12_000_000, "uv", 1_000_000, 10_000, []),
    "restore": (["restore"], 10_000_000, "restore", 10_000_000, 1_000_000, []),
    "join": (["join"], 40_000_000, "join", 2_000_000, 1_000_000, []),
    "ssjoin": (["ssjoin"], 5_000_000, "ssjoin", 1_000_000, 10_000, []),
    "sessions": (["sessions"], 30_000_000, "sessions", 2_000_000, 10_000, []),
    "table": (["table"], 30_000_000, "table", 3_000_000, 10_000, []),
    "hll": (["hll"], 30_000_000, "hll", 1_000_000, 10_000, []),
    "exactly-once": (["exactly-once"], 30_000_000, "count", 3_000_000, 10_000, ["exactly_once_v2"]),
    "exactly-once-1m": (["exactly-once", "--keys", "1000000"], 30_000_000, "count", 2_000_000, 1_000_000, ["exactly_once_v2"]),
    "start": (["start"], 15_000_000, "start", 15_000_000, 10_000_000, []),
}
OF_STREAMS_BENCH = {"filtermap", "pv", "uv", "restore", "join", "ssjoin"}


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout


def find_rate(pattern, text, unit):
    found = re.search(pattern, text)
    if found is None:
        sys.exit(f"no rate in what was printed:\n{text}")
    return float(found.group(1)) * unit


def our_rate(build, job, scale):
    arguments, records = JOBS[job][:2]
    text = run([build / "tests/bench/bench.pipeline", *arguments, "--records", str(int(records * scale)), *scaled_keys(job, scale)])
    print(f"  Millstream     {text.strip().splitlines()[-1]}", flush=True)
    if job == "start":
        return 1e3 / find_rate(r"after kill -9\s+([\d.]+) ms", text, 1)
    return find_rate(r"(?:exactly_once_v2 .*?|\n\S+ +)([\d.]+) M records/s", text, 1e6)


def scaled_keys(job, scale):
    """Where the keys are what is measured."""
    return ["--keys", str(int(JOBS[job][4] * scale))] if job == "start" else []


def their_rate(options, job):
    name, records, keys, further = JOBS[job][2:]
    kafka, boot, records = options.peers / "kafka.sh", f"127.0.0.1:{options.port}", str(int(records * options.scale))
    if name in OF_STREAMS_BENCH:
        text = run([kafka, "run", "StreamsBench", boot, name, records, str(keys), "1", "1000", *further])
        print("  Kafka Streams  " + " | ".join(line for line in text.splitlines() if " rec/s" in line), flush=True)
        if name == "restore":
            return find_rate(r"restore: \d+ changelog records in \S+ s = (\d+) rec/s", text, 1)
        return find_rate(r"\((\d+) with final flush\)", text, 1)
    jobs = [kafka, "run", "-cp", options.classpath, "StreamsJobs", boot]
    if name == "start":
        text = run([*jobs, "start", records, str(int(keys * options.scale)), "1000"])
        application = re.search(r"start: (\S+)", text).group(1)
        text = run([*jobs, "resume", application, "1000"])
        print(f"  Kafka Streams  {text.strip().splitlines()[-1]}", flush=True)
        return 1e3 / find_rate(r"first record (\d+) ms", text, 1)
    text = run([*jobs, name, records, str(keys), "100" if further else "1000", *further])
    print(f"  Kafka Streams  {text.strip().splitlines()[-1]}", flush=True)
    return find_rate(r"\((\d+) with final flush\)", text, 1)


def compile_jobs(peers, directory):
    """The classpath with our own Java program on it."""
    classpath = run([peers / "kafka.sh", "env"]).strip().removeprefix("CLASSPATH=")
    run(["javac", "-nowarn", "-cp", classpath, "-d", directory, REPOSITORY / "tests/bench/java/StreamsJobs.java"])
    return f"{directory}:{classpath}"


def said(job, rate):
    return f"{1e3 / rate:.0f} ms" if job == "start" else f"{rate / 1e6:.3f} M/s"


def compare(options, job):
    ratios = []
    for turn in range(options.turns):
        print(f"{job}, turn {turn + 1}", flush=True)
        ours = our_rate(options.build, job, options.scale)
        theirs = their_rate(options, job)
        ratios.append(ours / theirs)
        print(f"  {said(job, ours)} against {said(job, theirs)}: {ratios[-1]:.1f} times", flush=True)
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("jobs", nargs="*", metavar="JOB", default=list(JOBS), help=" ".join(JOBS))
    parser.add_argument("--peers", type=pathlib.Path, default=os.environ.get("KAFKA_PEERS", REPOSITORY.parent / "shared/peers"))
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--port", type=int, default=19092, help="of Kafka; the next one is taken, too")
    parser.add_argument("--scale", type=float, default=1)
    options = parser.parse_intermixed_args()
    options.peers = pathlib.Path(options.peers)
    if not (options.peers / "kafka.sh").exists():
        sys.exit(f"{options.peers} has no kafka.sh; name its directory with --peers or KAFKA_PEERS")
    for job in options.jobs:
        if job not in JOBS:
            parser.error(f"{job} is not among the jobs: {' '.join(JOBS)}")
    with tempfile.TemporaryDirectory() as classes:
        options.classpath = compile_jobs(options.peers, classes)
        subprocess.run([options.peers / "kafka.sh", "start", str(options.port)], check=True)
        try:
            results = {job: compare(options, job) for job in options.jobs}
        finally:
            subprocess.run([options.peers / "kafka.sh", "stop", str(options.port)], check=True)
    for job, ratios in results.items():
        median = statistics.median(ratios)
        print(f"{job:16} {median:6.1f} times Kafka Streams [{min(ratios):.1f}..{max(ratios):.1f}, n={len(ratios)}], bar {BARS.get(job, BAR)}")


if __name__ == "__main__":
    main()
