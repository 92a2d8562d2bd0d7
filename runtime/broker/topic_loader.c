#include "broker/topic_loader.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "broker/internal.h"

enum {
    READ_BYTES = 1 << 20,
    READ_SLICES = 64,
    RECORD_ARENA_BYTES_MAX = 64 << 20,
    REGION_BYTES_MAX = 128 << 20,
    RETRY_US = 100 * 1000
};

struct topic_loader {
    struct broker *broker;
    const char *topic;
    struct topic_reader to;
    struct topic_loader **slot;
    bool stopped;
    bool reading;
    int32_t partition; /* being read */
    int64_t offset;
    struct turn_task step;
    struct loop_timer retry; /* when memory failed */
    struct partition_watch watch;
    struct partition_read read;
    struct slice slices[READ_SLICES];
    struct buffer region;
    struct batch_reader reader;
    struct arena arena;
};

static struct partition *current_partition(const struct topic_loader *loader)
{
    struct topic *topic = metadata_topic(&loader->broker->metadata, mill_string(loader->topic));
    return topic ? topic_partition(topic, loader->partition) : NULL;
}

bool topic_loader_has(const struct topic_loader *loader, int32_t partition)
{
    return !loader || partition < loader->partition;
}

void topic_loader_free(struct topic_loader *loader)
{
    if (!loader)
        return;
    *loader->slot = NULL;
    turn_cancel(&loader->step);
    loop_timer_cancel(loader->broker->loop, &loader->retry);
    partition_watch_stop(&loader->watch);
    buffer_release(&loader->region);
    batch_reader_release(&loader->reader);
    arena_release(&loader->arena);
    mem_free(loader);
}

/* ---- batches --------------------------------------------------------------------------------------------------------------- */

static int load_marker(struct topic_loader *loader, mill_bytes batch, struct io_time now)
{
    struct control_marker marker;
    int code = control_marker_decode(batch, &marker);
    if (code == 1 && loader->to.marker)
        loader->to.marker(loader->to.ctx, loader->partition, &marker, now);
    return code < 0 ? code : 0;
}

static int load_records(struct topic_loader *loader, struct io_time now)
{
    struct batch_record record;
    int more;
    while ((more = batch_reader_next(&loader->reader, &record)) > 0) {
        arena_clear(&loader->arena);
        int code = loader->to.record(loader->to.ctx, loader->partition, &loader->reader.header, &record, &loader->arena, now);
        if (code == MILL_ENOMEM)
            return code;
        if (code != 0)
            trace_error("broker", "%s-%d: the record at offset %lld is passed over: %s", loader->topic, loader->partition,
                        (long long)record.offset, mill_error_text(code));
    }
    return more;
}

/* 0, also when what is damaged is passed over; MILL_ENOMEM: the batch is to be read again. */
static int load_batch(struct topic_loader *loader, mill_bytes batch, struct io_time now)
{
    int code = batch_reader_open(&loader->reader, batch, false);
    if (code == 0)
        code = batch_is_control(&loader->reader.header) ? load_marker(loader, batch, now) : load_records(loader, now);
    if (code == MILL_ENOMEM)
        return code;
    if (code < 0)
        trace_error("broker", "%s-%d: a batch is passed over: %s", loader->topic, loader->partition, mill_error_text(code));
    return 0;
}

/*
 * In the hot tail a batch's header and body lie apart: brings all together. Moves on behind what is loaded, and no further when
 * memory fails: reading a batch twice does no harm.
 */
static int load_slices(struct topic_loader *loader, struct io_time now)
{
    buffer_clear(&loader->region);
    for (size_t i = 0; i < loader->read.log.slice_count; i++)
        buffer_append(&loader->region, loader->read.log.slices[i].bytes.data, loader->read.log.slices[i].bytes.len);
    int64_t end = loader->read.log.next_offset;
    log_read_release(&loader->read.log);
    if (loader->region.failed)
        return MILL_ENOMEM;
    mill_bytes region = buffer_bytes(&loader->region);
    mill_bytes batch;
    struct batch_header header;
    while (batch_next(&region, &batch, &header) > 0) {
        int code = load_batch(loader, batch, now);
        if (code < 0)
            return code;
        loader->offset = batch_next_offset(&header);
    }
    loader->offset = end;
    return 0;
}

