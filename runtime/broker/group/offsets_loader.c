#include "broker/group/offsets_loader.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "broker/internal.h"

enum { READ_BYTES = 1 << 20, READ_SLICES = 64, RECORD_ARENA_BYTES_MAX = 64 << 20, REGION_BYTES_MAX = 128 << 20 };

struct offsets_loader {
    struct coordinator *coordinator;
    bool stopped;
    bool reading;
    int32_t partition; /* being read */
    int64_t offset;
    struct turn_task step;
    struct partition_watch watch;
    struct partition_read read;
    struct slice slices[READ_SLICES];
    struct buffer region;
    struct batch_reader reader;
    struct arena arena;
};

static struct partition *current_partition(const struct offsets_loader *loader)
{
    struct topic *topic = metadata_topic(&loader->coordinator->broker->metadata, mill_string(OFFSETS_TOPIC));
    return topic ? topic_partition(topic, loader->partition) : NULL;
}

bool offsets_loader_has(const struct offsets_loader *loader, int32_t partition)
{
    return partition < loader->partition;
}

void offsets_loader_free(struct offsets_loader *loader)
{
    if (!loader)
        return;
    loader->coordinator->loader = NULL;
    turn_cancel(&loader->step);
    partition_watch_stop(&loader->watch);
    buffer_release(&loader->region);
    batch_reader_release(&loader->reader);
    arena_release(&loader->arena);
    mem_free(loader);
}

/* ---- records --------------------------------------------------------------------------------------------------------------- */

static int load_offset(struct offsets_loader *loader, struct byte_reader *key_reader, mill_bytes value, struct io_time now)
{
    struct offset_commit_key key;
    struct offset_commit_value commit;
    int code = wire_decode(&offset_commit_key_message, 0, key_reader, NULL, &loader->arena, &key, NULL);
    if (code != 0)
        return code;
    struct classic_group *group = coordinator_group(loader->coordinator, key.group);
    if (mill_is_null(value)) {
        if (group)
            group_offsets_remove(&group->offsets, key.topic, key.partition);
        return 0;
    }
    struct byte_reader reader = byte_reader_of(value);
    int version = byte_reader_u16(&reader);
    code = reader.failed ? MILL_ETRUNCATED
                         : wire_decode(&offset_commit_value_message, version, &reader, NULL, &loader->arena, &commit, NULL);
    if (code != 0)
        return code;
    group = coordinator_make_group(loader->coordinator, key.group, now);
    if (!group)
        return MILL_ENOMEM;
    struct committed_offset committed = { .partition = key.partition,
                                          .leader_epoch = commit.leader_epoch,
                                          .offset = commit.offset,
                                          .commit_ms = commit.commit_timestamp,
                                          .metadata = commit.metadata };
    return group_offsets_put(&group->offsets, key.topic, &committed);
}

static int load_group(struct offsets_loader *loader, struct byte_reader *key_reader, mill_bytes value, struct io_time now)
{
    struct group_metadata_key key;
    struct group_metadata_value stored;
    int code = wire_decode(&group_metadata_key_message, 0, key_reader, NULL, &loader->arena, &key, NULL);
    if (code != 0)
        return code;
    if (mill_is_null(value)) {
        group_metadata_value_init(&stored);
        struct classic_group *group = coordinator_group(loader->coordinator, key.group);
        return group ? classic_group_restore(group, &stored, now) : 0;
    }
    struct byte_reader reader = byte_reader_of(value);
    int version = byte_reader_u16(&reader);
    code = reader.failed ? MILL_ETRUNCATED
                         : wire_decode(&group_metadata_value_message, version, &reader, NULL, &loader->arena, &stored, NULL);
    if (code != 0)
        return code;
    struct classic_group *group = coordinator_make_group(loader->coordinator, key.group, now);
    return group ? classic_group_restore(group, &stored, now) : MILL_ENOMEM;
}

static void load_record(struct offsets_loader *loader, const struct batch_record *record, struct io_time now)
{
    struct byte_reader key = byte_reader_of(record->record.key);
    uint16_t type = byte_reader_u16(&key);
    int code = 0;
    arena_clear(&loader->arena);
    if (key.failed)
        code = MILL_ECORRUPT;
    else if (type == GROUP_RECORD_OFFSET || type == GROUP_RECORD_OFFSET_LEGACY)
        code = load_offset(loader, &key, record->record.value, now);
    else if (type == GROUP_RECORD_GROUP)
        code = load_group(loader, &key, record->record.value, now);
    /* Other types belong to kinds of groups that are not served here. */
    if (code != 0)
        trace_error("group", "%s-%d: the record at offset %lld is passed over: %s", OFFSETS_TOPIC, loader->partition,
                    (long long)record->offset, mill_error_text(code));
}

/* ---- batches --------------------------------------------------------------------------------------------------------------- */

