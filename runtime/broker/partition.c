#include "broker/partition.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/internal.h"
#include "log/partition_metadata.h"

enum { PATH_BYTES = 4096, TELL_AGAIN_US = 10 * 1000 * 1000 };

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static struct log_config log_config_of(const struct broker *broker, const struct topic_settings *settings)
{
    struct log_config config = LOG_CONFIG_DEFAULT;
    config.segment_bytes = (uint32_t)settings->segment_bytes;
    config.segment_ms = settings->segment_ms;
    config.segment_index_bytes = (uint32_t)settings->segment_index_bytes;
    config.index_interval_bytes = (uint32_t)settings->index_interval_bytes;
    config.max_message_bytes = (uint32_t)settings->max_message_bytes;
    config.retention_ms = settings->retention_ms;
    config.retention_bytes = settings->retention_bytes;
    config.retention_by_record_time = config_bool(&broker->config, "log.retention.by.timestamp.only");
    config.cleanup_delete = settings->deletes;
    config.cleanup_compact = settings->compacted;
    config.min_dirty_ratio = settings->min_dirty_ratio;
    config.compaction_lag_ms_min = settings->min_compaction_lag_ms;
    config.compaction_lag_ms_max = settings->max_compaction_lag_ms;
    config.delete_retention_ms = settings->delete_retention_ms;
    config.file_delete_delay_ms = settings->file_delete_delay_ms;
    config.log_append_time = settings->log_append_time;
    config.sync_acks = config_bool(&broker->config, "log.sync.before.ack");
    config.page_cache_bytes = config_int(&broker->config, "log.page.cache.bytes");
    config.flush_messages = settings->flush_messages;
    config.flush_ms = settings->flush_ms;
    config.producer_id_expiration_ms = config_int(&broker->config, "producer.id.expiration.ms");
    return config;
}

static int open_log(struct partition *partition, struct io_time now, struct error_text *error)
{
    struct broker *broker = partition->broker;
    int code = log_directory_open_log(broker->directory, partition->topic, partition->index, partition->topic_id.bytes,
                                      &partition->config, now, &partition->log, error);
    if (code != 0) {
        partition->log = NULL;
        return code;
    }
    partition->high_watermark = partition_log_high_watermark(partition->log);
    if (partition_log_is_dirty(partition->log))
        sync_rounds_add(&broker->syncs, partition);
    return 0;
}

struct partition *partition_new(struct broker *broker, const char *topic, struct wire_uuid topic_id, int32_t index,
                                int32_t leader_epoch, const struct topic_settings *settings)
{
    struct partition *partition = mem_calloc(1, sizeof *partition);
    char *name = mem_strdup(topic);
    if (!partition || !name) {
        mem_free(name);
        mem_free(partition);
        return NULL;
    }
    *partition = (struct partition){
        .broker = broker,
        .topic = name,
        .index = index,
        .topic_id = topic_id,
        .leader_epoch = leader_epoch,
        .config = log_config_of(broker, settings),
        .holders = 1,
    };
    list_init(&partition->appends);
    list_init(&partition->watchers);
    list_init(&partition->sync_link);
    return partition;
}

bool partition_id_on_disk(const struct broker *broker, const char *topic, int32_t index, struct wire_uuid *id)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s-%d", broker->data_dir, topic, index);
    return partition_metadata_read(broker->disk, path, id->bytes) == 0;
}

static bool has_stranger(const struct partition *partition)
{
    struct wire_uuid id;
    return partition_id_on_disk(partition->broker, partition->topic, partition->index, &id) &&
           !wire_uuid_equal(id, partition->topic_id) && !wire_uuid_is_zero(partition->topic_id);
}

/* With the reason, for producers. What stays without memory is none. */
static void block_before_stranger(struct partition *partition)
{
    partition->blocked = has_stranger(partition);
    mem_free(partition->failure);
    partition->failure = NULL;
    if (!partition->blocked)
        return;
    struct error_text whole;
    error_set(&whole, 0,
              "%s/%s-%d: belongs to another topic that had this name, so the partition can neither be read nor written: move the "
              "directory away and start the broker again",
              partition->broker->data_dir, partition->topic, partition->index);
    partition->failure = mem_strdup(whole.text);
}

