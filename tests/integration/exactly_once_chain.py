#!/usr/bin/python3
"""A chain of two repartitions, a windowed aggregation and a join, exactly once, while everything is killed all the time.

    exactly_once_chain.py PROGRAM MILLSTREAM DIRECTORY [--records N] [--engine-kills N] [--broker-kills N] [--rebalances N]

PROGRAM is exactly_once_chain_program; the broker is a process of its own (`MILLSTREAM broker`). N records go into chain-events,
as many into chain-details. First without faults; then, on a fresh broker, at a pace that makes the input last, with kill -9 of an
engine, kill -9 of the broker, and a second engine that is started and stopped in good order (each start and each stop is a
rebalance), in a random order. Each fault comes while lag is above zero and after a commit since the last start. An engine that is
killed owns partitions, and has itself committed on one of them since its own start. A rebalance counts when the second engine is
seen to own partitions, or the first one to own all of them; that may be behind further kills, but is before the next rebalance. In
the end kcat, which reads what is committed, must find the results of both runs, and what the input was made for, equal as multisets
of key and value.

Before it is believed, the comparison must reject a doubled, a missing and a changed result, and engines that process at least
once under the same faults.
"""
import argparse
import collections
import itertools
import os
import random
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
# lib/pipeline.py
from pipeline import KafkaError, Offsets, Program, WORK_TIMEOUT_S, fail, run_checks, until

GROUP = "chain"
INPUTS = ("chain-events", "chain-details")
OUTPUTS = ("chain-counts", "chain-results")
PARTITIONS = 4
SPAN_MS = 3600 * 1000
LATE_MS = 30 * 1000
FIRST_MS = 1700000000000 // SPAN_MS * SPAN_MS
SORTED = dict(os.environ, LC_ALL="C")
SLICE_S = 0.02
LAST_S = 15  # a pace takes at least that long for what is left
SLOT_GUESS_S = 3.0  # from fault to fault, until it is known
NEEDED = {"engine": "a commit of an engine on a partition that it owns", "broker": "a commit since the last start",
          "rebalance": "the effect of the rebalance before"}

Fault = collections.namedtuple("Fault", "kind lag committed work_s")
Rebalance = collections.namedtuple("Rebalance", "second_starts begin")


# ---- files of lines: an input, or a multiset of results as "key value", sorted ----


