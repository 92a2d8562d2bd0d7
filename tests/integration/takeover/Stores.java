import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/** Every kind of changelog: tables, windows, sessions, a suppress buffer, windows that emit on close, both kinds of joins. */
class Stores {
    private static final Serde<String> TEXT = Serdes.String();
    private static final Duration TEN = Duration.ofSeconds(10);
    private static final Duration GRACE = Duration.ofSeconds(300);

    private static int number(String line) {
        return Integer.parseInt(line.split(" ")[1]);
    }

    private static List<KeyValue<String, String>> words(String line) {
        List<KeyValue<String, String>> words = new ArrayList<>();
        String[] fields = line.split(" ");
        for (int i = 2; i < fields.length; i++) {
            words.add(KeyValue.pair(fields[i], "note of " + fields[i]));
        }
        return words;
    }

    private static KStream<String, String> byNumber(KStream<String, String> lines, int earlier) {
        return lines.map((key, line) -> KeyValue.pair(Integer.toString(number(line) - earlier), line.split(" ")[2]));
    }

    static Topology topology(String input, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> lines = builder.stream(
            input, Consumed.with(TEXT, TEXT)
                       .withTimestampExtractor((record, partitionTime) -> Takeover.time((String) record.value())));
        KStream<String, String> words = lines.flatMap((key, line) -> words(line));
        KGroupedStream<String, String> byWord = words.groupByKey(Grouped.with("words", TEXT, TEXT));

        byWord.count(Materialized.as("totals")).toStream().to(output + "-totals", Produced.with(TEXT, Serdes.Long()));
        byWord.windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofSeconds(5), Duration.ofHours(24)))
            .count(Materialized.as("visits"))
            .toStream()
            .to(output + "-visits", Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), Serdes.Long()));

        Serde<Windowed<String>> ten = WindowedSerdes.timeWindowedSerdeFrom(String.class, TEN.toMillis());
        byWord.windowedBy(TimeWindows.ofSizeAndGrace(TEN, GRACE))
            .count(Materialized.as("tens"))
            .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()).withName("last-of-tens"))
            .toStream()
            .to(output + "-suppressed", Produced.with(ten, Serdes.Long()));
        byWord.windowedBy(TimeWindows.ofSizeAndGrace(TEN, GRACE))
            .emitStrategy(EmitStrategy.onWindowClose())
            // With a cache the first window that closes is looked for in every minute since 1970; with the least retention Kafka
            // Streams loses windows when time jumps while they close.
            .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("closed")
                       .withCachingDisabled()
                       .withRetention(Duration.ofHours(2)))
            .toStream()
            .to(output + "-closed", Produced.with(ten, Serdes.Long()));

        byNumber(lines.filter((key, line) -> number(line) % 2 == 0), 0)
            .leftJoin(byNumber(lines.filter((key, line) -> number(line) % 4 == 1), 1), (left, right) -> left + "|" + right,
                      JoinWindows.ofTimeDifferenceAndGrace(GRACE, GRACE),
                      StreamJoined.with(TEXT, TEXT, TEXT).withName("pair").withStoreName("pair"))
            .to(output + "-pairs", Produced.with(TEXT, TEXT));

        KTable<String, String> notes = words.toTable(Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("notes")
                                                         .withKeySerde(TEXT).withValueSerde(TEXT));
        byNumber(lines, 0)
            .toTable(Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("firsts").withKeySerde(TEXT).withValueSerde(TEXT))
            .join(notes, word -> word, (word, note) -> word + "|" + note,
                  Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("noted").withKeySerde(TEXT).withValueSerde(TEXT))
            .toStream()
            .to(output + "-noted", Produced.with(TEXT, TEXT));
        return builder.build();
    }
}