void partition_look_for_stranger(struct partition *partition)
{
    block_before_stranger(partition);
    if (partition->blocked)
        trace_error("broker", "%s",
                    partition->failure ? partition->failure : "another topic's directory has the name of a partition: no memory");
}

int partition_open(struct partition *partition, struct io_time now, struct error_text *error)
{
    struct broker *broker = partition->broker;
    if (!log_directory_has_log(broker->directory, partition->topic, partition->index, partition->topic_id.bytes))
        return 0;
    /* Of a topic that was deleted, if a crash came before its files were gone: then they are removed once all are open. */
    block_before_stranger(partition);
    return partition->blocked ? 0 : open_log(partition, now, error);
}

void partition_configure(struct partition *partition, const struct topic_settings *settings)
{
    partition->config = log_config_of(partition->broker, settings);
    if (partition->log)
        partition_log_set_config(partition->log, &partition->config);
}

void partition_hold(struct partition *partition)
{
    partition->holders++;
}

void partition_drop(struct partition *partition)
{
    mill_assert(partition->holders > 0);
    if (--partition->holders > 0)
        return;
    mill_assert(partition->closed);
    mem_free(partition->failure);
    mem_free(partition->topic);
    mem_free(partition);
}

struct removal_work {
    struct broker *broker;
    struct log_removal removal;
    struct work_item item;
};

static void run_removal(struct work_item *item)
{
    struct removal_work *work = item->ctx;
    log_removal_run(&work->removal);
}

static void removal_done(struct work_item *item, struct io_time now)
{
    struct removal_work *work = item->ctx;
    struct broker *broker = work->broker;
    if (work->removal.code != 0)
        trace_warn("broker", "%s: could not be removed (%s); the next start tries again", work->removal.path,
                   mill_error_text(work->removal.code));
    log_removal_release(&work->removal);
    mem_free(work);
    broker_work_done(broker);
}

/* What fails here leaves a directory that the next start finds to be of a topic that no longer exists, and removes. */
static void remove_log(struct partition *partition)
{
    struct broker *broker = partition->broker;
    struct error_text error = { "" };
    uint8_t random[16];
    struct removal_work *work = mem_calloc(1, sizeof *work);
    if (!work || loop_random(broker->loop, random, sizeof random) != 0) {
        mem_free(work);
        trace_warn("broker", "%s-%d: deleted, but its files stay until the next start", partition->topic, partition->index);
        return;
    }
    int code = log_directory_remove_log(broker->directory, partition->log, random, &work->removal, &error);
    partition->log = NULL;
    if (code != 0) {
        trace_warn("broker", "%s-%d: deleted, but its files stay until the next start: %s", partition->topic, partition->index,
                   error.text);
        mem_free(work);
        return;
    }
    work->broker = broker;
    work->item = (struct work_item){ .run = run_removal, .done = removal_done, .ctx = work };
    broker_work(broker, WORK_BACKGROUND, &work->item);
}

static const char *why_not(const struct partition *partition, int16_t error)
{
    switch (error) {
    case KAFKA_KAFKA_STORAGE_ERROR:
        return partition->failure;
    case KAFKA_RECORD_LIST_TOO_LARGE:
        return "the batch is larger than a segment of the topic: lower the producer's batch.size below the topic's "
               "segment.bytes, or raise that";
    default:
        return NULL;
    }
}

static void finish_append(struct partition *partition, struct partition_append *append, int16_t error, struct io_time now)
{
    append->error = error;
    append->why = why_not(partition, error);
    append->done(append, now);
}

static void end_waits(struct partition *partition, int16_t error, struct io_time now)
{
    partition_hold(partition);
    for (struct list *node; (node = list_pop_front(&partition->appends)) != NULL;)
        finish_append(partition, list_entry(node, struct partition_append, link), error, now);
    for (struct list *node; (node = list_pop_front(&partition->watchers)) != NULL;) {
        struct partition_watch *watch = list_entry(node, struct partition_watch, link);
        watch->moved(watch, now);
    }
    partition_drop(partition);
}

void partition_close(struct partition *partition, bool remove, struct io_time now)
{
    mill_assert(!partition->closed);
    partition->closed = true;
    list_remove(&partition->sync_link);
    if (remove && partition->log)
        remove_log(partition);
    partition->log = NULL;
    end_waits(partition, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, now);
    partition_drop(partition);
}

