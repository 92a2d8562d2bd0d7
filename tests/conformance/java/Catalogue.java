import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;

/** The functions of catalogue.c: the same numbers, the same meanings. They work on the bytes of whatever a key or value is. */
final class Catalogue {
    static final int LENGTH_MAX = 40;

    static final class Failure extends RuntimeException {
        Failure(String message) {
            super(message, null, false, false);
        }
    }

    private Catalogue() {}

    // ---- bytes ----------------------------------------------------------------------------------------------------------------

    /** What the serializer of Kafka Streams would write: Long and windowed keys in its own forms. */
    static byte[] bytes(Object any) {
        if (any == null)
            return null;
        if (any instanceof Bytes)
            return ((Bytes) any).get();
        if (any instanceof byte[])
            return (byte[]) any;
        if (any instanceof Long)
            return ByteBuffer.allocate(8).putLong((Long) any).array();
        Windowed<?> windowed = (Windowed<?>) any;
        byte[] key = bytes(windowed.key());
        ByteBuffer buffer = ByteBuffer.allocate(key.length + (windowed.window() instanceof SessionWindow ? 16 : 8)).put(key);
        if (windowed.window() instanceof SessionWindow)
            buffer.putLong(windowed.window().end());
        return buffer.putLong(windowed.window().start()).array();
    }

    static Bytes text(String text) {
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++)
            bytes[i] = (byte) text.charAt(i);
        return Bytes.wrap(bytes);
    }

    static Bytes wrap(Object any) {
        return any == null ? null : Bytes.wrap(bytes(any));
    }

    static int checksum(byte[] bytes) {
        int sum = (int) 2166136261L;
        for (int i = 0; bytes != null && i < bytes.length; i++)
            sum = (sum ^ (bytes[i] & 0xff)) * 16777619;
        return sum;
    }

    static int length(Object any) {
        byte[] bytes = bytes(any);
        return bytes == null ? 0 : bytes.length;
    }

    static int first(Object any) {
        byte[] bytes = bytes(any);
        return bytes == null || bytes.length == 0 ? -1 : bytes[0] & 0xff;
    }

    static boolean isOdd(int value) {
        return value >= 0 && value % 2 == 1;
    }

    static Bytes firstByte(Object any) {
        if (any == null)
            return null;
        byte[] bytes = bytes(any);
        return bytes.length <= 1 ? Bytes.wrap(bytes) : Bytes.wrap(new byte[] {bytes[0]});
    }

    static Bytes concatenate(Object a, String between, Object b) {
        byte[] left = bytes(a == null ? text("~") : a), middle = text(between).get(), right = bytes(b == null ? text("~") : b);
        byte[] whole = ByteBuffer.allocate(left.length + middle.length + right.length).put(left).put(middle).put(right).array();
        return whole.length > LENGTH_MAX ? text(String.format("#%08x", checksum(whole))) : Bytes.wrap(whole);
    }

    static long toNumber(Object any) {
        byte[] text = bytes(any);
        long number = 0;
        boolean negative = first(any) == '-';
        for (int i = negative ? 1 : 0; text != null && i < text.length; i++)
            number = number * 10 + ((text[i] & 0xff) - '0');
        return negative ? -number : number;
    }

    static Bytes ofNumber(long number) {
        return text(Long.toString(number));
    }

    // ---- record by record -----------------------------------------------------------------------------------------------------

    static boolean predicate(int number, Object key, Object value) {
        switch (number) {
            case 0: return value != null;
            case 1: return key != null;
            case 2: return length(value) % 2 == 0;
            case 3: return isOdd(first(value));
            case 4: return isOdd(first(key));
            case 5: return true;
            case 6: return false;
            default: return first(value) < 'c';
        }
    }

    static Object value(int number, Object key, Object value) {
        switch (number) {
            case 0: return value;
            case 1: return value == null ? null : concatenate(value, "", text("!"));
            case 2: return concatenate(value, "", text("?"));
            case 3: return isOdd(first(value)) ? null : value;
            case 4: return firstByte(value);
            case 5: return concatenate(key, ":", value);
            case 6: return text("");
            default:
                if (first(value) == 'f')
                    throw new Failure("a value that begins with f");
                return value;
        }
    }

    static Object key(int number, Object key, Object value) {
        switch (number) {
            case 0: return length(value) == 0 ? null : firstByte(value);
            case 1: return value == null ? null : text(isOdd(first(value)) ? "1" : "0");
            case 2: return text("k");
            case 3: return wrap(value);
            case 4: return wrap(key);
            case 5: return concatenate(key, "", firstByte(value));
            default:
                if (first(value) == 'f')
                    throw new Failure("a value that begins with f");
                return text(length(value) > 1 ? "" : "z");
        }
    }

    static List<KeyValue<Object, Object>> flat(int number, Object key, Object value) {
        List<KeyValue<Object, Object>> out = new ArrayList<>();
        switch (number) {
            case 0:
                byte[] each = bytes(value);
                for (int i = 0; value != null && i < each.length && i < 3; i++)
                    out.add(KeyValue.pair(wrap(key), Bytes.wrap(new byte[] {each[i]})));
                break;
            case 1:
                out.add(KeyValue.pair(wrap(key), value));
                out.add(KeyValue.pair(wrap(key), value));
                break;
            case 2:
                out.add(KeyValue.pair(wrap(value), wrap(key)));
                out.add(KeyValue.pair(wrap(key), value));
                break;
            default:
                if (value != null)
                    out.add(KeyValue.pair(wrap(key), concatenate(value, "", text("*"))));
        }
        return out;
    }

    // ---- aggregates -----------------------------------------------------------------------------------------------------------

    static int compare(Object a, Object b) {
        return Arrays.compareUnsigned(a == null ? new byte[0] : bytes(a), b == null ? new byte[0] : bytes(b));
    }

    static Object reduce(int number, Object aggregate, Object value) {
        switch (number) {
            case 0: return concatenate(aggregate, "", value);
            case 1: return value;
            case 2: return first(value) == 'd' ? null : aggregate;
            case 3: return compare(aggregate, value) < 0 ? value : aggregate;
            default: return concatenate(value, "", text("-"));
        }
    }

    static Object initial(int number) {
        return number == 0 ? text("0") : number == 1 ? text("") : null;
    }

    static Object aggregate(int number, Object key, Object value, Object aggregate) {
        long amount = Integer.toUnsignedLong(checksum(bytes(value))) % 100;
        switch (number) {
            case 0: return concatenate(aggregate, "", value);
            case 1: return first(value) == 'd' ? null : concatenate(aggregate, ".", value);
            case 2: return ofNumber(toNumber(aggregate) + amount);
            case 3: return ofNumber(toNumber(aggregate) - amount);
            default: return concatenate(value, "", key);
        }
    }

    static Object merge(int number, Object key, Object aggregate, Object other) {
        switch (number) {
            case 0: return concatenate(aggregate, "|", other);
            case 1: return ofNumber(toNumber(aggregate) + toNumber(other));
            default: return first(other) == 'd' ? null : compare(aggregate, other) < 0 ? other : aggregate;
        }
    }

    static Object join(int number, Object key, Object left, Object right) {
        switch (number) {
            case 0: return concatenate(left, "+", right);
            case 1: return left;
            case 2: return right;
            case 3: return isOdd(first(left)) ? null : concatenate(left, "&", right);
            default: return concatenate(key, "/", right);
        }
    }
}
