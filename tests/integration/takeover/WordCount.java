import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/**
 * The word count of word_count.c in Kafka Streams:
 *
 *     WordCount --describe INPUT OUTPUT
 *     WordCount INPUT OUTPUT leave|stay name=value...
 *
 * Says "ready" when it runs and "stopped" when it was told to stop. "stay": it closes as Kafka Streams does by default, without leaving its group.
 */
public class WordCount {
    private static final long WINDOW_MS = 60_000;
    private static final long GRACE_MS = 86_400_000;

    /** A line is its time in milliseconds, a space and words. */
    private static String[] words(String line) {
        return line.substring(line.indexOf(' ') + 1).split(" ");
    }

    private static Topology topology(String input, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(input, Consumed.with(Serdes.String(), Serdes.String())
                                  .withTimestampExtractor((record, partitionTime) -> time((String) record.value())))
            .flatMapValues(line -> Arrays.asList(words(line)))
            .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(WINDOW_MS), Duration.ofMillis(GRACE_MS)))
            .count()
            .toStream()
            .to(output, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, WINDOW_MS), Serdes.Long()));
        return builder.build();
    }

    private static long time(String line) {
        return Long.parseLong(line.substring(0, line.indexOf(' ')));
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("--describe")) {
            System.out.print(topology(arguments[1], arguments[2]).describe());
            return;
        }
        Properties properties = new Properties();
        for (int i = 3; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            properties.put(arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
        }
        KafkaStreams streams = new KafkaStreams(topology(arguments[0], arguments[1]), properties);
        CountDownLatch ended = new CountDownLatch(1);
        boolean[] failed = {false};
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                System.err.println("ready");
            }
        });
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            failed[0] = true;
            ended.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        CloseOptions.GroupMembershipOperation membership = arguments[2].equals("leave")
            ? CloseOptions.GroupMembershipOperation.LEAVE_GROUP : CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP;
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            if (!failed[0]) {
                streams.close(CloseOptions.groupMembershipOperation(membership).withTimeout(Duration.ofSeconds(30)));
                System.err.println("stopped");
            }
        }));
        streams.start();
        ended.await();
        streams.close(Duration.ofSeconds(10));
        Runtime.getRuntime().halt(3);
    }
}
