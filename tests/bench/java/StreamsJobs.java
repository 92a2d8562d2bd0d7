import java.io.File;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The jobs of bench/jobs.c in Kafka Streams, on the same records (bench/records.h), for compare.py.
 *
 *     StreamsJobs BOOTSTRAP sessions|table|hll|count RECORDS KEYS COMMIT_MS [GUARANTEE]
 *     StreamsJobs BOOTSTRAP start RECORDS KEYS COMMIT_MS          fills, counts, ends in the midst as a kill -9 does
 *     StreamsJobs BOOTSTRAP resume ID COMMIT_MS                   the same application again, to its first record
 *
 * The clock runs from the first record of the input until the application has closed.
 */
public class StreamsJobs {
    private static final int PARTITIONS = 4;
    private static final int RECORDS_PER_MS = 10;
    private static final int USER_AT = 1;
    private static final int USER_DIGITS = 6;
    private static final long STARTED = java.lang.management.ManagementFactory.getRuntimeMXBean().getStartTime();

    private static final Serde<byte[]> BYTES = Serdes.ByteArray();
    private static final Serde<String> TEXT = Serdes.String();
    private static final Serde<Long> LONG = Serdes.Long();

    private static final LongAdder read = new LongAdder();
    private static final AtomicLong firstNanos = new AtomicLong();

    /** Each record of the input passes here once. */
    private static final TimestampExtractor COUNTING = (record, partitionTime) -> {
        if (firstNanos.get() == 0)
            firstNanos.compareAndSet(0, System.nanoTime());
        read.increment();
        return record.timestamp();
    };

    private static void writeDigits(byte[] to, int at, int digits, int number) {
        for (int i = at + digits - 1; i >= at; i--, number /= 10)
            to[i] = (byte) ('0' + number % 10);
    }

    private static void fill(String bootstrap, String topic, long records, int keys, boolean inTurn) {
        Properties properties = new Properties();
        properties.putAll(Map.of("bootstrap.servers", bootstrap, "linger.ms", "20", "batch.size", "65536", "acks", "1",
            "enable.idempotence", "false"));
        long first = (System.currentTimeMillis() - records / RECORDS_PER_MS - 3_600_000) / 60_000 * 60_000;
        Random random = new Random(42);
        byte[] letters = new byte[88];
        Arrays.fill(letters, (byte) 'v');
        try (KafkaProducer<byte[], byte[]> producer =
                 new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (long i = 0; i < records; i++) {
                byte[] key = "page-0000000".getBytes();
                byte[] value = letters.clone();
                writeDigits(key, 5, 7, inTurn ? (int) (i % keys * 2654435761L % keys) : random.nextInt(keys));
                value[0] = (byte) ('0' + (i & 1));
                writeDigits(value, USER_AT, USER_DIGITS, random.nextInt(1_000_000));
                producer.send(new ProducerRecord<>(topic, null, first + i / RECORDS_PER_MS, key, value));
            }
        }
    }

    private static byte[] user(byte[] value) {
        return Arrays.copyOfRange(value, USER_AT, USER_AT + USER_DIGITS);
    }

    /** A HyperLogLog of 4,096 registers of a byte. */
    private static byte[] addToSketch(byte[] user, byte[] sketch) {
        long hash = 0;
        for (byte digit : user)
            hash = (hash ^ digit) * 0x9e3779b97f4a7c15L;
        hash ^= hash >>> 32;
        hash *= 0x9e3779b97f4a7c15L;
        int register = (int) (hash >>> 52);
        byte rank = (byte) (Long.numberOfLeadingZeros(hash << 12 | 1 << 11) + 1);
        if (sketch[register] < rank)
            sketch[register] = rank;
        return sketch;
    }

    private static long sketchCount(byte[] sketch) {
        double sum = 0;
        int zeros = 0;
        for (byte rank : sketch) {
            sum += Math.scalb(1.0, -rank);
            zeros += rank == 0 ? 1 : 0;
        }
        double count = 0.7213 / (1 + 1.079 / sketch.length) * sketch.length * sketch.length / sum;
        return Math.round(count <= 2.5 * sketch.length && zeros > 0 ? sketch.length * Math.log((double) sketch.length / zeros) : count);
    }

    private static long number(byte[] user) {
        return Long.parseLong(new String(user));
    }