/* ---- where it stands ------------------------------------------------------------------------------------------------------- */

int64_t partition_log_start(const struct partition *partition)
{
    return partition->log ? partition_log_start_offset(partition->log) : 0;
}

int64_t partition_log_end(const struct partition *partition)
{
    return partition->log ? partition_log_end_offset(partition->log) : 0;
}

int64_t partition_high_watermark(const struct partition *partition)
{
    return partition->high_watermark;
}

int64_t partition_last_stable_offset(const struct partition *partition)
{
    if (!partition->log)
        return partition->high_watermark;
    int64_t stable = partition_log_last_stable_offset(partition->log);
    return stable < partition->high_watermark ? stable : partition->high_watermark;
}

const struct aborted_txn *partition_next_aborted(const struct partition *partition, int64_t from_offset, int64_t below_offset,
                                                 size_t *at)
{
    return partition->log ? partition_log_next_aborted(partition->log, from_offset, below_offset, at) : NULL;
}

const struct producer_entry *partition_next_producer(const struct partition *partition, size_t *at)
{
    return partition->log ? partition_log_next_producer(partition->log, at) : NULL;
}

bool partition_has_open_txn(const struct partition *partition, int64_t producer_id, int16_t epoch)
{
    int16_t open_epoch;
    return partition->log && partition_log_has_open_txn(partition->log, producer_id, &open_epoch) && open_epoch == epoch;
}

/* May it be used at all? */
static int16_t refusal(const struct partition *partition)
{
    if (partition->closed)
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    return partition->blocked ? KAFKA_KAFKA_STORAGE_ERROR : KAFKA_NONE;
}

int16_t partition_check_epoch(const struct partition *partition, int32_t current_leader_epoch)
{
    if (current_leader_epoch < 0 || current_leader_epoch == partition->leader_epoch)
        return KAFKA_NONE;
    return current_leader_epoch < partition->leader_epoch ? KAFKA_FENCED_LEADER_EPOCH : KAFKA_UNKNOWN_LEADER_EPOCH;
}

void partition_epoch_end(const struct partition *partition, int32_t epoch, int32_t *found_epoch, int64_t *end_offset)
{
    *found_epoch = -1;
    *end_offset = -1;
    if (partition->log)
        partition_log_epoch_end(partition->log, epoch, found_epoch, end_offset);
}

static int64_t readable_end(const struct partition *partition, bool read_committed)
{
    return read_committed ? partition_last_stable_offset(partition) : partition_high_watermark(partition);
}

/* ---- append ---------------------------------------------------------------------------------------------------------------- */

static int16_t error_of_outcome(enum append_outcome outcome)
{
    switch (outcome) {
    case APPEND_DONE:
    case APPEND_DUPLICATE:
        return KAFKA_NONE;
    case APPEND_OUT_OF_ORDER:
        return KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    case APPEND_STALE_EPOCH:
        return KAFKA_INVALID_PRODUCER_EPOCH;
    case APPEND_STALE_COORDINATOR:
        return KAFKA_TRANSACTION_COORDINATOR_FENCED;
    case APPEND_OUTSIDE_TXN:
        return KAFKA_INVALID_TXN_STATE;
    case APPEND_TOO_LARGE:
        return KAFKA_MESSAGE_TOO_LARGE;
    case APPEND_ABOVE_SEGMENT:
        return KAFKA_RECORD_LIST_TOO_LARGE;
    }
    return KAFKA_UNKNOWN_SERVER_ERROR;
}

/* For producers, who look at it from elsewhere: with the directory. What stays without memory is an older one, or none. */
static void keep_failure(struct partition *partition, const char *doing, const char *text, const char *why)
{
    struct error_text whole;
    error_set(&whole, 0, "%s failed in %s: %s%s%s", doing, partition->broker->data_dir, text, why[0] ? ": " : "", why);
    if (partition->failure && strcmp(partition->failure, whole.text) == 0)
        return;
    char *copy = mem_strdup(whole.text);
    if (!copy)
        return;
    mem_free(partition->failure);
    partition->failure = copy;
}

