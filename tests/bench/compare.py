#!/usr/bin/env python3
"""Millstream and Kafka Streams on the same records, in turns within one run, and the ratio of their rates.

    compare.py BUILD [--peers DIRECTORY] [--turns N] [--scale X] [JOB...]          jobs: filtermap pv pv-zipf uv restore

BUILD is a release build with bench.pipeline. DIRECTORY has kafka.sh, which runs Apache Kafka and StreamsBench on this machine (setup
done); default $KAFKA_PEERS, else shared/peers beside the repository. --scale multiplies the numbers of records: 0.1 for a look.

Both sides read 100-byte records from a topic of four partitions, with one thread, a commit every second and the broker on the same
machine; both clocks run from the first record read until the application has closed, that of restore from the first changelog record
until it runs again. Kafka's broker syncs nothing; ours syncs before it acknowledges.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PORT = 19092
BAR = 15

# job: (our arguments and records, theirs: job, records, keys, further arguments)
JOBS = {
    "filtermap": (["filtermap"], 100_000_000, "filtermap", 5_000_000, 10_000, []),
    "pv": (["pv"], 100_000_000, "pv", 5_000_000, 10_000, []),
    "pv-zipf": (["pv", "--keys", "1000000", "--zipf"], 50_000_000, "pv", 3_000_000, 1_000_000, ["zipf"]),
    "uv": (["uv"], 12_000_000, "uv", 1_000_000, 10_000, []),
    "restore": (["restore"], 10_000_000, "restore", 10_000_000, 1_000_000, []),
}


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
    text = run([build / "tests/bench/bench.pipeline", *arguments, "--records", str(int(records * scale))])
    print(f"  Millstream     {text.strip().splitlines()[-1]}", flush=True)
    return find_rate(r"([\d.]+) M records/s", text, 1e6)


def their_rate(peers, job, scale):
    name, records, keys, further = JOBS[job][2:]
    text = run([peers / "kafka.sh", "run", "StreamsBench", f"127.0.0.1:{PORT}", name, str(int(records * scale)), str(keys), "1", "1000",
                *further])
    print("  Kafka Streams  " + " | ".join(line for line in text.splitlines() if " rec/s" in line), flush=True)
    if name == "restore":
        return find_rate(r"restore: \d+ changelog records in \S+ s = (\d+) rec/s", text, 1)
    return find_rate(r"\((\d+) with final flush\)", text, 1)


def compare(options, job):
    ratios = []
    for turn in range(options.turns):
        print(f"{job}, turn {turn + 1}", flush=True)
        ours = our_rate(options.build, job, options.scale)
        theirs = their_rate(options.peers, job, options.scale)
        ratios.append(ours / theirs)
        print(f"  {ours / 1e6:.2f} M/s against {theirs / 1e6:.3f} M/s: {ratios[-1]:.1f} times", flush=True)
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("jobs", nargs="*", metavar="JOB", default=list(JOBS), help=" ".join(JOBS))
    parser.add_argument("--peers", type=pathlib.Path, default=os.environ.get("KAFKA_PEERS", REPOSITORY.parent / "shared/peers"))
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1)
    options = parser.parse_intermixed_args()
    options.peers = pathlib.Path(options.peers)
    if not (options.peers / "kafka.sh").exists():
        sys.exit(f"{options.peers} has no kafka.sh; name its directory with --peers or KAFKA_PEERS")
    for job in options.jobs:
        if job not in JOBS:
            parser.error(f"{job} is not among the jobs: {' '.join(JOBS)}")
    subprocess.run([options.peers / "kafka.sh", "start", str(PORT)], check=True)
    try:
        results = {job: compare(options, job) for job in options.jobs}
    finally:
        subprocess.run([options.peers / "kafka.sh", "stop", str(PORT)], check=True)
    for job, ratios in results.items():
        median = statistics.median(ratios)
        print(f"{job:12} {median:6.1f} times Kafka Streams [{min(ratios):.1f}..{max(ratios):.1f}, n={len(ratios)}], bar {BAR}")


if __name__ == "__main__":
    main()