    private static void build(StreamsBuilder builder, String job, String in, String out) {
        Consumed<String, byte[]> consumed = Consumed.with(TEXT, BYTES).withTimestampExtractor(COUNTING);
        Grouped<String, byte[]> grouped = Grouped.with(TEXT, BYTES);
        switch (job) {
        case "sessions":
            builder.stream(in, consumed).groupByKey(grouped)
                .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(Duration.ofSeconds(3)))
                .count(Materialized.<String, Long, SessionStore<Bytes, byte[]>>as("visits"))
                .toStream().to(out, Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), LONG));
            break;
        case "table":
            KTable<String, byte[]> rows =
                builder.table(in, consumed, Materialized.<String, byte[], KeyValueStore<Bytes, byte[]>>as("rows"));
            rows.groupBy((key, value) -> KeyValue.pair(new String(value, USER_AT, 3), user(value)), grouped)
                .aggregate(() -> 0L, (key, user, sum) -> sum + number(user), (key, user, sum) -> sum - number(user),
                    Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("sums").withValueSerde(LONG))
                .toStream().to(out, Produced.with(TEXT, LONG));
            break;
        case "hll":
            builder.stream(in, consumed).groupByKey(grouped)
                .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1)))
                .aggregate(() -> new byte[4096], (key, value, sketch) -> addToSketch(user(value), sketch),
                    Materialized.<String, byte[], WindowStore<Bytes, byte[]>>as("about").withValueSerde(BYTES))
                .toStream().mapValues(StreamsJobs::sketchCount)
                .to(out, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 60_000), LONG));
            break;
        default:
            builder.stream(in, consumed).groupByKey(grouped)
                .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("totals"))
                .toStream().to(out, Produced.with(TEXT, LONG));
        }
    }

    private static KafkaStreams start(String bootstrap, String job, String id, String commitMs, String guarantee) {
        StreamsBuilder builder = new StreamsBuilder();
        build(builder, job, "in-" + id, "out-" + id);
        Properties properties = new Properties();
        properties.putAll(Map.of("bootstrap.servers", bootstrap, "application.id", id, "state.dir", stateOf(id).getPath(),
            "commit.interval.ms", commitMs, "processing.guarantee", guarantee, "auto.offset.reset", "earliest",
            "producer.linger.ms", "100", "producer.batch.size", "65536", "replication.factor", "1"));
        KafkaStreams streams = new KafkaStreams(builder.build(properties), properties);
        streams.start();
        return streams;
    }

    private static File stateOf(String id) {
        return new File(System.getProperty("java.io.tmpdir"), "streams-jobs-" + id);
    }

    private static void remove(File file) {
        File[] below = file.listFiles();
        for (File one : below == null ? new File[0] : below)
            remove(one);
        file.delete();
    }

    private static void removeAll(String bootstrap, String id) throws Exception {
        remove(stateOf(id));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            List<String> topics = admin.listTopics().names().get().stream().filter(name -> name.contains(id)).toList();
            admin.deleteTopics(topics).all().get();
        }
    }

    private static void waitFor(long records) throws InterruptedException {
        while (read.sum() < records)
            Thread.sleep(1);
    }

    private static void resume(String bootstrap, String id, String commitMs) throws Exception {
        KafkaStreams streams = start(bootstrap, "count", id, commitMs, "at_least_once");
        waitFor(1);
        System.out.printf("resume: first record %d ms after exec%n", System.currentTimeMillis() - STARTED);
        streams.close(Duration.ofSeconds(120));
        removeAll(bootstrap, id);
    }

    private static void fillAndRun(String bootstrap, String job, long records, int keys, String commitMs, String guarantee)
        throws Exception {
        String id = job + "-" + System.currentTimeMillis();
        boolean ends = job.equals("start");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic("in-" + id, PARTITIONS, (short) 1), new NewTopic("out-" + id, PARTITIONS, (short) 1)))
                .all().get();
        }
        fill(bootstrap, "in-" + id, records, keys, ends);
        KafkaStreams streams = start(bootstrap, job, id, commitMs, guarantee);
        waitFor(ends ? keys + (records - keys) / 2 : records);
        if (ends) {
            System.out.printf("start: %s%n", id);
            System.out.flush();
            Runtime.getRuntime().halt(0);
        }
        long end = System.nanoTime();
        streams.close(Duration.ofSeconds(120));
        double first = firstNanos.get();
        System.out.printf("%s keys=%d commit=%s %s: %.0f rec/s (%.0f with final flush)%n", job, keys, commitMs, guarantee,
            records / ((end - first) / 1e9), records / ((System.nanoTime() - first) / 1e9));
        removeAll(bootstrap, id);
    }

    public static void main(String[] arguments) throws Exception {
        String bootstrap = arguments[0];
        String job = arguments[1];
        if (job.equals("resume"))
            resume(bootstrap, arguments[2], arguments[3]);
        else
            fillAndRun(bootstrap, job, Long.parseLong(arguments[2]), Integer.parseInt(arguments[3]), arguments[4],
                arguments.length > 5 ? arguments[5] : "at_least_once");
        System.exit(0);
    }
}