def make_inputs(directory, records, seed):
    """Writes chain-events, chain-details, and what has to come of them. One event in a hundred lacks its detail, and vice versa."""
    prng = random.Random(seed)
    users = max(10, records // 2500)
    seen = collections.Counter()
    names = INPUTS + OUTPUTS
    files = [open(os.path.join(directory, name + (".expected" if name in OUTPUTS else "")), "w") for name in names]
    events, details, counts, results = files
    for i in range(records):
        user = "user-%d" % prng.randrange(users)
        ms = FIRST_MS + i * SPAN_MS // records + prng.randrange(LATE_MS)
        minute = ms // 60000
        seen[user, minute] += 1
        n = seen[user, minute]
        key = "%s/%d/%d" % (user, minute, n)
        matched = i % 100 != 99
        events.write("%d %s\n" % (ms, user))
        details.write("%s%s\t%d detail-%x\n" % (key, "" if matched else "/none", ms, i))
        counts.write("%s %d\n" % (key, n))
        if matched:
            results.write("%s %d detail-%x\n" % (key, n, i))
    for file in files:
        file.close()
    for name in OUTPUTS:
        sort_file(os.path.join(directory, name + ".expected"))


def sort_file(path):
    subprocess.run(["sort", "-S", "300M", "-o", path, path], env=SORTED, check=True)


def read_sorted(broker, topic, path):
    """All that is committed of a topic, as kcat sees it; CRCs are checked."""
    with open(path, "wb") as out:
        subprocess.run(["kcat", "-C", "-b", broker, "-t", topic, "-o", "beginning", "-e", "-q", "-X", "isolation.level=read_committed",
                        "-X", "check.crcs=true", "-f", "%k %s\\n"], stdout=out, check=True, timeout=10 * WORK_TIMEOUT_S)
    sort_file(path)


def differences(expected, found):
    """(how many lines are missing, how many there should not be, the first few) of two sorted files."""
    same = subprocess.run(["cmp", "-s", expected, found]).returncode
    if same > 1:
        fail("%s and %s cannot be compared" % (expected, found))
    if same == 0:
        return None
    comm = subprocess.Popen(["comm", "-3", expected, found], env=SORTED, stdout=subprocess.PIPE, text=True)
    missing = surplus = 0
    first = []
    for line in comm.stdout:
        missing, surplus = (missing, surplus + 1) if line.startswith("\t") else (missing + 1, surplus)
        if len(first) < 5:
            first.append(("surplus " if line.startswith("\t") else "missing ") + line.strip())
    if comm.wait() != 0 or missing + surplus == 0:
        fail("%s and %s cannot be compared line by line" % (expected, found))
    return "%d missing, %d too many: %s" % (missing, surplus, "; ".join(first))


def require_planted_faults_rejected(expected, found, prng):
    """`found` is equal to `expected`; with one fault in it, it must not pass."""
    with open(found, "rb") as lines:
        at = prng.randrange(sum(1 for _ in lines))
    planted = found + ".planted"
    for what, replace in (("doubled", lambda line: line + line), ("missing", lambda line: b""),
                          ("changed", lambda line: line[:-1] + b"x\n")):
        with open(found, "rb") as lines, open(planted, "wb") as out:
            out.writelines(itertools.islice(lines, at))
            out.write(replace(next(lines)))
            shutil.copyfileobj(lines, out)
        sort_file(planted)
        if not differences(expected, planted):
            fail("the comparison does not see a planted fault: a %s result" % what)
    os.remove(planted)


# ---- processes ----


class Broker:
    """`millstream broker`, always on the same port."""

    def __init__(self, program, directory):
        self.program, self.data = program, os.path.join(directory, "broker")
        self.errors = os.path.join(directory, "broker.err")
        self.address = "127.0.0.1:0"
        self.process = None

    def start(self):
        said_before = os.path.getsize(self.errors) if os.path.exists(self.errors) else 0
        command = [self.program, "broker", "--data", self.data, "--listen", self.address]
        for pair in ("num.partitions=%d" % PARTITIONS, "group.min.session.timeout.ms=1000", "group.initial.rebalance.delay.ms=0"):
            command += ["-X", pair]
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        self.address = until("the broker listens", lambda: self._ready(said_before), 60, 0.002, self)

    def _ready(self, said_before):
        with open(self.errors, "rb") as errors:
            errors.seek(said_before)
            said = errors.read().decode(errors="replace").partition("broker at ")[2]
        return said.partition(",")[0] if "," in said else None

    def check_running(self):
        if self.process.poll() is not None:
            fail("the broker ended with %d, see %s" % (self.process.returncode, self.errors))

    def kill(self):
        self.check_running()
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.check_running()
        self.process.terminate()
        if self.process.wait(60) != 0:
            fail("told to stop, the broker ended with %d, see %s" % (self.process.returncode, self.errors))

    def discard(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Engine(Program):
    """The program under test, and what it does since its start."""

    def __init__(self, name, *arguments):
        super().__init__(*arguments)
        self.name = name
        self.former = set()  # members of the group before its start: one that was killed stays for a while
        self.owned = {}  # partition -> what was committed of it when this engine was first seen to own it

    def begin(self, former):
        self.former, self.owned = former, {}
        self.start()

    def is_client(self, client_id):
        return client_id.startswith(self.name + "-")

    def look(self, members, committed):
        """Of a stable group; `committed` was asked afterwards, so that no commit of who owned a partition before is this one's."""
        now = set()
        for member, (client_id, partitions) in members.items():
            if self.is_client(client_id) and member not in self.former:
                now |= partitions
        self.owned = {at: self.owned.get(at, committed.get(at, 0)) for at in now}

    def own_work(self, committed):
        """Records of its partitions that it has committed."""
        return sum(max(0, committed.get(at, 0) - before) for at, before in self.owned.items())


class Feeder:
    """
    Both inputs by kcat, side by side, idempotently, so that a broker's death neither loses nor doubles one. Details lie in the
    partition that Kafka's own partitioner chooses for their key, as those that they are joined with.
    """

    def __init__(self, broker, directory, records):
        self.directory, self.records = directory, records
        self.rate, self.fed = 0, 0
        self.errors = open(os.path.join(directory, "feeder.err"), "wb")
        self.kcats = [self._kcat(broker, topic) for topic in INPUTS]
        self.thread = threading.Thread(target=self._feed, daemon=True)
        self.stopped = False

    def _kcat(self, broker, topic):
        keys = ["-K", "\t", "-X", "topic.partitioner=murmur2_random"] if topic == "chain-details" else []
        return subprocess.Popen(["kcat", "-P", "-E", "-b", broker, "-t", topic, "-X", "enable.idempotence=true",
                                 "-X", "message.timeout.ms=0", "-X", "sticky.partitioning.linger.ms=0",
                                 "-X", "reconnect.backoff.ms=10", "-X", "reconnect.backoff.max.ms=50"] + keys,
                                stdin=subprocess.PIPE, stdout=self.errors, stderr=self.errors)

    def start(self, rate):
        """`rate` records a second into each input; 0: as fast as it goes. It may be changed on the way."""
        self.rate = rate
        self.thread.start()

    def _feed(self):
        files = [open(os.path.join(self.directory, topic), "rb") for topic in INPUTS]
        try:
            while self.fed < self.records and not self.stopped:
                begin = time.monotonic()
                rate = min(self.rate, (self.records - self.fed) / LAST_S)  # so that no input ends before the last fault
                count = min(max(1, int(rate * SLICE_S)) if rate else 2000, self.records - self.fed)
                for file, kcat in zip(files, self.kcats):
                    kcat.stdin.writelines(itertools.islice(file, count))
                    kcat.stdin.flush()
                self.fed += count
                time.sleep(max(0.0, begin + count / rate - time.monotonic()) if rate else 0)
            for kcat in self.kcats:
                kcat.stdin.close()
        except BrokenPipeError:
            pass  # kcat has ended, which finish() tells

    def running(self):
        return self.fed < self.records

    def finish(self):
        self.thread.join(10 * WORK_TIMEOUT_S)
        for kcat in self.kcats:
            if kcat.wait(WORK_TIMEOUT_S) != 0:
                fail("kcat could not feed the input")

    def discard(self):
        self.stopped = True
        for kcat in self.kcats:
            if kcat.poll() is None:
                kcat.kill()
                kcat.wait()


class Positions:
    """What the group has done and what there is, through a client that is made anew when the broker has died."""

    def __init__(self, broker):
        self.broker = broker
        self.offsets = None

    def close(self):
        if self.offsets:
            try:
                self.offsets.close()
            except (KafkaError, OSError):
                pass
        self.offsets = None

    def ask(self, question):
        """None when the broker does not answer now."""
        try:
            if self.offsets is None:
                self.offsets = Offsets(self.broker.address, GROUP)
            return question(self.offsets)
        except (KafkaError, OSError):
            self.close()
            return None

    def members(self):
        """Whether it is stable, and its members."""
        return self.ask(lambda offsets: offsets.members())

    def committed(self):
        """Of each partition."""
        return self.ask(lambda offsets: offsets.committed_of_each())

    def lag(self, committed):
        """Of both inputs, behind what was committed before it is asked."""
        ends = self.ask(lambda offsets: sum(offsets.ends(topic) for topic in INPUTS))
        return None if ends is None else ends - of_inputs(committed)

    def all_done(self, records):
        def look(offsets):
            done = offsets.committed()
            return (all(done.get(topic, 0) == offsets.ends(topic) == records for topic in INPUTS) and
                    all(done.get(topic, 0) >= offsets.ends(topic) for topic in offsets.repartitions()))

        return self.ask(look)


def of_inputs(committed):
    return sum(done for at, done in committed.items() if at.topic in INPUTS)


# ---- a run ----


class Chain:
    """One run of the chain over the inputs of `options.directory`, in a directory of its own there."""

    def __init__(self, options, name, guarantee="exactly_once_v2"):
        self.options, self.guarantee = options, guarantee
        self.random = random.Random(options.seed)
        self.directory = os.path.join(options.directory, name)
        os.makedirs(self.directory)
        self.broker = Broker(options.millstream, self.directory)
        self.positions = Positions(self.broker)
        self.engines, self.feeder = [], None
        self.faults = []
        self.rebalance = None  # that is not yet seen to have had an effect
        self.committed_at_start = 0
        self.fault_at = 0.0

    def run(self, faults):
        """Feeds all, with `faults` on the way; then the sorted results are in this run's directory."""
        begin = time.monotonic()
        try:
            self.broker.start()
            for topic in INPUTS + OUTPUTS:
                self.positions.ask(lambda offsets, topic=topic: offsets.create(topic, PARTITIONS) or True)
            self.engines = [self._engine("one"), self._engine("two")]
            self.engines[0].begin(set())
            self.feeder = Feeder(self.broker.address, self.options.directory, self.options.records)
            self.feeder.start(self.options.records / SLOT_GUESS_S / (len(faults) + 1) if faults else 0)
            self._suffer(faults)
            self.feeder.rate = 0
            self.feeder.finish()
            until("all is done", lambda: self.positions.all_done(self.options.records), 10 * WORK_TIMEOUT_S, 0.2, self)
            for topic in OUTPUTS:
                read_sorted(self.broker.address, topic, self.result(topic))
            for engine in self._running():
                engine.stop()
            self.positions.close()
            self.broker.stop()
        finally:
            self.positions.close()
            for one in self.engines + [self.broker] + ([self.feeder] if self.feeder else []):
                one.discard()
        print("%s: %d + %d records, %d faults, %.0f s" %
              (self.guarantee, self.options.records, self.options.records, len(faults), time.monotonic() - begin), flush=True)

    def result(self, topic):
        return os.path.join(self.directory, topic)

    def _engine(self, name):
        """The first one has its place for ever (static membership), the second one comes and goes as it likes."""
        directory = os.path.join(self.directory, name)
        os.makedirs(directory)
        properties = ["processing.guarantee=" + self.guarantee, "statestore.cache.max.bytes=0", "session.timeout.ms=3000",
                      "heartbeat.interval.ms=500", "auto.offset.reset=earliest", "client.id=" + name] + self.options.properties
        if name == "one":
            properties.append("group.instance.id=one")
        return Engine(name, self.options.program, [word for pair in properties for word in ("-X", pair)], directory,
                      self.broker.address)

    def _running(self):
        return [engine for engine in self.engines if engine.process]

    def check_running(self):
        self.broker.check_running()
        for engine in self._running():
            engine.check_running()

    def _suffer(self, faults):
        slots = []
        self.fault_at = time.monotonic()
        for number, kind in enumerate(faults, 1):
            begin = time.monotonic()
            until("a commit since the last start", lambda: self._may_suffer(None), program=self)
            work_s = time.monotonic() - self.fault_at
            until(NEEDED[kind], lambda: self._may_suffer(kind), program=self)
            if self.faults:
                self.faults[-1] = self.faults[-1]._replace(work_s=work_s)
            time.sleep(self.random.uniform(0, self.options.spread))
            lag, committed = until("lag is above zero, and " + NEEDED[kind], lambda: self._lag_while_fed(kind), pause_s=0,
                                   program=self)
            done = of_inputs(committed) - self.committed_at_start
            what = self._fault(kind, committed)
            print("%3d %s: lag %d, committed since the last start %d, the first %.0f ms after the last fault" %
                  (number, what, lag, done, work_s * 1000), flush=True)
            self.faults.append(Fault(kind, lag, done, 0))
            slots.append(time.monotonic() - begin)
            slot_s = sum(slots[-20:]) / len(slots[-20:])
            self.feeder.rate = (self.options.records - self.feeder.fed) / (slot_s * (len(faults) - number + 1))
        if faults:
            self.faults.pop()  # nobody has seen when work went on after it
            until("the last rebalance has an effect", lambda: self._look() and not self.rebalance, program=self)

    def _look(self):
        """What is committed of each partition; sees who owns which of them."""
        group = self.positions.members()
        committed = None if group is None else self.positions.committed()
        if committed is None:
            return None
        stable, members = group
        if stable:
            for engine in self._running():
                engine.look(members, committed)
            self._see_rebalance(members)
        return committed

    def _see_rebalance(self, members):
        if self.rebalance is None:
            return
        first, second = self.engines
        owner = second if self.rebalance.second_starts else first
        alone = not any(second.is_client(client_id) for client_id, _ in members.values())
        if owner.owned and (self.rebalance.second_starts or alone):
            print("    the rebalance has an effect after %.0f ms: the %s engine owns %d partitions" %
                  ((time.monotonic() - self.rebalance.begin) * 1000, "second" if owner is second else "first", len(owner.owned)))
            self.rebalance = None

    def _at_work(self, committed):
        return [engine for engine in self._running() if engine.own_work(committed) > 0]

    def _may_suffer(self, kind):
        """What is committed, once this kind of fault, or any, falls into work that has begun."""
        committed = self._look()
        if not committed or of_inputs(committed) <= self.committed_at_start:
            return None
        if kind == "engine" and not self._at_work(committed) or kind == "rebalance" and self.rebalance:
            return None
        return committed

    def _lag_while_fed(self, kind):
        if not self.feeder.running():
            fail("the input ended before the last fault")
        committed = self._may_suffer(kind)
        lag = committed and self.positions.lag(committed)
        return (lag, committed) if lag and lag > 0 else None

    def _fault(self, kind, committed):
        self.fault_at = time.monotonic()
        if kind == "broker":
            self.broker.kill()
            self.positions.close()
            self.broker.start()
            what = "broker killed"
        elif kind == "engine":
            engine = self.random.choice(self._at_work(committed))
            what = "engine killed, %s of %d, owner of %d partitions with %d records committed on them" % (
                engine.name, len(self._running()), len(engine.owned), engine.own_work(committed))
            engine.kill()
            engine.begin(self._members())
        else:
            second = self.engines[1]
            self.rebalance = Rebalance(not second.process, self.fault_at)
            what = "rebalance, the second engine %s" % ("stops" if second.process else "starts")
            second.stop() if second.process else second.begin(self._members())
        self.committed_at_start = of_inputs(until("the group's offsets are there", self.positions.committed, program=self.broker))
        return what

    def _members(self):
        """The ids of those that the group has, also of who was killed."""
        return set(until("the group is there", self.positions.members, program=self.broker)[1])


def kinds(options):
    faults = ["engine"] * options.engine_kills + ["broker"] * options.broker_kills + ["rebalance"] * options.rebalances
    random.Random(options.seed).shuffle(faults)
    return faults


def require_at_least_once_rejected(options):
    """The same, but at least once, must not pass."""
    small = argparse.Namespace(**vars(options))
    small.directory = os.path.join(options.directory, "at_least_once")
    small.records = 40000
    small.properties = options.properties + ["commit.interval.ms=400"]
    os.makedirs(small.directory)
    make_inputs(small.directory, small.records, small.seed)
    chain = Chain(small, "run", "at_least_once")
    chain.run(["engine"] * 4)
    for topic in OUTPUTS:
        wrong = differences(os.path.join(small.directory, topic + ".expected"), chain.result(topic))
        if not wrong or " 0 too many" in wrong:
            fail("the comparison does not see that %s was made at least once: %s" % (topic, wrong))
        print("at least once is rejected: %s: %s" % (topic, wrong), flush=True)
    shutil.rmtree(small.directory)


def check(options):
    shutil.rmtree(options.directory, ignore_errors=True)
    os.makedirs(options.directory)
    require_at_least_once_rejected(options)
    make_inputs(options.directory, options.records, options.seed)
    plain = Chain(options, "without-faults")
    plain.run([])
    for topic in OUTPUTS:
        expected = os.path.join(options.directory, topic + ".expected")
        wrong = differences(expected, plain.result(topic))
        if wrong:
            fail("without faults, %s: %s" % (topic, wrong))
        require_planted_faults_rejected(expected, plain.result(topic), plain.random)
    print("planted faults rejected: %d" % (3 * len(OUTPUTS)), flush=True)
    shutil.rmtree(plain.broker.data)

    chain = Chain(options, "with-faults")
    chain.run(kinds(options))
    for kind in ("engine", "broker", "rebalance"):
        waits = sorted(fault.work_s for fault in chain.faults if fault.kind == kind)
        if waits:
            print("%s: at work after %.0f ms in the middle, %.0f ms at most" %
                  (kind, waits[len(waits) // 2] * 1000, waits[-1] * 1000))
    for topic in OUTPUTS:
        wrong = differences(plain.result(topic), chain.result(topic))
        if wrong:
            fail("%s: %s" % (topic, wrong))
        with open(chain.result(topic), "rb") as lines:
            print("%s: %d results, each once and equal" % (topic, sum(1 for _ in lines)))
    if not options.keep:
        shutil.rmtree(options.directory)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the exactly_once_chain_program binary")
    parser.add_argument("millstream", help="the millstream binary")
    parser.add_argument("directory", help="a directory of its own")
    parser.add_argument("--records", type=int, default=100000, help="in each input")
    parser.add_argument("--engine-kills", type=int, default=5)
    parser.add_argument("--broker-kills", type=int, default=3)
    parser.add_argument("--rebalances", type=int, default=2)
    parser.add_argument("--spread", type=float, default=0.5, help="seconds within which a fault falls, once it may")
    parser.add_argument("--keep", action="store_true", help="leave the directory as it is in the end")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("-X", dest="properties", action="append", default=[], metavar="NAME=VALUE", help="for the engines")
    options = parser.parse_args()
    print("seed %d" % options.seed)
    title = "%d records in each input, %d kills of an engine, %d of the broker, %d rebalances"
    return run_checks("exactly_once_chain", [(title % (options.records, options.engine_kills, options.broker_kills,
                                                       options.rebalances), lambda: check(options))])


if __name__ == "__main__":
    sys.exit(main())
