"""For the checks of whole pipelines: programs under test, brokers and records, seen through clients that nobody here wrote.

kcat (librdkafka) writes and reads records, kafka-python asks for offsets. Everything fails loudly: fail() ends the check with a
word of why, skip() ends it as skipped where a client or the data is missing.
"""
import collections
import glob
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

SKIPPED = 77
HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
SHARED = os.path.join(os.path.dirname(REPOSITORY), "shared")
WORK_TIMEOUT_S = 240


class Failed(Exception):
    pass


def fail(text):
    raise Failed(text)


def skip(text):
    print("skipped: " + text)
    sys.exit(SKIPPED)


try:
    from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
    from kafka.admin import NewTopic
    from kafka.errors import KafkaError
except ImportError:
    skip("python3-kafka is not installed")
if not shutil.which("kcat"):
    skip("kcat is not installed")


def data_file(path):
    """A file of real input, by its path below the data's directory: MILLSTREAM_DATA, or where it lies beside the repository."""
    found = os.path.join(os.environ.get("MILLSTREAM_DATA", os.path.join(SHARED, "data")), path)
    if not os.path.exists(found):
        skip("there is no %s: MILLSTREAM_DATA names the directory that has it" % found)
    return found


def until(what, condition, timeout_s=WORK_TIMEOUT_S, pause_s=0.02, program=None):
    """
    Polls until condition() is true and returns what it said. Fails when time is over, or when `program` ends, also in the middle
    of a client's call that would wait for ever.
    """
    end = time.monotonic() + timeout_s

    def look(_signal, _frame):
        if program:
            program.check_running()
        if time.monotonic() > end:
            fail("after %d s still not: %s" % (timeout_s, what))

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
    try:
        while True:
            said = condition()
            if said:
                return said
            time.sleep(pause_s)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Program:
    """A pipeline under test: started, killed and started again with the same arguments, on the same port."""

    def __init__(self, path, arguments, directory, bootstrap=None):
        self.path, self.arguments, self.bootstrap = path, arguments, bootstrap
        self.state = os.path.join(directory, "state")
        self.errors = os.path.join(directory, "program.err")
        self.broker = bootstrap
        self.process = None
        self.started = 0.0

    def start(self):
        """Returns the seconds from exec until the program says that it is ready."""
        said_before = os.path.getsize(self.errors) if os.path.exists(self.errors) else 0
        place = "listeners=PLAINTEXT://" + (self.broker or "127.0.0.1:0")
        if self.bootstrap:
            place = "bootstrap.servers=" + self.bootstrap
        command = [self.path] + self.arguments + ["-X", "state.dir=" + self.state, "-X", place]
        # There its variables are properties.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLSTREAM_")}
        self.started = time.monotonic()
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        ready = until("the program is ready", lambda: self._ready(said_before), 60, 0.002, self)
        if not self.bootstrap:
            self.broker = ready
        return time.monotonic() - self.started

    def _ready(self, said_before):
        with open(self.errors, "rb") as errors:
            errors.seek(said_before)
            said = re.search(rb"ready, broker at (\S+)", errors.read())
        return said and said.group(1).decode()

    def check_running(self):
        if self.process.poll() is not None:
            fail("the program ended with %d: %s" % (self.process.returncode, self.last_words()))

    def last_words(self):
        with open(self.errors, "rb") as errors:
            return errors.read()[-2000:].decode(errors="replace")

    def kill(self):
        self.check_running()
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        self.check_running()
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60) != 0:
            fail("told to stop, the program ended with %d: %s" % (self.process.returncode, self.last_words()))
        self.process = None

    def peak_rss_mb(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) // 1024

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def discard(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Offsets:
    """Ends of topics and positions of a group, as kafka-python sees them."""

    VERSION = (2, 5, 0)  # said, not probed: the newest that this client speaks

    def __init__(self, broker, group):
        self.group = group
        self.admin = KafkaAdminClient(bootstrap_servers=broker, api_version=self.VERSION)
        self.consumer = KafkaConsumer(bootstrap_servers=broker, api_version=self.VERSION)

    def close(self):
        self.admin.close()
        self.consumer.close()

    def create(self, topic, partitions, **configs):
        self.admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])

    def partitions(self, topic):
        return [TopicPartition(topic, p) for p in sorted(self.consumer.partitions_for_topic(topic) or ())]

    def ends(self, topic):
        """How many records were ever written to a topic."""
        return sum(self.consumer.end_offsets(self.partitions(topic)).values())

    def committed_of_each(self):
        """TopicPartition -> how many of its records the group has done with."""
        return {at: max(entry.offset, 0) for at, entry in self.admin.list_consumer_group_offsets(self.group).items()}

    def members(self):
        """Whether the group is stable, and its members: id -> (client id, the TopicPartitions that are assigned to it)."""
        described = self.admin.describe_consumer_groups([self.group])[0]
        return described.state == "Stable", {
            member.member_id: (member.client_id, {TopicPartition(topic, number) for topic, numbers in
                                                  (member.member_assignment.assignment if member.member_assignment else ())
                                                  for number in numbers})
            for member in described.members}

    def committed(self):
        """topic -> how many of its records the group has done with."""
        sums = {}
        try:
            for partition, done in self.committed_of_each().items():
                sums[partition.topic] = sums.get(partition.topic, 0) + done
        except KafkaError as error:
            if not error.retriable and error.errno != 15:  # the coordinator is not there yet
                raise
        return sums

    def wait_until_done(self, program, topic, count):
        """Until the group has done with `count` records of `topic` and with all that came of them in repartition topics."""

        def done():
            committed = self.committed()
            if committed.get(topic, 0) < count:
                return False
            return all(committed.get(name, 0) >= self.ends(name) for name in self.repartitions())

        until("all %d records of %s, and what came of them, are committed" % (count, topic), done, pause_s=0.05, program=program)

    def repartitions(self):
        return [name for name in self.consumer.topics() if name.startswith(self.group + "-") and name.endswith("-repartition")]


