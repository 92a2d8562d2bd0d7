// Prints random topologies, the calls that build each and Kafka Streams' Topology#describe() of it: the facts in
// kafka_streams_random_topologies.txt. Run with Apache Kafka 4.3.1's jars on the class path: java KafkaStreamsRandomTopologies.java
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.Stores;

public class KafkaStreamsRandomTopologies {
    static class P implements Processor<String, String, String, String> {
        public void process(Record<String, String> record) {}
    }

    static final Random RANDOM = new Random(11);

    static String word() {
        return Integer.toString(RANDOM.nextInt(1 << 20), 36);
    }

    static String[] some(List<String> names, int count) {
        Set<String> chosen = new LinkedHashSet<>();
        for (int i = 0; i < count; i++)
            chosen.add(names.get(RANDOM.nextInt(names.size())));
        return chosen.toArray(new String[0]);
    }

    static void print(String what, String name, String[] list) {
        System.out.println(what + " " + name + " " + String.join(",", list));
    }

    static void topology(int size) {
        Topology t = new Topology();
        List<String> parents = new ArrayList<>();
        List<String> processors = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            String name = (RANDOM.nextBoolean() ? "n" + String.format("%04d", i) : word()) + "-" + i;
            int kind = parents.isEmpty() ? 0 : RANDOM.nextInt(10);
            String[] above = kind == 0 ? null : some(parents, RANDOM.nextInt(4) == 0 ? 1 + RANDOM.nextInt(3) : 1);
            if (kind == 0) {
                String[] topics = new String[1 + RANDOM.nextInt(RANDOM.nextInt(10) == 0 ? 14 : 3)];
                for (int j = 0; j < topics.length; j++)
                    topics[j] = "t" + word() + "-" + i + "-" + j;
                t.addSource(name, topics);
                print("source", name, topics);
                parents.add(name);
            } else if (kind <= 7) {
                t.addProcessor(name, P::new, above);
                print("processor", name, above);
                parents.add(name);
                processors.add(name);
            } else {
                t.addSink(name, "out-" + name, above);
                print("sink", name, above);
            }
        }
        for (int i = processors.isEmpty() ? 0 : RANDOM.nextInt(4); i > 0; i--) {
            String name = "store-" + word() + "-" + i;
            String[] users = some(processors, 1 + RANDOM.nextInt(3));
            t.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), Serdes.String(), Serdes.String()), users);
            print("store", name, users);
        }
        System.out.print("---\n" + t.describe());
    }

    public static void main(String[] arguments) {
        for (int i = 0; i < 60; i++) {
            System.out.println("### " + i);
            topology(2 + RANDOM.nextInt(i < 40 ? 8 : 25));
        }
        System.out.println("### end");
    }
}