static void load_batch(struct offsets_loader *loader, mill_bytes batch, struct io_time now)
{
    struct batch_record record;
    int more = batch_reader_open(&loader->reader, batch, false);
    if (more == 0 && batch_is_control(&loader->reader.header))
        return;
    while (more >= 0 && (more = batch_reader_next(&loader->reader, &record)) > 0)
        load_record(loader, &record, now);
    if (more < 0)
        trace_error("group", "%s-%d: a batch is passed over: %s", OFFSETS_TOPIC, loader->partition, mill_error_text(more));
}

/* In the hot tail a batch's header and body lie apart: bring all together. */
static void load_slices(struct offsets_loader *loader, struct io_time now)
{
    buffer_clear(&loader->region);
    for (size_t i = 0; i < loader->read.log.slice_count; i++)
        buffer_append(&loader->region, loader->read.log.slices[i].bytes.data, loader->read.log.slices[i].bytes.len);
    log_read_release(&loader->read.log);
    mill_bytes region = buffer_bytes(&loader->region);
    mill_bytes batch;
    struct batch_header header;
    while (batch_next(&region, &batch, &header) > 0)
        load_batch(loader, batch, now);
}

/* ---- steps ----------------------------------------------------------------------------------------------------------------- */

static void partition_is_loaded(struct offsets_loader *loader, struct io_time now)
{
    int32_t partition = loader->partition++;
    loader->offset = -1;
    size_t at = 0;
    for (struct classic_group *group; (group = coordinator_next_group(loader->coordinator, &at)) != NULL;)
        if (group->partition == partition) {
            classic_group_resume(group, now);
            coordinator_let_go_if_idle(loader->coordinator, group);
        }
}

static void read_is_done(struct partition_read *read, struct io_time now)
{
    struct offsets_loader *loader = read->ctx;
    loader->reading = false;
    if (read->error == KAFKA_NONE) {
        load_slices(loader, now);
        loader->offset = read->log.next_offset;
    } else if (read->error == KAFKA_CORRUPT_MESSAGE && read->log.resume_offset > loader->offset) {
        loader->offset = read->log.resume_offset;
    } else {
        trace_error("group", "%s-%d: cannot be read on from offset %lld: groups there may have lost offsets", OFFSETS_TOPIC,
                    loader->partition, (long long)loader->offset);
        loader->offset = INT64_MAX;
    }
    if (loader->stopped)
        offsets_loader_free(loader);
    else
        turn_add(&loader->coordinator->broker->turn, &loader->step);
}

static void watermark_moved(struct partition_watch *watch, struct io_time now)
{
    struct offsets_loader *loader = watch->ctx;
    turn_add(&loader->coordinator->broker->turn, &loader->step);
}

static void step(struct turn_task *task, struct io_time now)
{
    struct offsets_loader *loader = task->ctx;
    struct partition *partition = current_partition(loader);
    if (!partition) {
        offsets_loader_free(loader);
        return;
    }
    if (loader->offset < 0)
        loader->offset = partition_log_start(partition);
    if (loader->offset >= partition_log_end(partition)) {
        partition_is_loaded(loader, now);
        turn_add(&loader->coordinator->broker->turn, &loader->step);
        return;
    }
    if (loader->offset >= partition_high_watermark(partition)) {
        partition_watch_start(partition, &loader->watch); /* after a crash the tail is synced first */
        return;
    }
    loader->read = (struct partition_read){
        .log = { .offset = loader->offset,
                 .bytes_max = READ_BYTES,
                 .first_always = true,
                 .slices = loader->slices,
                 .slices_max = READ_SLICES },
        .current_leader_epoch = -1,
        .done = read_is_done,
        .ctx = loader,
    };
    loader->reading = true;
    partition_read(partition, &loader->read, now);
}

static bool nothing_to_load(const struct topic *topic)
{
    for (int32_t i = 0; topic && i < topic->partition_count; i++)
        if (partition_log_end(topic->partitions[i]) > partition_log_start(topic->partitions[i]))
            return false;
    return true;
}

int offsets_loader_start(struct coordinator *coordinator, struct io_time now)
{
    struct broker *broker = coordinator->broker;
    if (nothing_to_load(metadata_topic(&broker->metadata, mill_string(OFFSETS_TOPIC))))
        return 0;
    struct offsets_loader *loader = mem_calloc(1, sizeof *loader);
    if (!loader)
        return MILL_ENOMEM;
    loader->coordinator = coordinator;
    loader->offset = -1;
    list_init(&loader->watch.link);
    loader->watch.moved = watermark_moved;
    loader->watch.ctx = loader;
    buffer_init(&loader->region, REGION_BYTES_MAX);
    batch_reader_init(&loader->reader, REGION_BYTES_MAX);
    arena_init(&loader->arena, 4096, RECORD_ARENA_BYTES_MAX);
    turn_task_init(&loader->step, step, loader);
    coordinator->loader = loader;
    turn_add(&broker->turn, &loader->step);
    return 0;
}

void offsets_loader_stop(struct coordinator *coordinator)
{
    struct offsets_loader *loader = coordinator->loader;
    loader->stopped = true;
    if (!loader->reading)
        offsets_loader_free(loader);
}
