// The joins of facts_test.c in Kafka Streams: what each topology describes itself as ("="), random records that are piped through
// its TopologyTestDriver ("> topic key=value@timestamp"), what came out of each ("< "), and how many records were dropped ("! "): the
// facts in kafka_streams_joins.txt. Run with Apache Kafka 4.3.1's jars on the class path: java KafkaStreamsJoins.java [first letters of
// the names]
import java.nio.file.Files;
import java.time.Duration;
import java.util.Properties;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.test.TestRecord;

public class KafkaStreamsJoins {
    static final int RECORDS = 250;
    static String only = "";

    static String print(Object key, Object value, long timestamp) {
        return (key == null ? "~" : key) + "=" + (value == null ? "~" : value) + "@" + timestamp;
    }

    static void pipe(TopologyTestDriver driver, Topology topology, Random random, int i, int spread) {
        String[] keys = {"a", "a", "a", "b", "b", "c", "d", null};
        String topic = random.nextInt(2) == 0 ? "left" : "right";
        if (!topology.describe().toString().contains("[right]"))
            topic = "left";
        String key = keys[random.nextInt(keys.length)];
        String value = random.nextInt(12) == 0 ? null : random.nextInt(12) == 0 ? "del" : topic.charAt(0) + "" + i;
        long timestamp = i + random.nextInt(spread);
        System.out.println("> " + topic + " " + print(key, value, timestamp));
        driver.createInputTopic(topic, new StringSerializer(), new StringSerializer())
            .pipeInput(new TestRecord<>(key, value, new RecordHeaders(), timestamp));
    }

    static void run(String name, int spread, Consumer<StreamsBuilder> pipeline) throws Exception {
        run(name, spread, "none", pipeline);
    }

