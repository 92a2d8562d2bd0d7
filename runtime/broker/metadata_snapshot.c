#include "broker/metadata_snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "broker/internal.h"
#include "broker/topic_creation.h"
#include "record/control.h"

#define SNAPSHOT_SUFFIX ".checkpoint"

enum {
    SNAPSHOT_BYTES_MAX = 512 << 20,
    SNAPSHOT_BATCH_BYTES = 512 << 10,
    SNAPSHOT_NAME_CHARS = 20 + 1 + 10,
    SNAPSHOT_EPOCH = 0, /* of a cluster of one */
    PATH_BYTES = 4096
};

void metadata_snapshot_init(struct metadata_snapshot *snapshot, struct metadata *metadata)
{
    *snapshot = (struct metadata_snapshot){ .metadata = metadata, .newest = -1, .before_newest = -1 };
    buffer_init(&snapshot->bytes, SNAPSHOT_BYTES_MAX);
}

void metadata_snapshot_release(struct metadata_snapshot *snapshot)
{
    buffer_release(&snapshot->bytes);
}

static void path_of(char path[PATH_BYTES], const struct metadata_snapshot *snapshot, int64_t offset)
{
    snprintf(path, PATH_BYTES, "%s/%s-0/%020lld-%010d%s", snapshot->metadata->broker->data_dir, METADATA_TOPIC, (long long)offset,
             SNAPSHOT_EPOCH, SNAPSHOT_SUFFIX);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

/* The batch that is being put together moves behind the others. */
static int end_batch(struct metadata_snapshot *snapshot, int64_t *next_offset, bool control)
{
    struct batch_writer *writer = &snapshot->metadata->writer;
    if (writer->record_count == 0)
        return 0;
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.base_offset = *next_offset;
    options.leader_epoch = SNAPSHOT_EPOCH;
    options.control = control;
    *next_offset += writer->record_count;
    mill_bytes batch;
    int code = batch_writer_finish(writer, &options, &batch);
    if (code == 0)
        buffer_append(&snapshot->bytes, batch.data, batch.len);
    batch_writer_clear(writer);
    return code == 0 && snapshot->bytes.failed ? MILL_ENOMEM : code;
}

/* Header and footer: the value is a message of version 0, which begins with that version and ends with an empty set of tags. */
static int add_control(struct metadata_snapshot *snapshot, enum control_type type, mill_bytes value, int64_t *next_offset,
                       struct io_time now)
{
    const uint8_t key[] = { 0, 0, 0, (uint8_t)type };
    mill_record record = { .key = mill_bytes_of(key, sizeof key), .value = value, .timestamp_ms = now.wall_ms };
    int code = batch_writer_append(&snapshot->metadata->writer, &record);
    return code == 0 ? end_batch(snapshot, next_offset, true) : code;
}

static int add_header(struct metadata_snapshot *snapshot, int64_t *next_offset, struct io_time now)
{
    uint8_t value[2 + 8 + 1] = { 0 };
    write_u64_be(value + 2, (uint64_t)now.wall_ms); /* the last record's timestamp; later than it is as true */
    return add_control(snapshot, CONTROL_SNAPSHOT_HEADER, mill_bytes_of(value, sizeof value), next_offset, now);
}

static int add_footer(struct metadata_snapshot *snapshot, int64_t *next_offset, struct io_time now)
{
    static const uint8_t value[2 + 1];
    return add_control(snapshot, CONTROL_SNAPSHOT_FOOTER, mill_bytes_of(value, sizeof value), next_offset, now);
}

static void add_feature_level(struct metadata *metadata, struct io_time now)
{
    struct feature_level_record record;
    feature_level_record_init(&record);
    record.name = mill_string("metadata.version");
    record.feature_level = metadata->version_level;
    metadata_add(metadata, METADATA_RECORD_FEATURE_LEVEL, 0, &feature_level_record_message, &record, now);
}

static void add_producer_ids(struct metadata *metadata, struct io_time now)
{
    struct producer_ids_record record;
    producer_ids_record_init(&record);
    record.broker_id = metadata->broker->node_id;
    record.next_producer_id = metadata->next_producer_id;
    if (metadata->next_producer_id > 0)
        metadata_add(metadata, METADATA_RECORD_PRODUCER_IDS, 0, &producer_ids_record_message, &record, now);
}

static void add_configs(struct metadata *metadata, const struct topic *topic, struct io_time now)
{
    const struct config_table *table = topic_config_table();
    for (size_t i = 0; i < table->count; i++) {
        const char *value = config_get_set(&topic->config, table->keys[i].name);
        if (value)
            metadata_add_topic_config(metadata, mill_string(topic->name), mill_string(table->keys[i].name), mill_string(value),
                                      now);
    }
}

static int add_topic(struct metadata_snapshot *snapshot, const struct topic *topic, int64_t *next_offset, struct io_time now)
{
    struct metadata *metadata = snapshot->metadata;
    struct topic_record record;
    topic_record_init(&record);
    record.name = mill_string(topic->name);
    record.topic_id = topic->id;
    metadata_add(metadata, METADATA_RECORD_TOPIC, 0, &topic_record_message, &record, now);
    add_configs(metadata, topic, now);
    for (int32_t i = 0; i < topic->partition_count; i++) {
        topic_creation_add_partition(metadata, topic->id, i, topic->partitions[i]->leader_epoch, now);
        if (batch_writer_size(&metadata->writer) < SNAPSHOT_BATCH_BYTES)
            continue;
        int code = end_batch(snapshot, next_offset, false);
        if (code < 0)
            return code;
    }
    return metadata->add_failed ? MILL_ENOMEM : 0;
}

/* Between two changes the metadata's own writer is free, and nothing here waits. */
static int encode(struct metadata_snapshot *snapshot, struct io_time now)
{
    struct metadata *metadata = snapshot->metadata;
    int64_t next_offset = 0;
    buffer_clear(&snapshot->bytes);
    batch_writer_clear(&metadata->writer);
    metadata->add_failed = false;
    int code = add_header(snapshot, &next_offset, now);
    add_feature_level(metadata, now);
    add_producer_ids(metadata, now);
    size_t at = 0;
    for (const struct topic *topic; code == 0 && (topic = metadata_next_topic(metadata, &at)) != NULL;)
        code = add_topic(snapshot, topic, &next_offset, now);
    if (code == 0)
        code = metadata->add_failed ? MILL_ENOMEM : end_batch(snapshot, &next_offset, false);
    if (code == 0)
        code = add_footer(snapshot, &next_offset, now);
    return code;
}

static void write_file(struct work_item *item)
{
    struct metadata_snapshot *snapshot = item->ctx;
    char path[PATH_BYTES];
    path_of(path, snapshot, snapshot->offset);
    snapshot->code = disk_replace_file(snapshot->metadata->broker->disk, path, snapshot->bytes.data, snapshot->bytes.len);
}

/* What only a third snapshot would need goes: that one, and the log up to the second. */
static void drop_older(struct metadata_snapshot *snapshot, int64_t oldest, struct io_time now)
{
    struct metadata *metadata = snapshot->metadata;
    char path[PATH_BYTES];
    path_of(path, snapshot, oldest);
    if (oldest >= 0 && disk_remove(metadata->broker->disk, path) < 0)
        trace_warn("broker", "%s: could not be removed", path);
    if (snapshot->before_newest >= 0)
        (void)partition_delete_records(metadata->log, snapshot->before_newest, now);
}

static void file_written(struct work_item *item, struct io_time now)
{
    struct metadata_snapshot *snapshot = item->ctx;
    struct broker *broker = snapshot->metadata->broker;
    snapshot->running = false;
    buffer_release(&snapshot->bytes);
    if (snapshot->code < 0) {
        trace_warn("broker", "%s: its snapshot at offset %lld could not be written (%s); it is tried again", METADATA_TOPIC,
                   (long long)snapshot->offset, mill_error_text(snapshot->code));
    } else if (broker->state == BROKER_OPEN) {
        int64_t oldest = snapshot->before_newest;
        snapshot->before_newest = snapshot->newest;
        snapshot->newest = snapshot->offset;
        drop_older(snapshot, oldest, now);
    }
    broker_work_done(broker);
}

static bool is_due(const struct metadata_snapshot *snapshot, struct io_time now)
{
    const struct metadata *metadata = snapshot->metadata;
    const struct config *config = &metadata->broker->config;
    if (!metadata->log->log || snapshot->running || metadata->applied_end <= snapshot->newest)
        return false;
    int64_t bytes = partition_log_active_bytes(metadata->log->log); /* a snapshot begins a new segment */
    int64_t interval_ms = config_int(config, "metadata.log.max.snapshot.interval.ms");
    return bytes >= config_int(config, "metadata.log.max.record.bytes.between.snapshots") ||
           (interval_ms > 0 && (now.monotonic_us - snapshot->written_us) / 1000 >= interval_ms);
}

void metadata_snapshot_look(struct metadata_snapshot *snapshot, struct io_time now)
{
    struct metadata *metadata = snapshot->metadata;
    if (!is_due(snapshot, now))
        return;
    int code = encode(snapshot, now);
    if (code < 0) {
        buffer_release(&snapshot->bytes);
        trace_warn("broker", "%s: no snapshot: %s", METADATA_TOPIC, mill_error_text(code));
        return;
    }
    /* Retried no sooner than the interval, should the disk refuse it. */
    snapshot->written_us = now.monotonic_us;
    snapshot->offset = metadata->applied_end;
    snapshot->running = true;
    partition_roll(metadata->log, now);
    snapshot->work = (struct work_item){ .run = write_file, .done = file_written, .ctx = snapshot };
    broker_work(metadata->broker, WORK_BACKGROUND, &snapshot->work);
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

struct search {
    int64_t below;
    int64_t found; /* the newest below; -1: none */
};

static bool parse_name(const char *name, int64_t *offset)
{
    char expected[SNAPSHOT_NAME_CHARS + sizeof SNAPSHOT_SUFFIX];
    long long parsed = strtoll(name, NULL, 10);
    if (parsed < 0)
        return false;
    snprintf(expected, sizeof expected, "%020lld-%010d%s", parsed, SNAPSHOT_EPOCH, SNAPSHOT_SUFFIX);
    *offset = parsed;
    return strcmp(name, expected) == 0;
}

static int look_for_newest(void *ctx, const struct disk_entry *entry)
{
    struct search *search = ctx;
    int64_t offset;
    if (parse_name(entry->name, &offset) && offset < search->below && offset > search->found)
        search->found = offset;
    return 0;
}

static int find_newest(const struct metadata_snapshot *snapshot, int64_t below, int64_t *found)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s-0", snapshot->metadata->broker->data_dir, METADATA_TOPIC);
    struct search search = { .below = below, .found = -1 };
    int code = disk_list(snapshot->metadata->broker->disk, path, look_for_newest, &search);
    *found = search.found;
    return code;
}

static int control_type_of(struct metadata *metadata, mill_bytes batch, int *type)
{
    struct batch_record record;
    int code = batch_reader_open(&metadata->reader, batch, false);
    if (code == 0)
        code = batch_reader_next(&metadata->reader, &record);
    return code == 1 ? control_record_type(&record.record, type) : MILL_ECORRUPT;
}

/* Whole, from header to footer? Asked before anything of it is applied. */
static int check(struct metadata *metadata, mill_bytes bytes)
{
    mill_bytes batch;
    struct batch_header header;
    int64_t next_offset = 0;
    int type = -1;
    int code;
    while ((code = batch_next(&bytes, &batch, &header)) == 1) {
        if (batch_check(batch, &header) < 0 || header.base_offset != next_offset || type == CONTROL_SNAPSHOT_FOOTER)
            return MILL_ECORRUPT;
        bool is_first = next_offset == 0;
        next_offset = batch_next_offset(&header);
        if (!batch_is_control(&header) && !is_first)
            continue;
        code = batch_is_control(&header) ? control_type_of(metadata, batch, &type) : MILL_ECORRUPT;
        if (code < 0 || is_first != (type == CONTROL_SNAPSHOT_HEADER))
            return MILL_ECORRUPT;
    }
    return code == 0 && type == CONTROL_SNAPSHOT_FOOTER ? 0 : MILL_ECORRUPT;
}

static int apply(struct metadata *metadata, mill_bytes bytes, struct io_time now)
{
    mill_bytes batch;
    struct batch_header header;
    int code = 0;
    while (code == 0 && (code = batch_next(&bytes, &batch, &header)) == 1)
        code = metadata_apply_batch(metadata, batch, now);
    return code;
}

/* 0: applied; MILL_ECORRUPT: it is not valid, and nothing has changed; another error ends the start. */
static int load_one(struct metadata_snapshot *snapshot, int64_t offset, bool *applied, struct io_time now)
{
    struct metadata *metadata = snapshot->metadata;
    char path[PATH_BYTES];
    char *data;
    size_t len;
    path_of(path, snapshot, offset);
    *applied = false;
    int code = disk_read_file(metadata->broker->disk, path, SNAPSHOT_BYTES_MAX, &data, &len);
    if (code < 0)
        return error_set(&metadata->broker->error, code, "%s cannot be read: %s", path, mill_error_text(code));
    if (check(metadata, mill_bytes_of(data, len)) < 0) {
        trace_error("broker", "%s is damaged; the snapshot before it is taken", path);
    } else {
        *applied = true;
        code = apply(metadata, mill_bytes_of(data, len), now);
    }
    mem_free(data);
    return code;
}

int metadata_snapshot_load(struct metadata_snapshot *snapshot, int64_t *offset, struct io_time now)
{
    struct metadata *metadata = snapshot->metadata;
    const struct partition_log *log = metadata->log->log;
    int64_t start = partition_log_start_offset(log);
    int64_t below = partition_log_end_offset(log) + 1;
    bool applied = false;
    int code = 0;
    snapshot->written_us = now.monotonic_us;
    while (!applied && (code = find_newest(snapshot, below, &below)) == 0 && below >= start && below >= 0) {
        code = load_one(snapshot, below, &applied, now);
        if (code < 0)
            return code;
    }
    if (code < 0)
        return error_set(&metadata->broker->error, code, "%s-0 cannot be listed: %s", METADATA_TOPIC, mill_error_text(code));
    *offset = applied ? below : start;
    if (!applied && start > 0)
        return error_set(
            &metadata->broker->error, MILL_ECORRUPT,
            "%s-0 begins at offset %lld and has no valid snapshot of what was before; restore the directory from a copy",
            METADATA_TOPIC, (long long)start);
    if (applied) {
        snapshot->newest = below;
        code = find_newest(snapshot, below, &snapshot->before_newest);
    }
    return code < 0 ? code : 0;
}
