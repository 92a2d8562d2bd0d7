import java.time.Duration;
import java.util.Arrays;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/** Words counted in windows of a minute; all names are generated. */
class WordCount {
    private static final Duration WINDOW = Duration.ofMinutes(1);

    static Topology topology(String input, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(input, Consumed.with(Serdes.String(), Serdes.String())
                                  .withTimestampExtractor((record, partitionTime) -> Takeover.time((String) record.value())))
            .flatMapValues(line -> Arrays.asList(line.split(" ")).subList(2, line.split(" ").length))
            .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
            .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW, Duration.ofHours(24)))
            .count()
            .toStream()
            .to(output, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, WINDOW.toMillis()), Serdes.Long()));
        return builder.build();
    }
}
