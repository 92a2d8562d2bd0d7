// Pipes random records through the pipelines of outputs_test.c in Kafka Streams' TopologyTestDriver and prints each record ("> ") and what
// came out of it ("< "): the facts in kafka_streams_outputs.txt. Run with Apache Kafka 4.3.1's jars on the class path:
// java KafkaStreamsOutputs.java
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.test.TestRecord;

public class KafkaStreamsOutputs {
    static final Random RANDOM = new Random(5);
    static final int RECORDS = 250;

    static String random(String... choices) {
        return choices[RANDOM.nextInt(choices.length)];
    }

    static TimeWindows windows(long size, long advance, long grace) {
        return TimeWindows.ofSizeAndGrace(Duration.ofMillis(size), Duration.ofMillis(grace)).advanceBy(Duration.ofMillis(advance));
    }

    static String print(Object key, Object value, long timestamp) {
        return (key == null ? "~" : key) + "=" + (value == null ? "~" : value) + "@" + timestamp;
    }

    // With a cache Kafka Streams stamps a deletion with the time of the record that deletes, without one with the largest time seen.
    static String printOutput(Object key, Object value, long timestamp, boolean cached) {
        return cached && value == null ? key + "=~@-" : print(key, value, timestamp);
    }

    // `window` 0: plain keys.
    static void run(String name, boolean cached, long window, boolean longs, Consumer<StreamsBuilder> pipeline) throws Exception {
        System.out.println("### " + name);
        StreamsBuilder b = new StreamsBuilder();
        pipeline.accept(b);
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class.getName());
        p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class.getName());
        p.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("facts").toString());
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, cached ? "10000000" : "0");
        try (TopologyTestDriver driver = new TopologyTestDriver(b.build(), p)) {
            TestInputTopic<String, String> in = driver.createInputTopic("in", new StringSerializer(), new StringSerializer());
            Deserializer<?> values = longs ? new LongDeserializer() : new StringDeserializer();
            var plain = driver.createOutputTopic("out", new StringDeserializer(), values);
            var windowed = driver.createOutputTopic("out", new TimeWindowedDeserializer<>(new StringDeserializer(), window), values);
            for (int i = 0; i < RECORDS; i++) {
                String inKey = random("a", "a", "b", "b", "c", "c", "d", null);
                String value = random("x", "y", "z", "xyz", "yy", "del", "", null);
                long timestamp = i / 2 + RANDOM.nextInt(40);
                System.out.println("> " + print(inKey, value, timestamp));
                in.pipeInput(new TestRecord<>(inKey, value, new RecordHeaders(), timestamp));
                while (!plain.isEmpty()) {
                    if (window == 0) {
                        var r = plain.readRecord();
                        System.out.println("< " + printOutput(r.key(), r.value(), r.timestamp(), cached));
                    } else {
                        var r = windowed.readRecord();
                        Window w = r.key().window();
                        String key = r.key().key() + "[" + w.start() + "," + w.end() + ")";
                        System.out.println("< " + printOutput(key, r.value(), r.timestamp(), cached));
                    }
                }
            }
            System.out.println("! " + driver.metrics().entrySet().stream()
                .filter(e -> e.getKey().name().equals("dropped-records-total") && e.getKey().group().equals("stream-task-metrics"))
                .mapToLong(e -> ((Double) e.getValue().metricValue()).longValue()).sum());
        }
    }

    static String append(String aggregate, String value) {
        return "del".equals(value) ? null : aggregate + value;
    }

    static List<KeyValue<String, String>> letters(String key, String value) {
        List<KeyValue<String, String>> letters = new ArrayList<>();
        for (int i = 0; value != null && i < value.length(); i++)
            letters.add(KeyValue.pair(value.substring(i, i + 1), key));
        return letters;
    }

    static KGroupedStream<String, String> grouped(StreamsBuilder b) {
        return b.<String, String>stream("in").groupByKey();
    }

    static <K, V> void out(KTable<K, V> table) {
        table.toStream().to("out");
    }

    static void outWindowed(KTable<Windowed<String>, ?> table, long size) {
        table.toStream().to("out", (Produced) Produced.keySerde(WindowedSerdes.timeWindowedSerdeFrom(String.class, size)));
    }

    public static void main(String[] arguments) throws Exception {
        for (boolean cached : new boolean[] {false, true}) {
            String suffix = cached ? ", cached" : "";
            run("count" + suffix, cached, 0, true, b -> out(grouped(b).count()));
            run("reduce" + suffix, cached, 0, false, b -> out(grouped(b).reduce((x, y) -> y.equals("del") ? null : x + y)));
            run("aggregate" + suffix, cached, 0, false, b -> out(grouped(b).aggregate(() -> "<", (k, v, a) -> append(a, v))));
            run("count of letters" + suffix, cached, 0, true, b -> out(b.<String, String>stream("in")
                .flatMap((k, v) -> letters(k, v)).groupByKey().count()));
            run("count of letters in windows" + suffix, cached, 10, true, b -> outWindowed(b.<String, String>stream("in")
                .flatMap((k, v) -> letters(k, v)).groupByKey().windowedBy(windows(10, 10, 5)).count(), 10));
            run("tumbling count" + suffix, cached, 10, true, b -> outWindowed(grouped(b).windowedBy(windows(10, 10, 0)).count(), 10));
            run("tumbling count with grace" + suffix, cached, 10, true,
                b -> outWindowed(grouped(b).windowedBy(windows(10, 10, 15)).count(), 10));
            run("hopping count" + suffix, cached, 12, true, b -> outWindowed(grouped(b).windowedBy(windows(12, 5, 8)).count(), 12));
            run("hopping reduce" + suffix, cached, 20, false, b -> outWindowed(grouped(b).windowedBy(windows(20, 7, 10))
                .reduce((x, y) -> "del".equals(y) ? null : x + y), 20));
            run("hopping aggregate" + suffix, cached, 20, false, b -> outWindowed(grouped(b).windowedBy(windows(20, 10, 10))
                .aggregate(() -> "<", (k, v, a) -> append(a, v)), 20));
        }
        run("letters of a branch, merged back", false, 0, false, b -> {
            KStream<String, String> in = b.stream("in");
            var branches = in.split(Named.as("b")).branch((k, v) -> v != null && v.length() > 1, Branched.as("long"))
                .defaultBranch(Branched.as("rest"));
            branches.get("blong").flatMap((k, v) -> letters(k, v)).merge(branches.get("brest").filterNot((k, v) -> k == null)
                .mapValues(v -> v + "!")).to("out");
        });
    }
}
