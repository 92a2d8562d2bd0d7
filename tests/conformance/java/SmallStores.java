import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.Options;

/** Stores for sixty records, opened for every case: what they set up for more takes half of the time, in memory file systems. */
public final class SmallStores implements RocksDBConfigSetter {
    @Override
    public void setConfig(String store, Options options, Map<String, Object> configs) {
        options.setManifestPreallocationSize(4096);
        options.setAvoidFlushDuringShutdown(true);
    }

    @Override
    public void close(String store, Options options) {}
}
