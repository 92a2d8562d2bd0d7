#include "broker/metadata.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "base/varint.h"
#include "broker/internal.h"

enum { RESOURCE_TOPIC = 2, RECORD_ARENA_BYTES_MAX = 8 << 20, APPLY_AGAIN_US = 10000, UNCOUNTED_CHANGES = 1000 };

static void take_turn(struct turn_task *task, struct io_time now);
static void apply_again(struct loop_timer *timer, struct io_time now);

void metadata_init(struct metadata *metadata, struct broker *broker)
{
    *metadata = (struct metadata){ .broker = broker };
    hash_map_init(&metadata->topics);
    hash_map_init(&metadata->topic_ids);
    hash_map_init(&metadata->removed);
    list_init(&metadata->changes);
    batch_writer_init(&metadata->writer, METADATA_BATCH_BYTES_MAX, METADATA_BATCH_BYTES_MAX);
    batch_reader_init(&metadata->reader, METADATA_BATCH_BYTES_MAX);
    buffer_init(&metadata->body, METADATA_BATCH_BYTES_MAX);
    turn_task_init(&metadata->next, take_turn, metadata);
    metadata_snapshot_init(&metadata->snapshot, metadata);
    metadata->retry = (struct loop_timer){ .fire = apply_again, .ctx = metadata };
}

void metadata_release(struct metadata *metadata, struct io_time now)
{
    loop_timer_cancel(metadata->broker->loop, &metadata->retry);
    if (metadata->log) /* first: what ends with it may look at topics */
        partition_close(metadata->log, false, now);
    size_t at = 0;
    for (struct topic *topic; (topic = metadata_next_topic(metadata, &at)) != NULL;)
        topic_free(topic, false, now);
    hash_map_release(&metadata->topics);
    hash_map_release(&metadata->topic_ids);
    hash_map_release(&metadata->removed);
    metadata_snapshot_release(&metadata->snapshot);
    shared_buffer_drop(metadata->batch);
    batch_writer_release(&metadata->writer);
    batch_reader_release(&metadata->reader);
    buffer_release(&metadata->body);
}

/* ---- the image ------------------------------------------------------------------------------------------------------------- */

static mill_bytes id_key(const struct wire_uuid *id)
{
    return mill_bytes_of(id->bytes, sizeof id->bytes);
}

struct topic *metadata_topic(const struct metadata *metadata, mill_bytes name)
{
    return mill_is_null(name) ? NULL : hash_map_get(&metadata->topics, name);
}

struct topic *metadata_topic_by_id(const struct metadata *metadata, struct wire_uuid id)
{
    return hash_map_get(&metadata->topic_ids, id_key(&id));
}

int16_t metadata_find(const struct metadata *metadata, mill_bytes name, struct wire_uuid id, struct topic **topic)
{
    if (name.len > 0) {
        *topic = metadata_topic(metadata, name);
        return *topic ? KAFKA_NONE : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    *topic = metadata_topic_by_id(metadata, id);
    return *topic ? KAFKA_NONE : wire_uuid_is_zero(id) ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_UNKNOWN_TOPIC_ID;
}

struct topic *metadata_next_topic(const struct metadata *metadata, size_t *at)
{
    const struct hash_map_entry *entry = hash_map_next(&metadata->topics, at);
    return entry ? entry->value : NULL;
}

static bool names_collide(mill_bytes a, mill_bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        uint8_t x = a.data[i] == '.' ? '_' : a.data[i];
        uint8_t y = b.data[i] == '.' ? '_' : b.data[i];
        if (x != y)
            return false;
    }
    return true;
}

bool metadata_name_collides(const struct metadata *metadata, mill_bytes name, const char **other)
{
    size_t at = 0;
    for (struct topic *topic; (topic = metadata_next_topic(metadata, &at)) != NULL;) {
        if (!mill_bytes_equal(name, mill_string(topic->name)) && names_collide(name, mill_string(topic->name))) {
            *other = topic->name;
            return true;
        }
    }
    return false;
}

