#include "broker/group/coordinator.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/group/offsets_loader.h"
#include "broker/internal.h"

enum { OFFSETS_BATCH_BYTES_MAX = 16 << 20, RECORD_ARENA_BYTES_MAX = 64 << 20 };

static void expire_offsets(struct loop_timer *timer, struct io_time now);

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

void coordinator_init(struct coordinator *coordinator, struct broker *broker)
{
    *coordinator = (struct coordinator){ .broker = broker };
    hash_map_init(&coordinator->groups);
    internal_topic_init(&coordinator->topic, broker, OFFSETS_TOPIC, "offsets.topic.num.partitions",
                        "offsets.topic.segment.bytes");
    txn_offsets_init(&coordinator->txns, coordinator);
    batch_writer_init(&coordinator->writer, OFFSETS_BATCH_BYTES_MAX, OFFSETS_BATCH_BYTES_MAX);
    buffer_init(&coordinator->key, OFFSETS_BATCH_BYTES_MAX);
    buffer_init(&coordinator->value, OFFSETS_BATCH_BYTES_MAX);
    coordinator->expiry_timer = (struct loop_timer){ .fire = expire_offsets, .ctx = coordinator };
}

static void plan_expiry(struct coordinator *coordinator, struct io_time now)
{
    int64_t ms = config_int(&coordinator->broker->config, "offsets.retention.check.interval.ms");
    loop_timer_set(coordinator->broker->loop, &coordinator->expiry_timer, now.monotonic_us + ms * 1000);
}

int coordinator_open(struct coordinator *coordinator, struct io_time now)
{
    plan_expiry(coordinator, now);
    return offsets_loader_start(coordinator, now);
}

static struct topic *offsets_topic(const struct coordinator *coordinator)
{
    return internal_topic_find(&coordinator->topic);
}

struct classic_group *coordinator_next_group(const struct coordinator *coordinator, size_t *at)
{
    const struct hash_map_entry *entry = hash_map_next(&coordinator->groups, at);
    return entry ? entry->value : NULL;
}

void coordinator_close(struct coordinator *coordinator, struct io_time now)
{
    loop_timer_cancel(coordinator->broker->loop, &coordinator->expiry_timer);
    topic_loader_stop(coordinator->loader);
    internal_topic_close(&coordinator->topic, now);
    size_t at = 0;
    for (struct classic_group *group; (group = coordinator_next_group(coordinator, &at)) != NULL;)
        classic_group_end(group, KAFKA_NOT_COORDINATOR, now);
}

void coordinator_release(struct coordinator *coordinator)
{
    loop_timer_cancel(coordinator->broker->loop, &coordinator->expiry_timer);
    topic_loader_free(coordinator->loader);
    txn_offsets_release(&coordinator->txns);
    size_t at = 0;
    for (struct classic_group *group; (group = coordinator_next_group(coordinator, &at)) != NULL;)
        classic_group_free(group);
    hash_map_release(&coordinator->groups);
    batch_writer_release(&coordinator->writer);
    buffer_release(&coordinator->key);
    buffer_release(&coordinator->value);
}

void coordinator_need_topic(struct coordinator *coordinator, struct call *call, group_operation *run, group_refusal *refuse,
                            struct io_time now)
{
    internal_topic_need(&coordinator->topic, call, run, refuse, now);
}

int32_t coordinator_partition(const struct coordinator *coordinator, mill_bytes group_id)
{
    return internal_topic_partition_of(group_id, offsets_topic(coordinator)->partition_count);
}

int16_t coordinator_check(const struct coordinator *coordinator, mill_bytes group_id)
{
    const struct topic *topic = offsets_topic(coordinator);
    if (!topic)
        return KAFKA_NONE; /* there is no group at all */
    if (!topic_loader_has(coordinator->loader, internal_topic_partition_of(group_id, topic->partition_count)))
        return KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
    return KAFKA_NONE;
}

struct entry {
    mill_bytes group_id;
    group_operation *run;
    group_refusal *refuse;
};

static void enter_with_topic(struct call *call, struct io_time now)
{
    struct entry *entry = call->state;
    int16_t error = coordinator_check(&call->broker->coordinator, entry->group_id);
    if (error != KAFKA_NONE)
        entry->refuse(call, error, now);
    else
        entry->run(call, now);
}

