import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.*;

/*
 * Apache Kafka's own transactional producer and consumers.
 *
 *     java Transactions.java HOST:PORT cases                   commit, abort, offsets, fencing, time-out
 *     java Transactions.java HOST:PORT chain ID FROM TO COUNT  copies FROM to TO in transactions until COUNT records are read
 *     java Transactions.java HOST:PORT check TOPIC COUNT       TOPIC holds 0 to COUNT - 1, each once, for read_committed
 */
public class Transactions {
    static String server;

    static KafkaProducer<String, String> producer(String id, int timeoutMs) {
        Properties p = new Properties();
        p.put("bootstrap.servers", server);
        p.put("transactional.id", id);
        p.put("transaction.timeout.ms", timeoutMs);
        p.put("delivery.timeout.ms", 30000);
        p.put("request.timeout.ms", 5000);
        p.put("linger.ms", 0);
        return new KafkaProducer<>(p, new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(String group, String isolation) {
        Properties p = new Properties();
        p.put("bootstrap.servers", server);
        if (group != null)
            p.put("group.id", group);
        p.put("enable.auto.commit", "false");
        p.put("auto.offset.reset", "earliest");
        p.put("isolation.level", isolation);
        p.put("max.poll.records", 100);
        return new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer());
    }

    /* Everything in the topic up to its end, as the isolation has it. */
    static List<String> read(String topic, String isolation) {
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> c = consumer(null, isolation)) {
            List<TopicPartition> partitions = new ArrayList<>();
            c.partitionsFor(topic).forEach(i -> partitions.add(new TopicPartition(topic, i.partition())));
            c.assign(partitions);
            c.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = c.endOffsets(partitions);
            while (partitions.stream().anyMatch(p -> c.position(p) < ends.get(p)))
                c.poll(Duration.ofMillis(100)).forEach(r -> values.add(r.value()));
        }
        Collections.sort(values);
        return values;
    }

    static void expect(String what, Object wanted, Object got) {
        if (!wanted.equals(got)) {
            System.out.println("FAILED: " + what + ": wanted " + wanted + ", got " + got);
            System.exit(1);
        }
        System.out.println("ok: " + what);
    }

    static void send(KafkaProducer<String, String> p, String topic, String... values) {
        for (String value : values)
            p.send(new ProducerRecord<>(topic, value, value));
    }

    static void commitAndAbort() {
        try (KafkaProducer<String, String> p = producer("first", 60000)) {
            p.initTransactions();
            p.beginTransaction();
            send(p, "txn", "a", "b", "c", "d");
            p.commitTransaction();
            p.beginTransaction();
            send(p, "txn", "x", "y", "z");
            p.flush();
            expect("an open transaction is not shown", List.of("a", "b", "c", "d"), read("txn", "read_committed"));
            p.abortTransaction();
            p.beginTransaction();
            send(p, "txn", "e", "f");
            p.commitTransaction();
        }
        expect("committed records", List.of("a", "b", "c", "d", "e", "f"), read("txn", "read_committed"));
        expect("all records", List.of("a", "b", "c", "d", "e", "f", "x", "y", "z"), read("txn", "read_uncommitted"));
    }

    static void fencing() {
        try (KafkaProducer<String, String> old = producer("fenced", 60000); KafkaProducer<String, String> young = producer("fenced", 60000)) {
            old.initTransactions();
            old.beginTransaction();
            send(old, "fence", "zombie");
            old.flush();
            young.initTransactions();
            young.beginTransaction();
            send(young, "fence", "alive");
            young.commitTransaction();
            String error = "none";
            try {
                send(old, "fence", "late");
                old.commitTransaction();
            } catch (ProducerFencedException | org.apache.kafka.common.errors.InvalidProducerEpochException e) {
                error = "fenced";
            } catch (KafkaException e) {
                error = e.getCause() instanceof ProducerFencedException || e.getCause() instanceof org.apache.kafka.common.errors.InvalidProducerEpochException ? "fenced" : e.toString();
            }
            expect("a zombie is fenced", "fenced", error);
        }
        expect("and its records are not shown", List.of("alive"), read("fence", "read_committed"));
    }

    static void timeOut() throws Exception {
        try (KafkaProducer<String, String> p = producer("slow", 1000)) {
            p.initTransactions();
            p.beginTransaction();
            send(p, "slow", "lost");
            p.flush();
            long end = System.currentTimeMillis() + 20000;
            int committed = -1;
            try (KafkaProducer<String, String> other = producer("quick", 60000)) {
                other.initTransactions();
                other.beginTransaction();
                send(other, "slow", "kept");
                other.commitTransaction();
            }
            while (System.currentTimeMillis() < end && (committed = read("slow", "read_committed").size()) < 1)
                Thread.sleep(100);
            expect("a transaction that is too old holds nobody back", 1, committed);
            String error = "none";
            try {
                p.commitTransaction();
            } catch (KafkaException e) {
                error = "refused";
            }
            expect("and cannot be committed any more", "refused", error);
        }
        expect("its records are not shown", List.of("kept"), read("slow", "read_committed"));
    }