def records_on_disk(program, topic):
    """How many records an embedded broker has appended to a topic, by its files' last whole batches, also while it is dead."""
    total = 0
    for directory in glob.glob(glob.escape(os.path.join(program.state, "broker", topic)) + "-[0-9]*"):
        segment = max(glob.glob(glob.escape(directory) + "/*.log"))
        end = int(os.path.basename(segment)[:-len(".log")])
        size = os.path.getsize(segment)
        with open(segment, "rb", 0) as log:
            at = 0
            while at + 61 <= size:  # base offset (8), length of what follows (4), ..., last offset less base offset (4)
                log.seek(at)
                base, length, delta = struct.unpack(">qi11xi", log.read(27))
                at += 12 + length
                if at > size:
                    break
                end = base + delta + 1
        total += end
    return total


class Feeder:
    """
    Lines into a topic by kcat, idempotently, so that a broker's death neither loses nor doubles one. Without keys: each to any
    partition.
    """

    SLICE_S = 0.01

    def __init__(self, broker, topic, lines, directory):
        self.lines, self.rate, self.fed = lines, 0, 0
        self.errors = open(os.path.join(directory, "feeder.err"), "wb")
        self.kcat = subprocess.Popen(
            ["kcat", "-P", "-E", "-b", broker, "-t", topic, "-X", "enable.idempotence=true", "-X", "message.timeout.ms=0",
             "-X", "sticky.partitioning.linger.ms=0", "-X", "reconnect.backoff.ms=10", "-X", "reconnect.backoff.max.ms=50"],
            stdin=subprocess.PIPE, stdout=self.errors, stderr=self.errors)
        self.thread = threading.Thread(target=self._feed, daemon=True)

    def start(self, rate):
        """`rate` lines a second; 0: as fast as it goes."""
        self.rate = rate
        self.thread.start()

    def hurry(self):
        self.rate = 0

    def _feed(self):
        try:
            self._feed_all()
        except BrokenPipeError:
            pass  # kcat has ended, which finish() tells

    def _feed_all(self):
        due = time.monotonic()
        while self.fed < len(self.lines):
            count = max(1, int(self.rate * self.SLICE_S)) if self.rate else len(self.lines)
            self.kcat.stdin.write(b"".join(line + b"\n" for line in self.lines[self.fed:self.fed + count]))
            self.kcat.stdin.flush()
            self.fed = min(self.fed + count, len(self.lines))
            due += count / self.rate if self.rate else 0
            time.sleep(max(0.0, due - time.monotonic()))
        self.kcat.stdin.close()

    def running(self):
        return self.fed < len(self.lines)

    def finish(self):
        self.thread.join(WORK_TIMEOUT_S)
        if self.kcat.wait(WORK_TIMEOUT_S) != 0:
            fail("kcat could not feed the input")
        self.errors.close()

    def discard(self):
        if self.kcat.poll() is None:
            self.kcat.kill()