bool metadata_new_id(struct metadata *metadata, struct wire_uuid *id)
{
    do {
        if (loop_random(metadata->broker->loop, id->bytes, sizeof id->bytes) != 0)
            return false;
        id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0f) | 0x40);
        id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3f) | 0x80);
        /* In text an id that begins with a dash would be taken for an option by command lines. */
    } while (id->bytes[0] >> 2 == 62 || metadata_topic_by_id(metadata, *id));
    return true;
}

/* ---- apply: the only way in which the image changes ------------------------------------------------------------------------ */

static int apply_topic(struct metadata *metadata, const struct topic_record *record)
{
    if (!topic_name_is_valid(record->name) || metadata_topic(metadata, record->name))
        return error_set(&metadata->broker->error, MILL_ECORRUPT, "a topic appears twice, or has a name that is none");
    struct topic *topic = topic_new(record->name, record->topic_id, &metadata->broker->config);
    if (!topic)
        return MILL_ENOMEM;
    if (hash_map_put(&metadata->topics, record->name, topic, NULL) != 0 ||
        hash_map_put(&metadata->topic_ids, id_key(&record->topic_id), topic, NULL) != 0) {
        hash_map_remove(&metadata->topics, record->name);
        topic_free(topic, false, (struct io_time){ 0 });
        return MILL_ENOMEM;
    }
    return 0;
}

static int apply_partition(struct metadata *metadata, const struct partition_record *record)
{
    struct topic *topic = metadata_topic_by_id(metadata, record->topic_id);
    if (!topic || record->partition_id != topic->partition_count || topic->partition_count == TOPIC_PARTITIONS_MAX)
        return error_set(&metadata->broker->error, MILL_ECORRUPT, "partition %d of %s is out of order", record->partition_id,
                         topic ? topic->name : "an unknown topic");
    struct partition *partition = partition_new(metadata->broker, topic->name, topic->id, record->partition_id,
                                                record->leader_epoch < 0 ? 0 : record->leader_epoch, &topic->settings);
    if (!partition)
        return MILL_ENOMEM;
    if (topic_add_partition(topic, partition) != 0) {
        partition_close(partition, false, (struct io_time){ 0 });
        return MILL_ENOMEM;
    }
    if (metadata->broker->state == BROKER_OPEN)
        partition_look_for_stranger(partition);
    return 0;
}

static int apply_config(struct metadata *metadata, const struct config_record *record)
{
    struct topic *topic = metadata_topic(metadata, record->resource_name);
    if (record->resource_type != RESOURCE_TOPIC || !topic)
        return 0; /* a resource of another version of the broker */
    int code = topic_config_set(&topic->config, record->name, record->value);
    if (code == MILL_EINVALID) {
        /* Written by another version, which knew it: better without it than not at all. */
        trace_warn("broker", "topic %s: a config is ignored: %s", topic->name, topic->config.error.text);
        code = 0;
    }
    if (code == 0)
        topic_reconfigure(topic, &metadata->broker->config);
    return code;
}

static int apply_remove_topic(struct metadata *metadata, const struct remove_topic_record *record, struct io_time now)
{
    struct topic *topic = hash_map_remove(&metadata->topic_ids, id_key(&record->topic_id));
    if (!topic)
        return error_set(&metadata->broker->error, MILL_ECORRUPT, "a topic is removed that never was");
    hash_map_remove(&metadata->topics, mill_string(topic->name));
    bool live = metadata->broker->state == BROKER_OPEN;
    if (live)
        coordinator_topic_deleted(&metadata->broker->coordinator, topic->name, now);
    else if (hash_map_put(&metadata->removed, id_key(&record->topic_id), metadata, NULL) != 0)
        trace_warn("broker", "topic %s: deleted before; what may be left of it is not looked for", topic->name);
    topic_free(topic, live, now);
    return 0;
}