/*
 * Also without memory, because it is the one that makes producers try again instead of giving the records up. Told when it
 * begins; with a disk that is full but for what small batches need it does so again and again.
 */
static int16_t storage_error(struct partition *partition, const char *doing, int code, const char *text, struct io_time now)
{
    const char *why = strstr(text, mill_error_text(code)) ? "" : mill_error_text(code);
    bool is_due = partition->told_us == 0 || now.monotonic_us - partition->told_us >= TELL_AGAIN_US;
    if (!partition->is_failing && is_due) {
        trace_error("broker", "%s-%d: %s failed: %s%s%s", partition->topic, partition->index, doing, text, why[0] ? ": " : "",
                    why);
        partition->told_us = now.monotonic_us;
    }
    partition->is_failing = true;
    keep_failure(partition, doing, text, why);
    return KAFKA_KAFKA_STORAGE_ERROR;
}

static int16_t write_batch(struct partition *partition, struct partition_append *append, struct io_time now)
{
    int16_t refused = refusal(partition);
    if (refused != KAFKA_NONE)
        return refused;
    if (!partition->log) {
        struct error_text error = { "" };
        int code = open_log(partition, now, &error);
        if (code != 0)
            return storage_error(partition, "making its log", code, error.text, now);
    }
    struct append_result result;
    int code = partition_log_append(partition->log, &append->batch, 1, append->origin, partition->leader_epoch, now, &result);
    if (code != 0)
        return storage_error(partition, "an append", code, partition_log_error(partition->log), now);
    partition->is_failing = false;
    append->base_offset = result.base_offset;
    append->end = result.last_offset + 1;
    if (result.appended > 0)
        broker_count_appended(partition->broker, append->batch.bytes.len, now);
    cleaner_note(&partition->broker->cleaner, partition, now);
    return error_of_outcome(result.outcome);
}

/* Almost always at the back: only the repetition of a batch that is not synced yet lies before others. */
static void wait_for_watermark(struct partition *partition, struct partition_append *append)
{
    struct list *before = partition->appends.prev;
    while (before != &partition->appends && list_entry(before, struct partition_append, link)->end > append->end)
        before = before->prev;
    list_push_back(before->next, &append->link);
}

void partition_append(struct partition *partition, struct partition_append *append, struct io_time now)
{
    append->base_offset = -1;
    append->end = 0;
    list_init(&append->link);
    int16_t error = write_batch(partition, append, now);
    if (error != KAFKA_NONE) {
        finish_append(partition, append, error, now);
        return;
    }
    partition_hold(partition);
    if (append->unacknowledged || append->end <= partition->high_watermark)
        finish_append(partition, append, KAFKA_NONE, now);
    else
        wait_for_watermark(partition, append);
    if (!partition->closed) {
        if (partition->config.sync_acks)
            sync_rounds_add(&partition->broker->syncs, partition);
        else
            partition_advance(partition, now);
    }
    partition_drop(partition);
}

void partition_advance(struct partition *partition, struct io_time now)
{
    int64_t high_watermark = partition_log_high_watermark(partition->log);
    if (high_watermark <= partition->high_watermark)
        return;
    partition->high_watermark = high_watermark;

    partition_hold(partition);
    while (!list_empty(&partition->appends)) {
        struct partition_append *append = list_entry(partition->appends.next, struct partition_append, link);
        if (append->end > high_watermark)
            break;
        list_remove(&append->link);
        finish_append(partition, append, KAFKA_NONE, now);
    }
    /* A watcher may watch again from inside its call: it then waits for the next move. */
    struct list told;
    list_init(&told);
    for (struct list *node; (node = list_pop_front(&partition->watchers)) != NULL;)
        list_push_back(&told, node);
    for (struct list *node; (node = list_pop_front(&told)) != NULL;) {
        struct partition_watch *watch = list_entry(node, struct partition_watch, link);
        watch->moved(watch, now);
    }
    partition_drop(partition);
}

void partition_fail(struct partition *partition, struct io_time now)
{
    keep_failure(partition, "a sync", partition_log_error(partition->log), "");
    end_waits(partition, KAFKA_KAFKA_STORAGE_ERROR, now);
}

void partition_watch_start(struct partition *partition, struct partition_watch *watch)
{
    mill_assert(list_empty(&watch->link));
    list_push_back(&partition->watchers, &watch->link);
}

