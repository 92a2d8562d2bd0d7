/*
 * Two tables (base/config.h) and the road between them: which broker key stands behind a topic key, in which unit.
 */
#include "broker/config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define MAX INT64_MAX

static const struct config_key broker_keys[] = {
    { "node.id", CONFIG_INT, "1", 0, INT32_MAX, NULL, "The id of this broker." },
    { "auto.create.topics.enable", CONFIG_BOOL, "true", 0, 0, NULL,
      "Create a topic when a client asks for one that is missing." },
    { "compression.type", CONFIG_STRING, "producer", 0, 0, "producer",
      "Batches keep the compression that their producer chose." },
    { "connections.max.idle.ms", CONFIG_INT, "600000", -1, MAX, NULL, "Close a connection that asked nothing for this long." },
    { "default.replication.factor", CONFIG_INT, "1", 1, 1, NULL, "Replicas of a topic that is created without saying." },
    { "delete.topic.enable", CONFIG_BOOL, "true", 0, 0, NULL, "Whether topics may be deleted." },
    { "fetch.max.bytes", CONFIG_INT, "57671680", 1024, INT32_MAX, NULL, "The most bytes of records in one answer to a fetch." },
    { "group.initial.rebalance.delay.ms", CONFIG_INT, "0", 0, INT32_MAX, NULL,
      "How long an empty group waits for more members before its first rebalance." },
    { "group.max.session.timeout.ms", CONFIG_INT, "1800000", 1, INT32_MAX, NULL, "The longest session time-out of a member." },
    { "group.max.size", CONFIG_INT, "2147483647", 1, INT32_MAX, NULL, "The most members of a group." },
    { "group.min.session.timeout.ms", CONFIG_INT, "6000", 1, INT32_MAX, NULL, "The shortest session time-out of a member." },
    { "log.cleaner.backoff.ms", CONFIG_INT, "15000", 0, MAX, NULL,
      "How soon logs are looked at again after none had to be compacted." },
    { "log.cleaner.dedupe.buffer.size", CONFIG_INT, "134217728", 1048576, MAX, NULL,
      "The most memory that a compaction may take to know the newest record of each key." },
    { "log.cleaner.delete.retention.ms", CONFIG_INT, "86400000", 0, MAX, NULL, "How long tombstones stay readable." },
    { "log.cleaner.enable", CONFIG_BOOL, "true", 0, 0, NULL, "Whether topics with cleanup.policy=compact are compacted." },
    { "log.cleaner.max.compaction.lag.ms", CONFIG_INT, "9223372036854775807", 1, MAX, NULL,
      "Compact a record after at most this." },
    { "log.cleaner.min.cleanable.ratio", CONFIG_STRING, "0.5", 0, 0, NULL,
      "The dirty part of a log from which it is compacted." },
    { "log.cleaner.min.compaction.lag.ms", CONFIG_INT, "0", 0, MAX, NULL, "Keep a record from compaction for this long." },
    { "log.cleanup.policy", CONFIG_LIST, "delete", 0, 0, NULL, "What happens to old segments: delete, compact, or both." },
    { "log.index.interval.bytes", CONFIG_INT, "4096", 1, INT32_MAX, NULL, "Bytes of log between two entries of its index." },
    { "log.index.size.max.bytes", CONFIG_INT, "10485760", 4, INT32_MAX, NULL,
      "The size of an index at which its segment rolls." },
    { "log.message.timestamp.after.max.ms", CONFIG_INT, "3600000", 0, MAX, NULL,
      "How far a record's timestamp may lie ahead of the broker's clock." },
    { "log.message.timestamp.before.max.ms", CONFIG_INT, "9223372036854775807", 0, MAX, NULL,
      "How far a record's timestamp may lie behind the broker's clock." },
    { "log.message.timestamp.type", CONFIG_STRING, "CreateTime", 0, 0, "CreateTime|LogAppendTime",
      "Whether a record keeps its producer's timestamp or gets the broker's." },
    { "log.page.cache.bytes", CONFIG_INT, "268435456", -1, MAX, NULL,
      "How much of a partition's end stays in the kernel's page cache once it is synced; -1 leaves it to the kernel." },
    { "log.retention.bytes", CONFIG_INT, "-1", -1, MAX, NULL, "The size of a partition above which old segments go; -1 none." },
    { "log.retention.check.interval.ms", CONFIG_INT, "300000", 1, MAX, NULL, "How often old segments are looked for." },
    { "log.retention.hours", CONFIG_INT, "168", -1, INT32_MAX, NULL, "How long a segment is kept, in hours; -1 for ever." },
    { "log.retention.minutes", CONFIG_INT, NULL, -1, INT32_MAX, NULL, "The same in minutes; wins over hours." },
    { "log.retention.ms", CONFIG_INT, NULL, -1, MAX, NULL, "The same in milliseconds; wins over minutes." },
    { "log.retention.by.timestamp.only", CONFIG_BOOL, "false", 0, 0, NULL,
      "Count retention as Kafka does, from a segment's largest timestamp alone, instead of the later of that and its last "
      "append." },
    { "log.roll.hours", CONFIG_INT, "168", 1, INT32_MAX, NULL, "Roll a segment after this, in hours." },
    { "log.roll.ms", CONFIG_INT, NULL, 1, MAX, NULL, "The same in milliseconds; wins over hours." },
    { "log.segment.bytes", CONFIG_INT, "1073741824", 14, INT32_MAX, NULL, "Roll a segment at this size." },
    { "log.segment.delete.delay.ms", CONFIG_INT, "60000", 0, MAX, NULL, "How long a deleted file stays readable." },
    { "log.sync.before.ack", CONFIG_BOOL, "true", 0, 0, NULL,
      "Sync a batch to the disk before it is acknowledged. false is Kafka's way: a power cut may lose acknowledged records." },
    { "max.connections", CONFIG_INT, "10000", 1, INT32_MAX, NULL, "The most connections at a time." },
    { "message.max.bytes", CONFIG_INT, "1048588", 0, INT32_MAX, NULL, "The largest batch of records." },
    { "metadata.log.max.record.bytes.between.snapshots", CONFIG_INT, "20971520", 1, MAX, NULL,
      "Bytes of metadata records after which a snapshot is written." },
    { "metadata.log.max.snapshot.interval.ms", CONFIG_INT, "3600000", 0, MAX, NULL,
      "The longest time without a snapshot when metadata has changed; 0 for ever." },
    { "min.insync.replicas", CONFIG_INT, "1", 1, INT32_MAX, NULL, "Capped to the replication factor, which is 1." },
    { "num.partitions", CONFIG_INT, "1", 1, 100000, NULL, "Partitions of a topic that is created without saying." },
    { "offset.metadata.max.bytes", CONFIG_INT, "4096", 0, INT32_MAX, NULL, "The longest text beside a committed offset." },
    { "offsets.retention.check.interval.ms", CONFIG_INT, "600000", 1, MAX, NULL,
      "How often old committed offsets are looked for." },
    { "offsets.retention.minutes", CONFIG_INT, "10080", 1, INT32_MAX, NULL,
      "How long the offsets of an empty group, or of a topic it no longer reads, are kept." },
    { "offsets.topic.num.partitions", CONFIG_INT, "50", 1, 10000, NULL, "Partitions of __consumer_offsets, when it is created." },
    { "offsets.topic.replication.factor", CONFIG_INT, "1", 1, 1, NULL, "Replicas of __consumer_offsets." },
    { "offsets.topic.segment.bytes", CONFIG_INT, "104857600", 1, INT32_MAX, NULL, "Segment size of __consumer_offsets." },
    { "producer.id.expiration.ms", CONFIG_INT, "86400000", 1, INT32_MAX, NULL,
      "How long a silent producer's sequence is remembered." },
    { "transaction.abort.timed.out.transaction.cleanup.interval.ms", CONFIG_INT, "10000", 1, INT32_MAX, NULL,
      "How often transactions are looked for that are older than their time-out." },
    { "transaction.max.timeout.ms", CONFIG_INT, "900000", 1, INT32_MAX, NULL, "The longest time-out of a transaction." },
    { "transaction.remove.expired.transaction.cleanup.interval.ms", CONFIG_INT, "3600000", 1, INT32_MAX, NULL,
      "How often idle transactional ids are looked for." },
    { "transaction.state.log.min.isr", CONFIG_INT, "1", 1, 1, NULL, "Replicas that a record of __transaction_state waits for." },
    { "transaction.state.log.num.partitions", CONFIG_INT, "50", 1, 10000, NULL,
      "Partitions of __transaction_state, when it is created." },
    { "transaction.state.log.replication.factor", CONFIG_INT, "1", 1, 1, NULL, "Replicas of __transaction_state." },
    { "transaction.state.log.segment.bytes", CONFIG_INT, "104857600", 1, INT32_MAX, NULL,
      "Segment size of __transaction_state." },
    { "transactional.id.expiration.ms", CONFIG_INT, "604800000", 1, INT32_MAX, NULL,
      "How long an idle transactional id is remembered." },
    { "queued.max.request.bytes", CONFIG_INT, "268435456", 1048576, MAX, NULL,
      "Bytes of requests in memory, parked ones included, above which connections are not read." },
    { "socket.request.max.bytes", CONFIG_INT, "104857600", 1024, INT32_MAX, NULL, "The largest request." },
};

