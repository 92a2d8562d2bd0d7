// The facts in kafka_streams_rows.txt (argument "rows"): pipelines of tables as Apache Kafka 4.3.1 describes them, and what its TopologyTestDriver
// puts out for random records, without caches and with. "### name", the description, then for each run "# uncached" or "# cached",
// "> topic key=value@timestamp" for an input, "< key=value@timestamp" for each output, "! n" for the number of dropped records.
// Run with its jars on the class path: java KafkaStreamsTables.java
import java.nio.file.Files;
import java.time.Duration;
import java.util.*;
import java.util.function.Consumer;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.state.*;
import org.apache.kafka.streams.test.TestRecord;

public class KafkaStreamsTables {
    static final int RECORDS = 80;
    static final Random RANDOM = new Random(4);

    @SafeVarargs
    static <T> T random(T... choices) {
        return choices[RANDOM.nextInt(choices.length)];
    }

    static String print(Object bytes) {
        return bytes == null ? "~" : bytes.toString();
    }

    static Topology build(Consumer<StreamsBuilder> pipeline, Properties p) {
        StreamsBuilder b = new StreamsBuilder();
        pipeline.accept(b);
        return b.build(p);
    }

    static void run(Consumer<StreamsBuilder> pipeline, boolean longs, boolean cached, Properties more, List<String> topics) throws Exception {
        Properties p = new Properties();
        p.putAll(more);
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class.getName());
        p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class.getName());
        p.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("facts").toString());
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, cached ? "10000000" : "0");
        System.out.println(cached ? "# cached" : "# uncached");
        try (TopologyTestDriver driver = new TopologyTestDriver(build(pipeline, p), p)) {
            Deserializer<?> values = longs ? new LongDeserializer() : new StringDeserializer();
            var out = driver.createOutputTopic("out", new StringDeserializer(), values);
            for (int i = 0; i < RECORDS; i++) {
                String topic = topics.get(RANDOM.nextInt(topics.size()));
                String key = random("a", "a", "b", "b", "c", "d", "~".equals(topic) ? null : i % 7 == 0 ? null : "e");
                String value = random("x", "y", "z", "xyz", "yy", "a", "b", "cx", "", null, null);
                long timestamp = i / 2 + RANDOM.nextInt(40);
                System.out.println("> " + topic + " " + print(key) + "=" + print(value) + "@" + timestamp);
                driver.createInputTopic(topic, new StringSerializer(), new StringSerializer())
                    .pipeInput(new TestRecord<>(key, value, new RecordHeaders(), timestamp));
                while (!out.isEmpty()) {
                    var r = out.readRecord();
                    System.out.println("< " + print(r.key()) + "=" + print(r.value()) + "@" + r.timestamp());
                }
            }
            System.out.println("! " + driver.metrics().entrySet().stream()
                .filter(e -> e.getKey().name().equals("dropped-records-total") && e.getKey().group().equals("stream-task-metrics"))
                .mapToLong(e -> ((Double) e.getValue().metricValue()).longValue()).sum());
        }
    }

    static void show(String name, boolean longs, Consumer<StreamsBuilder> pipeline, String... topics) throws Exception {
        Properties none = new Properties();
        System.out.print("### " + name + "\n" + build(pipeline, none).describe());
        if (topics.length == 0)
            return;
        run(pipeline, longs, false, none, List.of(topics));
        run(pipeline, longs, true, none, List.of(topics));
    }

    static Materialized<String, String, KeyValueStore<Bytes, byte[]>> as(String name) {
        return Materialized.as(name);
    }

    static <V> void out(KTable<String, V> table) {
        table.toStream().to("out");
    }

    static boolean isLong(String key, String value) {
        return value.length() > 1;
    }

    // How often it was called for the key, behind the value: a transformer with a store.
    static class Counting implements ValueTransformerWithKey<String, String, String> {
        KeyValueStore<String, String> calls;

        public void init(org.apache.kafka.streams.processor.ProcessorContext context) {
            calls = context.getStateStore("calls");
        }

        public String transform(String key, String value) {
            String before = calls.get(key);
            String now = before == null ? "." : before + ".";
            calls.put(key, now);
            return value + now;
        }

        public void close() {}
    }

    static void calls(StreamsBuilder b) {
        b.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("calls"), Serdes.String(), Serdes.String()));
    }

    static void rows() throws Exception {
        show("a table to a stream", false, b -> out(b.<String, String>table("in")), "in");
        show("a table with a store", false, b -> out(b.<String, String>table("in", as("rows"))), "in");
        show("a filter", false, b -> out(b.<String, String>table("in").filter(KafkaStreamsTables::isLong)), "in");
        show("a filter of a table with a store", false,
            b -> out(b.<String, String>table("in", as("rows")).filter(KafkaStreamsTables::isLong)), "in");
        show("a negated filter with a store", false,
            b -> out(b.<String, String>table("in").filterNot(KafkaStreamsTables::isLong, as("short"))), "in");
        show("a filter of a filter with a store", false, b -> out(b.<String, String>table("in")
            .filter(KafkaStreamsTables::isLong, as("long")).filterNot((k, v) -> v.startsWith("x"))), "in");
        show("mapped values", false, b -> out(b.<String, String>table("in").mapValues((k, v) -> k + v)), "in");
        show("mapped values with a store, then filtered", false, b -> out(b.<String, String>table("in")
            .mapValues((k, v) -> k + v, as("mapped")).filter((k, v) -> v.length() > 2)), "in");
        show("transformed values", false, b -> {
            calls(b);
            out(b.<String, String>table("in").transformValues(Counting::new, "calls"));
        }, "in");
        show("transformed values with a store, then filtered", false, b -> {
            calls(b);
            out(b.<String, String>table("in").transformValues(Counting::new, as("transformed"), "calls")
                .filter((k, v) -> v.length() > 2));
        }, "in");
        show("to a stream by another key", false, b -> b.<String, String>table("in").toStream((k, v) -> v + "!").to("out"), "in");
        show("names at the table", false, b -> b.<String, String>table("in", Consumed.as("users")).filter((k, v) -> true, Named.as("f"))
            .mapValues((k, v) -> v, Named.as("m"), as("mapped")).toStream(Named.as("ts")).to("out"), "in");
        show("a stream to a table", false, b -> out(b.<String, String>stream("in").toTable()), "in");
        show("a stream to a table with a store, filtered", false,
            b -> out(b.<String, String>stream("in").toTable(as("rows")).filter(KafkaStreamsTables::isLong)), "in");
        show("a stream of new keys to a table", false,
            b -> out(b.<String, String>stream("in").selectKey((k, v) -> v).toTable().filter(KafkaStreamsTables::isLong)), "in");
        show("a stream of new keys to a named table", false,
            b -> out(b.<String, String>stream("in").selectKey((k, v) -> v).toTable(Named.as("t"), as("rows"))), "in");
        show("a filter of a count", true,
            b -> out(b.<String, String>stream("in").groupByKey().count().filter((k, v) -> v % 2 == 0)), "in");
    }

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "rows": rows(); break;
        }
        System.out.println("### end");
    }
}
