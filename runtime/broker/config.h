/*
 * What can be set on the broker and on a topic, under Kafka's names.
 *
 * A topic's setting has three sources, nearest first: what was set on the topic, the broker's setting of the synonymous name
 * (`retention.ms` <- `log.retention.ms` <- `log.retention.minutes` <- `log.retention.hours`), the default. DescribeConfigs shows
 * all three. A key that this broker cannot honour is refused when it is set to anything but its default, never silently ignored.
 *
 * Thread: read-only after parsing; a topic's values belong to the broker's loop.
 */
#ifndef BROKER_CONFIG_H
#define BROKER_CONFIG_H

#include "base/config.h"
#include "millstream/bytes.h"

/* The broker's keys, for command line, properties file and manual. */
const struct config_table *broker_config_table(void);

/* A topic's keys (`config_init` a topic's own values with it). */
const struct config_table *topic_config_table(void);

/* Where a value comes from; the numbers are DescribeConfigs'. */
enum config_source {
    CONFIG_SOURCE_TOPIC = 1,
    CONFIG_SOURCE_BROKER_STATIC = 4,
    CONFIG_SOURCE_DEFAULT = 5,
};

enum { CONFIG_SYNONYMS_MAX = 5, CONFIG_VALUE_BYTES = 32, CONFIG_TEXT_BYTES = 512 };

/* One step on a key's way to its value. `name` is static; `value` lives as long as the config that it came from. */
struct config_synonym {
    const char *name;
    const char *value; /* NULL: null */
    enum config_source source;
};

/*
 * The steps of topic key `index` of topic_config_table(), nearest first: the first one is in force, the last one the default.
 * `topic` may be NULL (what a new topic would get). Returns their number, at least 1.
 */
size_t topic_config_synonyms(const struct config *broker, const struct config *topic, size_t index,
                             struct config_synonym synonyms[CONFIG_SYNONYMS_MAX]);

/* The value in force of topic key `index`, in the key's own unit: hours of the broker's key are milliseconds here. */
void topic_config_text(const struct config *broker, const struct config *topic, size_t index, char text[CONFIG_TEXT_BYTES]);

/* The same for broker key `index` of broker_config_table(). */
size_t broker_config_synonyms(const struct config *broker, size_t index, struct config_synonym synonyms[CONFIG_SYNONYMS_MAX]);

/*
 * Checks and sets one topic key; `value` null removes it. 0, MILL_EINVALID with topic->error, MILL_ENOMEM. Keys that Kafka 4
 * dropped (message.format.version, ...) are accepted and ignored.
 */
int topic_config_set(struct config *topic, mill_bytes name, mill_bytes value);

/* A topic's values in force, resolved once when they change so that the record path reads plain numbers. */
struct topic_settings {
    int64_t retention_ms;    /* -1: for ever */
    int64_t retention_bytes; /* -1: no limit */
    int64_t segment_bytes;
    int64_t segment_ms;
    int64_t segment_index_bytes;
    int64_t index_interval_bytes;
    int64_t max_message_bytes;
    int64_t timestamp_before_max_ms;
    int64_t timestamp_after_max_ms;
    int64_t file_delete_delay_ms;
    int64_t flush_messages;
    int64_t flush_ms;
    int64_t delete_retention_ms;
    int64_t min_compaction_lag_ms;
    int64_t max_compaction_lag_ms;
    double min_dirty_ratio; /* from 0 to 1 */
    bool log_append_time;
    bool compacted; /* cleanup.policy has `compact` */
    bool deletes;   /* cleanup.policy has `delete` */
};

void topic_settings_resolve(struct topic_settings *settings, const struct config *broker, const struct config *topic);

#endif