def read_topic(broker, topic):
    """All (key, value) of a topic, each partition in its order, as kcat reads them; CRCs are checked. A null is empty here."""
    out = subprocess.run(["kcat", "-C", "-b", broker, "-t", topic, "-o", "beginning", "-e", "-q", "-X", "check.crcs=true",
                          "-f", "%K %S %k%s"], stdout=subprocess.PIPE, check=True, timeout=WORK_TIMEOUT_S).stdout
    records, at = [], 0
    while at < len(out):
        key_at = out.index(b" ", out.index(b" ", at) + 1) + 1
        key_len, value_len = (max(0, int(n)) for n in out[at:key_at].split())
        records.append((out[key_at:key_at + key_len], out[key_at + key_len:key_at + key_len + value_len]))
        at = key_at + key_len + value_len
    return records


def windowed_counts(records):
    """(key, window's start in ms) -> the last count, of a topic as Kafka Streams writes windowed keys and longs."""
    counts = {}
    for key, value in records:
        if len(key) < 8 or len(value) != 8:
            fail("%r -> %r is no windowed count" % (key, value))
        counts[key[:-8], struct.unpack(">q", key[-8:])[0]] = struct.unpack(">q", value)[0]
    return counts


def read_counts(path):
    """topic -> (key, window's start in ms) -> count, from lines "topic ms count key"."""
    topics = {}
    with open(path, "rb") as counts:
        for line in counts.read().split(b"\n")[:-1]:
            topic, ms, count, key = line.split(b" ", 3)
            topics.setdefault(topic.decode(), {})[key, int(ms)] = int(count)
    return topics


def read_facts(path):
    with open(path) as facts:
        return {name: int(number) for name, number in (line.split() for line in facts)}


def compare_counts(topic, expected, found, surplus_allowed=0):
    """What is wrong with the counts of a topic, in words; nothing when every window is there and right, and no other."""
    wrong = ["%s has no window %r of %d" % (topic, key, count) for key, count in expected.items() if key not in found]
    wrong += ["%s has a window %r that should not be" % (topic, key) for key in found if key not in expected]
    surplus = 0
    for key, count in expected.items():
        more = found.get(key, count) - count
        surplus += more
        if more < 0 or (more > 0 and surplus_allowed == 0):
            wrong.append("%s says %d for window %r, not %d" % (topic, count + more, key, count))
    if surplus > surplus_allowed > 0:
        wrong.append("%s counts %d too much in all, %d may be" % (topic, surplus, surplus_allowed))
    return wrong


def compare_lines(topic, sent, found):
    """What is wrong with an input topic: it must hold each line as often as the log."""
    sent, found = sorted(sent), sorted(found)
    if sent == found:
        return []
    odd = next((a, b) for a, b in zip(sent + [None], found + [None]) if a != b)
    return ["%s holds %d lines, not %d: sorted, the first that differ are %r and %r" % (topic, len(found), len(sent), *odd)]