    static void offsets() {
        TopicPartition zero = new TopicPartition("input", 0);
        try (KafkaProducer<String, String> p = producer("offsets", 60000); KafkaConsumer<String, String> c = consumer("txn-group", "read_committed")) {
            c.subscribe(List.of("input"));
            while (c.assignment().isEmpty())
                c.poll(Duration.ofMillis(100));
            c.position(zero); // else `committed` may take up what was asked for at the assignment, before the transaction
            p.initTransactions();
            p.beginTransaction();
            send(p, "output", "one");
            p.sendOffsetsToTransaction(Map.of(zero, new OffsetAndMetadata(3, "first")), c.groupMetadata());
            p.commitTransaction();
            expect("committed offset", 3L, c.committed(Set.of(zero)).get(zero).offset());
            p.beginTransaction();
            p.sendOffsetsToTransaction(Map.of(zero, new OffsetAndMetadata(9)), c.groupMetadata());
            p.abortTransaction();
            expect("an aborted offset does not count", 3L, c.committed(Set.of(zero)).get(zero).offset());
            expect("its metadata neither", "first", c.committed(Set.of(zero)).get(zero).metadata());
            p.beginTransaction();
            String error = "none";
            try {
                p.sendOffsetsToTransaction(Map.of(zero, new OffsetAndMetadata(9)), new ConsumerGroupMetadata("txn-group", 1000, c.groupMetadata().memberId(), Optional.empty()));
                p.commitTransaction();
            } catch (CommitFailedException e) {
                error = "fenced";
            } catch (KafkaException e) {
                error = e.toString();
            }
            expect("another generation is fenced", "fenced", error);
            p.abortTransaction();
        }
    }

    static void chain(String id, String from, String to, int count) {
        KafkaProducer<String, String> p = null;
        KafkaConsumer<String, String> c = consumer(id, "read_committed");
        c.subscribe(List.of(from));
        while (true) {
            try {
                if (p == null) {
                    p = producer(id, 10000);
                    p.initTransactions();
                    c.unsubscribe();
                    c.subscribe(List.of(from));
                }
                ConsumerRecords<String, String> records = c.poll(Duration.ofMillis(200));
                if (records.isEmpty()) {
                    long done = 0;
                    Set<TopicPartition> partitions = new HashSet<>();
                    c.partitionsFor(from).forEach(i -> partitions.add(new TopicPartition(from, i.partition())));
                    for (OffsetAndMetadata committed : c.committed(partitions).values())
                        done += committed == null ? 0 : committed.offset();
                    if (done >= count)
                        break;
                    continue;
                }
                p.beginTransaction();
                Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
                for (ConsumerRecord<String, String> r : records) {
                    p.send(new ProducerRecord<>(to, r.key(), r.value()));
                    ends.put(new TopicPartition(r.topic(), r.partition()), new OffsetAndMetadata(r.offset() + 1));
                }
                p.sendOffsetsToTransaction(ends, c.groupMetadata());
                p.commitTransaction();
                System.out.println("copied " + records.count());
            } catch (KafkaException e) {
                System.out.println("again after " + e);
                if (p != null)
                    p.close(Duration.ZERO);
                p = null;
            }
        }
        c.close();
        p.close();
        System.out.println("done");
    }

    static void check(String topic, int count) {
        List<Integer> got = new ArrayList<>();
        for (String value : read(topic, "read_committed"))
            got.add(Integer.parseInt(value));
        Collections.sort(got);
        List<Integer> wanted = new ArrayList<>();
        for (int i = 0; i < count; i++)
            wanted.add(i);
        if (!wanted.equals(got)) {
            System.out.println("FAILED: " + got.size() + " records, " + new HashSet<>(got).size() + " of them different, wanted " + count);
            System.exit(1);
        }
        System.out.println("ok: each of " + count + " once");
    }

    public static void main(String[] arguments) throws Exception {
        server = arguments[0];
        if (arguments[1].equals("chain")) {
            chain(arguments[2], arguments[3], arguments[4], Integer.parseInt(arguments[5]));
        } else if (arguments[1].equals("check")) {
            check(arguments[2], Integer.parseInt(arguments[3]));
        } else {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", server))) {
                admin.createTopics(List.of(new NewTopic("txn", 3, (short) 1), new NewTopic("fence", 1, (short) 1), new NewTopic("slow", 1, (short) 1),
                    new NewTopic("input", 1, (short) 1), new NewTopic("output", 2, (short) 1))).all().get();
            }
            commitAndAbort();
            fencing();
            offsets();
            timeOut();
        }
        System.exit(0);
    }
}