static void apply_feature_level(struct metadata *metadata, const struct feature_level_record *record)
{
    if (mill_bytes_equal(record->name, mill_string("metadata.version")))
        metadata->version_level = record->feature_level;
}

union any_record {
    struct topic_record topic;
    struct partition_record partition;
    struct config_record config;
    struct remove_topic_record remove_topic;
    struct feature_level_record feature_level;
    struct producer_ids_record producer_ids;
};

static int apply_body(struct metadata *metadata, uint32_t type, int version, struct byte_reader *body, struct arena *arena,
                      struct io_time now)
{
    struct error_text *error = &metadata->broker->error;
    union any_record record;
    int code;
    switch (type) {
    case METADATA_RECORD_TOPIC:
        code = wire_decode(&topic_record_message, version, body, NULL, arena, &record, error);
        return code != 0 ? code : apply_topic(metadata, &record.topic);
    case METADATA_RECORD_PARTITION:
        code = wire_decode(&partition_record_message, version, body, NULL, arena, &record, error);
        return code != 0 ? code : apply_partition(metadata, &record.partition);
    case METADATA_RECORD_CONFIG:
        code = wire_decode(&config_record_message, version, body, NULL, arena, &record, error);
        return code != 0 ? code : apply_config(metadata, &record.config);
    case METADATA_RECORD_REMOVE_TOPIC:
        code = wire_decode(&remove_topic_record_message, version, body, NULL, arena, &record, error);
        return code != 0 ? code : apply_remove_topic(metadata, &record.remove_topic, now);
    case METADATA_RECORD_FEATURE_LEVEL:
        code = wire_decode(&feature_level_record_message, version, body, NULL, arena, &record, error);
        if (code == 0)
            apply_feature_level(metadata, &record.feature_level);
        return code;
    case METADATA_RECORD_PRODUCER_IDS:
        code = wire_decode(&producer_ids_record_message, version, body, NULL, arena, &record, error);
        if (code == 0 && record.producer_ids.next_producer_id > metadata->next_producer_id)
            metadata->next_producer_id = record.producer_ids.next_producer_id;
        return code;
    case METADATA_RECORD_NO_OP:
    case METADATA_RECORD_REGISTER_BROKER:
    case METADATA_RECORD_BROKER_REGISTRATION_CHANGE:
    case METADATA_RECORD_REGISTER_CONTROLLER:
        return 0; /* of a cluster of one, which is us */
    default:
        return error_set(error, MILL_EUNSUPPORTED, "a record of type %u is not known here; was it written by a newer version?",
                         type);
    }
}

static int apply_record(struct metadata *metadata, mill_bytes value, struct arena *arena, struct io_time now)
{
    struct byte_reader reader = byte_reader_of(value);
    uint32_t frame = byte_reader_unsigned_varint(&reader);
    uint32_t type = byte_reader_unsigned_varint(&reader);
    uint32_t version = byte_reader_unsigned_varint(&reader);
    if (reader.failed || frame != METADATA_FRAME_VERSION || version > INT16_MAX)
        return error_set(&metadata->broker->error, MILL_ECORRUPT, "a record is no metadata record");
    return apply_body(metadata, type, (int)version, &reader, arena, now);
}

/*
 * Applies the records of a batch from the `*applied`th on, which it counts: after MILL_ENOMEM it can go on where it was. The
 * control batches of a Raft quorum carry no metadata.
 */