# What a log should give, and what topics hold: the input's lines, topic -> counts, and (of the truth) facts about the log.
Truth = collections.namedtuple("Truth", "lines counts facts")
Found = collections.namedtuple("Found", "lines counts")


class Comparison:
    """Compares what was found with the truth. `surplus`: topic -> by how much its counts may be too high in all."""

    def __init__(self, truth, input_topic, surplus=None):
        self.truth, self.input_topic, self.surplus = truth, input_topic, surplus or {}

    def differences(self, found):
        wrong = compare_lines(self.input_topic, self.truth.lines, found.lines)
        for topic, counts in self.truth.counts.items():
            wrong += compare_counts(topic, counts, found.counts[topic], self.surplus.get(topic, 0))
        return wrong

    def require_right(self, found):
        wrong = self.differences(found)
        if wrong:
            fail("%d differences, the first: %s" % (len(wrong), "; ".join(wrong[:5])))

    def require_planted_faults_rejected(self, found, random_source, recount=None):
        """
        `found` is right; with one fault in it, it must not pass. `recount`, if given, says what a log of other lines would give:
        the counts alone must then show a doubled and a lost line.
        """
        at = random_source.randrange(len(found.lines))
        doubled = found.lines[:at] + [found.lines[at]] + found.lines[at:]
        lost = found.lines[:at] + found.lines[at + 1:]
        faults = [("a doubled line in the topic", found._replace(lines=doubled)),
                  ("a lost line in the topic", found._replace(lines=lost))]
        if recount:
            faults += [("the counts of a doubled line", found._replace(counts=recount(doubled))),
                       ("the counts of a lost line", found._replace(counts=recount(lost)))]
        for topic, counts in found.counts.items():
            window = random_source.choice(sorted(counts))
            too_much = 1 + self.surplus.get(topic, 0)
            for what, planted in (("one too low", counts | {window: self.truth.counts[topic][window] - 1}),
                                  ("too high", counts | {window: counts[window] + too_much}),
                                  ("without a window", {other: counts[other] for other in counts if other != window})):
                faults.append(("%s %s" % (topic, what), found._replace(counts=found.counts | {topic: planted})))
        for what, planted in faults:
            if not self.differences(planted):
                fail("the check does not see a planted fault: " + what)
        print("planted faults rejected: %d" % len(faults))


def print_counts(truth, found):
    for topic, expected in truth.counts.items():
        print("%s: %d windows, %d in all; counted independently: %d windows, %d in all" %
              (topic, len(found.counts[topic]), sum(found.counts[topic].values()), len(expected), sum(expected.values())))


class Kafka:
    """A real Kafka from a script that understands `start PORT`, which prints "... pid N ...", and `stop PORT`."""

    def __init__(self, script, port):
        self.script, self.port = script, port
        self.broker = "127.0.0.1:%d" % port
        self.pid = None

    def start(self):
        said = subprocess.run(["bash", self.script, "start", str(self.port)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True).stdout
        pid = re.search(r"\bpid (\d+)", said)
        if not pid:
            fail("%s does not start on port %d: %s" % (self.script, self.port, said))
        self.pid = pid.group(1)

    def stop(self):
        if self.pid:
            subprocess.run(["bash", self.script, "stop", str(self.port)], check=True)
            until("Kafka has ended", lambda: not os.path.exists("/proc/" + self.pid), 60)
            self.pid = None


def run_checks(name, checks):
    """Runs named checks in turn; prints which failed and returns the exit code."""
    failed = []
    for title, check in checks:
        print("== %s: %s" % (name, title), flush=True)
        try:
            check()
        except Failed as error:
            failed.append(title)
            print("FAILED: %s" % error, flush=True)
    print("%s: %d of %d passed" % (name, len(checks) - len(failed), len(checks)))
    if not checks:
        print("FAILED: there was nothing to check")
    return 1 if failed or not checks else 0
