// The pipelines of facts_test.c in Kafka Streams: what each topology describes itself as ("="), random records that are piped
// through its TopologyTestDriver ("> topic key=value@timestamp"), what came out of each ("< "), what it failed with ("? ") and how many
// records were dropped ("! "): the facts in kafka_streams_windows.txt. Run with Apache Kafka 4.3.1's jars on the class path:
// java KafkaStreamsWindows.java
import java.nio.file.Files;
import java.time.Duration;
import java.util.Properties;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.state.*;
import org.apache.kafka.streams.test.TestRecord;

public class KafkaStreamsWindows {
    static final int RECORDS = 250;
    static final long SESSION = -1;

    static String print(Object key, Object value, long timestamp) {
        return (key == null ? "~" : key) + "=" + (value == null ? "~" : value) + "@" + timestamp;
    }

    static String printKey(Object key) {
        if (!(key instanceof Windowed<?> windowed))
            return key == null ? null : key.toString();
        Window w = windowed.window();
        return windowed.key() + "[" + w.start() + "," + w.end() + (w.getClass().getSimpleName().equals("SessionWindow") ? "]" : ")");
    }

    static String choose(Random random, String... choices) {
        return choices[random.nextInt(choices.length)];
    }

    static void pipe(TopologyTestDriver driver, String description, Random random, int i, int spread) {
        String topic = description.contains("[in2]") && random.nextBoolean() ? "in2" : "in";
        String key = choose(random, "a", "a", "b", "b", "c", "c", "d", null);
        String value = choose(random, "x", "y", "z", "xyz", "yy", "del", "", null);
        long timestamp = i / 2 + random.nextInt(spread);
        System.out.println("> " + topic + " " + print(key, value, timestamp));
        driver.createInputTopic(topic, new StringSerializer(), new StringSerializer())
            .pipeInput(new TestRecord<>(key, value, new RecordHeaders(), timestamp));
    }

