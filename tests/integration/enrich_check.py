#!/usr/bin/python3
"""enrich over 20,000 flights and 3,376 airports, every delay of a state and hour compared with an independent count.

    enrich_check.py PROGRAM DIRECTORY [--partitions N] [--kills N]

Flights go in as they arrived, that is, by date and delay, so that many come when their hour is closed. In one partition what is
late is known, too; in several, nothing is late. The airports go in before the flights and the program is started anew in between:
a global table is filled before the first flight is processed, and on the next start only its tail is read. Kills fall while
flights are being processed.
"""
import argparse
import collections
import csv
import datetime
import gzip
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
# lib/pipeline.py
from pipeline import Feeder, Offsets, Program, data_file, fail, read_topic, run_checks, until

GROUP = "enrich"
HOUR_MS = 3600 * 1000
GRACE_MINUTES = 120
ENDLESS_MINUTES = 1000000


def read_airports():
    with gzip.open(data_file("tables/us-airports.csv.gz"), "rt", encoding="utf-8", newline="") as rows:
        lines = rows.read().splitlines()
    return [line for line in lines[1:] if line]


def read_flights():
    with gzip.open(data_file("events/us-flights-20k-2001.json.gz")) as text:
        flights = json.load(text)
    return sorted(flights, key=lambda f: time_of(f) + f["delay"] * 60000)


def time_of(flight):
    date = datetime.datetime.strptime(flight["date"], "%Y/%m/%d %H:%M").replace(tzinfo=datetime.timezone.utc)
    return int(date.timestamp()) * 1000


class Expected:
    """What the definitions say of these flights in this order."""

    def __init__(self, airports, flights, grace_ms):
        states = {row[0]: row[3] for row in csv.reader(airports)}
        self.enriched = collections.Counter()
        self.delays = {}
        self.late = collections.Counter()
        stream_ms = -1
        for flight in flights:
            state, at_ms = states.get(flight["origin"]), time_of(flight)
            if state is None:
                continue
            result = "%s,%d" % (state, flight["delay"])
            self.enriched[flight["origin"], result] += 1
            stream_ms = max(stream_ms, at_ms)
            start_ms = at_ms - at_ms % HOUR_MS
            if start_ms + HOUR_MS + grace_ms <= stream_ms:
                self.late[state, result] += 1
                continue
            count, total, largest = self.delays.get((state, start_ms), (0, 0, -999999))
            self.delays[state, start_ms] = (count + 1, total + flight["delay"], max(largest, flight["delay"]))


def as_counter(records):
    return collections.Counter((key.decode(), value.decode()) for key, value in records)


def as_delays(records):
    found = {}
    for key, value in records:
        found[key[:-8].decode(), struct.unpack(">q", key[-8:])[0]] = tuple(int(n) for n in value.decode().split(","))
    return found


def differences(expected, found):
    keys = set(expected) | set(found)
    return ["%r: %r, expected %r" % (k, found.get(k), expected.get(k)) for k in sorted(keys) if expected.get(k) != found.get(k)]


def require_equal(topic, expected, found):
    wrong = differences(expected, found)
    if wrong:
        fail("%s: %d of %d differ, first %s" % (topic, len(wrong), len(expected), wrong[0]))
    print("%s: %d equal" % (topic, len(expected)))


def require_planted_faults_rejected(expected, source):
    for spoil in (lambda found: found.pop(source.choice(sorted(found))),
                  lambda found: found.update({source.choice(sorted(found)): (1, 2, 3)}),
                  lambda found: found.update({("XX", 0): (1, 1, 1)})):
        found = dict(expected)
        spoil(found)
        if not differences(expected, found):
            fail("a planted fault was not found")


def feed_keyed(broker, topic, lines):
    """Each line under what it has before its first comma."""
    text = "".join("%s|%s\n" % (line.split(",", 1)[0], line) for line in lines)
    subprocess.run(["kcat", "-P", "-E", "-b", broker, "-t", topic, "-K", "|"], input=text.encode(), check=True)


def check(options):
    source = random.Random(options.seed)
    shutil.rmtree(options.directory, ignore_errors=True)
    os.makedirs(options.directory)
    airports, flights = read_airports(), read_flights()
    grace_minutes = GRACE_MINUTES if options.partitions == 1 and options.kills == 0 else ENDLESS_MINUTES
    expected = Expected(airports, flights, grace_minutes * 60000)
    require_planted_faults_rejected(expected.delays, source)

    arguments = ["--grace", str(grace_minutes), "-X", "broker.num.partitions=%d" % options.partitions,
                 "-X", "num.stream.threads=%d" % min(2, options.partitions)]
    program = Program(options.program, arguments, options.directory)
    feeder = None
    try:
        program.start()
        offsets = Offsets(program.broker, GROUP)
        until("the topics are there", lambda: offsets.partitions("airports") and offsets.partitions("flights"), program=program)
        offsets.close()
        feed_keyed(program.broker, "airports", airports)
        program.stop()
        print("ready again after %.2f s" % program.start())
        offsets = Offsets(program.broker, GROUP)
        lines = [json.dumps(flight).encode() for flight in flights]
        feeder = Feeder(program.broker, "flights", lines, options.directory)
        feeder.start(len(lines) / (4 * options.kills) if options.kills else 0)
        for _ in range(options.kills):
            time.sleep(source.uniform(0.5, 1.5))
            lag = feeder.fed - offsets.committed().get("flights", 0)
            if not feeder.running() or lag <= 0:
                fail("%d of %d flights are fed and the lag is %d: a kill would fall into no work" % (feeder.fed, len(lines), lag))
            program.kill()
            print("killed with a lag of %d; ready again after %.2f s" % (lag, program.start()))
        feeder.hurry()
        feeder.finish()
        offsets.wait_until_done(program, "flights", len(lines))
        offsets.close()
        found = as_counter(read_topic(program.broker, "enriched-flights"))
        late = as_counter(read_topic(program.broker, "late-flights"))
        delays = as_delays(read_topic(program.broker, "delays"))
        program.stop()
    finally:
        if feeder:
            feeder.discard()
        program.discard()
    if options.kills == 0:
        require_equal("enriched-flights", expected.enriched, found)
        require_equal("late-flights", expected.late, late)
        require_equal("delays", expected.delays, delays)
    else: # at least once: a flight may be there twice, and none is missing
        missing = expected.enriched - found
        if missing:
            fail("enriched-flights: %d are missing" % sum(missing.values()))
        if set(expected.delays) != set(delays) or any(delays[k][0] < expected.delays[k][0] for k in delays):
            fail("delays: hours are missing or have lost flights")
        print("%d flights, %d of them again" % (sum(expected.enriched.values()), sum((found - expected.enriched).values())))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the enrich binary")
    parser.add_argument("directory", help="a directory of its own")
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print("seed %d" % options.seed)
    return run_checks("enrich", [("%d partitions, %d kills" % (options.partitions, options.kills), lambda: check(options))])


if __name__ == "__main__":
    sys.exit(main())