static int apply_batch(struct metadata *metadata, mill_bytes batch, int32_t *applied, struct io_time now)
{
    metadata->broker->error.text[0] = '\0'; /* of an earlier try */
    int code = batch_reader_open(&metadata->reader, batch, false);
    if (code != 0)
        return error_set(&metadata->broker->error, code, "a batch cannot be read: %s", mill_error_text(code));
    struct batch_header header = metadata->reader.header;
    struct arena arena;
    arena_init(&arena, 4096, RECORD_ARENA_BYTES_MAX);
    struct batch_record record;
    int32_t at = 0;
    int more = 0;
    while (code == 0 && !batch_is_control(&header) && (more = batch_reader_next(&metadata->reader, &record)) > 0) {
        if (at++ < *applied)
            continue;
        arena_clear(&arena);
        code = apply_record(metadata, record.record.value, &arena, now);
        if (code == 0)
            ++*applied;
        else
            error_prefix(&metadata->broker->error, code, "%s-0: offset %lld", METADATA_TOPIC, (long long)record.offset);
    }
    arena_release(&arena);
    if (code == 0 && more < 0)
        return error_set(&metadata->broker->error, more, "a batch's records cannot be read: %s", mill_error_text(more));
    return code;
}

int metadata_apply_batch(struct metadata *metadata, mill_bytes batch, struct io_time now)
{
    int32_t applied = 0;
    return apply_batch(metadata, batch, &applied, now);
}

/* ---- changes --------------------------------------------------------------------------------------------------------------- */

void metadata_add(struct metadata *metadata, enum metadata_record_type type, int version, const struct wire_message *message,
                  const void *body, struct io_time now)
{
    struct error_text error = { "" };
    buffer_clear(&metadata->body);
    buffer_append_unsigned_varint(&metadata->body, METADATA_FRAME_VERSION);
    buffer_append_unsigned_varint(&metadata->body, type);
    buffer_append_unsigned_varint(&metadata->body, (uint64_t)version);
    int code = wire_append(message, version, body, &metadata->body, &error);
    if (code == 0 && !metadata->body.failed) {
        mill_record record = { .value = buffer_bytes(&metadata->body), .timestamp_ms = now.wall_ms };
        code = batch_writer_append(&metadata->writer, &record);
    } else if (code == 0) {
        code = MILL_ENOMEM;
    }
    if (code != 0) {
        trace_error("broker", "%s: a record of type %d cannot be added: %s (%s)", METADATA_TOPIC, (int)type, error.text,
                    mill_error_text(code));
        metadata->add_failed = true;
    }
}

void metadata_add_topic_config(struct metadata *metadata, mill_bytes topic, mill_bytes name, mill_bytes value, struct io_time now)
{
    struct config_record record;
    config_record_init(&record);
    record.resource_type = RESOURCE_TOPIC;
    record.resource_name = topic;
    record.name = name;
    record.value = value;
    metadata_add(metadata, METADATA_RECORD_CONFIG, 0, &config_record_message, &record, now);
}

static void finish_change(struct metadata *metadata, int16_t error, struct io_time now)
{
    struct metadata_change *change = metadata->current;
    metadata->current = NULL;
    if (!list_empty(&metadata->changes))
        turn_add(&metadata->broker->turn, &metadata->next);
    change->done(change, error, now);
}

static void end_change(struct metadata *metadata, int16_t error, struct io_time now)
{
    shared_buffer_drop(metadata->batch);
    metadata->batch = NULL;
    finish_change(metadata, error, now);
}

/* What is durable has to be applied: without memory it is tried again, and the change and all behind it wait. */
static void apply_durable(struct metadata *metadata, struct io_time now)
{
    int code = apply_batch(metadata, metadata->append.batch.bytes, &metadata->applied_records, now);
    if (code == MILL_ENOMEM) {
        loop_timer_set(metadata->broker->loop, &metadata->retry, now.monotonic_us + APPLY_AGAIN_US);
        return;
    }
    if (code != 0)
        trace_error("broker", "a metadata change is written but cannot be applied, restart the broker: %s (%s)",
                    metadata->broker->error.text, mill_error_text(code));
    metadata->applied_end = metadata->append.end;
    end_change(metadata, code == 0 ? KAFKA_NONE : KAFKA_UNKNOWN_SERVER_ERROR, now);
}

static void apply_again(struct loop_timer *timer, struct io_time now)
{
    apply_durable(timer->ctx, now);
}