void partition_watch_stop(struct partition_watch *watch)
{
    list_remove(&watch->link);
}

/* ---- read ------------------------------------------------------------------------------------------------------------------ */

static int16_t error_of_read(struct partition *partition, const struct partition_read *read, int code, struct io_time now)
{
    switch (code) {
    case 0:
        return KAFKA_NONE;
    case MILL_EOUTOFRANGE:
        return KAFKA_OFFSET_OUT_OF_RANGE;
    case MILL_ECORRUPT:
        trace_error("broker", "%s-%d: %s", partition->topic, partition->index, read->log.error.text);
        return KAFKA_CORRUPT_MESSAGE;
    default:
        return storage_error(partition, "a read", code, read->log.error.text, now);
    }
}

static void finish_read(struct partition_read *read, int16_t error, struct io_time now)
{
    read->error = error;
    read->done(read, now);
}

static void read_cold(struct work_item *item)
{
    struct partition_read *read = item->ctx;
    log_read_run(&read->log);
}

static void start_read(struct partition *partition, struct partition_read *read, struct io_time now);

static void read_cold_done(struct work_item *item, struct io_time now)
{
    struct partition_read *read = item->ctx;
    struct partition *partition = read->partition;
    struct broker *broker = partition->broker;
    if (partition->closed) {
        log_read_release(&read->log);
        read->log.slice_count = 0;
        finish_read(read, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, now);
    } else {
        int code = partition_log_read_end(partition->log, &read->log);
        if (code == MILL_EAGAIN)
            start_read(partition, read, now);
        else
            finish_read(read, error_of_read(partition, read, code, now), now);
    }
    partition_drop(partition);
    broker_work_done(broker);
}

static void start_read(struct partition *partition, struct partition_read *read, struct io_time now)
{
    int code = partition_log_read(partition->log, &read->log);
    if (code != LOG_COLD) {
        finish_read(read, error_of_read(partition, read, code, now), now);
        return;
    }
    partition_hold(partition);
    read->work = (struct work_item){ .run = read_cold, .done = read_cold_done, .ctx = read };
    broker_work(partition->broker, WORK_READ, &read->work);
}

void partition_read(struct partition *partition, struct partition_read *read, struct io_time now)
{
    read->partition = partition;
    read->high_watermark = -1;
    read->last_stable_offset = -1;
    read->log_start = -1;
    read->log.slice_count = 0;
    read->log.bytes = 0;
    read->log.next_offset = read->log.offset;
    int16_t error = refusal(partition);
    if (error == KAFKA_NONE)
        error = partition_check_epoch(partition, read->current_leader_epoch);
    if (error != KAFKA_NONE) {
        finish_read(read, error, now);
        return;
    }
    read->high_watermark = partition_high_watermark(partition);
    read->last_stable_offset = partition_last_stable_offset(partition);
    read->log_start = partition_log_start(partition);
    read->log.upper_offset = readable_end(partition, read->read_committed);
    if (partition->log)
        start_read(partition, read, now);
    else
        finish_read(read, read->log.offset == 0 ? KAFKA_NONE : KAFKA_OFFSET_OUT_OF_RANGE, now);
}

/* ---- find by time ---------------------------------------------------------------------------------------------------------- */

enum { LATEST = -1, EARLIEST = -2, MAX_TIMESTAMP = LOG_MAX_TIMESTAMP, EARLIEST_LOCAL = -4, LATEST_TIERED = -5 };

static void finish_lookup(struct partition_lookup *lookup, int16_t error, struct io_time now)
{
    lookup->error = error;
    lookup->done(lookup, now);
}

static void lookup_found(struct partition_lookup *lookup, int code, struct io_time now)
{
    if (code != 0) {
        finish_lookup(lookup, storage_error(lookup->partition, "a search by timestamp", code, lookup->log.error.text, now), now);
        return;
    }
    lookup->offset = lookup->log.offset;
    lookup->found_timestamp = lookup->log.offset < 0 ? -1 : lookup->log.found_timestamp_ms;
    lookup->leader_epoch = lookup->log.offset < 0 ? -1 : lookup->log.leader_epoch;
    finish_lookup(lookup, KAFKA_NONE, now);
}

