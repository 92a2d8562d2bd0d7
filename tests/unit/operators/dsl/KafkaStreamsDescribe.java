// Prints Kafka Streams' Topology#describe() of the pipelines of describe_test.c, one "### name" each: the facts in
// kafka_streams_describe.txt. Run with Apache Kafka 4.3.1's jars on the class path: java KafkaStreamsDescribe.java
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

public class KafkaStreamsDescribe {
    static void show(String name, Consumer<StreamsBuilder> pipeline) {
        StreamsBuilder b = new StreamsBuilder();
        pipeline.accept(b);
        System.out.print("### " + name + "\n" + b.build().describe());
    }

    static class P implements Processor<String, String, String, String> {
        public void process(Record<String, String> record) {}
    }

    static class FP implements FixedKeyProcessor<String, String, String> {
        public void process(FixedKeyRecord<String, String> record) {}
    }

    static final TimeWindows MINUTE = TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1));

    static void store(StreamsBuilder b, String name) {
        b.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), Serdes.String(), Serdes.String()));
    }

    public static void main(String[] arguments) {
        show("filter to a topic", b -> b.<String, String>stream("in").filter((k, v) -> true).to("out"));
        show("every stateless operator", b -> b.<String, String>stream("in").filterNot((k, v) -> true)
            .map((k, v) -> KeyValue.pair(k, v)).mapValues(v -> v).flatMap((k, v) -> List.of(KeyValue.pair(k, v)))
            .flatMapValues(v -> List.of(v)).selectKey((k, v) -> v).peek((k, v) -> {}).foreach((k, v) -> {}));
        show("count by key", b -> b.<String, String>stream("in").groupByKey().count().toStream().to("out"));
        show("count by a new key", b -> b.<String, String>stream("in").groupBy((k, v) -> v).count().toStream().to("out"));
        show("count under a name behind a map", b -> b.<String, String>stream("in").map((k, v) -> KeyValue.pair(v, k)).groupByKey()
            .count(Materialized.as("counts")).toStream().to("out"));
        show("two windowed aggregations of one group", b -> {
            var g = b.<String, String>stream("access-log").flatMap((k, v) -> List.of(KeyValue.pair(k, v))).groupByKey()
                .windowedBy(MINUTE);
            g.count(Materialized.as("pv")).toStream().to("page-views");
            g.reduce((x, y) -> x, Materialized.as("last")).toStream().to("last-visitors");
        });
        show("two aggregations of a named group", b -> {
            var g = b.<String, String>stream("in").map((k, v) -> KeyValue.pair(k, v)).groupByKey(Grouped.as("hits"));
            g.count(Materialized.as("pv")).toStream().to("page-views");
            g.reduce((x, y) -> x, Materialized.as("last")).toStream().to("last-visitors");
        });
        show("two unnamed windowed aggregations of a named group", b -> {
            var g = b.<String, String>stream("in").map((k, v) -> KeyValue.pair(k, v)).groupByKey(Grouped.as("hits"));
            g.windowedBy(MINUTE).count().toStream().to("page-views");
            g.windowedBy(MINUTE).aggregate(() -> "", (k, v, x) -> x).toStream().to("others");
        });
        show("group by a new key under a name", b -> b.<String, String>stream("in").groupBy((k, v) -> v, Grouped.as("by-value")).count()
            .toStream().to("out"));
        show("reduce and aggregate", b -> {
            var g = b.<String, String>stream("in").groupByKey();
            g.reduce((x, y) -> x);
            g.aggregate(() -> "", (k, v, x) -> x);
        });
        show("an unnamed group used twice", b -> {
            var g = b.<String, String>stream("in").selectKey((k, v) -> v).groupByKey();
            g.count();
            g.count();
        });
        show("split with a default", b -> {
            var m = b.<String, String>stream("in").split().branch((k, v) -> true).branch((k, v) -> false).defaultBranch();
            m.get("KSTREAM-BRANCH-00000000011").to("first");
            m.get("KSTREAM-BRANCH-00000000012").to("second");
            m.get("KSTREAM-BRANCH-00000000010").to("rest");
        });
        show("split, then count each branch", b -> {
            var m = b.<String, String>stream("in").map((k, v) -> KeyValue.pair(k, v)).split().branch((k, v) -> true).defaultBranch();
            m.get("KSTREAM-BRANCH-00000000021").groupByKey().count();
            m.get("KSTREAM-BRANCH-00000000020").groupByKey().count();
        });
        show("merge", b -> b.<String, String>stream("a").merge(b.stream("b")).to("out"));
        show("merge with a stream of new keys", b -> {
            KStream<String, String> x = b.stream("a"), y = b.stream("b");
            x.map((k, v) -> KeyValue.pair(k, v)).merge(y).groupByKey().count().toStream().to("out");
        });
        show("repartition", b -> b.<String, String>stream("a").repartition().to("out"));
        show("repartition under a name, then count twice", b -> {
            var r = b.<String, String>stream("a").selectKey((k, v) -> v).repartition(Repartitioned.as("hits"));
            r.groupByKey().count();
            r.groupByKey().count(Materialized.as("x")).toStream().to("out");
        });
        show("repartition under a name that has the suffix", b -> b.<String, String>stream("a")
            .repartition(Repartitioned.<String, String>as("hits-repartition").withNumberOfPartitions(5)).to("out"));
        show("a processor with a store, then count", b -> {
            store(b, "st");
            b.<String, String>stream("a").process(P::new, "st").groupByKey().count();
        });
        show("a processor of values, then count", b -> b.<String, String>stream("a").processValues(FP::new).groupByKey().count());
        show("a named processor, then an unnamed one", b -> b.<String, String>stream("in").process(P::new, Named.as("pp"))
            .process(P::new).to("out"));
        show("a processor with eight stores", b -> {
            String[] names = {"users", "alpha", "st", "beta", "counts", "z", "store-7", "gamma"};
            for (String name : names)
                store(b, name);
            b.<String, String>stream("a").process(P::new, names).to("out");
        });
        show("two processors that share a store", b -> {
            store(b, "st");
            b.<String, String>stream("a").process(P::new, "st").to("x");
            b.<String, String>stream("b").process(P::new, "st").to("y");
        });
        show("a source of five topics", b -> b.<String, String>stream(List.of("clicks", "views", "alpha", "zeta", "m")).to("out"));
        show("one topic, two streams", b -> {
            b.<String, String>stream("in").filter((k, v) -> true).to("x");
            b.<String, String>stream("in").mapValues(v -> v).to("y");
        });
        show("the same topics in another order", b -> {
            b.<String, String>stream(List.of("a", "b")).to("x");
            b.<String, String>stream(List.of("b", "a")).to("y");
        });
        show("a stream that fans out", b -> {
            KStream<String, String> s = b.stream("in");
            s.to("a");
            s.filter((k, v) -> true).mapValues(v -> v).to("b");
            s.mapValues(v -> v).to("c");
            s.peek((k, v) -> {}).filter((k, v) -> true).filter((k, v) -> true).to("d");
            s.foreach((k, v) -> {});
        });
        show("a diamond", b -> {
            KStream<String, String> s = b.stream("in");
            var f = s.filter((k, v) -> true);
            var g = s.mapValues(v -> v);
            f.merge(g).merge(s).to("out");
            f.to("f");
        });
        show("names everywhere", b -> b.<String, String>stream("in", Consumed.as("src")).filter((k, v) -> true, Named.as("flt"))
            .groupByKey().count(Named.as("cnt"), Materialized.as("st")).toStream(Named.as("ts")).to("out"));
        show("a named windowed count", b -> b.<String, String>stream("in").selectKey((k, v) -> v, Named.as("sk")).groupByKey()
            .windowedBy(MINUTE).count(Named.as("cnt")).toStream(Named.as("ts")).to("out"));
        show("a windowed result grouped again", b -> b.<String, String>stream("in").groupByKey().windowedBy(MINUTE).count().toStream()
            .groupBy((k, v) -> k.key()).count().toStream().to("out"));
        show("three repartitions", b -> {
            for (int i = 0; i < 3; i++)
                b.<String, String>stream("t" + (3 - i)).groupBy((k, v) -> v).count(Materialized.as("c" + i)).toStream().to("o" + i);
        });
        show("sub-topologies with named sources", b -> {
            b.<String, String>stream("zz", Consumed.as("z-src")).to("o1");
            b.<String, String>stream("aa", Consumed.as("a-src")).to("o2");
            b.<String, String>stream("mm").to("o3");
        });
        show("written, then read again", b -> {
            KStream<String, String> s = b.stream("in");
            s.to("mid");
            s.filter((k, v) -> true).to("mid");
            b.<String, String>stream("mid").groupByKey().count();
        });
        show("print", b -> b.<String, String>stream("in").filter((k, v) -> true).print(Printed.toSysOut()));
        show("processors that bring a store", b -> {
            var store = Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("shared"), Serdes.String(), Serdes.String());
            KStream<String, String> s = b.stream("in");
            s.process(new ProcessorSupplier<String, String, String, String>() {
                public Processor<String, String, String, String> get() { return new P(); }
                public Set<StoreBuilder<?>> stores() { return Set.of(store); }
            }).to("out");
            s.processValues(new FixedKeyProcessorSupplier<String, String, String>() {
                public FixedKeyProcessor<String, String, String> get() { return new FP(); }
                public Set<StoreBuilder<?>> stores() { return Set.of(store); }
            }).to("values");
        });
        show("a pattern", b -> b.<String, String>stream(Pattern.compile("orders-[a-z]+")).to("orders-all"));
        show("one pattern twice", b -> {
            b.<String, String>stream(Pattern.compile("t-.*")).to("o1");
            b.<String, String>stream(Pattern.compile("t-.*")).filter((k, v) -> true).to("o2");
        });
        show("two patterns that overlap", b -> {
            b.<String, String>stream(Pattern.compile("t-.*")).to("o1");
            b.<String, String>stream(Pattern.compile("t-a.*"), Consumed.as("narrow")).to("o2");
        });
        show("a pattern counted by a new key", b ->
            b.<String, String>stream(Pattern.compile("t-.*")).selectKey((k, v) -> v).groupByKey().count().toStream().to("out"));
        show("a pattern merged with a topic and joined with a table", b ->
            b.<String, String>stream(Pattern.compile("t-.*")).merge(b.stream("u")).join(b.<String, String>table("rows"),
                (x, y) -> x).to("out"));
        System.out.println("### end");
    }
}
