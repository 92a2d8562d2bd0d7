import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/**
 * The topologies of main.c in Kafka Streams:
 *
 *     Takeover words|stores INPUT OUTPUT --describe
 *     Takeover words|stores INPUT OUTPUT leave|stay name=value...
 *
 * Says "ready" when it runs and "stopped" when it was told to stop. "stay": it closes as Kafka Streams does by default, without
 * leaving its group.
 */
public class Takeover {
    /** A line is its time in milliseconds, its number and words, with single spaces between them. */
    static long time(String line) {
        return Long.parseLong(line.substring(0, line.indexOf(' ')));
    }

    private static Topology topology(String name, String input, String output) {
        return name.equals("words") ? WordCount.topology(input, output) : Stores.topology(input, output);
    }

    public static void main(String[] arguments) throws Exception {
        Topology topology = topology(arguments[0], arguments[1], arguments[2]);
        if (arguments[3].equals("--describe")) {
            System.out.print(topology.describe());
            return;
        }
        Properties properties = new Properties();
        for (int i = 4; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            properties.put(arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
        }
        run(new KafkaStreams(topology, properties), arguments[3].equals("leave") ? GroupMembershipOperation.LEAVE_GROUP
                                                                                 : GroupMembershipOperation.REMAIN_IN_GROUP);
    }

    private static void run(KafkaStreams streams, GroupMembershipOperation membership) throws InterruptedException {
        CountDownLatch failed = new CountDownLatch(1);
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                System.err.println("ready");
            }
        });
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            failed.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(CloseOptions.groupMembershipOperation(membership).withTimeout(Duration.ofSeconds(30)));
            System.err.println("stopped");
        }));
        streams.start();
        failed.await();
        streams.close(Duration.ofSeconds(10));
        Runtime.getRuntime().halt(3);
    }
}
