import sys
import threading
from kafka import codec as codecs
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.errors import TopicAlreadyExistsError

servers = sys.argv[1]


def check(what, ok):
    if not ok:
        sys.exit("FAILED: " + what)
    print("ok:", what)


admin = KafkaAdminClient(bootstrap_servers=servers)
admin.create_topics([NewTopic("py", 3, 1, topic_configs={"retention.ms": "12345678"})])
try:
    admin.create_topics([NewTopic("py", 3, 1)])
    check("creating twice is refused", False)
except TopicAlreadyExistsError:
    check("creating twice is refused", True)
check("the topic is listed", "py" in admin.list_topics())

configs = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "py")])
entries = {e[0]: e for e in configs[0].resources[0][4]}
check("its config is shown", entries["retention.ms"][1] == "12345678" and len(entries) > 20)

available = [None, "gzip"] + ["snappy"] * codecs.has_snappy() + ["lz4"] * codecs.has_lz4()
total = 300 * len(available)
for codec in available:
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", compression_type=codec)
    futures = [producer.send("py", key=b"%d" % i, value=b"v%d" % i, headers=[("h", b"x")], timestamp_ms=1700000000000 + i)
               for i in range(300)]
    offsets = [f.get(10).offset for f in futures]
    producer.close()
    check("produced with %s" % codec, len(offsets) == 300)

consumer = KafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest", consumer_timeout_ms=2000)
parts = [TopicPartition("py", p) for p in consumer.partitions_for_topic("py")]
consumer.assign(parts)
consumer.seek_to_beginning()
records = list(consumer)
check("consumed all", len(records) == total and records[0].headers == [("h", b"x")])
ends = consumer.end_offsets(parts)
check("end offsets", sum(ends.values()) == total)
found = consumer.offsets_for_times({p: 1700000000150 for p in parts})
check("offsets for times", all(f is None or f.timestamp >= 1700000000150 for f in found.values()) and any(found.values()))
consumer.close()

seen = {}
lock = threading.Lock()


def member(name, stop, assigned):
    c = KafkaConsumer("py", bootstrap_servers=servers, group_id="pygroup", auto_offset_reset="earliest", enable_auto_commit=False)
    while not stop.is_set():
        for tp, batch in c.poll(timeout_ms=100).items():
            with lock:
                for r in batch:
                    seen.setdefault((tp.partition, r.offset), []).append(name)
        assigned[name] = {p.partition for p in c.assignment()}
        if c.assignment():
            try:
                c.commit()
            except Exception:  # a rebalance: the next round commits
                pass
    c.close(autocommit=False)


assigned = {}
stop_one, stop_two = threading.Event(), threading.Event()
one = threading.Thread(target=member, args=("one", stop_one, assigned))
two = threading.Thread(target=member, args=("two", stop_two, assigned))
one.start()
two.start()
deadline = threading.Event()
for _ in range(300):
    a, b = assigned.get("one", set()), assigned.get("two", set())
    if a and b and not (a & b) and (a | b) == {0, 1, 2} and len(seen) == total:
        break
    deadline.wait(0.1)
check("two members share the partitions", a and b and not (a & b) and (a | b) == {0, 1, 2})
check("every record was seen", len(seen) == total)

groups = dict(admin.list_consumer_groups())
check("the group is listed", groups.get("pygroup") == "consumer")
described = admin.describe_consumer_groups(["pygroup"])[0]
check("it is stable with two members", described.state == "Stable" and len(described.members) == 2)
stop_one.set()
stop_two.set()
one.join()
two.join()
committed = admin.list_consumer_group_offsets("pygroup")
check("offsets are committed", sum(o.offset for o in committed.values()) == total)

admin.create_partitions({"py": NewPartitions(total_count=5)})
consumer = KafkaConsumer(bootstrap_servers=servers)
check("the topic has grown", len(consumer.partitions_for_topic("py")) == 5)
consumer.close()
admin.delete_topics(["py"])
check("the topic is gone", "py" not in admin.list_topics())
admin.close()