    // `window`: 0 for plain keys, SESSION, or the size of time windows.
    static void run(String name, long window, boolean longs, int spread, Consumer<StreamsBuilder> pipeline) throws Exception {
        System.out.println("### " + name);
        StreamsBuilder b = new StreamsBuilder();
        pipeline.accept(b);
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class.getName());
        p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class.getName());
        p.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("facts").toString());
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, name.contains("cached") ? "10000000" : "0");
        Topology topology = b.build(p);
        String description = topology.describe().toString();
        for (String line : description.split("\n", -1))
            System.out.println("=" + line);
        Random random = new Random(name.hashCode());
        try (TopologyTestDriver driver = new TopologyTestDriver(topology, p)) {
            Deserializer<?> values = longs ? new LongDeserializer() : new StringDeserializer();
            Deserializer<?> keys = window == SESSION ? new SessionWindowedDeserializer<>(new StringDeserializer())
                : window > 0 ? new TimeWindowedDeserializer<>(new StringDeserializer(), window) : new StringDeserializer();
            var out = driver.createOutputTopic("out", keys, values);
            for (int i = 0; i < RECORDS; i++) {
                RuntimeException failed = null;
                try {
                    pipe(driver, description, random, i, spread);
                } catch (RuntimeException e) {
                    failed = e;
                }
                while (!out.isEmpty()) {
                    var r = out.readRecord();
                    System.out.println("< " + print(printKey(r.key()), r.value(), r.timestamp()));
                }
                if (failed != null) {
                    System.out.println("? failed");
                    System.err.println(name + ": " + failed + " " + failed.getCause());
                    break;
                }
            }
            System.out.println("! " + driver.metrics().entrySet().stream()
                .filter(e -> e.getKey().name().equals("dropped-records-total") && e.getKey().group().equals("stream-task-metrics"))
                .mapToLong(e -> ((Double) e.getValue().metricValue()).longValue()).sum());
        }
    }

    // ---- what pipelines are made of --------------------------------------------------------------------------------------------

    static Duration ms(long n) {
        return Duration.ofMillis(n);
    }

    static TimeWindows windows(long size, long advance, long grace) {
        return TimeWindows.ofSizeAndGrace(ms(size), ms(grace)).advanceBy(ms(advance));
    }

    static String append(String aggregate, String value) {
        return "del".equals(value) ? null : aggregate + value;
    }

    static KGroupedStream<String, String> grouped(StreamsBuilder b) {
        return b.<String, String>stream("in").groupByKey();
    }

    static KGroupedStream<String, String> grouped2(StreamsBuilder b) {
        return b.<String, String>stream("in2").groupByKey();
    }

    static <K, V> void out(KTable<K, V> table) {
        table.toStream().to("out");
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static void outTime(KTable<Windowed<String>, ?> table, long size) {
        table.toStream().to("out", (Produced) Produced.keySerde(WindowedSerdes.timeWindowedSerdeFrom(String.class, size)));
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static void outSession(KTable<Windowed<String>, ?> table) {
        table.toStream().to("out", (Produced) Produced.keySerde(WindowedSerdes.sessionWindowedSerdeFrom(String.class)));
    }

    static Materialized<String, Long, WindowStore<Bytes, byte[]>> longs(long retention) {
        return Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("store").withKeySerde(Serdes.String())
            .withValueSerde(Serdes.Long()).withRetention(ms(retention));
    }

    static Materialized<String, String, WindowStore<Bytes, byte[]>> strings(long retention) {
        return Materialized.<String, String, WindowStore<Bytes, byte[]>>as("store").withKeySerde(Serdes.String())
            .withValueSerde(Serdes.String()).withRetention(ms(retention));
    }

    static Materialized<String, Long, SessionStore<Bytes, byte[]>> sessionLongs(long retention) {
        return Materialized.<String, Long, SessionStore<Bytes, byte[]>>as("store").withKeySerde(Serdes.String())
            .withValueSerde(Serdes.Long()).withRetention(ms(retention));
    }

    // ---- the pipelines ---------------------------------------------------------------------------------------------------------

    static void onClose() throws Exception {
        EmitStrategy close = EmitStrategy.onWindowClose();
        run("tumbling count on close", 10, true, 40, b -> outTime(grouped(b).windowedBy(windows(10, 10, 0)).emitStrategy(close)
            .count(longs(1000)), 10));
        run("tumbling count on close with grace", 10, true, 60, b -> outTime(grouped(b).windowedBy(windows(10, 10, 15))
            .emitStrategy(close).count(longs(1000)), 10));
        run("tumbling count on close, least retention", 10, true, 60, b -> outTime(grouped(b).windowedBy(windows(10, 10, 0))
            .emitStrategy(close).count(longs(10)), 10));
        run("hopping reduce on close", 20, false, 40, b -> outTime(grouped(b).windowedBy(windows(20, 7, 10)).emitStrategy(close)
            .reduce((x, y) -> "del".equals(y) ? null : x + y, strings(1000)), 20));
        run("hopping aggregate on close, cached", 20, false, 40, b -> outTime(grouped(b).windowedBy(windows(20, 10, 3))
            .emitStrategy(close).aggregate(() -> "<", (k, v, a) -> append(a, v), strings(1000)), 20));
        run("tumbling count on close, least retention and grace", 10, true, 60, b -> outTime(grouped(b).windowedBy(windows(10, 10, 5))
            .emitStrategy(close).count(longs(15)), 10));
    }

    static void unlimited() throws Exception {
        run("hopping reduce, cached", 20, false, 40, b -> outTime(grouped(b).windowedBy(windows(20, 7, 10))
            .reduce((x, y) -> "del".equals(y) ? null : x + y, strings(1000)), 20));
        run("unlimited count", Long.MAX_VALUE, true, 60, b -> outTime(grouped(b).windowedBy(UnlimitedWindows.of()).count(), Long.MAX_VALUE));
        run("unlimited reduce from 50", Long.MAX_VALUE, false, 60, b -> outTime(grouped(b)
            .windowedBy(UnlimitedWindows.of().startOn(java.time.Instant.ofEpochMilli(50)))
            .reduce((x, y) -> "del".equals(y) ? null : x + y), Long.MAX_VALUE));
    }

    static Materialized<String, Long, KeyValueStore<Bytes, byte[]>> rowLongs() {
        return Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("store").withKeySerde(Serdes.String())
            .withValueSerde(Serdes.Long());
    }

    static Materialized<String, String, KeyValueStore<Bytes, byte[]>> rowStrings() {
        return Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("store").withKeySerde(Serdes.String())
            .withValueSerde(Serdes.String());
    }

    static void suppress() throws Exception {
        run("suppress tumbling until close", 10, true, 40, b -> outTime(grouped(b).windowedBy(windows(10, 10, 5)).count(longs(1000))
            .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())), 10));
        run("suppress hopping until close, cached", 20, false, 40, b -> outTime(grouped(b).windowedBy(windows(20, 7, 10))
            .aggregate(() -> "<", (k, v, a) -> append(a, v), strings(1000))
            .suppress(Suppressed.<Windowed<?>>untilWindowCloses(BufferConfig.unbounded()).withName("final")), 20));
        run("suppress until close, full", 10, true, 60, b -> outTime(grouped(b).windowedBy(windows(10, 10, 15)).count(longs(1000))
            .suppress(Suppressed.untilWindowCloses(BufferConfig.maxRecords(9).shutDownWhenFull())), 10));
        run("suppress windows until a time limit", 10, true, 40, b -> outTime(grouped(b).windowedBy(windows(10, 10, 5)).count(longs(1000))
            .suppress(Suppressed.untilTimeLimit(ms(10), BufferConfig.unbounded())), 10));
        run("suppress until a time limit", 0, true, 40, b -> out(grouped(b).count(rowLongs())
            .suppress(Suppressed.untilTimeLimit(ms(10), BufferConfig.unbounded()))));
        run("suppress deletions until a time limit", 0, false, 5, b -> out(grouped(b).aggregate(() -> "<", (k, v, a) -> append(a, v),
            rowStrings()).suppress(Suppressed.untilTimeLimit(ms(3), BufferConfig.unbounded()))));
        run("suppress at most 2 records", 0, false, 20, b -> out(grouped(b).aggregate(() -> "<", (k, v, a) -> append(a, v),
            rowStrings()).suppress(Suppressed.untilTimeLimit(ms(1000), BufferConfig.maxRecords(2)))));
        run("suppress at most 130 bytes", 0, false, 20, b -> out(grouped(b).reduce((x, y) -> "del".equals(y) ? null : x + y, rowStrings())
            .suppress(Suppressed.untilTimeLimit(ms(20), BufferConfig.maxBytes(130)))));
        run("suppress at most 150 bytes of aggregates", 0, false, 20, b -> out(grouped(b).aggregate(() -> "<", (k, v, a) -> append(a, v),
            rowStrings()).suppress(Suppressed.untilTimeLimit(ms(20), BufferConfig.maxBytes(150)))));
        run("suppress windows at most 220 bytes", 10, true, 60, b -> outTime(grouped(b).windowedBy(windows(10, 10, 15)).count(longs(1000))
            .suppress(Suppressed.untilTimeLimit(ms(20), BufferConfig.maxBytes(220))), 10));
        run("suppress below a filter until close", 10, true, 40, b -> outTime(grouped(b).windowedBy(windows(10, 10, 5)).count(longs(1000))
            .filter((k, v) -> v % 3 != 0 && !k.key().equals("c")).suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())), 10));
        run("a filter with a store below suppress", 0, true, 10, b -> out(grouped(b).count(rowLongs())
            .suppress(Suppressed.untilTimeLimit(ms(5), BufferConfig.unbounded())).filter((k, v) -> v % 2 == 0,
            Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("even").withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))));
    }

    static void oldValues() throws Exception {
        run("a group of what suppress lets go", 0, false, 20, b -> out(grouped(b).reduce((x, y) -> y, rowStrings())
            .suppress(Suppressed.untilTimeLimit(ms(6), BufferConfig.unbounded()))
            .groupBy((k, v) -> org.apache.kafka.streams.KeyValue.pair("all", v)).aggregate(() -> "", (k, v, a) -> a + "+" + v,
            (k, v, a) -> a + "-" + v, Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("group"))));
    }

    static KTable<String, String> cogrouped(KGroupedStream<String, String> one, KGroupedStream<String, String> two, Named named) {
        return one.<String>cogroup((k, v, a) -> append(a, v)).cogroup(two, (k, v, a) -> append(a, "." + v))
            .aggregate(() -> "<", named, rowStrings());
    }

    static void cogroup() throws Exception {
        run("cogroup of two", 0, false, 20, b -> out(cogrouped(grouped(b), grouped2(b), Named.as("both"))));
        run("cogroup of two, unnamed", 0, false, 20, b -> {
            KGroupedStream<String, String> two = grouped2(b);
            out(grouped(b).<String>cogroup((k, v, a) -> append(a, v)).cogroup(two, (k, v, a) -> append(a, "." + v))
                .aggregate(() -> "<"));
        });
        run("cogroup of two, cached", 0, false, 20, b -> out(cogrouped(grouped(b), grouped2(b), Named.as("both"))));
        run("cogroup behind new keys", 0, false, 20, b -> out(cogrouped(
            b.<String, String>stream("in").selectKey((k, v) -> v).groupByKey(Grouped.as("one")),
            b.<String, String>stream("in2").selectKey((k, v) -> v).groupByKey(), Named.as("both"))));
        run("windowed cogroup", 20, false, 40, b -> outTime(grouped(b).<String>cogroup((k, v, a) -> append(a, v))
            .cogroup(grouped2(b), (k, v, a) -> append(a, "." + v)).windowedBy(windows(20, 7, 10)).aggregate(() -> "<", strings(1000)), 20));
    }

    static Materialized<String, String, SessionStore<Bytes, byte[]>> sessionStrings(long retention) {
        return Materialized.<String, String, SessionStore<Bytes, byte[]>>as("store").withKeySerde(Serdes.String())
            .withValueSerde(Serdes.String()).withRetention(ms(retention));
    }

    static SessionWindowedKStream<String, String> sessions(StreamsBuilder b, long gap, long grace) {
        return grouped(b).windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(gap), ms(grace)));
    }

    static void sessions() throws Exception {
        EmitStrategy close = EmitStrategy.onWindowClose();
        run("session count", SESSION, true, 40, b -> outSession(sessions(b, 5, 20).count(sessionLongs(1000))));
        run("session count, least retention", SESSION, true, 60, b -> outSession(sessions(b, 4, 0).count(sessionLongs(4))));
        run("session reduce", SESSION, false, 30, b -> outSession(sessions(b, 3, 10)
            .reduce((x, y) -> "del".equals(y) ? null : x + y, sessionStrings(1000))));
        run("session aggregate", SESSION, false, 30, b -> outSession(sessions(b, 3, 10)
            .aggregate(() -> "<", (k, v, a) -> append(a, v), (k, x, y) -> x + y, sessionStrings(1000))));
        run("session count on close", SESSION, true, 30, b -> outSession(sessions(b, 3, 4).emitStrategy(close).count(sessionLongs(1000))));
        run("session reduce on close, least retention", SESSION, false, 30, b -> outSession(sessions(b, 2, 3).emitStrategy(close)
            .reduce((x, y) -> "del".equals(y) ? null : x + y, sessionStrings(5))));
        run("suppress sessions until close", SESSION, true, 30, b -> outSession(sessions(b, 3, 6).count(sessionLongs(1000))
            .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))));
        run("session cogroup", SESSION, false, 30, b -> outSession(grouped(b).<String>cogroup((k, v, a) -> append(a, v))
            .cogroup(grouped2(b), (k, v, a) -> append(a, "." + v)).windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(3), ms(10)))
            .aggregate(() -> "<", (k, x, y) -> x + y, sessionStrings(1000))));
    }

    static TimeWindowedKStream<String, String> sliding(StreamsBuilder b, long difference, long grace) {
        return grouped(b).windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(difference), ms(grace)));
    }

    static void sliding() throws Exception {
        EmitStrategy close = EmitStrategy.onWindowClose();
        run("sliding count", 10, true, 40, b -> outTime(sliding(b, 10, 50).count(longs(1000)), 10));
        run("sliding reduce", 8, false, 30, b -> outTime(sliding(b, 8, 10).reduce((x, y) -> "del".equals(y) ? null : x + y, strings(1000)), 8));
        run("sliding aggregate", 12, false, 40, b -> outTime(sliding(b, 12, 10).aggregate(() -> "<", (k, v, a) -> append(a, v),
            strings(1000)), 12));
        run("sliding count, least retention", 10, true, 60, b -> outTime(sliding(b, 10, 5).count(longs(25)), 10));
        run("sliding count on close", 6, true, 30, b -> outTime(sliding(b, 6, 4).emitStrategy(close).count(longs(1000)), 6));
        run("sliding reduce on close, least retention", 6, false, 40, b -> outTime(sliding(b, 6, 4).emitStrategy(close)
            .reduce((x, y) -> "del".equals(y) ? null : x + y, strings(16)), 6));
        run("suppress sliding until close", 6, true, 30, b -> outTime(sliding(b, 6, 0).count(longs(1000))
            .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())), 6));
        run("sliding cogroup", 10, false, 30, b -> outTime(grouped(b).<String>cogroup((k, v, a) -> append(a, v))
            .cogroup(grouped2(b), (k, v, a) -> append(a, "." + v)).windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(10), ms(10)))
            .aggregate(() -> "<", strings(1000)), 10));
    }

    public static void main(String[] arguments) throws Exception {
        System.setProperty("log4j2.level", "OFF");
        onClose();
        unlimited();
        suppress();
        cogroup();
        sessions();
        sliding();
        oldValues();
    }
}
