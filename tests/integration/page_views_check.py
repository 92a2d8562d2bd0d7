#!/usr/bin/python3
"""page_views over real access logs, every window compared with an independent count; with kill -9 too.

    page_views_check.py PROGRAM DIRECTORY [--logs NAME...] [--partitions N...] [--kills N] [--kafka SCRIPT]

Each log goes line by line into the topic access-log with 1 partition (grace: as far as a line of it lies behind the latest before
it) and with 4 (grace: its whole span, because partitions have no order among them). Then the last value of every window of
page-views and unique-visitors must equal what page_views_count.sh counts with awk, sort and uniq.

With --kills the input is paced, and the program (broker inside) is killed at random moments, each while lag is above zero and
after a commit since its start. Then the input holds each line once, no count of page views is below the truth, their surplus is
at most what had been read since the last commit before each kill, and unique visitors are exact.

--exactly-once runs with processing.guarantee=exactly_once_v2 and without caches, where each record gives a result: kcat, which reads
what is committed, must then find the counts 1, 2, 3, ... of each window, each once and in order, and nothing repartitioned twice.

--kafka runs the same against a real Kafka, which SCRIPT (start PORT, stop PORT) brings up.

Before it is believed, each comparison must reject planted faults: a count altered by one, a missing window, a doubled and a lost
line.
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
from pipeline import (Comparison, Feeder, Found, Kafka, Offsets, Program, Truth, data_file, fail, print_counts, read_counts,
                      read_facts, read_topic, records_on_disk, run_checks, until, windowed_counts)

LOGS = {
    "elastic": "web/elastic-apache_logs.gz",
    "smallisp": "web/smallisp-access-2005-2018.log.gz",
    "airisdata": "web/airisdata-access3.log.gz",
}
GROUP = "page-views"
INPUT = "access-log"
HITS = "page-views-by-page-repartition"
OUTPUTS = ("page-views", "unique-visitors")
COUNT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page_views_count.sh")

Kill = collections.namedtuple("Kill", "lines hits committed ready_s work_s")


class Positions(collections.namedtuple("Positions", "ends done")):
    """topic -> records written, topic -> records that the group has committed."""

    def lag(self):
        return self.ends[INPUT] - self.done.get(INPUT, 0)


def out_of_sequence(records, total):
    """What is wrong with the results of a count of `total` records without a cache: each window's are 1, 2, 3, ... to its count."""
    counts = {}
    for key, value in records:
        window = key[:-8], struct.unpack(">q", key[-8:])[0]
        count = struct.unpack(">q", value)[0]
        if count != counts.get(window, 0) + 1:
            return "window %r has a result of %d after one of %d" % (window, count, counts.get(window, 0))
        counts[window] = count
    return None if len(records) == total else "%d results of %d records" % (len(records), total)


def count_log(lines, directory):
    """What is to come out of these lines, counted with text tools."""
    os.makedirs(directory, exist_ok=True)
    log = os.path.join(directory, "log")
    with open(log, "wb") as out:
        out.writelines(line + b"\n" for line in lines)
    subprocess.run([COUNT, log, directory], check=True)
    return Truth(lines, read_counts(directory + "/counts"), read_facts(directory + "/facts"))


