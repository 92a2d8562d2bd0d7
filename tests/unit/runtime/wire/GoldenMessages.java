import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/*
 * Writes rows for golden_messages.h: one random message of every version, encoded by Apache Kafka's generated classes, its text made from
 * the schema that lies in Kafka's jars, independent of both codecs.
 *
 *     java -cp "$KAFKA_CLASSPATH" GoldenMessages.java SEED common/message/EndTxnRequest.json...
 */
public class GoldenMessages {
    static final String[] STRINGS = { "", "a", "x.y", "orders", "grün", "topic-1", "range", "node" };
    static Random random;
    static Map<String, JsonNode> structs;

    static boolean has(JsonNode field, String key, int version) {
        String versions = field.path(key).asText("none");
        if (versions.equals("none"))
            return false;
        if (versions.endsWith("+"))
            return version >= Integer.parseInt(versions.substring(0, versions.length() - 1));
        String[] ends = versions.split("-");
        return version >= Integer.parseInt(ends[0]) && version <= Integer.parseInt(ends[ends.length - 1]);
    }

    static long number(int bits) {
        long max = bits == 64 ? Long.MAX_VALUE : (1L << (bits - 1)) - 1;
        switch (random.nextInt(4)) {
        case 0: return max;
        case 1: return -max - 1;
        case 2: return random.nextInt(100);
        default: return random.nextLong() >> (64 - bits);
        }
    }

    /* Gives the value as JSON, and its text. */
    static JsonNode value(String type, JsonNode field, int version, StringBuilder text) {
        JsonNodeFactory json = JsonNodeFactory.instance;
        if (has(field, "nullableVersions", version) && random.nextInt(4) == 0) {
            text.append("null");
            return json.nullNode();
        }
        if (type.startsWith("[]")) {
            ArrayNode array = json.arrayNode();
            int count = random.nextInt(3);
            text.append("[");
            for (int i = 0; i < count; i++) {
                text.append(i == 0 ? "" : ", ");
                JsonNode plain = ((ObjectNode) field.deepCopy()).without("nullableVersions");
                array.add(value(type.substring(2), plain, version, text));
            }
            text.append("]");
            return array;
        }
        switch (type) {
        case "bool": {
            boolean flag = random.nextBoolean();
            text.append(flag);
            return json.booleanNode(flag);
        }
        case "int8": case "int16": case "int32": case "int64": {
            long number = number(Integer.parseInt(type.substring(3)));
            text.append(number);
            return json.numberNode(number);
        }
        case "uuid": {
            Uuid id = new Uuid(random.nextLong(), random.nextLong());
            text.append(id);
            return json.textNode(id.toString());
        }
        case "string": {
            String string = STRINGS[random.nextInt(STRINGS.length)];
            text.append('"').append(string).append('"');
            return json.textNode(string);
        }
        default: {
            JsonNode fields = field.has("fields") ? field.get("fields") : structs.get(type);
            return struct(fields, version, text);
        }
        }
    }

    static ObjectNode struct(JsonNode fields, int version, StringBuilder text) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        text.append("{");
        boolean first = true;
        for (JsonNode field : fields) {
            boolean tagged = field.has("tag");
            if (!has(field, tagged ? "taggedVersions" : "versions", version))
                continue;
            if (tagged && random.nextBoolean())
                continue; /* stays at its default, and is not sent */
            String name = field.get("name").asText();
            StringBuilder own = new StringBuilder();
            JsonNode value = value(field.get("type").asText(), field, version, own);
            if (tagged && value.asText().equals(field.path("default").asText("0")))
                continue;
            object.set(Character.toLowerCase(name.charAt(0)) + name.substring(1), value);
            text.append(first ? "" : ", ").append(snake(name)).append("=").append(own);
            first = false;
        }
        text.append("}");
        return object;
    }

    static String snake(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase();
    }

    static void print(String label, String text) {
        System.out.print("      ");
        for (int at = 0; at < text.length() || at == 0; at += 120)
            System.out.print((at == 0 ? "" : "\n      ") + '"' + text.substring(at, Math.min(text.length(), at + 120)) + '"');
    }

    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        mapper.enable(JsonParser.Feature.ALLOW_COMMENTS);
        for (int i = 1; i < arguments.length; i++) {
            JsonNode schema = mapper.readTree(GoldenMessages.class.getClassLoader().getResource(arguments[i]));
            structs = new HashMap<>();
            for (JsonNode common : schema.path("commonStructs"))
                structs.put(common.get("name").asText(), common.get("fields"));
            String name = schema.get("name").asText();
            boolean api = schema.get("type").asText().startsWith("re");
            String type = api ? "org.apache.kafka.common.message." + name + "Data"
                              : "org.apache.kafka.coordinator.transaction.generated." + name;
            String[] ends = schema.get("validVersions").asText().split("-");
            for (int version = Integer.parseInt(ends[0]); version <= Integer.parseInt(ends[ends.length - 1]); version++) {
                random = new Random(Long.parseLong(arguments[0]) * 1000003 + name.hashCode() * 31L + version);
                StringBuilder text = new StringBuilder();
                JsonNode json = struct(schema.get("fields"), version, text);
                Message message = (Message) Class.forName(type + "JsonConverter").getMethod("read", JsonNode.class, short.class)
                    .invoke(null, json, (short) version);
                ByteBuffer bytes = MessageUtil.toByteBufferAccessor(message, (short) version).buffer();
                StringBuilder hex = new StringBuilder();
                while (bytes.hasRemaining())
                    hex.append(String.format("%02x", bytes.get()));
                System.out.println("    { \"" + snake(name) + "\", " + version + ",");
                print("hex", hex.toString());
                System.out.println(",");
                print("text", text.toString().replace("\"", "\u0001"));
                System.out.println(" },");
            }
        }
    }
}
