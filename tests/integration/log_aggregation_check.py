#!/usr/bin/python3
"""log_aggregation over the logs of 27 services, every window and alert compared with an independent count.

    log_aggregation_check.py PROGRAM DIRECTORY [--kafka SCRIPT]

All files go, in the order of their names, line by line into service-log. Then the last value of every window of service-errors
and alerts must equal what log_aggregation_count.sh counts with awk, sort and uniq; planted faults must be rejected first. --kafka
runs the same against a real Kafka, which SCRIPT (start PORT, stop PORT) brings up.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
# lib/pipeline.py
from pipeline import (Comparison, Feeder, Found, Kafka, Offsets, Program, Truth, data_file, print_counts, read_counts,
                      read_facts, read_topic, run_checks, until, windowed_counts)

LOGS = "logs/nezha-trainticket-2023-01-29-logs.tar.gz"
GROUP = "log-aggregation"
INPUT = "service-log"
OUTPUTS = ("service-errors", "alerts")
THRESHOLD = 20
COUNT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "log_aggregation_count.sh")


def read_lines():
    lines = []
    with tarfile.open(data_file(LOGS)) as files:
        for member in sorted((m for m in files if m.isfile() and m.name.endswith(".csv")), key=lambda m: m.name):
            lines += files.extractfile(member).read().removesuffix(b"\n").split(b"\n")
    return lines


def count_log(lines, directory):
    log = os.path.join(directory, "log")
    with open(log, "wb") as out:
        out.writelines(line + b"\n" for line in lines)
    subprocess.run([COUNT, log, directory, str(THRESHOLD)], check=True)
    return Truth(lines, read_counts(directory + "/counts"), read_facts(directory + "/facts"))


def check(options):
    source = random.Random(options.seed)
    shutil.rmtree(options.directory, ignore_errors=True)
    os.makedirs(options.directory)
    truth = count_log(read_lines(), options.directory)
    comparison = Comparison(truth, INPUT)
    comparison.require_planted_faults_rejected(Found(truth.lines, truth.counts), source)
    kafka = Kafka(options.kafka, options.port) if options.kafka else None
    arguments = ["--threshold", str(THRESHOLD)] + (["-X", "topic.retention.ms=-1"] if kafka else [])
    program = Program(options.program, arguments, options.directory, kafka and kafka.broker)
    feeder = None
    try:
        if kafka:
            kafka.start()
            offsets = Offsets(kafka.broker, GROUP)
            for topic in (INPUT,) + OUTPUTS:
                offsets.create(topic, 1, **{"retention.ms": "-1"})
            offsets.close()
        program.start()
        offsets = Offsets(program.broker, GROUP)
        until("the topic %s is there" % INPUT, lambda: offsets.partitions(INPUT), program=program)
        begin = time.monotonic()
        feeder = Feeder(program.broker, INPUT, truth.lines, options.directory)
        feeder.start(0)
        feeder.finish()
        offsets.wait_until_done(program, INPUT, len(truth.lines))
        print("%d lines done in %.1f s; CPU %.1f s, peak RSS %d MB" %
              (len(truth.lines), time.monotonic() - begin, program.cpu_seconds(), program.peak_rss_mb()))
        found = Found([value for _, value in read_topic(program.broker, INPUT)],
                      {topic: windowed_counts(read_topic(program.broker, topic)) for topic in OUTPUTS})
        comparison.require_right(found)
        print("lines %(lines)d, parsed %(parsed)d, errors %(errors)d, lateness %(lateness)d s" % truth.facts)
        print_counts(truth, found)
        offsets.close()
        program.stop()
    finally:
        if feeder:
            feeder.discard()
        program.discard()
        if kafka:
            kafka.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the log_aggregation binary")
    parser.add_argument("directory", help="a directory of its own")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kafka", metavar="SCRIPT", help="run against a real Kafka, which this script starts and stops")
    parser.add_argument("--port", type=int, default=29192, help="where the real Kafka listens")
    options = parser.parse_args()
    print("seed %d" % options.seed)
    broker = "real Kafka" if options.kafka else "embedded broker"
    return run_checks("log_aggregation", [("nezha, " + broker, lambda: check(options))])


if __name__ == "__main__":
    sys.exit(main())