/*
 * Topic keys that a single broker without tiers and replicas takes only at their default have just that one
 * value in `values`: setting another is refused with its name.
 */
static const struct config_key topic_keys[] = {
    { "cleanup.policy", CONFIG_LIST, "delete", 0, 0, NULL, "What happens to old segments: delete, compact, or both." },
    { "compression.type", CONFIG_STRING, "producer", 0, 0, "producer",
      "Batches keep the compression that their producer chose." },
    { "delete.retention.ms", CONFIG_INT, "86400000", 0, MAX, NULL, "How long tombstones stay readable." },
    { "file.delete.delay.ms", CONFIG_INT, "60000", 0, MAX, NULL, "How long a deleted file stays readable." },
    { "flush.messages", CONFIG_INT, "9223372036854775807", 1, MAX, NULL,
      "Records between syncs; acknowledged ones are synced anyway." },
    { "flush.ms", CONFIG_INT, "9223372036854775807", 0, MAX, NULL,
      "Time between syncs; acknowledged records are synced anyway." },
    { "index.interval.bytes", CONFIG_INT, "4096", 1, INT32_MAX, NULL, "Bytes of log between two entries of its index." },
    { "max.compaction.lag.ms", CONFIG_INT, "9223372036854775807", 1, MAX, NULL, "Compact a record after at most this." },
    { "max.message.bytes", CONFIG_INT, "1048588", 0, INT32_MAX, NULL, "The largest batch of records." },
    { "message.timestamp.after.max.ms", CONFIG_INT, "3600000", 0, MAX, NULL,
      "How far a record's timestamp may lie ahead of the broker's clock." },
    { "message.timestamp.before.max.ms", CONFIG_INT, "9223372036854775807", 0, MAX, NULL,
      "How far a record's timestamp may lie behind the broker's clock." },
    { "message.timestamp.type", CONFIG_STRING, "CreateTime", 0, 0, "CreateTime|LogAppendTime",
      "Whether a record keeps its producer's timestamp or gets the broker's." },
    { "min.cleanable.dirty.ratio", CONFIG_STRING, "0.5", 0, 0, NULL, "The dirty part of a log from which it is compacted." },
    { "min.compaction.lag.ms", CONFIG_INT, "0", 0, MAX, NULL, "Keep a record from compaction for this long." },
    { "min.insync.replicas", CONFIG_INT, "1", 1, INT32_MAX, NULL, "Capped to the replication factor, which is 1." },
    { "preallocate", CONFIG_BOOL, "false", 0, 0, NULL, "Segments grow as they are written." },
    { "remote.storage.enable", CONFIG_STRING, "false", 0, 0, "false", "There is no remote tier." },
    { "retention.bytes", CONFIG_INT, "-1", -1, MAX, NULL, "The size of a partition above which old segments go; -1 none." },
    { "retention.ms", CONFIG_INT, "604800000", -1, MAX, NULL, "How long a segment is kept; -1 for ever." },
    { "segment.bytes", CONFIG_INT, "1073741824", 14, INT32_MAX, NULL, "Roll a segment at this size." },
    { "segment.index.bytes", CONFIG_INT, "10485760", 4, INT32_MAX, NULL, "The size of an index at which its segment rolls." },
    { "segment.jitter.ms", CONFIG_INT, "0", 0, MAX, NULL, "Accepted; segments roll by segment.ms exactly." },
    { "segment.ms", CONFIG_INT, "604800000", 1, MAX, NULL, "Roll a segment after this." },
    { "unclean.leader.election.enable", CONFIG_BOOL, "false", 0, 0, NULL, "One replica has no election." },
};

