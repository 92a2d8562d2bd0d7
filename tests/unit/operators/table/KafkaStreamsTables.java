// The facts in kafka_streams_rows.txt (argument "rows"), _groups, _joins, _foreign_keys, _versioned and _optimizations: pipelines of tables as Apache Kafka 4.3.1 describes them, and what its TopologyTestDriver
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

    static void optimized(String name, boolean longs, Consumer<StreamsBuilder> pipeline, String... topics) throws Exception {
        Properties p = new Properties();
        p.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        System.out.print("### " + name + "\n" + build(pipeline, p).describe());
        run(pipeline, longs, false, p, List.of(topics));
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

    // By the first letter; the empty value is in no group, nor is one that would be of length 3.
    static KeyValue<String, String> byLetter(String key, String value) {
        return KeyValue.pair(value.isEmpty() ? null : value.substring(0, 1), value.length() == 3 ? null : key + value);
    }

    static KGroupedTable<String, String> grouped(KTable<String, String> table) {
        return table.groupBy(KafkaStreamsTables::byLetter, Grouped.with(Serdes.String(), Serdes.String()));
    }

    static String minus(String aggregate, String value) {
        return value.endsWith("b") ? null : aggregate + "-" + value;
    }

    static String plus(String aggregate, String value) {
        return value.endsWith("yy") ? null : aggregate + "+" + value;
    }

    static KTable<String, String> rows(StreamsBuilder b, String topic) {
        return b.table(topic);
    }

    static Grouped<String, String> strings(String name) {
        return Grouped.with(name, Serdes.String(), Serdes.String());
    }

    static void groups() throws Exception {
        show("a count of groups", true, b -> out(grouped(rows(b, "in")).count()), "in");
        show("a count of groups with a store", true, b -> out(grouped(rows(b, "in")).count(Materialized.as("counts"))), "in");
        show("reduced groups", false, b -> out(grouped(rows(b, "in")).reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus)), "in");
        show("aggregated groups", false, b -> out(grouped(rows(b, "in")).aggregate(() -> "<", (k, v, a) -> plus(a, v),
            (k, v, a) -> minus(a, v), Materialized.with(Serdes.String(), Serdes.String()))), "in");
        show("groups of a filter", true, b -> out(grouped(rows(b, "in").filter(KafkaStreamsTables::isLong)).count()), "in");
        show("groups of a filter, which is seen too", false, b -> {
            KTable<String, String> filtered = rows(b, "in").filter(KafkaStreamsTables::isLong);
            grouped(filtered).count();
            out(filtered);
        }, "in");
        show("groups of a filter with a store", true,
            b -> out(grouped(rows(b, "in").filter(KafkaStreamsTables::isLong, as("long"))).count()), "in");
        show("groups of mapped values", true, b -> out(grouped(rows(b, "in").mapValues((k, v) -> v + k)).count()), "in");
        show("groups of transformed values", false, b -> {
            calls(b);
            out(grouped(rows(b, "in").transformValues(Counting::new, "calls")).reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus));
        }, "in");
        show("a count of counts", true, b -> out(b.<String, String>stream("in").groupByKey().count()
            .groupBy((k, v) -> KeyValue.pair("all", "" + v), strings(null)).count()), "in");
        show("a count of aggregates", true, b -> out(b.<String, String>stream("in").groupByKey().aggregate(() -> "", (k, v, a) -> a + v)
            .groupBy((k, v) -> KeyValue.pair("all", "" + v), strings(null)).count()), "in");
        show("a count of reduced values", true, b -> out(b.<String, String>stream("in").groupByKey().reduce((x, y) -> x + y)
            .groupBy((k, v) -> KeyValue.pair("all", "" + v), strings(null)).count()), "in");
        show("groups of groups", true, b -> out(grouped(rows(b, "in")).reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus)
            .groupBy((k, v) -> KeyValue.pair("all", v), strings(null)).count()), "in");
        show("two aggregations of a named group", false, b -> {
            var g = rows(b, "in").groupBy(KafkaStreamsTables::byLetter, strings("letters"));
            g.count();
            out(g.reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus, as("reduced")));
        }, "in");
        show("two aggregations of an unnamed group", false, b -> {
            var g = grouped(rows(b, "in"));
            g.count();
            out(g.reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus));
        }, "in");
        show("a named aggregation of groups", true,
            b -> grouped(rows(b, "in")).count(Named.as("n"), Materialized.as("counts")).toStream(Named.as("ts")).to("out"), "in");
        show("groups of a stream's table of new keys", true,
            b -> out(grouped(b.<String, String>stream("in").selectKey((k, v) -> v).toTable()).count()), "in");
    }

    static String both(String left, String right) {
        return "(" + left + "+" + right + ")";
    }

    static String right(String left, String right) {
        return right;
    }

    static void joins() throws Exception {
        show("an inner join", false, b -> out(rows(b, "l").join(rows(b, "r"), KafkaStreamsTables::both)), "l", "r");
        show("a left join", false, b -> out(rows(b, "l").leftJoin(rows(b, "r"), KafkaStreamsTables::both)), "l", "r");
        show("an outer join", false, b -> out(rows(b, "l").outerJoin(rows(b, "r"), KafkaStreamsTables::both)), "l", "r");
        show("an inner join with a store", false,
            b -> out(rows(b, "l").join(rows(b, "r"), KafkaStreamsTables::both, as("joined"))), "l", "r");
        show("a left join with a store", false,
            b -> out(rows(b, "l").leftJoin(rows(b, "r"), KafkaStreamsTables::both, as("joined"))), "l", "r");
        show("an outer join with a store", false,
            b -> out(rows(b, "l").outerJoin(rows(b, "r"), KafkaStreamsTables::both, as("joined"))), "l", "r");
        show("a left join that may give null", false,
            b -> out(rows(b, "l").leftJoin(rows(b, "r"), KafkaStreamsTables::right)), "l", "r");
        show("a named join", false, b -> out(rows(b, "l").join(rows(b, "r"), KafkaStreamsTables::both, Named.as("j"))), "l", "r");
        show("a join of filtered and mapped tables", false, b -> out(rows(b, "l").filter(KafkaStreamsTables::isLong)
            .leftJoin(rows(b, "r").mapValues((k, v) -> v + "!"), KafkaStreamsTables::both)), "l", "r");
        show("a join of filters of filters", false, b -> out(rows(b, "l").filter(KafkaStreamsTables::isLong)
            .filterNot((k, v) -> v.startsWith("x")).outerJoin(rows(b, "r").filterNot(KafkaStreamsTables::isLong, as("short"))
            .mapValues((k, v) -> v + "!"), KafkaStreamsTables::both)), "l", "r");
        show("a join with transformed values", false, b -> {
            out(rows(b, "l").outerJoin(rows(b, "r").transformValues(() -> new Counting() {
                public void init(org.apache.kafka.streams.processor.ProcessorContext context) {}
                public String transform(String key, String value) {
                    return value == null ? null : value + key;
                }
            }), KafkaStreamsTables::both));
        }, "l", "r");
        show("a join with a count", false, b -> out(rows(b, "l").outerJoin(b.<String, String>stream("r").groupByKey().count(),
            (l, r) -> l + "+" + r)), "l", "r");
        show("a join of a table with itself", false, b -> {
            KTable<String, String> t = rows(b, "l");
            out(t.join(t, KafkaStreamsTables::both));
        }, "l");
        show("a join of a table with what it becomes", false, b -> {
            KTable<String, String> t = rows(b, "l");
            out(t.leftJoin(t.filter(KafkaStreamsTables::isLong), KafkaStreamsTables::both));
        }, "l");
        show("a join of a join", false, b -> out(rows(b, "l").join(rows(b, "r"), KafkaStreamsTables::both)
            .leftJoin(rows(b, "m"), KafkaStreamsTables::both)), "l", "r", "m");
        show("an outer join of an outer join", false, b -> out(rows(b, "l").outerJoin(rows(b, "r"), KafkaStreamsTables::both)
            .outerJoin(rows(b, "m"), KafkaStreamsTables::both)), "l", "r", "m");
        show("a join with a left join", false, b -> out(rows(b, "m").join(rows(b, "l").leftJoin(rows(b, "r"), KafkaStreamsTables::both),
            KafkaStreamsTables::both)), "l", "r", "m");
        show("a join with a left join with a store", false, b -> out(rows(b, "m").join(rows(b, "l").leftJoin(rows(b, "r"),
            KafkaStreamsTables::both, as("lr")), KafkaStreamsTables::both)), "l", "r", "m");
        show("a filter of a join", false,
            b -> out(rows(b, "l").outerJoin(rows(b, "r"), KafkaStreamsTables::both).filter((k, v) -> v.length() > 5)), "l", "r");
        show("groups of an inner join", false, b -> out(rows(b, "l").join(rows(b, "r"), KafkaStreamsTables::both)
            .groupBy((k, v) -> KeyValue.pair(v.substring(1, 2), v), strings(null)).reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus)), "l", "r");
        show("groups of a left join", false, b -> out(rows(b, "l").leftJoin(rows(b, "r"), KafkaStreamsTables::both)
            .groupBy((k, v) -> KeyValue.pair(v.substring(1, 2), v), strings(null)).reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus)), "l", "r");
        show("groups of an outer join with a store", false, b -> out(rows(b, "l").outerJoin(rows(b, "r"), KafkaStreamsTables::both, as("lr"))
            .groupBy((k, v) -> KeyValue.pair(v.substring(1, 2), v), strings(null)).reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus)), "l", "r");
        show("a stream joined with a filter", false, b -> b.<String, String>stream("l").leftJoin(rows(b, "r")
            .filter(KafkaStreamsTables::isLong), KafkaStreamsTables::both).to("out"), "l", "r");
        show("a stream joined with a join", false, b -> b.<String, String>stream("l").leftJoin(rows(b, "r")
            .outerJoin(rows(b, "m"), KafkaStreamsTables::both), KafkaStreamsTables::both).to("out"), "l", "r", "m");
    }

    // The first letter; none of the empty value, nor of the rows "d" that are long.
    static String foreignKey(String key, String value) {
        return value.isEmpty() || key.equals("d") && value.length() > 1 ? null : value.substring(0, 1);
    }

    static KTable<String, String> inner(KTable<String, String> table, KTable<String, String> other) {
        return table.join(other, KafkaStreamsTables::foreignKey, KafkaStreamsTables::both);
    }

    static KTable<String, String> left(KTable<String, String> table, KTable<String, String> other) {
        return table.leftJoin(other, KafkaStreamsTables::foreignKey, KafkaStreamsTables::both);
    }

    static void foreignKeys() throws Exception {
        show("an inner foreign-key join", false, b -> out(inner(rows(b, "l"), rows(b, "r"))), "l", "r");
        show("a left foreign-key join", false, b -> out(left(rows(b, "l"), rows(b, "r"))), "l", "r");
        show("an inner foreign-key join with a store", false, b -> out(rows(b, "l").join(rows(b, "r"), KafkaStreamsTables::foreignKey,
            KafkaStreamsTables::both, as("joined"))), "l", "r");
        show("a left foreign-key join with a store", false, b -> out(rows(b, "l").leftJoin(rows(b, "r"), KafkaStreamsTables::foreignKey,
            KafkaStreamsTables::both, as("joined"))), "l", "r");
        show("a named foreign-key join", false, b -> out(rows(b, "l").join(rows(b, "r"), KafkaStreamsTables::foreignKey,
            KafkaStreamsTables::both, TableJoined.as("fk"))), "l", "r");
        show("a foreign-key join of filtered and mapped tables", false, b -> out(left(rows(b, "l").filter(KafkaStreamsTables::isLong),
            rows(b, "r").mapValues((k, v) -> v + "!"))), "l", "r");
        show("a foreign-key join of a table with itself", false, b -> {
            KTable<String, String> t = rows(b, "l");
            out(inner(t, t));
        }, "l");
        show("groups of a foreign-key join", false, b -> out(inner(rows(b, "l"), rows(b, "r"))
            .groupBy((k, v) -> KeyValue.pair(v.substring(1, 2), v), strings(null)).reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus)), "l", "r");
        show("a foreign-key join joined by key", false, b -> out(left(rows(b, "l"), rows(b, "r"))
            .outerJoin(rows(b, "m"), KafkaStreamsTables::both)), "l", "r", "m");
        show("a foreign-key join of a join", false, b -> out(left(rows(b, "l").leftJoin(rows(b, "m"), KafkaStreamsTables::right),
            rows(b, "r"))), "l", "r", "m");
        show("a foreign-key join of a foreign-key join", false, b -> out(inner(left(rows(b, "l"), rows(b, "r"))
            .mapValues((k, v) -> v.substring(1)), rows(b, "m"))), "l", "r", "m");
        show("a foreign-key join with a count", false, b -> out(rows(b, "l").leftJoin(b.<String, String>stream("r").groupByKey().count(),
            KafkaStreamsTables::foreignKey, (l, r) -> l + "+" + r)), "l", "r");
    }

    static KTable<String, String> versions(StreamsBuilder b, String topic, long history) {
        return b.table(topic, Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore("versions-" + topic,
            Duration.ofMillis(history))).withKeySerde(Serdes.String()).withValueSerde(Serdes.String()));
    }

    static Materialized<String, String, KeyValueStore<Bytes, byte[]>> asVersioned(String name) {
        return Materialized.as(Stores.persistentVersionedKeyValueStore(name, Duration.ofMillis(30)));
    }

    static void versioned() throws Exception {
        show("a versioned table to a stream", false, b -> out(versions(b, "in", 15)), "in");
        show("a filter of a versioned table", false, b -> out(versions(b, "in", 30).filter(KafkaStreamsTables::isLong)), "in");
        show("mapped values of a versioned table", false, b -> out(versions(b, "in", 30).mapValues((k, v) -> k + v)), "in");
        show("a filter of a versioned table with a store", false,
            b -> out(versions(b, "in", 30).filter(KafkaStreamsTables::isLong, as("long"))), "in");
        show("a filter with a versioned store", false,
            b -> out(rows(b, "in").filter(KafkaStreamsTables::isLong, asVersioned("long"))), "in");
        show("mapped values with a versioned store, grouped", true,
            b -> out(grouped(rows(b, "in").mapValues((k, v) -> v, asVersioned("mapped"))).count()), "in");
        show("groups of a versioned table", false,
            b -> out(grouped(versions(b, "in", 30)).reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus)), "in");
        show("groups of a filter of a versioned table", true,
            b -> out(grouped(versions(b, "in", 30).filter(KafkaStreamsTables::isLong)).count()), "in");
        show("groups of a filter with a store of a versioned table", true,
            b -> out(grouped(versions(b, "in", 30).filter(KafkaStreamsTables::isLong, as("long"))).count()), "in");
        show("an inner join of versioned tables", false,
            b -> out(versions(b, "l", 30).join(versions(b, "r", 30), KafkaStreamsTables::both)), "l", "r");
        show("a left join of a versioned table", false,
            b -> out(versions(b, "l", 30).leftJoin(rows(b, "r"), KafkaStreamsTables::both)), "l", "r");
        show("an outer join with a versioned table", false,
            b -> out(rows(b, "l").outerJoin(versions(b, "r", 30), KafkaStreamsTables::both)), "l", "r");
        show("an outer join of versioned tables with a versioned store, grouped", false,
            b -> out(versions(b, "l", 30).outerJoin(versions(b, "r", 30), KafkaStreamsTables::both, asVersioned("joined"))
                .groupBy((k, v) -> KeyValue.pair(v.substring(1, 2), v), strings(null)).reduce(KafkaStreamsTables::plus, KafkaStreamsTables::minus)), "l", "r");
        show("an inner foreign-key join of versioned tables", false, b -> out(inner(versions(b, "l", 30), versions(b, "r", 30))), "l", "r");
        show("a left foreign-key join with a versioned table", false, b -> out(left(rows(b, "l"), versions(b, "r", 30))), "l", "r");
        show("a stream joined with a versioned table", false,
            b -> b.<String, String>stream("l").leftJoin(versions(b, "r", 30), KafkaStreamsTables::both).to("out"), "l", "r");
        show("a stream joined with a filter of a versioned table", false, b -> b.<String, String>stream("l").leftJoin(versions(b, "r", 30)
            .filter(KafkaStreamsTables::isLong).mapValues((k, v) -> v + "!"), KafkaStreamsTables::both).to("out"), "l", "r");
        show("a stream joined with a join of versioned tables", false, b -> b.<String, String>stream("l").leftJoin(versions(b, "r", 30)
            .outerJoin(versions(b, "m", 30), KafkaStreamsTables::both), KafkaStreamsTables::both).to("out"), "l", "r", "m");
        show("a stream to a versioned table", false, b -> out(b.<String, String>stream("in").toTable(asVersioned("rows"))
            .filter(KafkaStreamsTables::isLong)), "in");
        show("a versioned reduced value, grouped", true, b -> out(b.<String, String>stream("in").groupByKey()
            .reduce((x, y) -> x + y, asVersioned("reduced")).groupBy((k, v) -> KeyValue.pair("all", v), strings(null)).count()), "in");
        show("a versioned aggregate, grouped", true, b -> out(b.<String, String>stream("in").groupByKey().aggregate(() -> "",
            (k, v, a) -> v.equals("x") ? null : a + v, asVersioned("aggregated")).groupBy((k, v) -> KeyValue.pair("all", v), strings(null)).count()), "in");
        show("versioned counts of groups", true, b -> out(grouped(rows(b, "in")).count(Materialized.<String, Long>as(Stores
            .persistentVersionedKeyValueStore("counts", Duration.ofMillis(30))).withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))), "in");
    }

    static KStream<String, String> byValue(StreamsBuilder b, String topic) {
        return b.<String, String>stream(topic).selectKey((k, v) -> v == null || v.isEmpty() ? null : v.substring(0, 1));
    }

    static void optimizations() throws Exception {
        optimized("one count behind a filter", true,
            b -> out(byValue(b, "in").filter((k, v) -> v != null && v.length() > 1).groupByKey().count()), "in");
        optimized("two counts of one stream", true, b -> {
            var s = byValue(b, "in");
            s.groupByKey().count();
            out(s.groupByKey().count());
        }, "in");
        optimized("two counts, one behind a filter, one under a name", true, b -> {
            var s = byValue(b, "in");
            s.filter((k, v) -> v != null && v.length() > 1).groupByKey().count(Materialized.as("long-ones"));
            out(s.groupByKey(Grouped.as("all")).count());
        }, "in");
        optimized("a count behind new values stays", true,
            b -> out(byValue(b, "in").mapValues((k, v) -> v + "!").groupByKey().count()), "in");
        optimized("an explicit repartition stays", true,
            b -> out(byValue(b, "in").filter((k, v) -> k != null).repartition(Repartitioned.as("mine")).groupByKey().count()), "in");
        optimized("a count and a table behind new keys", false, b -> {
            var s = byValue(b, "in");
            s.groupByKey().count();
            out(s.peek((k, v) -> {}).toTable(as("rows")).filter(KafkaStreamsTables::isLong));
        }, "in");
        optimized("a count and a join with a table", false, b -> {
            var s = byValue(b, "l");
            s.groupByKey().count();
            s.join(rows(b, "r"), KafkaStreamsTables::both).to("out");
        }, "l", "r");
        optimized("counts below merged streams of new keys", true, b -> {
            var s = byValue(b, "l").merge(byValue(b, "r"));
            s.groupByKey().count(Materialized.as("first"));
            out(s.filter((k, v) -> v != null && v.length() > 1).groupByKey().count());
        }, "l", "r");
        optimized("two changes of keys", true, b -> {
            var s = byValue(b, "in");
            s.groupByKey().count(Materialized.as("first"));
            out(s.selectKey((k, v) -> v).groupByKey().count());
        }, "in");
        optimized("a table of a reused topic", true, b -> out(grouped(rows(b, "in")).count()), "in");
    }

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "rows": rows(); break;
            case "groups": groups(); break;
            case "joins": joins(); break;
            case "foreign_keys": foreignKeys(); break;
            case "versioned": versioned(); break;
            case "optimizations": optimizations(); break;
        }
        System.out.println("### end");
    }
}