static void change_is_durable(struct partition_append *append, struct io_time now)
{
    struct metadata *metadata = append->ctx;
    metadata->applied_records = 0;
    if (append->error == KAFKA_NONE)
        apply_durable(metadata, now);
    else
        end_change(metadata, append->error, now);
}

static int write_change(struct metadata *metadata)
{
    mill_bytes batch;
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    if (metadata->add_failed)
        return MILL_ENOMEM;
    int code = batch_writer_finish(&metadata->writer, &options, &batch);
    return code != 0 ? code : batch_writer_take(&metadata->writer, &metadata->batch);
}

static void run_change(struct metadata *metadata, struct io_time now)
{
    batch_writer_clear(&metadata->writer);
    metadata->add_failed = false;
    metadata->current->prepare(metadata->current, now);
    if (metadata->writer.record_count == 0 && !metadata->add_failed) {
        finish_change(metadata, KAFKA_NONE, now);
        return;
    }
    if (write_change(metadata) != 0) { /* no memory, and nothing is written: an error after which clients try again */
        finish_change(metadata, KAFKA_KAFKA_STORAGE_ERROR, now);
        return;
    }
    metadata->append = (struct partition_append){
        .batch = { mill_bytes_of(metadata->batch->data, metadata->batch->len), metadata->batch },
        .origin = APPEND_BROKER,
        .done = change_is_durable,
        .ctx = metadata,
    };
    partition_append(metadata->log, &metadata->append, now);
}

static void take_turn(struct turn_task *task, struct io_time now)
{
    struct metadata *metadata = task->ctx;
    if (metadata->current || list_empty(&metadata->changes))
        return;
    metadata->current = list_entry(list_pop_front(&metadata->changes), struct metadata_change, link);
    run_change(metadata, now);
}

void metadata_submit(struct metadata *metadata, struct metadata_change *change, struct io_time now)
{
    list_push_back(&metadata->changes, &change->link);
    take_turn(&metadata->next, now);
}

/* ---- open ------------------------------------------------------------------------------------------------------------------ */

/* What was being read, if the text does not say where it is, and what helps. */
static void explain_damage(struct metadata *metadata, int code, int64_t offset)
{
    struct error_text *error = &metadata->broker->error;
    if (code == MILL_ENOMEM)
        return;
    if (!error->text[0])
        error_set(error, code, "what lies there cannot be read: %s", mill_error_text(code));
    if (strncmp(error->text, METADATA_TOPIC, strlen(METADATA_TOPIC)) != 0)
        error_prefix(error, code, "%s-0: from offset %lld on", METADATA_TOPIC, (long long)offset);
    char held[ERROR_TEXT_BYTES];
    memcpy(held, error->text, sizeof held);
    if (code != MILL_EUNSUPPORTED)
        error_set(error, code, "%.400s; restore the directory from a copy", held);
}

/* Changes are missing: files are gone, or damaged. */
static bool is_incomplete(const struct metadata *metadata)
{
    return metadata->has_gap || (metadata->log->log && partition_log_lost(metadata->log->log) > 0);
}

/*
 * Changes were lost between two batches, or stand in the log as a batch without records: each may have claimed a block of
 * producer ids, and so may those behind the last checkpoint, which nobody has counted. No log of a broker has such gaps
 * otherwise, so that each start finds them again.
 */
static void pass_lost_ids(struct metadata *metadata, int64_t lost)
{
    metadata->next_producer_id += (lost + UNCOUNTED_CHANGES) * PRODUCER_ID_BLOCK;
}

