import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Reads cases (case.h says how they look) from standard input, runs each through Kafka Streams' TopologyTestDriver and writes what came
 * out, as text that peer.c reads:
 *
 * <pre>
 * result 17
 * out 3 2 a x%00 100      of event 3, to topic out2: key, value, timestamp; `~` is null, other bytes than letters are %XX
 * error 5 message         event 5 failed, and the case ends there; -1: there was no topology to run
 * dropped 2
 * end
 * </pre>
 */
public final class Peer {
    private static final PrintStream OUT = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), false,
        StandardCharsets.ISO_8859_1);

    private final List<String[]> nodes = new ArrayList<>();
    private final List<String[]> events = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private String number;
    private boolean cache;
    private boolean memory;

    // ---- reading --------------------------------------------------------------------------------------------------------------

    private static Peer read(BufferedReader in) throws Exception {
        Peer test = new Peer();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            switch (words[0]) {
                case "case":
                    test.number = words[1];
                    test.cache = words[2].equals("cache=1");
                    test.memory = words[3].equals("memory=1");
                    break;
                case "node":
                    test.nodes.add(words);
                    break;
                case "record":
                case "advance":
                    test.events.add(words);
                    break;
                case "end":
                    return test;
                default:
                    throw new IllegalArgumentException(line);
            }
        }
        return null;
    }

    private static byte[] word(String word) {
        return word.equals("~") ? null : word.substring(1).getBytes(StandardCharsets.ISO_8859_1);
    }

    // ---- running --------------------------------------------------------------------------------------------------------------

    private Properties properties(String directory) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, directory);
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, AnySerde.class.getName());
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, AnySerde.class.getName());
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, cache ? "10000000" : "0");
        properties.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, SmallStores.class);
        if (memory)
            properties.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG,
                "org.apache.kafka.streams.state.BuiltInDslStoreSuppliers$InMemoryDslStoreSuppliers");
        return properties;
    }

    private void run(String directory) {
        text.append("result ").append(number).append('\n');
        int event = -1;
        TopologyTestDriver driver = null;
        try {
            Builder builder = new Builder();
            Properties properties = properties(directory);
            driver = new TopologyTestDriver(builder.build(nodes, properties), properties, Instant.ofEpochMilli(0));
            for (event = 0; event < events.size(); event++) {
                happen(driver, events.get(event));
                readOutputs(driver, builder.outputs, event);
            }
            text.append("dropped ").append(dropped(driver)).append('\n');
        } catch (Throwable failure) {
            text.append("error ").append(event).append(' ').append(reason(failure)).append('\n');
        }
        close(driver);
        remove(new java.io.File(directory));
        text.append("end\n");
        OUT.print(text);
        OUT.flush();
    }

    private static void happen(TopologyTestDriver driver, String[] event) {
        if (event[0].equals("advance")) {
            driver.advanceWallClockTime(Duration.ofMillis(Long.parseLong(event[1])));
            return;
        }
        TestInputTopic<byte[], byte[]> topic =
            driver.createInputTopic("in" + event[1], new ByteArraySerializer(), new ByteArraySerializer());
        topic.pipeInput(new TestRecord<>(word(event[2]), word(event[3]), new RecordHeaders(), Long.parseLong(event[4])));
    }

    private void readOutputs(TopologyTestDriver driver, List<Integer> outputs, int event) {
        for (int output : outputs) {
            TestOutputTopic<byte[], byte[]> topic =
                driver.createOutputTopic("out" + output, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            while (!topic.isEmpty()) {
                TestRecord<byte[], byte[]> record = topic.readRecord();
                text.append("out ").append(event).append(' ').append(output).append(' ');
                escape(record.key());
                text.append(' ');
                escape(record.value());
                text.append(' ').append(record.timestamp()).append('\n');
            }
        }
    }

    private void escape(byte[] bytes) {
        if (bytes == null) {
            text.append('~');
            return;
        }
        text.append('\'');
        for (byte signed : bytes) {
            int b = signed & 0xff;
            if (b > ' ' && b < 0x7f && b != '%')
                text.append((char) b);
            else
                text.append(String.format("%%%02X", b));
        }
    }

    private static long dropped(TopologyTestDriver driver) {
        return driver.metrics().entrySet().stream()
            .filter(e -> e.getKey().name().equals("dropped-records-total") && e.getKey().group().equals("stream-task-metrics"))
            .mapToLong(e -> ((Double) e.getValue().metricValue()).longValue()).sum();
    }

    private static String reason(Throwable failure) {
        String reason = failure.toString();
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause())
            reason += " <- " + cause;
        reason = reason.replaceAll("[^ -~]+", " ");
        if (System.getenv("PEER_STACKS") != null)
            failure.printStackTrace();
        return reason.length() > 400 ? reason.substring(0, 400) : reason;
    }

    private static void close(TopologyTestDriver driver) {
        try {
            if (driver != null)
                driver.close();
        } catch (RuntimeException failure) {
            // The case has failed before, and says so.
        }
    }

    /** A driver that could not be made leaves its stores open: each case has a directory of its own. */
    private static void remove(java.io.File file) {
        java.io.File[] inside = file.listFiles();
        for (int i = 0; inside != null && i < inside.length; i++)
            remove(inside[i]);
        file.delete();
    }

    /** A thread reads ahead, so that whoever writes cases is never kept waiting for a result to be read. */
    public static void main(String[] arguments) throws Exception {
        BlockingQueue<Peer> queue = new LinkedBlockingQueue<>();
        Peer end = new Peer();
        Thread reader = new Thread(() -> {
            try {
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.ISO_8859_1));
                for (Peer test = read(in); test != null; test = read(in))
                    queue.add(test);
            } catch (Exception failure) {
                failure.printStackTrace();
            }
            queue.add(end);
        });
        reader.setDaemon(true);
        reader.start();
        int count = 0;
        for (Peer test = queue.take(); test != end; test = queue.take())
            test.run(arguments[0] + "/" + count++);
    }
}