void coordinator_enter(struct coordinator *coordinator, struct call *call, mill_bytes group_id, group_operation *run,
                       group_refusal *refuse, struct io_time now)
{
    struct entry *entry = arena_alloc(call->arena, sizeof *entry);
    if (!entry) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    *entry = (struct entry){ group_id, run, refuse };
    call->state = entry;
    coordinator_need_topic(coordinator, call, enter_with_topic, refuse, now);
}

/* ---- groups ---------------------------------------------------------------------------------------------------------------- */

struct classic_group *coordinator_group(const struct coordinator *coordinator, mill_bytes id)
{
    return hash_map_get(&coordinator->groups, id);
}

struct classic_group *coordinator_make_group(struct coordinator *coordinator, mill_bytes id, struct io_time now)
{
    struct classic_group *group = coordinator_group(coordinator, id);
    if (group)
        return group;
    group = classic_group_new(coordinator, id, internal_topic_partition_of(id, offsets_topic(coordinator)->partition_count), now);
    if (group && hash_map_put(&coordinator->groups, id, group, NULL) != 0) {
        classic_group_free(group);
        return NULL;
    }
    return group;
}

static void forget_group(struct coordinator *coordinator, struct classic_group *group)
{
    mill_bytes id = group->id;
    if (coordinator_group(coordinator, id) == group)
        hash_map_remove(&coordinator->groups, id);
    if (group->writes == 0)
        classic_group_free(group);
}