class Job:
    """One log through page_views, on one kind of broker."""

    def __init__(self, options, log, partitions):
        self.options, self.partitions = options, partitions
        self.random = random.Random(options.seed)
        self.directory = os.path.join(options.directory, "%s-%d" % (log, partitions))
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        with gzip.open(data_file(LOGS[log])) as lines:
            self.truth = count_log(lines.read().split(b"\n")[:-1], self.directory)
        self.kafka = Kafka(options.kafka, options.port) if options.kafka else None
        grace = self.truth.facts["lateness" if partitions == 1 else "span"]
        arguments = ["--grace", str(grace), "-X", "broker.num.partitions=%d" % partitions]
        for pair in options.properties:
            arguments += ["-X", pair]
        if self.kafka:  # it ages records by their own time, and waits for a member that has died
            arguments += ["-X", "topic.retention.ms=-1", "-X", "group.instance.id=one", "-X", "session.timeout.ms=6000"]
        self.program = Program(options.program, arguments, self.directory, self.kafka and self.kafka.broker)
        self.offsets = self.feeder = None
        self.rewritten_allowed = 0

    def run(self):
        try:
            if self.kafka:
                self.kafka.start()
                self._create_topics()
            self._run()
        finally:
            if self.feeder:
                self.feeder.discard()
            self.program.discard()
            if self.kafka:
                self.kafka.stop()

    def _create_topics(self):
        offsets = Offsets(self.kafka.broker, GROUP)
        for topic in (INPUT,) + OUTPUTS:
            offsets.create(topic, self.partitions, **{"retention.ms": "-1"})
        offsets.close()

    def _run(self):
        if sum(self.truth.counts["page-views"].values()) != self.truth.facts["parsed"]:
            fail("the independent count does not add up")
        ideal = Found(self.truth.lines, self.truth.counts)
        Comparison(self.truth, INPUT).require_planted_faults_rejected(ideal, self.random, self._recount)
        ready_s = self.program.start()
        broker = self.program.broker
        self.offsets = Offsets(broker, GROUP)
        until("%s is there" % INPUT, lambda: len(self.offsets.partitions(INPUT)) == self.partitions, program=self.program)
        self.feeder = Feeder(broker, INPUT, self.truth.lines, self.directory)
        begin = time.monotonic()
        self.feeder.start(self._rate())
        allowed = self._kill_often() if self.options.kills else 0
        self.feeder.hurry()
        self.feeder.finish()
        self.offsets.wait_until_done(self.program, INPUT, len(self.truth.lines))
        took_s = time.monotonic() - begin
        exactly_once = self.options.exactly_once
        rewritten = (len(read_topic(broker, HITS)) if exactly_once else self.offsets.ends(HITS)) - self.truth.facts["parsed"]

        results = {topic: read_topic(broker, topic) for topic in OUTPUTS}
        found = Found([value for _, value in read_topic(broker, INPUT)],
                      {topic: windowed_counts(records) for topic, records in results.items()})
        print("ready after %.0f ms; %d lines done in %.1f s; CPU %.1f s, peak RSS %d MB" %
              (ready_s * 1000, len(self.truth.lines), took_s, self.program.cpu_seconds(), self.program.peak_rss_mb()))
        if exactly_once:
            allowed = self.rewritten_allowed = 0
            self._require_each_result_once(results["page-views"])
        comparison = Comparison(self.truth, INPUT, {"page-views": allowed})
        comparison.require_right(found)
        if not 0 <= rewritten <= self.rewritten_allowed:
            fail("%d records were repartitioned again, %d may be" % (rewritten, self.rewritten_allowed))
        comparison.require_planted_faults_rejected(found, self.random)
        self._print_result(found, rewritten, allowed)
        self.offsets.close()
        self.program.stop()

    def _require_each_result_once(self, records):
        at = self.random.randrange(len(records))
        total = self.truth.facts["parsed"]
        for what, planted in (("twice", records[:at] + [records[at]] + records[at:]), ("never", records[:at] + records[at + 1:])):
            if not out_of_sequence(planted, total):
                fail("the check does not see a planted fault: a result that comes %s" % what)
        wrong = out_of_sequence(records, total)
        if wrong:
            fail(wrong)
        print("each of %d results came once, in order" % len(records))

    def _recount(self, lines):
        return count_log(lines, self.directory + "/planted").counts

    def _print_result(self, found, rewritten, allowed):
        facts = self.truth.facts
        print("lines %(lines)d, parsed %(parsed)d, lateness %(lateness)d s, span %(span)d s" % facts)
        print_counts(self.truth, found)
        if self.options.kills:
            surplus = sum(found.counts["page-views"].values()) - facts["parsed"]
            print("surplus of page views: %d, at most %d; records repartitioned again: %d" % (surplus, allowed, rewritten))

    # ---- kill -9 ----

    def _rate(self):
        """Lines a second, so that the input lasts for all kills."""
        if not self.options.kills:
            return 0
        return self.options.rate or max(1, len(self.truth.lines) // (4 * (self.options.kills + 1)))

    def _kill_often(self):
        """Kills the program again and again; returns how many records it had read in vain, at most."""
        kills = []
        at_start = 0
        for number in range(1, self.options.kills + 1):
            until("a commit since the start", lambda: self._still_fed().committed().get(INPUT, 0) > at_start, program=self.program)
            time.sleep(self.random.uniform(0, self.options.spread))
            before = until("lag is above zero", self._positions_with_lag, pause_s=0, program=self.program)
            self.program.kill()
            if self.options.wipe and self.random.random() < 0.5:
                shutil.rmtree(os.path.join(self.program.state, GROUP))
                print("without its stores:")
            kill = self._restart(before)
            print("kill %2d: lag %d, committed since start %d; read since the last commit at most %d + %d; ready after %.0f ms, "
                  "at work after %.0f ms" % (number, before.lag(), before.done[INPUT] - at_start, kill.lines, kill.hits,
                                          kill.ready_s * 1000, kill.work_s * 1000), flush=True)
            at_start = kill.committed
            kills.append(kill)
        slowest = max(kill.work_s for kill in kills)
        print("slowest restart until work: %.0f ms" % (slowest * 1000))
        if self.options.restart_bar and slowest > self.options.restart_bar:
            fail("a restart took %.0f ms until work" % (slowest * 1000))
        self.rewritten_allowed = sum(kill.lines for kill in kills)
        return sum(kill.lines + kill.hits for kill in kills)

    def _still_fed(self):
        if not self.feeder.running():
            fail("the input ended before the last kill: lower --rate")
        return self.offsets

    def _positions(self):
        done = self._still_fed().committed()  # asked first: what is read in the meantime makes the difference larger
        return Positions({topic: self.offsets.ends(topic) for topic in (INPUT, HITS)}, done)

    def _positions_with_lag(self):
        positions = self._positions()
        return positions if positions.lag() > 0 else None

    def _restart(self, before):
        """Starts the killed program again, having seen how much had been written when it died."""
        written = {topic: self._written(topic) for topic in (INPUT, HITS)}
        ready_s = self.program.start()
        until("the program works again", lambda: self._written(HITS) > written[HITS], pause_s=0.002, program=self.program)
        work_s = time.monotonic() - self.program.started
        if not self.kafka:
            self.offsets.close()
            self.offsets = Offsets(self.program.broker, GROUP)
        # Counted twice is what is read twice: a line that becomes another hit, or a hit whose count was written, not committed.
        return Kill(written[INPUT] - before.done[INPUT], written[HITS] - before.done.get(HITS, 0), self.offsets.committed()[INPUT],
                    ready_s, work_s)

    def _written(self, topic):
        return self.offsets.ends(topic) if self.kafka else records_on_disk(self.program, topic)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the page_views binary")
    parser.add_argument("directory", help="a directory of its own")
    parser.add_argument("--logs", nargs="+", choices=list(LOGS), default=list(LOGS))
    parser.add_argument("--partitions", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--kills", type=int, default=0, help="kill -9 that often")
    parser.add_argument("--restart-bar", type=float, default=0,
                        help="fail when a restart takes longer until work, in seconds; else it is only printed")
    parser.add_argument("--wipe", action="store_true", help="every second time, on average, take the stores away as well")
    parser.add_argument("--spread", type=float, default=1.5, help="seconds from the first commit within which a kill falls")
    parser.add_argument("--rate", type=int, default=0, help="lines a second with kills; so that the input lasts, if not given")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--exactly-once", action="store_true", help="process exactly once")
    parser.add_argument("--kafka", metavar="SCRIPT", help="run against a real Kafka, which this script starts and stops")
    parser.add_argument("--port", type=int, default=29192, help="where the real Kafka listens")
    parser.add_argument("-X", dest="properties", action="append", default=[], metavar="NAME=VALUE", help="for the program")
    options = parser.parse_args()
    if options.exactly_once:
        options.properties += ["processing.guarantee=exactly_once_v2", "statestore.cache.max.bytes=0",
                               "repartition.purge.interval.ms=86400000"]
    print("seed %d" % options.seed)
    broker = "real Kafka" if options.kafka else "embedded broker"
    title = "%s, " + broker + ", partitions %d" + (", kill -9" if options.kills else "")
    return run_checks("page_views", [(title % (log, partitions), Job(options, log, partitions).run)
                                     for log in options.logs for partitions in options.partitions])


if __name__ == "__main__":
    sys.exit(main())