enum { TOPIC_KEYS = sizeof topic_keys / sizeof *topic_keys, BROKER_KEYS = sizeof broker_keys / sizeof *broker_keys };

/* The broker keys behind a topic key, nearest first, and what one of their units is in the topic key's unit. */
static const struct synonym_rule {
    const char *topic_key;
    const char *broker_key;
    int64_t unit;
} synonym_rules[] = {
    { "cleanup.policy", "log.cleanup.policy", 1 },
    { "compression.type", "compression.type", 1 },
    { "delete.retention.ms", "log.cleaner.delete.retention.ms", 1 },
    { "file.delete.delay.ms", "log.segment.delete.delay.ms", 1 },
    { "index.interval.bytes", "log.index.interval.bytes", 1 },
    { "max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms", 1 },
    { "max.message.bytes", "message.max.bytes", 1 },
    { "message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms", 1 },
    { "message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms", 1 },
    { "message.timestamp.type", "log.message.timestamp.type", 1 },
    { "min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio", 1 },
    { "min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms", 1 },
    { "min.insync.replicas", "min.insync.replicas", 1 },
    { "retention.bytes", "log.retention.bytes", 1 },
    { "retention.ms", "log.retention.ms", 1 },
    { "retention.ms", "log.retention.minutes", 60 * 1000 },
    { "retention.ms", "log.retention.hours", 60 * 60 * 1000 },
    { "segment.bytes", "log.segment.bytes", 1 },
    { "segment.index.bytes", "log.index.size.max.bytes", 1 },
    { "segment.ms", "log.roll.ms", 1 },
    { "segment.ms", "log.roll.hours", 60 * 60 * 1000 },
};