void coordinator_let_go_if_idle(struct coordinator *coordinator, struct classic_group *group)
{
    if (classic_group_is_idle(group))
        forget_group(coordinator, group);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

struct group_write {
    struct coordinator *coordinator;
    struct classic_group *group;
    struct group_store store;
    struct shared_buffer *batch;
    struct partition_append append;
};

/* What a failed write of ours is to a member of a group. */
static int16_t group_error_of(int16_t error)
{
    switch (error) {
    case KAFKA_NONE:
        return KAFKA_NONE;
    case KAFKA_MESSAGE_TOO_LARGE:
    case KAFKA_RECORD_LIST_TOO_LARGE:
        return KAFKA_INVALID_COMMIT_OFFSET_SIZE;
    case KAFKA_KAFKA_STORAGE_ERROR:
        return KAFKA_NOT_COORDINATOR;
    case KAFKA_INVALID_PRODUCER_EPOCH:
        return KAFKA_INVALID_PRODUCER_EPOCH;
    default:
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
}

static void tell_store(const struct group_store *store, int16_t error, struct io_time now)
{
    if (store && store->done)
        store->done(store->ctx, error, now);
}

static void write_is_durable(struct partition_append *append, struct io_time now)
{
    struct group_write *write = append->ctx;
    struct classic_group *group = write->group;
    if (append->error != KAFKA_NONE)
        trace_error("group", "%s: could not be written down: %s", group ? group->name : OFFSETS_TOPIC,
                    kafka_error_name(append->error));
    tell_store(&write->store, group_error_of(append->error), now);
    shared_buffer_drop(write->batch);
    mem_free(write);
    if (!group)
        return;
    group->writes--;
    /* A deleted group is out of the map already; at close all are Dead and freed with the coordinator. */
    if (group->writes == 0 && group->state == GROUP_DEAD && coordinator_group(group->coordinator, group->id) != group)
        classic_group_free(group);
}

static void submit_batch_as(struct coordinator *coordinator, const struct batch_options *options, int32_t index,
                            struct classic_group *group, const struct group_store *store, struct io_time now)
{
    struct topic *topic = offsets_topic(coordinator);
    struct partition *partition = topic ? topic_partition(topic, index) : NULL;
    struct group_write *write = mem_calloc(1, sizeof *write);
    mill_bytes batch;
    if (!write || !partition || coordinator->add_failed || batch_writer_finish(&coordinator->writer, options, &batch) != 0 ||
        batch_writer_take(&coordinator->writer, &write->batch) != 0) {
        mem_free(write);
        tell_store(store, KAFKA_COORDINATOR_NOT_AVAILABLE, now);
        return;
    }
    write->coordinator = coordinator;
    write->group = group;
    write->store = store ? *store : (struct group_store){ 0 };
    write->append = (struct partition_append){
        .batch = { mill_bytes_of(write->batch->data, write->batch->len), write->batch },
        .origin = APPEND_BROKER,
        .done = write_is_durable,
        .ctx = write,
    };
    if (group)
        group->writes++;
    partition_append(partition, &write->append, now);
}

static void submit_batch(struct coordinator *coordinator, int32_t index, struct classic_group *group,
                         const struct group_store *store, struct io_time now)
{
    submit_batch_as(coordinator, &BATCH_OPTIONS_PLAIN, index, group, store, now);
}

static void begin_batch(struct coordinator *coordinator)
{
    batch_writer_clear(&coordinator->writer);
    coordinator->add_failed = false;
}

static void begin_key(struct coordinator *coordinator, enum group_record_type type)
{
    buffer_clear(&coordinator->key);
    buffer_clear(&coordinator->value);
    buffer_append_u16(&coordinator->key, (uint16_t)type);
}

/* `value_message` NULL: a tombstone. */
static void add_record(struct coordinator *coordinator, const struct wire_message *key_message, const void *key,
                       const struct wire_message *value_message, int version, const void *value, struct io_time now)
{
    mill_record record = { .timestamp_ms = now.wall_ms };
    int code = wire_append(key_message, 0, key, &coordinator->key, NULL);
    if (code == 0 && value_message) {
        buffer_append_u16(&coordinator->value, (uint16_t)version);
        code = wire_append(value_message, version, value, &coordinator->value, NULL);
        record.value = buffer_bytes(&coordinator->value);
    }
    record.key = buffer_bytes(&coordinator->key);
    if (code != 0 || coordinator->key.failed || coordinator->value.failed ||
        batch_writer_append(&coordinator->writer, &record) != 0)
        coordinator->add_failed = true;
}

static void add_group_tombstone(struct coordinator *coordinator, const struct classic_group *group, struct io_time now)
{
    struct group_metadata_key key = { .group = group->id };
    begin_key(coordinator, GROUP_RECORD_GROUP);
    add_record(coordinator, &group_metadata_key_message, &key, NULL, 0, NULL, now);
}

static void add_group(struct coordinator *coordinator, struct classic_group *group, struct io_time now)
{
    struct arena arena;
    struct group_metadata_key key = { .group = group->id };
    struct group_metadata_value value;
    arena_init(&arena, 4096, RECORD_ARENA_BYTES_MAX);
    begin_key(coordinator, GROUP_RECORD_GROUP);
    if (classic_group_record(group, &arena, &value))
        add_record(coordinator, &group_metadata_key_message, &key, &group_metadata_value_message, GROUP_METADATA_VALUE_VERSION,
                   &value, now);
    else
        coordinator->add_failed = true;
    arena_release(&arena);
}

void coordinator_store_group(struct coordinator *coordinator, struct classic_group *group, const struct group_store *store,
                             struct io_time now)
{
    begin_batch(coordinator);
    add_group(coordinator, group, now);
    submit_batch(coordinator, group->partition, group, store, now);
}

void coordinator_begin_offsets(struct coordinator *coordinator)
{
    begin_batch(coordinator);
}

void coordinator_add_offset(struct coordinator *coordinator, struct classic_group *group, struct pending_offset *pending,
                            struct io_time now)
{
    const struct committed_offset *committed = &pending->committed;
    struct offset_commit_key key = { .group = group->id, .topic = pending->topic, .partition = committed->partition };
    pending->removed = false;
    list_push_back(&group->pending_offsets, &pending->link);
    struct offset_commit_value value;
    offset_commit_value_init(&value);
    value.offset = committed->offset;
    value.leader_epoch = committed->leader_epoch;
    value.metadata = mill_is_null(committed->metadata) ? mill_string("") : committed->metadata;
    value.commit_timestamp = committed->commit_ms;
    begin_key(coordinator, GROUP_RECORD_OFFSET);
    add_record(coordinator, &offset_commit_key_message, &key, &offset_commit_value_message, OFFSET_COMMIT_VALUE_VERSION, &value,
               now);
}

void coordinator_remove_offset(struct coordinator *coordinator, const struct classic_group *group, mill_bytes topic,
                               int32_t partition, struct io_time now)
{
    struct offset_commit_key key = { .group = group->id, .topic = topic, .partition = partition };
    begin_key(coordinator, GROUP_RECORD_OFFSET);
    add_record(coordinator, &offset_commit_key_message, &key, NULL, 0, NULL, now);
}

bool coordinator_end_offset(struct pending_offset *pending)
{
    list_remove(&pending->link);
    return !pending->removed;
}

void coordinator_submit_offsets(struct coordinator *coordinator, struct classic_group *group, const struct group_store *store,
                                struct io_time now)
{
    submit_batch(coordinator, group->partition, group, store, now);
}

void coordinator_submit_txn_offsets(struct coordinator *coordinator, struct classic_group *group, int64_t producer_id,
                                    int16_t producer_epoch, const struct group_store *store, struct io_time now)
{
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.transactional = true;
    options.producer_id = producer_id;
    options.producer_epoch = producer_epoch;
    submit_batch_as(coordinator, &options, group->partition, group, store, now);
}

void coordinator_txn_ended(struct coordinator *coordinator, int32_t partition, int64_t producer_id, bool committed,
                           struct io_time now)
{
    if (topic_loader_has(coordinator->loader, partition)) /* else the loader comes to the marker */
        txn_offsets_end(&coordinator->txns, partition, producer_id, committed, now);
}

/* The batch that was begun ends with the group's tombstone, and the group with the batch. */
static void submit_end_of_group(struct coordinator *coordinator, struct classic_group *group, const struct group_store *store,
                                struct io_time now)
{
    add_group_tombstone(coordinator, group, now);
    txn_offsets_drop_group(&coordinator->txns, group);
    classic_group_end(group, KAFKA_UNKNOWN_MEMBER_ID, now);
    group->writes++; /* not to be freed by the write that it is about to begin */
    submit_batch(coordinator, group->partition, group, store, now);
    group->writes--;
    forget_group(coordinator, group);
}

static void remove_offsets_of_txn(struct coordinator *coordinator, struct group_txn *txn, mill_bytes only_topic,
                                  struct io_time now)
{
    size_t at = 0;
    for (const struct offset_topic *topic; (topic = group_offsets_next(&txn->offsets, &at)) != NULL;)
        for (size_t i = 0; i < topic->count && (mill_is_null(only_topic) || mill_bytes_equal(topic->name, only_topic)); i++) {
            coordinator_remove_offset(coordinator, txn->group, topic->name, topic->partitions[i].partition, now);
            txn_offsets_supersede(&coordinator->txns, txn->group, topic->name, topic->partitions[i].partition);
        }
}

/* Tombstones for all that a marker, or the disk, would still add; `only_topic` null: of every topic. */
static void remove_pending(struct coordinator *coordinator, struct classic_group *group, mill_bytes only_topic,
                           struct io_time now)
{
    list_for_each (node, &coordinator->txns.open) {
        struct group_txn *txn = list_entry(node, struct group_txn, link);
        if (txn->group == group)
            remove_offsets_of_txn(coordinator, txn, only_topic, now);
    }
    list_for_each (node, &group->pending_offsets) {
        struct pending_offset *pending = list_entry(node, struct pending_offset, link);
        if (mill_is_null(only_topic) || mill_bytes_equal(pending->topic, only_topic)) {
            coordinator_remove_offset(coordinator, group, pending->topic, pending->committed.partition, now);
            pending->removed = true;
        }
    }
}

void coordinator_delete_group(struct coordinator *coordinator, struct classic_group *group, const struct group_store *store,
                              struct io_time now)
{
    begin_batch(coordinator);
    size_t at = 0;
    for (const struct offset_topic *topic; (topic = group_offsets_next(&group->offsets, &at)) != NULL;)
        for (size_t i = 0; i < topic->count; i++)
            coordinator_remove_offset(coordinator, group, topic->name, topic->partitions[i].partition, now);
    remove_pending(coordinator, group, mill_null(), now);
    submit_end_of_group(coordinator, group, store, now);
}

/* ---- forgetting offsets ---------------------------------------------------------------------------------------------------- */

void coordinator_topic_deleted(struct coordinator *coordinator, const char *name, struct io_time now)
{
    size_t at = 0;
    mill_bytes topic_name = mill_string(name);
    for (struct classic_group *group; (group = coordinator_next_group(coordinator, &at)) != NULL;) {
        const struct offset_topic *topic = hash_map_get(&group->offsets.topics, topic_name);
        begin_batch(coordinator);
        for (size_t i = topic ? topic->count : 0; i > 0; i--) {
            int32_t partition = topic->partitions[i - 1].partition;
            coordinator_remove_offset(coordinator, group, topic_name, partition, now);
            group_offsets_remove(&group->offsets, topic_name, partition); /* the last one frees the topic */
        }
        remove_pending(coordinator, group, topic_name, now);
        if (coordinator->writer.record_count > 0)
            submit_batch(coordinator, group->partition, group, NULL, now);
    }
}

static bool member_subscribes(const struct group_member *member, mill_bytes protocol, mill_bytes topic)
{
    struct arena arena;
    struct consumer_protocol_subscription subscription;
    struct byte_reader reader = byte_reader_of(group_member_metadata(member, protocol));
    int version = byte_reader_u16(&reader);
    if (version > consumer_protocol_subscription_message.version_max)
        version = consumer_protocol_subscription_message.version_max;
    arena_init(&arena, 1024, 1 << 20);
    /* What cannot be read may name any topic. */
    bool subscribes = reader.failed || wire_decode(&consumer_protocol_subscription_message, version, &reader, NULL, &arena,
                                                   &subscription, NULL) != 0;
    for (int32_t i = 0; !subscribes && i < subscription.topics.count; i++)
        subscribes = mill_bytes_equal(subscription.topics.items[i], topic);
    arena_release(&arena);
    return subscribes;
}

static bool group_subscribes(const struct classic_group *group, mill_bytes topic)
{
    if (!mill_bytes_equal(group->protocol_type, mill_string("consumer")) || group->state != GROUP_STABLE)
        return true;
    size_t at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&group->members, &at)) != NULL;)
        if (member_subscribes(entry->value, group->protocol, topic))
            return true;
    return false;
}

