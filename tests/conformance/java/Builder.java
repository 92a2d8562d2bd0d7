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

    private SessionWindowedKStream<Object, Object> sessions() {
        return (SessionWindowedKStream<Object, Object>) input(0).handle;
    }

    private CogroupedKStream<Object, Object> cogrouped() {
        return (CogroupedKStream<Object, Object>) input(0).handle;
    }

    private KGroupedTable<Object, Object> groupedTable() {
        return (KGroupedTable<Object, Object>) input(0).handle;
    }

    private GlobalKTable<Object, Object> globalTable() {
        return (GlobalKTable<Object, Object>) input(1).handle;
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

    /** Number `at`: whether the group has a name. */
    private Grouped<Object, Object> grouping(Serde keys, int at) {
        Grouped<Object, Object> grouping = Grouped.with(keys, ANY);
        return number(at) == 1 ? grouping.withName("g" + node[1]) : grouping;
    }

    /** Of an operator on tables: numbers `at` (has a store) and `at` + 1 (not cached). */
    private Materialized tableStore(Serde keys, int at) {
        Materialized store = number(at) == 0 ? Materialized.with(keys, ANY) : Materialized.as("s" + node[1]);
        store = store.withKeySerde(keys).withValueSerde(ANY);
        return number(at) == 1 && number(at + 1) == 1 ? store.withCachingDisabled() : store;
    }

    private Materialized versioned(Serde keys, Duration history) {
        return Materialized.as(org.apache.kafka.streams.state.Stores.persistentVersionedKeyValueStore("s" + node[1], history))
            .withKeySerde(keys).withValueSerde(ANY);
    }

    /** Numbers `at` (not cached) and `at` + 1: how much longer than by default windows stay. */
    private Materialized windowedStore(Serde values, int at) {
        Materialized store = store(ANY, values, number(at));
        if (number(at + 1) == 0)
            return store;
        String[] windows = nodes.get(Integer.parseInt(node[3]));
        while (windows[2].endsWith("on_close"))
            windows = nodes.get(Integer.parseInt(windows[3]));
        long span = Long.parseLong(windows[4]) * (windows[2].equals("sliding") ? 2 : 1);
        if (windows[2].equals("unlimited"))
            return store;
        span += Long.parseLong(windows[windows[2].equals("hopping") ? 6 : 5]);
        return store.withRetention(Duration.ofMillis(span + number(at + 1)));
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

    private static Merger<Object, Object> merger(int n) {
        return (key, aggregate, other) -> Catalogue.merge(n, key, aggregate, other);
    }

    private static java.util.function.BiFunction<Object, Object, Object> foreignKey(int n) {
        return (key, value) -> Catalogue.key(n, key, value);
    }

    private static Initializer<Object> initializer(int n) {
        return () -> Catalogue.initial(n);
    }

    private static ValueJoinerWithKey<Object, Object, Object, Object> joiner(int n) {
        return (key, left, right) -> Catalogue.join(n, key, left, right);
    }

    /** Those of tables do not see the key. */
    private static ValueJoiner<Object, Object, Object> tableJoiner(int n) {
        return (left, right) -> Catalogue.join(n, null, left, right);
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
            case "group_by_key": return same(stream(0).groupByKey(grouping(input(0).keys, 0)));
            case "group_by": return plain(stream(0).groupBy(key(number(0)), grouping(ANY, 1)));
            case "count": return same(grouped().count(store(input(0).keys, Serdes.Long(), number(0))));
            case "reduce": return same(grouped().reduce(reducer(number(0)), store(input(0).keys, ANY, number(1))));
            case "aggregate":
                return same(grouped().aggregate(initializer(number(1)), aggregator(number(0)), store(input(0).keys, ANY, number(2))));
            case "tumbling": return windows(TimeWindows.ofSizeAndGrace(time(0), time(1)), number(0));
            case "hopping":
                return windows(TimeWindows.ofSizeAndGrace(time(0), time(2)).advanceBy(time(1).compareTo(time(0)) > 0 ? time(0) : time(1)),
                    number(0));
            case "unlimited": return windows(UnlimitedWindows.of().startOn(java.time.Instant.ofEpochMilli(number(0))), Long.MAX_VALUE);
            case "sliding":
                return new Made(grouped().windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(time(0), time(1))),
                    new WindowedSerdes.TimeWindowedSerde(ANY, number(0)));
            case "session":
                return new Made(grouped().windowedBy(SessionWindows.ofInactivityGapAndGrace(time(0), time(1))),
                    new WindowedSerdes.SessionWindowedSerde(ANY));
            case "session_on_close": return same(sessions().emitStrategy(EmitStrategy.onWindowClose()));
            case "session_count": return same(sessions().count(windowedStore(Serdes.Long(), 0)));
            case "session_reduce": return same(sessions().reduce(reducer(number(0)), windowedStore(ANY, 1)));
            case "session_aggregate":
                return same(sessions().aggregate(initializer(number(1)), aggregator(number(0)), merger(number(2)), windowedStore(ANY, 3)));
            case "cogroup_sliding":
                return new Made(cogrouped().windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(time(0), time(1))),
                    new WindowedSerdes.TimeWindowedSerde(ANY, number(0)));
            case "cogroup_session":
                return new Made(cogrouped().windowedBy(SessionWindows.ofInactivityGapAndGrace(time(0), time(1))),
                    new WindowedSerdes.SessionWindowedSerde(ANY));
            case "session_cogroup_aggregate":
                return same(((SessionWindowedCogroupedKStream<Object, Object>) input(0).handle)
                    .aggregate(initializer(number(0)), merger(number(1)), store(ANY, ANY, number(2))));
            case "on_close": return same(windowed().emitStrategy(EmitStrategy.onWindowClose()));
            case "windowed_count": return same(windowed().count(windowedStore(Serdes.Long(), 0)));
            case "windowed_reduce": return same(windowed().reduce(reducer(number(0)), windowedStore(ANY, 1)));
            case "windowed_aggregate":
                return same(windowed().aggregate(initializer(number(1)), aggregator(number(0)), windowedStore(ANY, 2)));
            case "cogroup": return same(grouped().cogroup(aggregator(number(0))));
            case "cogroup_add":
                return same(cogrouped().cogroup((KGroupedStream<Object, Object>) input(1).handle, aggregator(number(0))));
            case "cogroup_aggregate": return same(cogrouped().aggregate(initializer(number(0)), store(input(0).keys, ANY, number(1))));
            case "cogroup_tumbling":
                return new Made(cogrouped().windowedBy(TimeWindows.ofSizeAndGrace(time(0), time(1))),
                    new WindowedSerdes.TimeWindowedSerde(ANY, time(0).toMillis()));
            case "windowed_cogroup_aggregate":
                return same(((TimeWindowedCogroupedKStream<Object, Object>) input(0).handle)
                    .aggregate(initializer(number(0)), store(ANY, ANY, number(1))));
            case "table": return table();
            case "to_table": return same(stream(0).toTable(tableStore(input(0).keys, 0)));
            case "to_stream_by": return plain(table(0).toStream(key(number(0))));
            case "table_filter":
                return same(number(1) == 0 ? table(0).filter(predicate(number(0)))
                    : table(0).filter(predicate(number(0)), tableStore(input(0).keys, 1)));
            case "table_filter_not":
                return same(number(1) == 0 ? table(0).filterNot(predicate(number(0)))
                    : table(0).filterNot(predicate(number(0)), tableStore(input(0).keys, 1)));
            case "table_map_values":
                return same(number(1) == 0 ? table(0).mapValues(value(number(0)))
                    : table(0).mapValues(value(number(0)), tableStore(input(0).keys, 1)));
            case "table_group_by": return tableGroupBy(number(0), number(1));
            case "table_count": return same(groupedTable().count(store(ANY, Serdes.Long(), number(0))));
            case "table_reduce":
                return same(groupedTable().reduce(reducer(number(0)), reducer(number(1)), store(ANY, ANY, number(2))));
            case "table_aggregate":
                return same(groupedTable().aggregate(initializer(number(2)), aggregator(number(0)), aggregator(number(1)),
                    store(ANY, ANY, number(3))));
            case "table_join":
                return same(number(1) == 0 ? table(0).join(table(1), tableJoiner(number(0)))
                    : table(0).join(table(1), tableJoiner(number(0)), tableStore(input(0).keys, 1)));
            case "table_left_join":
                return same(number(1) == 0 ? table(0).leftJoin(table(1), tableJoiner(number(0)))
                    : table(0).leftJoin(table(1), tableJoiner(number(0)), tableStore(input(0).keys, 1)));
            case "table_outer_join":
                return same(number(1) == 0 ? table(0).outerJoin(table(1), tableJoiner(number(0)))
                    : table(0).outerJoin(table(1), tableJoiner(number(0)), tableStore(input(0).keys, 1)));
            case "foreign_join":
                return same(number(2) == 0 ? table(0).join(table(1), foreignKey(number(0)), tableJoiner(number(1)))
                    : table(0).join(table(1), foreignKey(number(0)), tableJoiner(number(1)), tableStore(input(0).keys, 2)));
            case "foreign_left_join":
                return same(number(2) == 0 ? table(0).leftJoin(table(1), foreignKey(number(0)), tableJoiner(number(1)))
                    : table(0).leftJoin(table(1), foreignKey(number(0)), tableJoiner(number(1)), tableStore(input(0).keys, 2)));
            case "versioned_table":
            case "versioned_side":
                return plain(builder.table("in" + number(0), Consumed.with(ANY, ANY), versioned(ANY, time(1))));
            case "to_versioned_table":
            case "to_versioned_side":
                return same(stream(0).toTable(versioned(input(0).keys, time(0))));
            case "suppress_final":
                return same(((KTable) table(0)).suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded())));
            case "suppress":
                return same(table(0).suppress(Suppressed.untilTimeLimit(time(0), number(1) == 0 ? Suppressed.BufferConfig.unbounded()
                    : Suppressed.BufferConfig.maxRecords(number(1)))));
            case "global_table": return plain(builder.globalTable("in" + number(0), Consumed.with(ANY, ANY)));
            case "join_global": return same(stream(0).join(globalTable(), key(number(0)), joiner(number(1))));
            case "left_join_global": return same(stream(0).leftJoin(globalTable(), key(number(0)), joiner(number(1))));
            case "to_stream": return same(table(0).toStream());
            case "join":
                return same(stream(0).join(stream(1), joiner(number(3)), joinWindows(), StreamJoined.with(input(0).keys, ANY, ANY)));
            case "left_join":
                return same(stream(0).leftJoin(stream(1), joiner(number(3)), joinWindows(), StreamJoined.with(input(0).keys, ANY, ANY)));
            case "outer_join":
                return same(stream(0).outerJoin(stream(1), joiner(number(3)), joinWindows(), StreamJoined.with(input(0).keys, ANY, ANY)));
            case "join_table": return same(stream(0).join(table(1), joiner(number(0)), Joined.with(input(0).keys, ANY, ANY)));
            case "join_versioned": return same(stream(0).join(table(1), joiner(number(0)), waiting()));
            case "left_join_versioned": return same(stream(0).leftJoin(table(1), joiner(number(0)), waiting()));
            case "left_join_table": return same(stream(0).leftJoin(table(1), joiner(number(0)), Joined.with(input(0).keys, ANY, ANY)));
            default: throw new IllegalArgumentException("no operator " + node[2]);
        }
    }

    private Joined<Object, Object, Object> waiting() {
        return Joined.with((Serde<Object>) input(0).keys, (Serde<Object>) ANY, (Serde<Object>) ANY).withGracePeriod(time(1));
    }

    private JoinWindows joinWindows() {
        return JoinWindows.ofTimeDifferenceAndGrace(time(0), time(2)).before(time(0)).after(time(1));
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

    private Made windows(Windows windows, long size) {
        return new Made(grouped().windowedBy(windows), new WindowedSerdes.TimeWindowedSerde(ANY, size));
    }

    private Made table() {
        String topic = "in" + number(0);
        Consumed<Object, Object> consumed = Consumed.with(ANY, ANY);
        return plain(number(1) == 0 ? builder.table(topic, consumed) : builder.table(topic, consumed, tableStore(ANY, 1)));
    }

    private Made tableGroupBy(int k, int v) {
        return plain(table(0).groupBy((key, value) -> KeyValue.pair(Catalogue.key(k, key, value), Catalogue.value(v, key, value)),
            Grouped.with(ANY, ANY)));
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
