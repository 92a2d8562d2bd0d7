import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;

/** Writes whatever a key or value is as Kafka Streams would; reads bytes. */
public final class AnySerde implements Serde<Object> {
    @Override
    public Serializer<Object> serializer() {
        return (topic, any) -> Catalogue.bytes(any);
    }

    @Override
    public Deserializer<Object> deserializer() {
        return (topic, bytes) -> bytes == null ? null : Bytes.wrap(bytes);
    }
}