/* From when the time of an offset counts (KIP-211). */
static int64_t idle_since(const struct classic_group *group, const struct committed_offset *committed)
{
    bool standalone = mill_is_null(group->protocol_type);
    if (group->state == GROUP_EMPTY && !standalone && group->state_since_ms > committed->commit_ms)
        return group->state_since_ms;
    return committed->commit_ms;
}

/* A commit is under way that is newer than what is there, and a tombstone would lie behind it. */
static bool is_being_committed(struct coordinator *coordinator, const struct classic_group *group, mill_bytes topic,
                               int32_t partition)
{
    list_for_each (node, &group->pending_offsets) {
        const struct pending_offset *pending = list_entry(node, struct pending_offset, link);
        if (pending->committed.partition == partition && mill_bytes_equal(pending->topic, topic))
            return true;
    }
    return txn_offsets_pend(&coordinator->txns, group, topic, partition);
}

static void expire_topic(struct coordinator *coordinator, struct classic_group *group, const struct offset_topic *topic,
                         int64_t retention_ms, struct io_time now)
{
    mill_bytes name = topic->name;
    size_t left = topic->count;
    if (group->state != GROUP_EMPTY && group_subscribes(group, name))
        return;
    for (size_t i = left; i > 0; i--) {
        const struct committed_offset *committed = &topic->partitions[i - 1];
        if (now.wall_ms - idle_since(group, committed) < retention_ms ||
            is_being_committed(coordinator, group, name, committed->partition))
            continue;
        bool last = --left == 0;
        coordinator_remove_offset(coordinator, group, name, committed->partition, now);
        group_offsets_remove(&group->offsets, name, committed->partition);
        if (last)
            return; /* the topic is freed */
    }
}

