/*
 * The settings of one log: Kafka's topic configs that concern storage, as plain numbers.
 *
 * The broker parses names and texts; here a value is what it says. -1 means "no limit" where Kafka says so. A changed config is
 * handed over with partition_log_set_config and counts from the next append or maintenance on.
 */
#ifndef LOG_LOG_CONFIG_H
#define LOG_LOG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_config {
    uint32_t segment_bytes;        /* segment.bytes: at most 2^31-1, since an index entry's position is an i32 */
    int64_t segment_ms;            /* segment.ms since the first append; by Kafka's rule, record time. No jitter */
    uint32_t segment_index_bytes;  /* segment.index.bytes: a full index rolls the segment */
    uint32_t index_interval_bytes; /* index.interval.bytes */
    uint32_t max_message_bytes;    /* max.message.bytes: of a whole batch; only client batches are held to it */
    int64_t retention_ms;          /* retention.ms, -1: for ever */
    int64_t retention_bytes;       /* retention.bytes, -1: no limit */
    bool retention_by_record_time; /* Kafka's rule: only record timestamps count. See retention.h */
    bool cleanup_delete;           /* cleanup.policy has `delete`; without it a log never ages */
    bool cleanup_compact;          /* cleanup.policy has `compact` */
    double min_dirty_ratio;        /* min.cleanable.dirty.ratio: with this part of it dirty a log is compacted... */
    int64_t compaction_lag_ms_min; /* min.compaction.lag.ms: ...but nothing younger than this... */
    int64_t compaction_lag_ms_max; /* max.compaction.lag.ms: ...and everything older than this, however little it is */
    int64_t delete_retention_ms;   /* delete.retention.ms: from its first compaction on a tombstone stays this long */
    int64_t file_delete_delay_ms;  /* file.delete.delay.ms */
    bool log_append_time;          /* message.timestamp.type=LogAppendTime; the broker restamps before it appends */
    bool sync_acks;                /* true: the high watermark is the synced end, what is acknowledged survives a power cut */
    int64_t flush_messages;        /* flush.messages, flush.ms: when to sync although nobody waits (sync_acks false) */
    int64_t flush_ms;
    int64_t producer_id_expiration_ms;
    int64_t page_cache_bytes; /* of the synced end as much stays in the page cache, -1: left to the kernel. page_cache.h */
    size_t hot_tail_bytes;    /* newest batches kept in memory for fetches at the tail; 0: none */
};

/* Kafka's defaults, but for sync_acks and the retention rule: the README's table of differences. */
#define LOG_CONFIG_DEFAULT                                                        \
    ((struct log_config){ .segment_bytes = 1 << 30,                               \
                          .segment_ms = INT64_C(7) * 24 * 3600 * 1000,            \
                          .segment_index_bytes = 10 << 20,                        \
                          .index_interval_bytes = 4096,                           \
                          .max_message_bytes = 1048588,                           \
                          .retention_ms = INT64_C(7) * 24 * 3600 * 1000,          \
                          .retention_bytes = -1,                                  \
                          .cleanup_delete = true,                                 \
                          .min_dirty_ratio = 0.5,                                 \
                          .compaction_lag_ms_max = INT64_MAX,                     \
                          .delete_retention_ms = INT64_C(24) * 3600 * 1000,       \
                          .file_delete_delay_ms = 60000,                          \
                          .sync_acks = true,                                      \
                          .flush_messages = INT64_MAX,                            \
                          .flush_ms = INT64_MAX,                                  \
                          .producer_id_expiration_ms = INT64_C(24) * 3600 * 1000, \
                          .page_cache_bytes = 256 << 20,                          \
                          .hot_tail_bytes = 1 << 20 })

#endif
