#!/usr/bin/python3
"""sessions over real access logs, every visit and every five minutes compared with an independent count.

    sessions_check.py PROGRAM DIRECTORY [--logs NAME...] [--partitions N...]

The log goes line by line into the topic access-log with 1 partition (grace: as far as a line of it lies behind the latest before
it) and with 4 (grace: its whole span, because partitions have no order among them). The hits are those that page_views_count.sh
finds with awk. What is left in the topic visits when deletions are taken out, and the last value of every five minutes in
live-visitors, must equal what the definition in examples/sessions/main.c says of them; planted faults must not pass.
"""
import argparse
import collections
import gzip
import os
import random
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
# lib/pipeline.py
from pipeline import Feeder, Offsets, Program, data_file, fail, read_facts, read_topic, run_checks, until, windowed_counts

LOGS = {
    "elastic": "web/elastic-apache_logs.gz",
    "smallisp": "web/smallisp-access-2005-2018.log.gz",
    "airisdata": "web/airisdata-access3.log.gz",
}
GROUP = "sessions"
INPUT = "access-log"
GAP_S = 1800
LIVE_S = 300
COUNT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page_views_count.sh")


def read_hits(path):
    """client -> [(second, page)], and the facts of the log."""
    hits = collections.defaultdict(list)
    with open(path, "rb") as lines:
        for line in lines.read().split(b"\n")[:-1]:
            second, client, page = line.split(b" ", 2)
            hits[client].append((int(second), page))
    return hits


def visits_of(client, hits):
    """(client, start ms, end ms) -> b"pages seconds entry exit" with tabs, for each run of hits without a longer pause."""
    visits, run = {}, []
    for hit in sorted(hits) + [(float("inf"), b"")]:
        if run and hit[0] - run[-1][0] > GAP_S:
            first, last = run[0][0], run[-1][0]
            visits[client, first * 1000, last * 1000] = b"%d\t%d\t%s\t%s" % (len(run), last - first, run[0][1], run[-1][1])
            run = []
        run.append(hit)
    return visits


def expected_of(hits):
    visits, live = {}, collections.defaultdict(set)
    for client, of_client in hits.items():
        visits.update(visits_of(client, of_client))
        for second, _ in of_client:
            live[b"?site", (second - second % LIVE_S) * 1000].add(client)
    return {"visits": visits, "live-visitors": {window: len(clients) for window, clients in live.items()}}


def visits_left(records):
    visits = {}
    for key, value in records:
        end, start = struct.unpack(">qq", key[-16:])
        if value:
            visits[key[:-16], start, end] = value
        else:
            visits.pop((key[:-16], start, end), None)
    return visits


def differences(expected, found):
    wrong = []
    for topic, of_topic in expected.items():
        for at in set(of_topic) | set(found[topic]):
            if of_topic.get(at) != found[topic].get(at):
                wrong.append("%s %r: %r, expected %r" % (topic, at, found[topic].get(at), of_topic.get(at)))
    return wrong


def require_planted_faults_rejected(expected, source):
    """One altered, one missing and one additional entry in either topic."""
    for topic, of_topic in expected.items():
        at = source.choice(sorted(of_topic))
        for planted in ({**of_topic, at: b"1\t2\t3\t4"}, {other: of_topic[other] for other in of_topic if other != at},
                        {**of_topic, (b"nobody", 0, 0): 1}):
            if not differences(expected, {**expected, topic: planted}):
                fail("a planted fault in %s was not found" % topic)


def check(options, log, partitions):
    directory = os.path.join(options.directory, "%s-%d" % (log, partitions))
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    with gzip.open(data_file(LOGS[log])) as packed:
        lines = packed.read().split(b"\n")
    lines = [line for line in lines if line]
    with open(directory + "/log", "wb") as plain:
        plain.write(b"".join(line + b"\n" for line in lines))
    subprocess.run(["sh", COUNT, directory + "/log", directory], check=True)
    facts, expected = read_facts(directory + "/facts"), expected_of(read_hits(directory + "/hits"))
    require_planted_faults_rejected(expected, random.Random(options.seed))

    grace = facts["lateness"] if partitions == 1 else facts["span"]
    arguments = ["--grace", str(grace), "-X", "broker.num.partitions=%d" % partitions,
                 "-X", "num.stream.threads=%d" % min(2, partitions), "-X", "topic.retention.ms=-1"]
    program = Program(options.program, arguments, directory)
    feeder = None
    try:
        program.start()
        offsets = Offsets(program.broker, GROUP)
        until("%s is there" % INPUT, lambda: len(offsets.partitions(INPUT)) == partitions, program=program)
        feeder = Feeder(program.broker, INPUT, lines, directory)
        begin = time.monotonic()
        feeder.start(0)
        feeder.finish()
        offsets.wait_until_done(program, INPUT, len(lines))
        took_s = time.monotonic() - begin
        found = {"visits": visits_left(read_topic(program.broker, "visits")),
                 "live-visitors": windowed_counts(read_topic(program.broker, "live-visitors"))}
        offsets.close()
        wrong = differences(expected, found)
        if wrong:
            fail("%d differences, the first: %s" % (len(wrong), "; ".join(wrong[:3])))
        print("%d lines done in %.1f s; %d visits and %d times five minutes are equal" %
              (len(lines), took_s, len(found["visits"]), len(found["live-visitors"])))
        program.stop()
    finally:
        if feeder:
            feeder.discard()
        program.discard()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the sessions binary")
    parser.add_argument("directory", help="a directory of its own")
    parser.add_argument("--logs", nargs="+", choices=list(LOGS), default=["airisdata", "smallisp"])
    parser.add_argument("--partitions", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print("seed %d" % options.seed)
    return run_checks("sessions", [("%s, partitions %d" % (log, partitions),
                                    lambda log=log, partitions=partitions: check(options, log, partitions))
                                   for log in options.logs for partitions in options.partitions])


if __name__ == "__main__":
    sys.exit(main())