static void expire_group(struct coordinator *coordinator, struct classic_group *group, int64_t retention_ms, struct io_time now)
{
    begin_batch(coordinator);
    size_t at = 0;
    for (const struct offset_topic *topic; (topic = group_offsets_next(&group->offsets, &at)) != NULL;)
        expire_topic(coordinator, group, topic, retention_ms, now);
    bool nothing_left = group->state == GROUP_EMPTY && group_offsets_is_empty(&group->offsets) &&
                        hash_map_count(&group->pending) == 0 && group->writes == 0 &&
                        !txn_offsets_has_group(&coordinator->txns, group) && now.wall_ms - group->state_since_ms >= retention_ms;
    if (nothing_left)
        submit_end_of_group(coordinator, group, NULL, now);
    else if (coordinator->writer.record_count > 0)
        submit_batch(coordinator, group->partition, group, NULL, now);
}

static void expire_offsets(struct loop_timer *timer, struct io_time now)
{
    struct coordinator *coordinator = timer->ctx;
    int64_t retention_ms = config_int(&coordinator->broker->config, "offsets.retention.minutes") * 60 * 1000;
    plan_expiry(coordinator, now);
    if (coordinator->loader)
        return;
    size_t at = 0;
    for (struct classic_group *group; (group = coordinator_next_group(coordinator, &at)) != NULL;)
        expire_group(coordinator, group, retention_ms, now);
    internal_topic_roll(&coordinator->topic, now);
}