enum { SYNONYM_RULES = sizeof synonym_rules / sizeof *synonym_rules };

/* Kafka 4 dropped them; older Streams and admin clients still send them. */
static const char *const ignored_topic_keys[] = { "message.format.version", "message.downconversion.enable",
                                                  "message.timestamp.difference.max.ms" };

static const struct config_table broker_table = { .keys = broker_keys, .count = BROKER_KEYS };
static const struct config_table topic_table = { .keys = topic_keys, .count = TOPIC_KEYS };

const struct config_table *broker_config_table(void)
{
    return &broker_table;
}

const struct config_table *topic_config_table(void)
{
    return &topic_table;
}

static const char *default_of(const struct config_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->keys[i].name, name) == 0)
            return table->keys[i].default_value;
    mill_assert(!"a key of the table");
    return NULL;
}

size_t topic_config_synonyms(const struct config *broker, const struct config *topic, size_t index,
                             struct config_synonym synonyms[CONFIG_SYNONYMS_MAX])
{
    mill_assert(index < TOPIC_KEYS);
    const struct config_key *key = &topic_keys[index];
    size_t count = 0;
    const char *own = topic ? config_get_set(topic, key->name) : NULL;
    if (own)
        synonyms[count++] = (struct config_synonym){ key->name, own, CONFIG_SOURCE_TOPIC };

