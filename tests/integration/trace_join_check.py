#!/usr/bin/python3
"""trace_join over the log lines and trace spans of 27 services, every operation and window compared with an independent count.

    trace_join_check.py PROGRAM DIRECTORY [--partitions N]

Lines and spans go in at once, each archive in the order of its files' names, into topics of N partitions. Every pair of one trace
and span id at most five minutes apart must have been counted once.
"""
import argparse
import csv
import datetime
import os
import random
import re
import shutil
import struct
import sys
import tarfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
# lib/pipeline.py
from pipeline import Feeder, Offsets, Program, data_file, fail, read_topic, run_checks, until

DAY = "logs/nezha-trainticket-2023-01-30-"
GROUP = "trace-join"
FIVE_MINUTES_MS = 5 * 60 * 1000
GRACE_MINUTES = 100000
TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d*)Z?|Z)?$")
LEVEL = re.compile(r'\{"log":"[^ "]* ([A-Z]+)')


def read_lines(path):
    lines = []
    with tarfile.open(data_file(path)) as files:
        for member in sorted((m for m in files if m.isfile() and m.name.endswith(".csv")), key=lambda m: m.name):
            lines += files.extractfile(member).read().removesuffix(b"\n").split(b"\n")
    return lines


def parse_line(row):
    """(id, level, ms) or None."""
    fields = next(csv.reader([row.decode(errors="replace").removesuffix("\r")], strict=True))
    if len(fields) != 8 or fields[3].count("-") < 2:
        return None
    stamp, level = TIMESTAMP.match(fields[0]), LEVEL.match(fields[7])
    if not stamp or not level:
        return None
    at = datetime.datetime.strptime(stamp.group(1), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return (fields[5], fields[6]), level.group(1), int(at.timestamp()) * 1000 + int(((stamp.group(2) or "") + "000")[:3])


def parse_span(row):
    """(id, operation, ms) or None."""
    fields = next(csv.reader([row.decode(errors="replace").removesuffix("\r")], strict=True))
    if len(fields) != 8 or not fields[5].isdigit():
        return None
    return (fields[0], fields[1]), fields[4], int(fields[5]) // 1000000


def parse_all(rows, parse):
    parsed = []
    for row in rows:
        try:
            parsed.append(parse(row))
        except csv.Error:
            parsed.append(None)
    return [one for one in parsed if one]


def count(lines, spans):
    """(operation, window's start) -> (errors, lines)"""
    spans_by_id, counts = {}, {}
    for id_, operation, at_ms in spans:
        spans_by_id.setdefault(id_, []).append((operation, at_ms))
    for id_, level, line_ms in lines:
        for operation, span_ms in spans_by_id.get(id_, ()):
            if abs(line_ms - span_ms) > FIVE_MINUTES_MS:
                continue
            later_ms = max(line_ms, span_ms)
            key = operation, later_ms - later_ms % FIVE_MINUTES_MS
            errors, total = counts.get(key, (0, 0))
            counts[key] = errors + (level == "ERROR"), total + 1
    return counts


def as_counts(records):
    found = {}
    for key, value in records:
        found[key[:-8].decode(), struct.unpack(">q", key[-8:])[0]] = tuple(int(n) for n in value.decode().split(","))
    return found


def differences(expected, found):
    keys = set(expected) | set(found)
    return ["%r: %r, expected %r" % (k, found.get(k), expected.get(k)) for k in sorted(keys) if expected.get(k) != found.get(k)]


def require_planted_faults_rejected(expected, source):
    for spoil in (lambda found: found.pop(source.choice(sorted(found))),
                  lambda found: found.update({source.choice(sorted(found)): (-1, 1)}),
                  lambda found: found.update({("no operation", 0): (0, 1)})):
        found = dict(expected)
        spoil(found)
        if not differences(expected, found):
            fail("a planted fault was not found")


def check(options):
    source = random.Random(options.seed)
    shutil.rmtree(options.directory, ignore_errors=True)
    os.makedirs(options.directory)
    line_rows, span_rows = read_lines(DAY + "logs.tar.gz"), read_lines(DAY + "spans.tar.gz")
    lines, spans = parse_all(line_rows, parse_line), parse_all(span_rows, parse_span)
    expected = count(lines, spans)
    require_planted_faults_rejected(expected, source)
    arguments = ["--grace", str(GRACE_MINUTES), "-X", "broker.num.partitions=%d" % options.partitions,
                 "-X", "num.stream.threads=%d" % min(2, options.partitions)]
    program = Program(options.program, arguments, options.directory)
    feeders = []
    try:
        program.start()
        offsets = Offsets(program.broker, GROUP)
        until("the topics are there", lambda: offsets.partitions("service-log") and offsets.partitions("spans"), program=program)
        begin = time.monotonic()
        for topic, rows in (("service-log", line_rows), ("spans", span_rows)):
            directory = os.path.join(options.directory, topic)
            os.makedirs(directory)
            feeders.append(Feeder(program.broker, topic, [row for row in rows if row], directory))
            feeders[-1].start(0)
        for feeder in feeders:
            feeder.finish()
        offsets.wait_until_done(program, "service-log", len(feeders[0].lines))
        offsets.wait_until_done(program, "spans", len(feeders[1].lines))
        print("%d rows done in %.1f s; CPU %.1f s, peak RSS %d MB" %
              (sum(len(f.lines) for f in feeders), time.monotonic() - begin, program.cpu_seconds(), program.peak_rss_mb()))
        offsets.close()
        found = as_counts(read_topic(program.broker, "operation-logs"))
        program.stop()
    finally:
        for feeder in feeders:
            feeder.discard()
        program.discard()
    wrong = differences(expected, found)
    if wrong:
        fail("%d of %d differ, first %s" % (len(wrong), len(expected), wrong[0]))
    print("%d operations and windows equal: %d lines, %d of them errors" %
          (len(expected), sum(n for _, n in expected.values()), sum(e for e, _ in expected.values())))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the trace_join binary")
    parser.add_argument("directory", help="a directory of its own")
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print("seed %d" % options.seed)
    return run_checks("trace_join", [("%d partitions" % options.partitions, lambda: check(options))])


if __name__ == "__main__":
    sys.exit(main())
