#!/usr/bin/python3
"""Kafka Streams and Millstream take over from each other, under one application.id and on one set of topics.

    takeover_check.py PROGRAM MILLSTREAM DIRECTORY [--all] [--kafka SCRIPT]

The folder takeover has two topologies for both, which describe themselves alike: `words` counts words in windows of a minute,
through a repartition topic; `stores` has tables, sessions, suppressed windows, windows that emit on close, a join of streams and one
of tables by a foreign key. In a chain the programs run by turns, four in all, each with input before it, while it works and behind
it: the next one goes on from the committed offsets, the repartition topics and the changelogs. Then everything that came out must
equal what is worked out here from the lines: a count of each window and session, each final result and each pair once.

    words    at least once, Millstream first; exactly once, Kafka Streams first; with --all also the other ways round
    stores   exactly once, Kafka Streams first; with --all all four
    killed   a member of Kafka Streams, in the middle of a transaction: it is waited for with a message
    both     who comes while the other kind runs says so, does not disturb it and takes over when it has gone

Beside each committed offset the partition's time must stand, and whoever comes first must make the same internal topics: where one
of the programs has not been first, it is started for that.

On a broker of ours, or, with --kafka, on a real one that SCRIPT (start PORT, stop PORT) brings up, and which must take session
time-outs of a second (group.min.session.timeout.ms). Kafka Streams comes from Maven.
"""
import argparse
import base64
import collections
import functools
import glob
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from kafka.admin import ConfigResource, ConfigResourceType
# lib/pipeline.py
from pipeline import (Kafka, Offsets, compare_counts, compare_lines, fail, read_topic, run_checks, skip, until, windowed_counts)

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "takeover")
WINDOW_MS = 60000
PARTITIONS = 3
SESSION_MS = 3000
START_MS = int(time.time()) * 1000 - 3600000  # of an hour ago: Kafka ages changelogs by the time of events


class Java:
    """Kafka Streams of the version in pom.xml with WordCount.java, made once."""

    def __init__(self, directory):
        for command in ("java", "javac", "mvn"):
            if not shutil.which(command):
                skip("there is no %s, so no Kafka Streams to take over from" % command)
        jars = os.path.join(directory, "classpath")
        if not os.path.exists(jars) or os.path.getmtime(jars) < os.path.getmtime(os.path.join(SOURCES, "pom.xml")):
            maven = subprocess.run(["mvn", "-q", "-B", "-f", os.path.join(SOURCES, "pom.xml"), "dependency:build-classpath",
                                    "-Dmdep.outputFile=" + jars + ".new"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True)
            if maven.returncode != 0:
                skip("Maven could not fetch Kafka Streams: " + maven.stdout.strip().split("\n")[0])
            os.rename(jars + ".new", jars)
        with open(jars) as text:
            self.classpath = os.path.join(directory, "classes") + ":" + text.read().strip()
        subprocess.run(["javac", "-nowarn", "-cp", self.classpath, "-d", os.path.join(directory, "classes")] +
                       glob.glob(os.path.join(SOURCES, "*.java")), check=True)

    def command(self, *arguments):
        return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
                "-cp", self.classpath, "Takeover"] + list(arguments)