    const char *last = key->name;
    const char *default_value = key->default_value;
    for (size_t i = 0; i < SYNONYM_RULES; i++) {
        if (strcmp(synonym_rules[i].topic_key, key->name) != 0)
            continue;
        last = synonym_rules[i].broker_key;
        default_value = default_of(&broker_table, last);
        const char *set = config_get_set(broker, last);
        if (set)
            synonyms[count++] = (struct config_synonym){ last, set, CONFIG_SOURCE_BROKER_STATIC };
    }
    synonyms[count++] = (struct config_synonym){ last, default_value, CONFIG_SOURCE_DEFAULT };
    return count;
}

size_t broker_config_synonyms(const struct config *broker, size_t index, struct config_synonym synonyms[CONFIG_SYNONYMS_MAX])
{
    mill_assert(index < BROKER_KEYS);
    const struct config_key *key = &broker_keys[index];
    size_t count = 0;
    const char *set = config_get_set(broker, key->name);
    if (set)
        synonyms[count++] = (struct config_synonym){ key->name, set, CONFIG_SOURCE_BROKER_STATIC };
    synonyms[count++] = (struct config_synonym){ key->name, key->default_value, CONFIG_SOURCE_DEFAULT };
    return count;
}

/* `cleanup.policy`: delete, compact, or both with a comma; anything else is refused. */
static bool cleanup_policy_is_valid(const char *value)
{
    char text[CONFIG_VALUE_BYTES];
    if (snprintf(text, sizeof text, "%s", value) >= (int)sizeof text)
        return false;
    char *rest = NULL;
    int parts = 0;
    for (char *part = strtok_r(text, ", ", &rest); part; part = strtok_r(NULL, ", ", &rest), parts++)
        if (strcmp(part, "delete") != 0 && strcmp(part, "compact") != 0)
            return false;
    return parts > 0;
}

static bool ratio_is_valid(const char *value)
{
    char *end;
    double ratio = strtod(value, &end);
    return end != value && *end == '\0' && ratio >= 0 && ratio <= 1;
}

static bool topic_key_is_ignored(const char *name)
{
    for (size_t i = 0; i < sizeof ignored_topic_keys / sizeof *ignored_topic_keys; i++)
        if (strcmp(ignored_topic_keys[i], name) == 0)
            return true;
    return false;
}

int topic_config_set(struct config *topic, mill_bytes name, mill_bytes value)
{
    char key[128];
    char text[CONFIG_TEXT_BYTES];
    if (name.len >= sizeof key || value.len >= sizeof text)
        return error_set(&topic->error, MILL_EINVALID, "config name or value is too long");
    memcpy(key, name.data, name.len);
    key[name.len] = '\0';
    if (memchr(key, '\0', name.len) || (value.len > 0 && memchr(value.data, '\0', value.len)))
        return error_set(&topic->error, MILL_EINVALID, "config name or value holds a NUL");
    if (topic_key_is_ignored(key))
        return 0;
    if (mill_is_null(value))
        return config_set(topic, key, NULL);
    if (value.len > 0)
        memcpy(text, value.data, value.len);
    text[value.len] = '\0';

    if (strcmp(key, "cleanup.policy") == 0 && !cleanup_policy_is_valid(text))
        return error_set(&topic->error, MILL_EINVALID, "cleanup.policy: '%s' is not one of delete, compact or both", text);
    if (strcmp(key, "min.cleanable.dirty.ratio") == 0 && !ratio_is_valid(text))
        return error_set(&topic->error, MILL_EINVALID, "min.cleanable.dirty.ratio: '%s' is not a number from 0 to 1", text);
    return config_set(topic, key, text);
}