    static void run(String name, int spread, String optimization, Consumer<StreamsBuilder> pipeline) throws Exception {
        if (!name.startsWith(only))
            return;
        System.out.println("### " + name);
        StreamsBuilder b = new StreamsBuilder();
        pipeline.accept(b);
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class.getName());
        p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class.getName());
        p.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("facts").toString());
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "0");
        p.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, optimization);
        Topology topology = b.build(p);
        for (String line : topology.describe().toString().split("\n", -1))
            System.out.println("=" + line);
        Random random = new Random(name.hashCode());
        try (TopologyTestDriver driver = new TopologyTestDriver(topology, p)) {
            var out = driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
            for (int i = 0; i < RECORDS; i++) {
                pipe(driver, topology, random, i, spread);
                while (!out.isEmpty()) {
                    var r = out.readRecord();
                    System.out.println("< " + print(r.key(), r.value(), r.timestamp()));
                }
            }
            System.out.println("! " + driver.metrics().entrySet().stream()
                .filter(e -> e.getKey().name().equals("dropped-records-total") && e.getKey().group().equals("stream-task-metrics"))
                .mapToLong(e -> ((Double) e.getValue().metricValue()).longValue()).sum());
        }
    }

    static String both(String key, String left, String right) {
        return "(" + key + ":" + left + "+" + right + ")";
    }

    static KStream<String, String> left(StreamsBuilder b) {
        return b.stream("left");
    }

    static KStream<String, String> right(StreamsBuilder b) {
        return b.stream("right");
    }

    // A key of the value's last digit.
    static KStream<String, String> rekeyed(KStream<String, String> stream) {
        return stream.selectKey((k, v) -> v == null || v.endsWith("7") ? null : v.substring(v.length() - 1));
    }

    static StreamJoined<String, String, String> named(String name) {
        return StreamJoined.<String, String, String>with(null, null, null).withName(name);
    }

    // Before, after, grace.
    static JoinWindows windows(long[] w) {
        return JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(Math.max(0, Math.max(w[0], w[1]))), Duration.ofMillis(w[2]))
            .before(Duration.ofMillis(w[0])).after(Duration.ofMillis(w[1]));
    }

    static KTable<String, String> versioned(StreamsBuilder b) {
        return b.table("right", Materialized.as(Stores.persistentVersionedKeyValueStore("rows", Duration.ofMillis(40))));
    }

    static Joined<String, String, String> grace(long grace) {
        return grace == 0 ? Joined.with(null, null, null)
            : Joined.<String, String, String>with(null, null, null).withGracePeriod(Duration.ofMillis(grace));
    }

    // The key of the row: that of the record, or of its value's last digit.
    static String mapped(String key, String value) {
        if (value == null || value.endsWith("3"))
            return null;
        return value.endsWith("5") ? "b" : key;
    }

    static KTable<String, String> table(StreamsBuilder b) {
        return right(b).groupByKey().aggregate(() -> "", (k, v, a) -> v.equals("del") ? null : v, Materialized.as("rows"));
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0)
            only = arguments[0];
        run("table inner", 20, b -> left(b).join(table(b), KafkaStreamsJoins::both).to("out"));
        run("table left", 20, b -> left(b).leftJoin(table(b), KafkaStreamsJoins::both).to("out"));
        run("table declared first", 20, b -> {
            KTable<String, String> t = table(b);
            left(b).leftJoin(t, KafkaStreamsJoins::both, Joined.as("enrich")).to("out");
        });
        run("table behind a new key", 20, b -> rekeyed(left(b)).join(table(b), KafkaStreamsJoins::both).to("out"));
        run("table left behind a new key", 20, b -> rekeyed(left(b)).leftJoin(table(b), KafkaStreamsJoins::both).to("out"));
        run("table behind a new key, named", 20,
            b -> rekeyed(left(b)).join(table(b), KafkaStreamsJoins::both, Joined.as("enrich")).to("out"));
        run("table joined twice behind one new key", 20, b -> {
            KStream<String, String> keyed = rekeyed(left(b));
            KTable<String, String> t = table(b);
            keyed.join(t, KafkaStreamsJoins::both).to("out");
            keyed.leftJoin(t, KafkaStreamsJoins::both).to("out");
        });
        run("table of a table join's result", 20, b -> left(b).join(table(b), (k, l, r) -> r)
            .leftJoin(right(b).groupByKey().reduce((x, y) -> x, Materialized.as("first")), KafkaStreamsJoins::both).to("out"));
        for (long grace : new long[] {0, 10, 30}) {
            String name = grace == 0 ? "versioned" : "versioned after " + grace;
            run(name + " inner", 30, b -> left(b).join(versioned(b), KafkaStreamsJoins::both, grace(grace)).to("out"));
            run(name + " left", 30, b -> left(b).filter((k, v) -> k != null).leftJoin(versioned(b), KafkaStreamsJoins::both, grace(grace))
                .to("out"));
        }
        run("global inner", 20, b -> {
            GlobalKTable<String, String> t = b.globalTable("right");
            left(b).join(t, KafkaStreamsJoins::mapped, KafkaStreamsJoins::both).to("out");
        });
        run("global left", 20, b -> {
            KStream<String, String> l = left(b);
            l.leftJoin(b.globalTable("right"), KafkaStreamsJoins::mapped, KafkaStreamsJoins::both).to("out");
        });
        run("global with names", 20, b -> {
            GlobalKTable<String, String> t = b.globalTable("right", Consumed.as("rows"), Materialized.as("right-store"));
            left(b).leftJoin(t, KafkaStreamsJoins::mapped, KafkaStreamsJoins::both, Named.as("enrich")).to("out");
        });
        run("global under a store's name", 20, b -> {
            GlobalKTable<String, String> t = b.globalTable("right", Materialized.as("right-store"));
            left(b).join(t, KafkaStreamsJoins::mapped, KafkaStreamsJoins::both).to("out");
        });
        run("global behind a new key and regrouped", 20, b -> {
            GlobalKTable<String, String> t = b.globalTable("right");
            rekeyed(left(b)).leftJoin(t, KafkaStreamsJoins::mapped, KafkaStreamsJoins::both).groupByKey()
                .aggregate(() -> "", (k, v, a) -> v).toStream().to("out");
        });
        run("global twice, and a stream", 20, b -> {
            KStream<String, String> l = left(b);
            GlobalKTable<String, String> t = b.globalTable("right");
            GlobalKTable<String, String> other = b.globalTable("other");
            l.join(t, (k, v) -> k, (v, r) -> r).leftJoin(other, (k, v) -> v, KafkaStreamsJoins::both).to("out");
            b.<String, String>stream("left").groupByKey().count();
        });
        long[][] windows = {{10, 10, 0}, {10, 10, 5}, {0, 10, 0}, {10, 0, 7}, {-3, 8, 2}, {7, -2, 0}, {0, 0, 0}, {0, 0, 10}, {3, 12, 25}};
        for (long[] w : windows) {
            String name = " " + w[0] + " " + w[1] + " " + w[2];
            run("streams inner" + name, 20, b -> left(b).join(right(b), KafkaStreamsJoins::both, windows(w)).to("out"));
            run("streams left" + name, 20, b -> left(b).leftJoin(right(b), KafkaStreamsJoins::both, windows(w)).to("out"));
            run("streams outer" + name, 20, b -> left(b).outerJoin(right(b), KafkaStreamsJoins::both, windows(w)).to("out"));
            run("streams self" + name, 20, b -> {
                KStream<String, String> l = left(b);
                l.join(l, KafkaStreamsJoins::both, windows(w)).to("out");
            });
        }
        long[] ten = {10, 10, 5};
        run("streams with names", 20, b -> left(b).outerJoin(right(b), KafkaStreamsJoins::both, windows(ten),
            StreamJoined.<String, String, String>as("kept").withName("pair")).to("out"));
        run("streams with a name", 20, b -> left(b).leftJoin(right(b), KafkaStreamsJoins::both, windows(ten), named("pair")).to("out"));
        run("streams behind new keys", 20, b -> rekeyed(left(b)).join(rekeyed(right(b)), KafkaStreamsJoins::both, windows(ten)).to("out"));
        run("streams left behind new keys, named", 20, b -> rekeyed(left(b)).leftJoin(rekeyed(right(b)), KafkaStreamsJoins::both,
            windows(ten), named("pair")).to("out"));
        run("streams outer behind one new key", 20,
            b -> rekeyed(left(b)).outerJoin(right(b), KafkaStreamsJoins::both, windows(ten)).to("out"));
        run("optimized self", 20, "single.store.self.join", b -> {
            KStream<String, String> l = left(b);
            l.join(l, KafkaStreamsJoins::both, windows(ten)).to("out");
        });
        run("optimized left self with bounds that differ", 20, "single.store.self.join", b -> {
            KStream<String, String> l = rekeyed(left(b));
            l.leftJoin(l, KafkaStreamsJoins::both, windows(new long[] {3, 12, 2}), named("pair")).to("out");
        });
        run("optimized self of two handles", 20, "single.store.self.join",
            b -> left(b).outerJoin(left(b), KafkaStreamsJoins::both, windows(new long[] {10, -2, 0})).to("out"));
        run("streams joined twice, then counted", 20, b -> {
            KStream<String, String> pairs = left(b).join(right(b), (l, r) -> l, windows(ten));
            pairs.outerJoin(right(b), KafkaStreamsJoins::both, windows(ten)).groupByKey().aggregate(() -> "", (k, v, a) -> v)
                .toStream().to("out");
        });
    }
}