class Member:
    """One run of one of the two programs. What it says goes to a file of its own."""

    count = 0

    def __init__(self, kind, command, directory):
        Member.count += 1
        self.kind = kind
        self.says = os.path.join(directory, "%02d-%s" % (Member.count, kind))
        with open(self.says, "wb") as says:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=says, stderr=says)

    def said(self):
        with open(self.says, encoding="utf-8", errors="replace") as says:
            return says.read()

    def check_running(self):
        if self.process.poll() is not None:
            fail("%s ended with %d: %s" % (self.kind, self.process.returncode, self.said()[-2000:]))

    def stop(self):
        self.check_running()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        if code not in (0, 128 + signal.SIGTERM):
            fail("told to stop, %s ended with %d: %s" % (self.kind, code, self.said()[-2000:]))

    def kill(self):
        self.check_running()
        self.process.kill()
        self.process.wait()

    def discard(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Job:
    """One application: its topics, its lines, its members one after the other."""

    TOPOLOGY = "words"
    OUTPUTS = ("",)
    commit_ms = 100
    transaction_ms = 60000  # Kafka Streams' 10 s are short for a JVM that has just started on a busy machine

    def __init__(self, check, name, guarantee, lines=8000):
        self.check, self.name, self.guarantee = check, name, guarantee
        self.directory = os.path.join(check.options.directory, name)
        os.makedirs(self.directory)
        self.input, self.output = name + "-text", name + "-counts"
        self.random = random.Random(check.options.seed)
        self.lines = self._make_lines(lines)
        self.fed = 0
        self.members = []
        self.offsets = Offsets(check.broker, name)
        for topic in [self.input] + [self.output + suffix for suffix in self.OUTPUTS]:
            self.offsets.create(topic, PARTITIONS, **{"retention.ms": "-1"})

    def _make_lines(self, count):
        """Times rise by a tenth of a second a line, but for every eighth, which is up to half a minute late."""
        vocabulary = ["word-%d" % i for i in range(300)] + ["grün", "слово", "語", "a", "with\ttab"]
        lines = []
        for i in range(count):
            late = self.random.randrange(30000) if self.random.randrange(8) == 0 else 0
            words = [vocabulary[int(len(vocabulary) * self.random.random() ** 3)] for _ in range(1 + self.random.randrange(6))]
            lines.append(b"%d %d %s" % (START_MS + i * 100 - late, i, " ".join(words).encode()))
        return lines

    def send(self, lines):
        subprocess.run(["kcat", "-P", "-b", self.check.broker, "-t", self.input, "-X", "partitioner=random",
                        "-X", "sticky.partitioning.linger.ms=0", "-X", "enable.idempotence=true"],
                       input=b"".join(line + b"\n" for line in lines), check=True)

    def feed(self, share):
        """The next lines, a share of all of them, to any partition."""
        end = min(len(self.lines), self.fed + int(len(self.lines) * share))
        self.send(self.lines[self.fed:end])
        self.fed = end

    def start(self, kind, wait=True):
        state = os.path.join(self.directory, "state-" + kind)
        properties = {"application.id": self.name, "bootstrap.servers": self.check.broker, "state.dir": state,
                      "processing.guarantee": self.guarantee, "commit.interval.ms": str(self.commit_ms), "num.stream.threads": "2",
                      "auto.offset.reset": "earliest", "session.timeout.ms": str(SESSION_MS), "heartbeat.interval.ms": "500",
                      "repartition.purge.interval.ms": "1000"}
        if kind == "java":
            properties["producer.transaction.timeout.ms"] = str(self.transaction_ms)
            command = self.check.java.command(self.TOPOLOGY, self.input, self.output, "leave",
                                              *("%s=%s" % pair for pair in properties.items()))
        else:
            command = [self.check.options.program, self.TOPOLOGY, self.input, self.output]
            for pair in properties.items():
                command += ["-X", "%s=%s" % pair]
        member = Member(kind, command, self.directory)
        self.members.append(member)
        if wait:
            until("%s is ready" % kind, lambda: re.search("^ready|: ready,", member.said(), re.MULTILINE), 120, 0.02, member)
        return member

    def position(self):
        return self.offsets.committed().get(self.input, 0)

    def work(self, member, share):
        """Until the member has committed a share of all lines more than there was."""
        aim = min(self.fed, self.position() + int(len(self.lines) * share))
        until("%s has committed %d lines" % (member.kind, aim), lambda: self.position() >= aim, 120, 0.02, member)

    def left_over(self):
        """Records of the input and of the repartition topic that nobody has committed."""
        committed = self.offsets.committed()
        between = self.offsets.repartitions()
        return (self.offsets.ends(self.input) - committed.get(self.input, 0),
                sum(self.offsets.ends(name) - committed.get(name, 0) for name in between))

    def require_partition_times(self, member):
        """Beside each offset stands the largest time up to there: base64 of 2, then 8 bytes (and what processors remember)."""
        latest = collections.defaultdict(lambda: -1)
        committed = {at: entry for at, entry in self.offsets.admin.list_consumer_group_offsets(self.name).items()
                     if at.topic == self.input}
        if not any(entry.offset > 0 for entry in committed.values()):
            fail("%s has committed nothing of %s, so that there are no times to compare" % (member.kind, self.input))
        out = subprocess.run(["kcat", "-C", "-b", self.check.broker, "-t", self.input, "-o", "beginning", "-e", "-q",
                              "-f", "%p %o %s\n"], stdout=subprocess.PIPE, check=True).stdout
        for line in out.split(b"\n")[:-1]:
            partition, offset, time_ms = (int(number) for number in line.split(b" ")[:3])
            for at, entry in committed.items():
                if at.partition == partition and offset < entry.offset:
                    latest[partition] = max(latest[partition], time_ms)
        for at, entry in committed.items():
            raw = base64.b64decode(entry.metadata)
            if raw[:1] != b"\x02" or struct.unpack(">q", raw[1:9])[0] != latest[at.partition]:
                fail("%s left %r beside offset %d of partition %d, whose time is %d" %
                     (member.kind, entry.metadata, entry.offset, at.partition, latest[at.partition]))

    def hand_over(self, member):
        self.require_partition_times(member)
        lines, words = self.left_over()
        print("%s: %s stopped with %d of %d lines fed, %d lines and %d words left to do" %
              (self.name, member.kind, self.fed, len(self.lines), lines, words), flush=True)

    def finish(self, member):
        """The rest, then everything is compared."""
        self.feed(1)
        self.offsets.wait_until_done(member, self.input, len(self.lines))
        member.stop()
        self.compare()

    def compare(self):
        expected = count_windows(self.lines, WINDOW_MS)
        found = windowed_counts(read_topic(self.check.broker, self.output))
        wrong = compare_lines(self.input, self.lines, [value for _, value in read_topic(self.check.broker, self.input)])
        wrong += compare_counts(self.output, expected, found)
        if wrong:
            fail("%s: %d differences, the first: %s" % (self.name, len(wrong), "; ".join(wrong[:5])))
        for planted in ({key: count for key, count in found.items() if key != next(iter(found))},
                        found | {next(iter(found)): found[next(iter(found))] + 1}):
            if not compare_counts(self.output, expected, planted):
                fail("the comparison does not see a planted fault")
        print("%s: %d windows, %d words, all as counted here" % (self.name, len(expected), sum(expected.values())), flush=True)

    def close(self):
        for member in self.members:
            member.discard()
        self.offsets.close()


def count_windows(lines, size_ms):
    """(word, window's start in ms) -> count"""
    counts = collections.Counter()
    for line in lines:
        time_ms, _, *words = line.split(b" ")
        for word in words:
            counts[word, int(time_ms) // size_ms * size_ms] += 1
    return counts


def count_sessions(lines, gap_ms):
    """(word, session's end and start in ms) -> count"""
    times = collections.defaultdict(list)
    for line in lines:
        time_ms, _, *words = line.split(b" ")
        for word in words:
            times[word].append(int(time_ms))
    sessions = collections.Counter()
    for word, all_times in times.items():
        start = last = None
        for time_ms in sorted(all_times) + [1 << 60]:
            if start is not None and time_ms > last + gap_ms:
                sessions[word, last, start] = count
                start = None
            if start is None:
                start, count = time_ms, 0
            last = time_ms
            count += 1
    return sessions


def read_long(value):
    return struct.unpack(">q", value)[0]


def read_window(key):
    return key[:-8], struct.unpack(">q", key[-8:])[0]


class StoresJob(Job):
    """Several kinds of stores. Lines of an hour later close the windows at the end, before they are compared."""

    TOPOLOGY = "stores"
    OUTPUTS = ("-totals", "-visits", "-suppressed", "-closed", "-pairs", "-noted")
    TEN_MS = 10000
    GAP_MS = 5000

    def finish(self, member):
        self.feed(1)
        self.offsets.wait_until_done(member, self.input, len(self.lines))
        later = START_MS + 3600000
        count = len(self.lines)
        for round_at in range(3):  # results of windows that close go on once a second at most
            self.lines += [b"%d %d %s" % (later + round_at, len(self.lines) + i, b" ".join(b"later-%d" % j for j in range(60)))
                           for i in range(120)]
            self.feed(1)
            self.offsets.wait_until_done(member, self.input, len(self.lines))
            time.sleep(1.1)
        member.stop()
        self.later, self.later_ms = self.lines[count:], later
        self.lines = self.lines[:count]
        self.compare()

    def read(self, what):
        return read_topic(self.check.broker, self.output + what)

    def compare(self):
        everything = self.lines + self.later
        totals = collections.Counter(word for line in everything for word in line.split(b" ")[2:])
        found = {key: read_long(value) for key, value in self.read("-totals")}
        self.require("totals", dict(totals), found)

        found = {}
        for key, value in self.read("-visits"):
            session = (key[:-16],) + struct.unpack(">qq", key[-16:])
            found.pop(session, None)
            if value:
                found[session] = read_long(value)
        self.require("visits", dict(count_sessions(everything, self.GAP_MS)), found)

        final = collections.Counter({(window, count): 1 for window, count in count_windows(self.lines, self.TEN_MS).items()})
        for what in ("-suppressed", "-closed"):
            found = collections.Counter((read_window(key), read_long(value)) for key, value in self.read(what))
            self.require(what[1:], final, found)

        first = [line.split(b" ")[2] for line in self.lines]
        pairs = collections.Counter((b"%d" % i, first[i] + b"|" + (first[i + 1] if i % 4 == 0 else b"null"))
                                    for i in range(0, len(first), 2))
        found = collections.Counter((key, value) for key, value in self.read("-pairs") if int(key) < len(first))
        self.require("pairs", pairs, found)

        noted = {b"%d" % i: line.split(b" ")[2] + b"|note of " + line.split(b" ")[2] for i, line in enumerate(everything)}
        self.require("noted", noted, dict(self.read("-noted")))

    def require(self, what, expected, found):
        missing = sorted(item for item in expected.items() if found.get(item[0]) != item[1])
        other = sorted(item for item in found.items() if expected.get(item[0]) != item[1])
        if missing or other:
            fail("%s, %s: %d of %d results are missing, as %s; %d are there that should not be, as %s" %
                 (self.name, what, len(missing), len(expected), missing[:3], len(other), other[:3]))
        print("%s: %d %s" % (self.name, len(found), what), flush=True)


class Check:
    def __init__(self, options):
        self.options = options
        self.java = Java(options.directory)
        self.kafka = Kafka(options.kafka, options.port) if options.kafka else None
        self.server = None
        self.broker = None
        self.made_by = collections.defaultdict(lambda: {"java": [], "ours": []})

    def start_broker(self):
        if self.kafka:
            self.kafka.start()
            self.broker = self.kafka.broker
            return
        data = os.path.join(self.options.directory, "broker")
        says = os.path.join(self.options.directory, "broker.err")
        with open(says, "wb") as errors:
            self.server = subprocess.Popen([self.options.millstream, "broker", "--data", data, "--listen", "127.0.0.1:0",
                                            "-X", "group.min.session.timeout.ms=1000"], stdout=errors, stderr=errors)

        def address():
            with open(says) as text:
                return re.search(r"broker at ([^,\s]+)", text.read())

        self.broker = until("the broker is ready", address, 60).group(1)

    def stop_broker(self):
        if self.kafka:
            self.kafka.stop()
        elif self.server:
            self.server.terminate()
            code = self.server.wait(60)
            if code != 0:
                fail("told to stop, the broker ended with %d, see broker.err" % code)

    def in_job(self, name, guarantee, work, kind=Job):
        job = kind(self, name, guarantee)
        begin = time.monotonic()
        try:
            work(job)
            print("%s: %.1f s" % (name, time.monotonic() - begin), flush=True)
        finally:
            job.close()

    # ---- what is checked ----------------------------------------------------------------------------------------------------

    def descriptions(self):
        for topology in (Job.TOPOLOGY, StoresJob.TOPOLOGY):
            arguments = (topology, "text", "counts", "--describe")
            ours = subprocess.run([self.options.program, *arguments], stdout=subprocess.PIPE, check=True).stdout
            theirs = subprocess.run(self.java.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    check=True).stdout
            if not ours.strip() or ours.strip() != theirs.strip():
                fail("the programs describe themselves differently:\n%s\n%s" % (ours.decode(), theirs.decode()))

    def internal_topics(self, application):
        """Their names without the application's, with numbers of partitions and the properties that were set for them."""
        offsets = Offsets(self.broker, application)
        names = sorted(name for name in offsets.consumer.topics() if name.startswith(application + "-")
                       and name.endswith(("-changelog", "-repartition", "-topic")))
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found = {}
        for answer in offsets.admin.describe_configs(resources):
            for entry in answer.resources:
                # name, value, read only, where it comes from (1: set for the topic)
                found[entry[3][len(application):]] = (len(offsets.partitions(entry[3])),
                                                      sorted((item[0], item[1]) for item in entry[4] if item[3] == 1))
        offsets.close()
        return found

    @staticmethod
    def are_same(theirs, ours):
        """But that ours keep windows which go on when they close, and sessions, a millisecond longer."""
        if theirs is None or ours is None:
            return False
        longer = [(name, str(int(value) + 1)) if name == "retention.ms" else (name, value) for name, value in theirs[1]]
        return theirs[0] == ours[0] and ours[1] in (theirs[1], longer)

    def same_topics(self):
        """Whoever came first has made them: they must be the same."""
        for job_kind in (Job, StoresJob):
            made = {}
            for kind in ("java", "ours"):
                names = self.made_by[job_kind.TOPOLOGY][kind]
                if not names:
                    self.make_topics(job_kind, kind)
                made[kind] = self.internal_topics(names[0])
            theirs, ours = made["java"], made["ours"]
            if not theirs:
                fail("Kafka Streams made no internal topics for %s, so that nothing was compared" % job_kind.TOPOLOGY)
            for topic in sorted(theirs.keys() | ours.keys()):
                if not self.are_same(theirs.get(topic), ours.get(topic)):
                    fail("Kafka Streams made %s with %s, ours with %s" % (topic, theirs.get(topic), ours.get(topic)))
            print("%s: %d internal topics are the same" % (job_kind.TOPOLOGY, len(theirs)), flush=True)

    def make_topics(self, job_kind, kind):
        """By a program that is the first of its application, and gets nothing to do: they are there before it has its tasks."""
        name = "%s-topics-%s" % (job_kind.TOPOLOGY, kind)
        self.made_by[job_kind.TOPOLOGY][kind].append(name)

        def work(job):
            member = job.start(kind)
            until("it has its tasks", lambda: any(partitions for _, partitions in job.offsets.members()[1].values()), 60, 0.02, member)
            member.stop()
        self.in_job(name, "at_least_once", work, job_kind)

    def chain(self, job_kind, guarantee, first):
        name = "%s-%s-%s" % (job_kind.TOPOLOGY, {"at_least_once": "alo", "exactly_once_v2": "eos"}[guarantee], first)
        kinds = ("java", "ours", "java", "ours") if first == "java" else ("ours", "java", "ours", "java")
        self.made_by[job_kind.TOPOLOGY][first].append(name)

        def work(job):
            for turn, kind in enumerate(kinds):
                job.feed(0.1)
                member = job.start(kind)
                job.work(member, 0.08)
                job.feed(0.1)
                if turn + 1 == len(kinds):
                    job.finish(member)
                else:
                    member.stop()
                    job.hand_over(member)
        self.in_job(name, guarantee, work, job_kind)

    def killed(self, name):
        """A member of Kafka Streams is killed: its session and its transaction have to time out."""
        def work(job):
            job.transaction_ms, job.commit_ms = 10000, 1000
            job.feed(0.2)
            theirs = job.start("java")
            job.work(theirs, 0.1)
            job.feed(0.2)
            time.sleep(0.5)  # within a transaction
            theirs.kill()
            job.hand_over(theirs)
            ours = job.start("ours")
            begin = time.monotonic()
            job.work(ours, 0.05)
            print("%s: waited for %.1f s: %s" % (name, time.monotonic() - begin, require_told(ours)))
            job.finish(ours)
            print("\n".join(line for line in ours.said().split("\n") if "left open" in line), flush=True)
        self.in_job(name, "exactly_once_v2", work)

    def both_at_once(self, name):
        """Who comes second while the other kind runs disturbs nothing and says why it does not work."""
        def work(job):
            job.feed(0.2)
            theirs = job.start("java")
            job.work(theirs, 0.1)
            refused = job.start("ours")
            if refused.process.wait(60) != 1 or "share no protocol with this program" not in refused.said():
                fail("ours does not say that it waits in vain: " + refused.said())
            require_told(refused)
            job.feed(0.1)
            job.work(theirs, 0.1)
            ours = job.start("ours")
            until("it says that it waits", lambda: TOLD in ours.said(), 60, program=ours)
            theirs.stop()
            job.feed(0.1)
            job.work(ours, 0.1)
            require_told(ours)
            refused = job.start("java", wait=False)
            if refused.process.wait(60) != 3 or "InconsistentGroupProtocolException" not in refused.said():
                fail("Kafka Streams is not refused while ours runs: " + refused.said()[-2000:])
            job.finish(ours)
        self.in_job(name, "at_least_once", work)


TOLD = "Kafka Streams (a JVM program)"


def require_told(member):
    """Its message about whom it waits for, which stands there once."""
    told = [line for line in member.said().split("\n") if TOLD in line]
    if len(told) != 1:
        fail("%d messages, not one, say who is waited for: %s" % (len(told), member.said()[-2000:]))
    return told[0]


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("millstream")
    parser.add_argument("directory")
    parser.add_argument("--kafka", metavar="SCRIPT", help="starts and stops a real Kafka")
    parser.add_argument("--port", type=int, default=29492)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--all", action="store_true", help="each topology under both guarantees, with either program first")
    parser.add_argument("--only", default="", metavar="REGEX", help="the checks whose names match")
    return parser.parse_args()


def main():
    options = read_options()
    print("seed %d" % options.seed)
    options.directory = os.path.abspath(options.directory)
    kept = ("classpath", "classes")
    os.makedirs(options.directory, exist_ok=True)
    for name in os.listdir(options.directory):
        path = os.path.join(options.directory, name)
        if name not in kept:
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    check = Check(options)
    chains = [(Job, "at_least_once", "ours"), (Job, "exactly_once_v2", "java"), (StoresJob, "exactly_once_v2", "java")]
    if options.all:
        chains += [(Job, "at_least_once", "java"), (Job, "exactly_once_v2", "ours"), (StoresJob, "at_least_once", "java"),
                   (StoresJob, "at_least_once", "ours"), (StoresJob, "exactly_once_v2", "ours")]
    checks = [("descriptions", check.descriptions)]
    checks += [("%s, %s, %s first" % (kind.TOPOLOGY, guarantee, first), functools.partial(check.chain, kind, guarantee, first))
               for kind, guarantee, first in chains]
    checks += [("internal topics", check.same_topics), ("killed", lambda: check.killed("killed")),
               ("both", lambda: check.both_at_once("both"))]
    try:
        check.start_broker()
        return run_checks("takeover", [(title, run) for title, run in checks if re.search(options.only, title)])
    finally:
        check.stop_broker()


sys.exit(main())
