#include "broker/group/offsets_rewrite.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "broker/internal.h"

enum { REWRITE_BATCH_BYTES = 256 << 10 };

struct offsets_rewrite {
    struct coordinator *coordinator;
    struct partition *partition; /* held */
    int64_t start;               /* of what is written anew */
    int pending;                 /* batches under way, and one for the beginning */
    bool failed;
};

static void batch_is_over(struct offsets_rewrite *rewrite, bool failed, struct io_time now)
{
    struct coordinator *coordinator = rewrite->coordinator;
    rewrite->failed |= failed;
    if (--rewrite->pending > 0)
        return;
    if (!rewrite->failed && partition_delete_records(rewrite->partition, rewrite->start, now) == KAFKA_NONE)
        trace_info("group", "%s-%d: written anew, begins at offset %lld", OFFSETS_TOPIC, rewrite->partition->index,
                   (long long)rewrite->start);
    partition_drop(rewrite->partition);
    mem_free(rewrite);
    coordinator->rewrite = NULL;
}

static void stored(void *ctx, int16_t error, struct io_time now)
{
    batch_is_over(ctx, error != KAFKA_NONE, now);
}

static void submit(struct offsets_rewrite *rewrite, struct io_time now)
{
    rewrite->pending++;
    coordinator_submit_to(rewrite->coordinator, rewrite->partition->index, &(struct group_store){ stored, rewrite }, now);
    coordinator_begin_offsets(rewrite->coordinator);
}

static void write_group(struct offsets_rewrite *rewrite, struct classic_group *group, struct io_time now)
{
    struct coordinator *coordinator = rewrite->coordinator;
    size_t at = 0;
    if (group->generation > 0)
        coordinator_add_group(coordinator, group, now);
    for (const struct offset_topic *topic; (topic = group_offsets_next(&group->offsets, &at)) != NULL;)
        for (size_t i = 0; i < topic->count; i++) {
            coordinator_add_offset(coordinator, group, topic->name, &topic->partitions[i], now);
            if (coordinator_batch_bytes(coordinator) > REWRITE_BATCH_BYTES)
                submit(rewrite, now);
        }
    if (coordinator_batch_bytes(coordinator) > REWRITE_BATCH_BYTES)
        submit(rewrite, now);
}

static void rewrite_partition(struct coordinator *coordinator, struct partition *partition, struct io_time now)
{
    struct offsets_rewrite *rewrite = mem_calloc(1, sizeof *rewrite);
    if (!rewrite)
        return;
    *rewrite = (struct offsets_rewrite){ .coordinator = coordinator, .partition = partition, .pending = 1 };
    partition_hold(partition);
    coordinator->rewrite = rewrite;
    partition_roll(partition, now);
    rewrite->start = partition_log_end(partition);
    size_t at = 0;
    coordinator_begin_offsets(coordinator);
    for (struct classic_group *group; (group = coordinator_next_group(coordinator, &at)) != NULL;)
        if (group->partition == partition->index)
            write_group(rewrite, group, now);
    if (coordinator_batch_bytes(coordinator) > BATCH_HEADER_BYTES)
        submit(rewrite, now);
    batch_is_over(rewrite, false, now);
}

/* Records that would be written, or -1 when a write is under way. */
static int64_t count_live(const struct coordinator *coordinator, int32_t partition)
{
    int64_t live = 0;
    size_t at = 0;
    for (struct classic_group *group; (group = coordinator_next_group(coordinator, &at)) != NULL;) {
        if (group->partition != partition)
            continue;
        if (group->writes > 0)
            return -1;
        size_t topic_at = 0;
        live++;
        for (const struct offset_topic *topic; (topic = group_offsets_next(&group->offsets, &topic_at)) != NULL;)
            live += (int64_t)topic->count;
    }
    return live;
}

void offsets_rewrite_look(struct coordinator *coordinator, struct io_time now)
{
    struct topic *topic = metadata_topic(&coordinator->broker->metadata, mill_string(OFFSETS_TOPIC));
    for (int32_t i = 0; topic && !coordinator->rewrite && i < topic->partition_count; i++) {
        struct partition *partition = topic->partitions[i];
        int64_t records = partition_log_end(partition) - partition_log_start(partition);
        if (records < REWRITE_RECORDS_MIN)
            continue;
        int64_t live = count_live(coordinator, i);
        if (live >= 0 && live <= records / REWRITE_LIVE_SHARE)
            rewrite_partition(coordinator, partition, now);
    }
}