/* The next batch of the log, which was applied up to `*applied_end`: 0 before the first one. */
static int replay_batch(struct metadata *metadata, mill_bytes batch, const struct batch_header *header, int64_t *applied_end,
                        struct io_time now)
{
    bool is_empty = header->record_count == 0;
    /* Without what it begins with, topics and the producer ids that were handed out are not known. */
    if (*applied_end == 0 && (header->base_offset > 0 || is_empty))
        return error_set(&metadata->broker->error, MILL_ECORRUPT, "%s-0: what it begins with is gone", METADATA_TOPIC);
    int64_t end = batch_next_offset(header);
    if (end <= *applied_end)
        return 0;
    int64_t lost_end = is_empty ? end : header->base_offset;
    if (lost_end > *applied_end) {
        pass_lost_ids(metadata, lost_end - *applied_end);
        metadata->has_gap = true;
    }
    *applied_end = end;
    return metadata_apply_batch(metadata, batch, now);
}

static int replay(struct metadata *metadata, struct io_time now)
{
    struct partition_log *log = metadata->log->log;
    if (!log)
        return 0;
    /* What is answered from must be durable, and after a crash the tail may not be. */
    int code = partition_log_sync(log);
    if (code != 0)
        return error_set(&metadata->broker->error, code, "%s-0: %s", METADATA_TOPIC, partition_log_error(log));
    partition_advance(metadata->log, now);
    int64_t offset;
    code = metadata_snapshot_load(&metadata->snapshot, &offset, now);
    int64_t end = partition_log_end_offset(log);
    int64_t applied_end = offset;
    while (code == 0 && offset < end) {
        struct slice slices[64];
        struct log_read read = {
            .offset = offset, .upper_offset = end, .bytes_max = 1 << 20, .first_always = true, .slices = slices, .slices_max = 64
        };
        code = partition_log_read(log, &read);
        if (code == LOG_COLD) {
            log_read_run(&read);
            code = partition_log_read_end(log, &read);
        }
        if (code == MILL_EAGAIN) { /* what lies between two segments is lost, which has been told */
            code = 0;
            offset = read.offset;
            continue;
        }
        if (code != 0)
            return error_set(&metadata->broker->error, code, "%s-0: offset %lld: %s; restore the directory from a copy",
                             METADATA_TOPIC, (long long)offset, read.error.text);
        for (size_t i = 0; code == 0 && i < read.slice_count; i++) {
            mill_bytes region = read.slices[i].bytes;
            struct batch_header header;
            mill_bytes batch;
            while (code == 0 && (code = batch_next(&region, &batch, &header)) > 0)
                code = replay_batch(metadata, batch, &header, &applied_end, now);
            if (code < 0)
                explain_damage(metadata, code, offset);
        }
        if (read.next_offset <= offset && code == 0)
            code = error_set(&metadata->broker->error, MILL_ECORRUPT, "%s-0: nothing can be read at offset %lld", METADATA_TOPIC,
                             (long long)offset);
        offset = read.next_offset;
        log_read_release(&read);
    }
    metadata->applied_end = offset;
    return code;
}

/* Kafka's own bootstrap: the level of the records that follow. Written before anything else, so it is durable with it. */
static void prepare_bootstrap(struct metadata_change *change, struct io_time now)
{
    struct metadata *metadata = change->ctx;
    struct feature_level_record record;
    feature_level_record_init(&record);
    record.name = mill_string("metadata.version");
    record.feature_level = METADATA_VERSION_LEVEL;
    if (metadata->version_level == 0)
        metadata_add(metadata, METADATA_RECORD_FEATURE_LEVEL, 0, &feature_level_record_message, &record, now);
}

static void bootstrap_done(struct metadata_change *change, int16_t error, struct io_time now)
{
    mem_free(change);
}

static int bootstrap(struct metadata *metadata, struct io_time now)
{
    if (metadata->version_level != 0)
        return 0;
    struct metadata_change *change = mem_calloc(1, sizeof *change);
    if (!change)
        return MILL_ENOMEM;
    *change = (struct metadata_change){ .prepare = prepare_bootstrap, .done = bootstrap_done, .ctx = metadata };
    metadata_submit(metadata, change, now);
    return 0;
}