/* ---- steps ----------------------------------------------------------------------------------------------------------------- */

static void partition_is_loaded(struct topic_loader *loader, struct io_time now)
{
    int32_t partition = loader->partition++;
    loader->offset = -1;
    if (loader->to.loaded)
        loader->to.loaded(loader->to.ctx, partition, now);
}

static void finish(struct topic_loader *loader, struct io_time now)
{
    struct topic_reader to = loader->to;
    topic_loader_free(loader);
    if (to.finished)
        to.finished(to.ctx, now);
}

static void read_is_done(struct partition_read *read, struct io_time now)
{
    struct topic_loader *loader = read->ctx;
    loader->reading = false;
    bool starved = false; /* to be read again, later */
    if (read->error == KAFKA_NONE) {
        starved = load_slices(loader, now) < 0;
    } else if (read->error == KAFKA_KAFKA_STORAGE_ERROR) {
        starved = true; /* no memory, or a disk that does not answer: what is there is not given up for that */
    } else if (read->error == KAFKA_CORRUPT_MESSAGE && read->log.resume_offset > loader->offset) {
        loader->offset = read->log.resume_offset;
    } else {
        trace_error("broker", "%s-%d: cannot be read on from offset %lld: what it keeps may be lost in part", loader->topic,
                    loader->partition, (long long)loader->offset);
        loader->offset = INT64_MAX;
    }
    if (loader->stopped)
        topic_loader_free(loader);
    else if (starved)
        loop_timer_set(loader->broker->loop, &loader->retry, now.monotonic_us + RETRY_US);
    else
        turn_add(&loader->broker->turn, &loader->step);
}

static void try_again(struct loop_timer *timer, struct io_time now)
{
    struct topic_loader *loader = timer->ctx;
    turn_add(&loader->broker->turn, &loader->step);
}

static void watermark_moved(struct partition_watch *watch, struct io_time now)
{
    struct topic_loader *loader = watch->ctx;
    turn_add(&loader->broker->turn, &loader->step);
}

static void step(struct turn_task *task, struct io_time now)
{
    struct topic_loader *loader = task->ctx;
    struct partition *partition = current_partition(loader);
    if (!partition) {
        finish(loader, now);
        return;
    }
    if (loader->offset < 0)
        loader->offset = partition_log_start(partition);
    if (loader->offset >= partition_log_end(partition)) {
        partition_is_loaded(loader, now);
        turn_add(&loader->broker->turn, &loader->step);
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

int topic_loader_start(struct broker *broker, const char *topic, const struct topic_reader *reader, struct topic_loader **slot,
                       struct io_time now)
{
    *slot = NULL;
    if (nothing_to_load(metadata_topic(&broker->metadata, mill_string(topic))))
        return 0;
    struct topic_loader *loader = mem_calloc(1, sizeof *loader);
    if (!loader)
        return MILL_ENOMEM;
    loader->broker = broker;
    loader->topic = topic;
    loader->to = *reader;
    loader->slot = slot;
    loader->offset = -1;
    list_init(&loader->watch.link);
    loader->watch.moved = watermark_moved;
    loader->watch.ctx = loader;
    loader->retry = (struct loop_timer){ .fire = try_again, .ctx = loader };
    buffer_init(&loader->region, REGION_BYTES_MAX);
    batch_reader_init(&loader->reader, REGION_BYTES_MAX);
    arena_init(&loader->arena, 4096, RECORD_ARENA_BYTES_MAX);
    turn_task_init(&loader->step, step, loader);
    *slot = loader;
    turn_add(&broker->turn, &loader->step);
    return 0;
}

void topic_loader_stop(struct topic_loader *loader)
{
    if (!loader)
        return;
    loader->stopped = true;
    if (!loader->reading)
        topic_loader_free(loader);
}