static void lookup_cold(struct work_item *item)
{
    struct partition_lookup *lookup = item->ctx;
    log_lookup_run(&lookup->log);
}

static void lookup_cold_done(struct work_item *item, struct io_time now);

static void lookup_on_disk(struct partition_lookup *lookup)
{
    partition_hold(lookup->partition);
    lookup->work = (struct work_item){ .run = lookup_cold, .done = lookup_cold_done, .ctx = lookup };
    broker_work(lookup->partition->broker, WORK_READ, &lookup->work);
}

static void lookup_cold_done(struct work_item *item, struct io_time now)
{
    struct partition_lookup *lookup = item->ctx;
    struct partition *partition = lookup->partition;
    struct broker *broker = partition->broker;
    if (partition->closed) {
        log_lookup_release(&lookup->log);
        finish_lookup(lookup, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, now);
    } else {
        int code = partition_log_lookup_end(partition->log, &lookup->log);
        if (code == MILL_EAGAIN) /* the segment has gone meanwhile: ask from the start */
            code = partition_log_lookup(partition->log, &lookup->log);
        if (code == LOG_COLD)
            lookup_on_disk(lookup);
        else
            lookup_found(lookup, code, now);
    }
    partition_drop(partition);
    broker_work_done(broker);
}

static void lookup_known(struct partition_lookup *lookup, int64_t offset, struct io_time now)
{
    lookup->offset = offset;
    lookup->leader_epoch = offset < 0 ? -1 : lookup->partition->leader_epoch;
    finish_lookup(lookup, KAFKA_NONE, now);
}

void partition_lookup(struct partition *partition, struct partition_lookup *lookup, struct io_time now)
{
    lookup->partition = partition;
    lookup->offset = -1;
    lookup->found_timestamp = -1;
    lookup->leader_epoch = -1;
    int16_t error = refusal(partition);
    if (error == KAFKA_NONE)
        error = partition_check_epoch(partition, lookup->current_leader_epoch);
    if (error != KAFKA_NONE) {
        finish_lookup(lookup, error, now);
        return;
    }
    int64_t end = readable_end(partition, lookup->read_committed);
    switch (lookup->timestamp) {
    case LATEST:
        lookup_known(lookup, end, now);
        return;
    case EARLIEST:
    case EARLIEST_LOCAL:
        lookup_known(lookup, partition_log_start(partition), now);
        return;
    case LATEST_TIERED:
        lookup_known(lookup, -1, now);
        return;
    case MAX_TIMESTAMP:
        break;
    default:
        if (lookup->timestamp < 0) {
            finish_lookup(lookup, KAFKA_UNSUPPORTED_VERSION, now);
            return;
        }
    }
    if (!partition->log) {
        lookup_known(lookup, -1, now);
        return;
    }
    lookup->log = (struct log_lookup){ .timestamp_ms = lookup->timestamp, .upper_offset = end };
    int code = partition_log_lookup(partition->log, &lookup->log);
    if (code == LOG_COLD)
        lookup_on_disk(lookup);
    else
        lookup_found(lookup, code, now);
}

int16_t partition_delete_records(struct partition *partition, int64_t offset, struct io_time now)
{
    int16_t refused = refusal(partition);
    if (refused != KAFKA_NONE)
        return refused;
    if (offset == -1)
        offset = partition->high_watermark;
    if (offset < 0 || offset > partition->high_watermark)
        return KAFKA_OFFSET_OUT_OF_RANGE;
    if (!partition->log || offset <= partition_log_start(partition))
        return KAFKA_NONE;
    int code = partition_log_delete_records(partition->log, offset, now);
    if (code != 0)
        return storage_error(partition, "deleting records", code, partition_log_error(partition->log), now);
    broker_checkpoint(partition->broker, now);
    return KAFKA_NONE;
}

int64_t partition_active_records(const struct partition *partition)
{
    return partition->log ? partition_log_end_offset(partition->log) - partition_log_active_offset(partition->log) : 0;
}

bool partition_roll(struct partition *partition, struct io_time now)
{
    if (partition->closed || !partition->log || partition_log_roll(partition->log, now) != 0)
        return false;
    cleaner_note(&partition->broker->cleaner, partition, now);
    return true;
}