static int open_partitions(struct metadata *metadata, struct io_time now)
{
    size_t at = 0;
    for (struct topic *topic; (topic = metadata_next_topic(metadata, &at)) != NULL;)
        for (int32_t i = 0; i < topic->partition_count; i++) {
            int code = partition_open(topic->partitions[i], now, &metadata->broker->error);
            if (code != 0)
                return code;
        }
    return 0;
}

/* ---- directories that belong to no topic: what a crash between a deletion and the removal of its files has left ------------ */

static void remove_leftover(struct metadata *metadata, const char *topic, int32_t index, struct io_time now)
{
    struct topic_settings settings;
    struct error_text error = { "" };
    topic_settings_resolve(&settings, &metadata->broker->config, NULL);
    struct partition *partition = partition_new(metadata->broker, topic, (struct wire_uuid){ { 0 } }, index, 0, &settings);
    if (!partition)
        return;
    if (partition_open(partition, now, &error) != 0)
        trace_warn("broker", "%s-%d: is of a deleted topic and cannot be removed: %s", topic, index, error.text);
    partition_close(partition, true, now);
}

static int look_at_directory(void *ctx, const char *topic_name, int32_t index)
{
    struct metadata *metadata = ctx;
    struct broker *broker = metadata->broker;
    struct wire_uuid id;
    if (strcmp(topic_name, METADATA_TOPIC) == 0 || !partition_id_on_disk(broker, topic_name, index, &id))
        return 0;
    struct topic *topic = metadata_topic(metadata, mill_string(topic_name));
    struct partition *partition = topic ? topic_partition(topic, index) : NULL;
    if (partition && wire_uuid_equal(topic->id, id))
        return 0;
    if (hash_map_get(&metadata->removed, id_key(&id)))
        remove_leftover(metadata, topic_name, index, loop_now(broker->loop));
    else if (is_incomplete(metadata))
        trace_error("broker",
                    "%s/%s-%d: belongs to no topic that is known, and is left alone: perhaps to one of the lost metadata",
                    broker->data_dir, topic_name, index);
    else if (!partition)
        trace_warn("broker", "%s/%s-%d: belongs to no topic of this broker and is left alone; move it away if it is not needed",
                   broker->data_dir, topic_name, index);
    if (partition)
        partition_look_for_stranger(partition);
    return 0;
}

void metadata_remove_leftovers(struct metadata *metadata)
{
    if (is_incomplete(metadata))
        trace_error(
            "broker",
            "%s/%s-0: changes of topics were lost with it: a topic that was made then is not known, though its directories "
            "are left alone, and one that was deleted is known again. Before anything is made anew, stop the broker and "
            "restore the directory from a copy",
            metadata->broker->data_dir, METADATA_TOPIC);
    if (log_directory_each(metadata->broker->directory, look_at_directory, metadata) != 0)
        trace_warn("broker", "%s: cannot be listed: what deleted topics left stays until the next start",
                   metadata->broker->data_dir);
    hash_map_release(&metadata->removed);
    hash_map_init(&metadata->removed);
}

int metadata_open(struct metadata *metadata, struct io_time now)
{
    struct topic_settings settings;
    topic_settings_resolve(&settings, &metadata->broker->config, NULL);
    settings.deletes = false;
    settings.segment_bytes = 1 << 30;
    struct wire_uuid id = { { [15] = 1 } }; /* Kafka's id of this topic */
    metadata->log = partition_new(metadata->broker, METADATA_TOPIC, id, 0, 0, &settings);
    if (!metadata->log)
        return error_set(&metadata->broker->error, MILL_ENOMEM, "no memory for %s", METADATA_TOPIC);
    metadata->log->config.sync_acks = true;
    int code = partition_open(metadata->log, now, &metadata->broker->error);
    if (code == 0)
        code = replay(metadata, now);
    if (code == 0)
        code = open_partitions(metadata, now);
    return code != 0 ? code : bootstrap(metadata, now);
}
