#!/usr/bin/python3
"""Kafka Streams and Millstream take over from each other, under one application.id and on one set of topics.

    takeover_check.py WORD_COUNT MILLSTREAM DIRECTORY [--kafka SCRIPT]

takeover/WordCount.java and takeover/word_count.c count the words of lines in windows of a minute, through a repartition topic, and
describe themselves alike. In a chain they run by turns, each four times stopped with input before it, while it works and behind it:
the next one goes on from the committed offsets, the repartition topic and the changelog. Then the last value of every window must
equal what is counted here from the lines.

    at least once   Kafka Streams, Millstream, Kafka Streams, Millstream; and the other way round
    exactly once    the same; once with a member of Kafka Streams that is killed, and waited for with a message

Beside them: a program that starts while the other kind runs says so, does not disturb it and takes over when it has gone.

On a broker of ours, or, with --kafka, on a real one that SCRIPT (start PORT, stop PORT) brings up. Kafka Streams comes from Maven.
"""
import argparse
import collections
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
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
        subprocess.run(["javac", "-nowarn", "-cp", self.classpath, "-d", os.path.join(directory, "classes"),
                        os.path.join(SOURCES, "WordCount.java")], check=True)

    def command(self, *arguments):
        return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp", self.classpath, "WordCount"] + list(arguments)


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
        for topic in (self.input, self.output):
            self.offsets.create(topic, PARTITIONS, **{"retention.ms": "-1"})

    def _make_lines(self, count):
        """Times rise by a tenth of a second a line, but for every eighth, which is up to half a minute late."""
        vocabulary = ["word-%d" % i for i in range(300)] + ["grün", "слово", "語", "a", "with\ttab"]
        lines = []
        for i in range(count):
            late = self.random.randrange(30000) if self.random.randrange(8) == 0 else 0
            words = [vocabulary[int(len(vocabulary) * self.random.random() ** 3)] for _ in range(1 + self.random.randrange(6))]
            lines.append(b"%d %s" % (START_MS + i * 100 - late, " ".join(words).encode()))
        return lines

    def feed(self, share):
        """The next lines, a share of all of them, to any partition."""
        end = min(len(self.lines), self.fed + int(len(self.lines) * share))
        subprocess.run(["kcat", "-P", "-b", self.check.broker, "-t", self.input, "-X", "partitioner=random",
                        "-X", "sticky.partitioning.linger.ms=0", "-X", "enable.idempotence=true"],
                       input=b"".join(line + b"\n" for line in self.lines[self.fed:end]), check=True)
        self.fed = end

    def start(self, kind, leaves=True, wait=True):
        state = os.path.join(self.directory, "state-" + kind)
        properties = {"application.id": self.name, "bootstrap.servers": self.check.broker, "state.dir": state,
                      "processing.guarantee": self.guarantee, "commit.interval.ms": "100", "num.stream.threads": "2",
                      "auto.offset.reset": "earliest", "session.timeout.ms": str(SESSION_MS), "heartbeat.interval.ms": "500",
                      "repartition.purge.interval.ms": "1000"}
        if kind == "java":
            properties["producer.transaction.timeout.ms"] = "5000"
            command = self.check.java.command(self.input, self.output, "leave" if leaves else "stay",
                                              *("%s=%s" % pair for pair in properties.items()))
        else:
            command = [self.check.options.word_count, self.input, self.output]
            for pair in properties.items():
                command += ["-X", "%s=%s" % pair]
        member = Member(kind, command, self.directory)
        self.members.append(member)
        if wait:
            until("%s is ready" % kind, lambda: "ready" in member.said(), 60, 0.02, member)
        return member

    def position(self):
        return self.offsets.committed().get(self.input, 0)

    def work(self, member, share):
        """Until the member has committed a share of all lines more than there was."""
        aim = min(self.fed, self.position() + int(len(self.lines) * share))
        until("%s has committed %d lines" % (member.kind, aim), lambda: self.position() >= aim, 60, 0.02, member)

    def left_over(self):
        """Records of the input and of the repartition topic that nobody has committed."""
        committed = self.offsets.committed()
        between = self.offsets.repartitions()
        return (self.offsets.ends(self.input) - committed.get(self.input, 0),
                sum(self.offsets.ends(name) - committed.get(name, 0) for name in between))

    def hand_over(self, member):
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
        expected = collections.Counter()
        for line in self.lines:
            time_ms, *words = line.split(b" ")
            for word in words:
                expected[word, int(time_ms) // WINDOW_MS * WINDOW_MS] += 1
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


class Check:
    def __init__(self, options):
        self.options = options
        self.java = Java(options.directory)
        self.kafka = Kafka(options.kafka, options.port) if options.kafka else None
        self.server = None
        self.broker = None

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
            self.server.wait(60)

    def in_job(self, name, guarantee, work):
        job = Job(self, name, guarantee)
        begin = time.monotonic()
        try:
            work(job)
            print("%s: %.1f s" % (name, time.monotonic() - begin), flush=True)
        finally:
            job.close()

    # ---- what is checked ----------------------------------------------------------------------------------------------------

    def descriptions(self):
        ours = subprocess.run([self.options.word_count, "--describe", "text", "counts"], stdout=subprocess.PIPE, check=True).stdout
        theirs = subprocess.run(self.java.command("--describe", "text", "counts"), stdout=subprocess.PIPE, check=True).stdout
        if ours.strip() != theirs.strip():
            fail("the programs describe themselves differently:\n%s\n%s" % (ours.decode(), theirs.decode()))

    def chain(self, name, guarantee, kinds, leaves):
        def work(job):
            for turn, kind in enumerate(kinds):
                job.feed(0.1)
                member = job.start(kind, leaves)
                job.work(member, 0.08)
                job.feed(0.1)
                if turn + 1 == len(kinds):
                    job.finish(member)
                else:
                    member.stop()
                    job.hand_over(member)
        self.in_job(name, guarantee, work)

    def killed(self, name):
        """A member of Kafka Streams is killed: its session and its transaction have to time out."""
        def work(job):
            job.feed(0.2)
            theirs = job.start("java")
            job.work(theirs, 0.1)
            job.feed(0.1)
            theirs.kill()
            job.hand_over(theirs)
            ours = job.start("ours")
            begin = time.monotonic()
            job.work(ours, 0.05)
            print("%s: waited for %.1f s: %s" % (name, time.monotonic() - begin, require_told(ours)))
            job.finish(ours)
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
    parser.add_argument("word_count")
    parser.add_argument("millstream")
    parser.add_argument("directory")
    parser.add_argument("--kafka", metavar="SCRIPT", help="starts and stops a real Kafka")
    parser.add_argument("--port", type=int, default=29492)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--only", default="", help="the checks whose names contain this")
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
    there_and_back = ("java", "ours", "java", "ours")
    checks = [
        ("descriptions", check.descriptions),
        ("at least once, Kafka Streams first", lambda: check.chain("alo-java", "at_least_once", there_and_back, True)),
        ("at least once, Millstream first", lambda: check.chain("alo-ours", "at_least_once", there_and_back[::-1], True)),
        ("exactly once, Kafka Streams first", lambda: check.chain("eos-java", "exactly_once_v2", there_and_back, True)),
        ("exactly once, Millstream first", lambda: check.chain("eos-ours", "exactly_once_v2", there_and_back[::-1], True)),
        ("a killed member of Kafka Streams", lambda: check.killed("killed")),
        ("both at once", lambda: check.both_at_once("both")),
    ]
    try:
        check.start_broker()
        return run_checks("takeover", [(title, run) for title, run in checks if options.only in title])
    finally:
        check.stop_broker()


sys.exit(main())
