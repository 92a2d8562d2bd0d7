import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.*;

/** Makes Kafka Streams' topology of a case's nodes: the operators of operators.c under the same names. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class Builder {
    /** What a node gives, and how its keys are written: windowed ones must come back as what they were. */
    private static final class Made {
        final Object handle;
        final Serde keys;

        Made(Object handle, Serde keys) {
            this.handle = handle;
            this.keys = keys;
        }
    }

    private static final Serde ANY = new AnySerde();

    /** Numbers of the `to` nodes, so of the topics. */
    final List<Integer> outputs = new ArrayList<>();

    private final StreamsBuilder builder = new StreamsBuilder();
    private final List<Made> made = new ArrayList<>();
    private List<String[]> nodes;
    private String[] node;

    Topology build(List<String[]> nodes, Properties properties) {
        this.nodes = nodes;
        for (String[] next : nodes) {
            node = next;
            made.add(make());
        }
        return builder.build(properties);
    }

    // ---- what a node says -----------------------------------------------------------------------------------------------------

    private Made input(int at) {
        return made.get(Integer.parseInt(node[3].split(",")[at]));
    }

    private KStream<Object, Object> stream(int at) {
        return (KStream<Object, Object>) input(at).handle;
    }

    private KTable<Object, Object> table(int at) {
        return (KTable<Object, Object>) input(at).handle;
    }

    private KGroupedStream<Object, Object> grouped() {
        return (KGroupedStream<Object, Object>) input(0).handle;
    }

    private TimeWindowedKStream<Object, Object> windowed() {
        return (TimeWindowedKStream<Object, Object>) input(0).handle;
    }

    private int number(int at) {
        return Integer.parseInt(node[4 + at]);
    }

    private Duration time(int at) {
        return Duration.ofMillis(Long.parseLong(node[4 + at]));
    }

    private Made same(Object handle) {
        return new Made(handle, input(0).keys);
    }

    private static Made plain(Object handle) {
        return new Made(handle, ANY);
    }

    private static Materialized store(Serde keys, Serde values, int withoutCache) {
        Materialized store = Materialized.with(keys, values);
        return withoutCache == 1 ? store.withCachingDisabled() : store;
    }

    // ---- functions ------------------------------------------------------------------------------------------------------------

    private static Predicate<Object, Object> predicate(int n) {
        return (key, value) -> Catalogue.predicate(n, key, value);
    }

    private static KeyValueMapper<Object, Object, Object> key(int n) {
        return (key, value) -> Catalogue.key(n, key, value);
    }

    private static ValueMapperWithKey<Object, Object, Object> value(int n) {
        return (key, value) -> Catalogue.value(n, key, value);
    }

    private static Reducer<Object> reducer(int n) {
        return (aggregate, value) -> Catalogue.reduce(n, aggregate, value);
    }

    private static Aggregator<Object, Object, Object> aggregator(int n) {
        return (key, value, aggregate) -> Catalogue.aggregate(n, key, value, aggregate);
    }

    private static Initializer<Object> initializer(int n) {
        return () -> Catalogue.initial(n);
    }

    private static ValueJoinerWithKey<Object, Object, Object, Object> joiner(int n) {
        return (key, left, right) -> Catalogue.join(n, key, left, right);
    }

    private static KeyValueMapper<Object, Object, Iterable<KeyValue<Object, Object>>> flat(int n) {
        return (key, value) -> Catalogue.flat(n, key, value);
    }

    private static ValueMapperWithKey<Object, Object, Iterable<Object>> flatValues(int n) {
        return (key, value) -> {
            List<Object> values = new ArrayList<>();
            for (KeyValue<Object, Object> pair : Catalogue.flat(n, key, value))
                values.add(pair.value);
            return values;
        };
    }

    // ---- operators ------------------------------------------------------------------------------------------------------------

    private Made make() {
        switch (node[2]) {
            case "stream": return plain(builder.stream("in" + number(0), Consumed.with(ANY, ANY)));
            case "to": return to();
            case "filter": return same(stream(0).filter(predicate(number(0))));
            case "filter_not": return same(stream(0).filterNot(predicate(number(0))));
            case "map": return map(number(0), number(1));
            case "flat_map": return plain(stream(0).flatMap(flat(number(0))));
            case "flat_map_values": return same(stream(0).flatMapValues(flatValues(number(0))));
            case "select_key": return plain(stream(0).selectKey(key(number(0))));
            case "map_values": return same(stream(0).mapValues(value(number(0))));
            case "peek": return same(stream(0).peek((key, value) -> { }));
            case "merge": return same(stream(0).merge(stream(1)));
            case "repartition": return same(stream(0).repartition(Repartitioned.with(input(0).keys, ANY)));
            case "split": return split();
            case "branch": return branch();
            case "group_by_key": return same(stream(0).groupByKey(Grouped.with(input(0).keys, ANY)));
            case "group_by": return plain(stream(0).groupBy(key(number(0)), Grouped.with(ANY, ANY)));
            case "count": return same(grouped().count(store(input(0).keys, Serdes.Long(), number(0))));
            case "reduce": return same(grouped().reduce(reducer(number(0)), store(input(0).keys, ANY, number(1))));
            case "aggregate":
                return same(grouped().aggregate(initializer(number(1)), aggregator(number(0)), store(input(0).keys, ANY, number(2))));
            case "tumbling": return windows(TimeWindows.ofSizeAndGrace(time(0), time(1)));
            case "hopping":
                return windows(TimeWindows.ofSizeAndGrace(time(0), time(2)).advanceBy(time(1).compareTo(time(0)) > 0 ? time(0) : time(1)));
            case "windowed_count": return same(windowed().count(store(ANY, Serdes.Long(), number(0))));
            case "windowed_reduce": return same(windowed().reduce(reducer(number(0)), store(ANY, ANY, number(1))));
            case "windowed_aggregate":
                return same(windowed().aggregate(initializer(number(1)), aggregator(number(0)), store(ANY, ANY, number(2))));
            case "to_stream": return same(table(0).toStream());
            case "join_table": return same(stream(0).join(table(1), joiner(number(0)), Joined.with(input(0).keys, ANY, ANY)));
            case "left_join_table": return same(stream(0).leftJoin(table(1), joiner(number(0)), Joined.with(input(0).keys, ANY, ANY)));
            default: throw new IllegalArgumentException("no operator " + node[2]);
        }
    }

    private Made to() {
        int position = Integer.parseInt(node[1]);
        outputs.add(position);
        stream(0).to("out" + position, Produced.with(input(0).keys, ANY));
        return null;
    }

    private Made map(int k, int v) {
        return plain(stream(0).map((key, value) -> KeyValue.pair(Catalogue.key(k, key, value), Catalogue.value(v, key, value))));
    }

    private Made windows(TimeWindows windows) {
        return new Made(grouped().windowedBy(windows), new WindowedSerdes.TimeWindowedSerde(ANY, windows.sizeMs));
    }

    /** Here all branches of a split are made at once. */
    private Made split() {
        BranchedKStream<Object, Object> split = stream(0).split();
        List<Object> branches = new ArrayList<>();
        for (String[] other : nodes)
            if (other[2].equals("branch") && other[3].equals(node[1]))
                split = split.branch(predicate(Integer.parseInt(other[4])), Branched.withConsumer(branches::add));
        split.noDefaultBranch();
        return same(branches.iterator());
    }

    private Made branch() {
        return same(((java.util.Iterator<?>) input(0).handle).next());
    }
}