/* The text in force and, when it came from a broker key in another unit, that unit. */
static const char *value_in_force(const struct config *broker, const struct config *topic, const char *name, int64_t *unit)
{
    *unit = 1;
    const char *own = topic ? config_get_set(topic, name) : NULL;
    if (own)
        return own;
    for (size_t i = 0; i < SYNONYM_RULES; i++) {
        if (strcmp(synonym_rules[i].topic_key, name) != 0)
            continue;
        const char *set = config_get_set(broker, synonym_rules[i].broker_key);
        if (set) {
            *unit = synonym_rules[i].unit;
            return set;
        }
    }
    return default_of(&topic_table, name);
}

static const char *text_in_force(const struct config *broker, const struct config *topic, const char *name)
{
    int64_t unit;
    return value_in_force(broker, topic, name, &unit);
}

static int64_t int_in_force(const struct config *broker, const struct config *topic, const char *name)
{
    int64_t unit;
    int64_t value = strtoll(value_in_force(broker, topic, name, &unit), NULL, 10);
    if (value < 0)
        return value; /* -1 means none in every unit */
    return value > INT64_MAX / unit ? INT64_MAX : value * unit;
}

void topic_config_text(const struct config *broker, const struct config *topic, size_t index, char text[CONFIG_TEXT_BYTES])
{
    mill_assert(index < TOPIC_KEYS);
    int64_t unit;
    const char *value = value_in_force(broker, topic, topic_keys[index].name, &unit);
    if (unit == 1)
        snprintf(text, CONFIG_TEXT_BYTES, "%s", value ? value : "");
    else
        snprintf(text, CONFIG_TEXT_BYTES, "%" PRId64, int_in_force(broker, topic, topic_keys[index].name));
}

void topic_settings_resolve(struct topic_settings *settings, const struct config *broker, const struct config *topic)
{
    const char *policy = text_in_force(broker, topic, "cleanup.policy");
    *settings = (struct topic_settings){
        .retention_ms = int_in_force(broker, topic, "retention.ms"),
        .retention_bytes = int_in_force(broker, topic, "retention.bytes"),
        .segment_bytes = int_in_force(broker, topic, "segment.bytes"),
        .segment_ms = int_in_force(broker, topic, "segment.ms"),
        .segment_index_bytes = int_in_force(broker, topic, "segment.index.bytes"),
        .index_interval_bytes = int_in_force(broker, topic, "index.interval.bytes"),
        .max_message_bytes = int_in_force(broker, topic, "max.message.bytes"),
        .timestamp_before_max_ms = int_in_force(broker, topic, "message.timestamp.before.max.ms"),
        .timestamp_after_max_ms = int_in_force(broker, topic, "message.timestamp.after.max.ms"),
        .file_delete_delay_ms = int_in_force(broker, topic, "file.delete.delay.ms"),
        .flush_messages = int_in_force(broker, topic, "flush.messages"),
        .flush_ms = int_in_force(broker, topic, "flush.ms"),
        .delete_retention_ms = int_in_force(broker, topic, "delete.retention.ms"),
        .min_compaction_lag_ms = int_in_force(broker, topic, "min.compaction.lag.ms"),
        .max_compaction_lag_ms = int_in_force(broker, topic, "max.compaction.lag.ms"),
        .min_dirty_ratio = strtod(text_in_force(broker, topic, "min.cleanable.dirty.ratio"), NULL),
        .log_append_time = strcmp(text_in_force(broker, topic, "message.timestamp.type"), "LogAppendTime") == 0,
        .compacted = strstr(policy, "compact") != NULL,
        .deletes = strstr(policy, "delete") != NULL,
    };
}
