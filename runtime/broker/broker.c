/*
 * The broker's life: open, dispatch, upkeep, close.
 */
#include "broker/broker.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "broker/broker_hub.h"
#include "broker/internal.h"
#include "log/log_checkpoint.h"
#include "log/uuid_text.h"

enum {
    CHECKED_BATCH_BYTES_MAX = 128 << 20, /* what one produced batch may unpack to */
    UPKEEP_LOGS_PER_TURN = 16,
    UPKEEP_PAUSE_US = 1000,
    FLUSH_LOOK_US = 1000 * 1000,
    CHECKPOINT_US = 60 * 1000 * 1000,
    CHECKPOINT_SOON_US = 100 * 1000,
    CHECKPOINT_STEP_US = 1000,
    CHECKPOINT_BYTES = 128 << 20,            /* appended since the last one: a start reads and checks them within some 200 ms */
    CHECKPOINT_RESTS = 4,                    /* times as long as the last one took, before that alone calls for the next one */
    CHECKPOINT_AFTER_CRASH_US = 1000 * 1000, /* so that one crash after the other does not scan more and more */
};

static void upkeep(struct loop_timer *timer, struct io_time now);
static void flush_what_is_due(struct loop_timer *timer, struct io_time now);
static void checkpoint_due(struct loop_timer *timer, struct io_time now);
static void cancel_checkpoint(struct broker *broker);
static void look_whether_closed(struct turn_task *task, struct io_time now);
static void send_replies(struct turn_task *task, struct io_time now);

/* ---- open ------------------------------------------------------------------------------------------------------------------ */

struct broker *broker_new(const struct broker_options *options)
{
    struct broker *broker = mem_calloc(1, sizeof *broker);
    if (!broker)
        return NULL;
    broker->disk = options->disk;
    broker->loop = options->loop;
    config_init(&broker->config, broker_config_table());
    broker->data_dir = mem_strdup(options->data_dir);
    broker->metrics = metrics_new();
    if (!broker->data_dir || !broker->metrics || config_copy(&broker->config, options->config) != 0 ||
        broker_hub_new(broker) != 0) {
        metrics_free(broker->metrics);
        config_release(&broker->config);
        mem_free(broker->data_dir);
        mem_free(broker);
        return NULL;
    }
    broker->meters = (struct broker_meters){
        .bytes_in = metrics_get(broker->metrics, METRIC_COUNTER, "mill_broker_bytes_in_total"),
        .bytes_out = metrics_get(broker->metrics, METRIC_COUNTER, "mill_broker_bytes_out_total"),
        .requests = metrics_get(broker->metrics, METRIC_COUNTER, "mill_broker_requests_total"),
    };
    broker->node_id = (int32_t)config_int(&broker->config, "node.id");
    list_init(&broker->calls);
    list_init(&broker->replies);
    turn_task_init(&broker->send_replies, send_replies, broker);
    turn_task_init(&broker->finish, look_whether_closed, broker);
    broker->upkeep_timer = (struct loop_timer){ .fire = upkeep, .ctx = broker };
    broker->flush_timer = (struct loop_timer){ .fire = flush_what_is_due, .ctx = broker };
    broker->checkpoint_timer = (struct loop_timer){ .fire = checkpoint_due, .ctx = broker };
    batch_reader_init(&broker->check, CHECKED_BATCH_BYTES_MAX);
    sync_rounds_init(&broker->syncs, broker);
    cleaner_init(&broker->cleaner, broker);
    metadata_init(&broker->metadata, broker);
    producer_ids_init(&broker->producer_ids, broker);
    coordinator_init(&broker->coordinator, broker);
    txn_coordinator_init(&broker->txns, broker);
    return broker;
}

static int make_identity(struct broker *broker, struct meta_properties *identity)
{
    int code = meta_properties_read(broker->disk, broker->data_dir, identity, &broker->error);
    if (code == 0) {
        identity->cluster_id[0] = '\0'; /* take what is there */
        identity->node_id = broker->node_id;
        return 0;
    }
    if (code != MILL_ENOTFOUND)
        return code;
    uint8_t cluster[UUID_BYTES];
    *identity = (struct meta_properties){ .node_id = broker->node_id };
    code = loop_random(broker->loop, cluster, sizeof cluster);
    if (code == 0)
        code = loop_random(broker->loop, identity->directory_id, sizeof identity->directory_id);
    cluster[0] &= 0x7f; /* no dash in front */
    uuid_text_write(cluster, identity->cluster_id);
    broker->error.text[0] = '\0';
    return code;
}

static int open_directory(struct broker *broker)
{
    struct log_directory_options options = { .disk = broker->disk, .path = broker->data_dir };
    int code = make_identity(broker, &options.identity);
    return code != 0 ? code : log_directory_open(&options, &broker->directory, &broker->error);
}

int broker_open(struct broker *broker, struct io_time now)
{
    mill_assert(broker->state == BROKER_NEW);
    int code = turn_open(&broker->turn, broker->loop);
    if (code != 0)
        return error_set(&broker->error, code, "the loop has no room for a wake-up");
    broker->turn_is_open = true;
    code = open_directory(broker);
    if (code == 0)
        code = metadata_open(&broker->metadata, now);
    if (code == 0)
        code = broker_hub_open(broker);
    if (code != 0 && !broker->error.text[0])
        error_set(&broker->error, code, "%s", mill_error_text(code));
    if (code != 0)
        return strncmp(broker->error.text, broker->data_dir, strlen(broker->data_dir)) == 0 /* it is named already */
                   ? code
                   : error_prefix(&broker->error, code, "%s", broker->data_dir);
    broker->state = BROKER_OPEN;
    code = coordinator_open(&broker->coordinator, now);
    if (code != 0)
        return error_set(&broker->error, code, "no memory to load the groups");
    code = txn_coordinator_open(&broker->txns, now);
    if (code != 0)
        return error_set(&broker->error, code, "no memory to load the transactions");
    metadata_remove_leftovers(&broker->metadata);
    loop_timer_set(broker->loop, &broker->upkeep_timer,
                   now.monotonic_us + config_int(&broker->config, "log.retention.check.interval.ms") * 1000);
    bool clean = log_directory_was_clean(broker->directory);
    loop_timer_set(broker->loop, &broker->checkpoint_timer,
                   now.monotonic_us + (clean ? CHECKPOINT_US : CHECKPOINT_AFTER_CRASH_US));
    cleaner_start(&broker->cleaner, now);
    if (!config_bool(&broker->config, "log.sync.before.ack"))
        loop_timer_set(broker->loop, &broker->flush_timer, now.monotonic_us + FLUSH_LOOK_US);
    return 0;
}

const char *broker_error(const struct broker *broker)
{
    return broker->error.text;
}

int broker_set_advertised(struct broker *broker, const char *host, int port)
{
    char *copy = mem_strdup(host);
    if (!copy)
        return MILL_ENOMEM;
    mem_free(broker->advertised_host);
    broker->advertised_host = copy;
    broker->advertised_port = port;
    return 0;
}

const char *broker_cluster_id(const struct broker *broker)
{
    return log_directory_identity(broker->directory)->cluster_id;
}

const struct config *broker_config(const struct broker *broker)
{
    return &broker->config;
}

struct metrics *broker_metrics(struct broker *broker)
{
    return broker->metrics;
}

/* ---- calls ----------------------------------------------------------------------------------------------------------------- */

static const struct handler_row {
    int16_t api_key;
    call_handler *handle;
} handlers[] = {
    { API_PRODUCE, handle_produce },
    { API_FETCH, handle_fetch },
    { API_LIST_OFFSETS, handle_list_offsets },
    { API_METADATA, handle_metadata },
    { API_OFFSET_COMMIT, handle_offset_commit },
    { API_OFFSET_FETCH, handle_offset_fetch },
    { API_FIND_COORDINATOR, handle_find_coordinator },
    { API_JOIN_GROUP, handle_join_group },
    { API_HEARTBEAT, handle_heartbeat },
    { API_LEAVE_GROUP, handle_leave_group },
    { API_SYNC_GROUP, handle_sync_group },
    { API_DESCRIBE_GROUPS, handle_describe_groups },
    { API_LIST_GROUPS, handle_list_groups },
    { API_API_VERSIONS, handle_api_versions },
    { API_CREATE_TOPICS, handle_create_topics },
    { API_DELETE_TOPICS, handle_delete_topics },
    { API_DELETE_RECORDS, handle_delete_records },
    { API_INIT_PRODUCER_ID, handle_init_producer_id },
    { API_ADD_PARTITIONS_TO_TXN, handle_add_partitions_to_txn },
    { API_ADD_OFFSETS_TO_TXN, handle_add_offsets_to_txn },
    { API_END_TXN, handle_end_txn },
    { API_WRITE_TXN_MARKERS, handle_write_txn_markers },
    { API_TXN_OFFSET_COMMIT, handle_txn_offset_commit },
    { API_DESCRIBE_PRODUCERS, handle_describe_producers },
    { API_DESCRIBE_TRANSACTIONS, handle_describe_transactions },
    { API_LIST_TRANSACTIONS, handle_list_transactions },
    { API_OFFSET_FOR_LEADER_EPOCH, handle_offset_for_leader_epoch },
    { API_DESCRIBE_CONFIGS, handle_describe_configs },
    { API_CREATE_PARTITIONS, handle_create_partitions },
    { API_DELETE_GROUPS, handle_delete_groups },
    { API_INCREMENTAL_ALTER_CONFIGS, handle_incremental_alter_configs },
    { API_DESCRIBE_CLUSTER, handle_describe_cluster },
    { API_DESCRIBE_TOPIC_PARTITIONS, handle_describe_topic_partitions },
};

static call_handler *find_handler(int16_t api_key)
{
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
        if (handlers[i].api_key == api_key)
            return handlers[i].handle;
    return NULL;
}

bool broker_has_api(int16_t api_key)
{
    return find_handler(api_key) != NULL;
}

static void refuse(struct request *request, int code, broker_reply reply, void *ctx, struct io_time now)
{
    request->response.body = NULL;
    request->response.error = code;
    reply(ctx, request, now);
}

void broker_submit(struct broker *broker, struct request *request, const char *client_host, broker_reply reply, void *ctx,
                   struct io_time now)
{
    call_handler *handle = find_handler(request->api->key);
    if (broker->state != BROKER_OPEN || !handle) {
        refuse(request, handle ? MILL_ECLOSED : MILL_EUNSUPPORTED, reply, ctx, now);
        return;
    }
    struct call *call = arena_calloc(&request->arena, 1, sizeof *call);
    void *response = call ? request_new_response(request) : NULL;
    if (!response) {
        refuse(request, MILL_ENOMEM, reply, ctx, now);
        return;
    }
    *call = (struct call){ .broker = broker,
                           .request = request->body,
                           .response = response,
                           .version = request->api_version,
                           .arena = &request->arena,
                           .client_id = request->client_id,
                           .client_host = client_host,
                           .message = request,
                           .reply = reply,
                           .reply_ctx = ctx };
    request->holder = call;
    metric_add(broker->meters.requests, 1);
    list_push_back(&broker->calls, &call->link);
    handle(call, now);
}

void broker_hurry(struct broker *broker, struct request *request, struct io_time now)
{
    struct call *call = request->holder;
    if (call->hurry)
        call->hurry(call, now);
}

/*
 * Replies leave at the end of the turn: no owner is called again from inside its own answer, and the answers of one turn go out
 * together.
 */
static void queue_reply(struct call *call)
{
    struct broker *broker = call->broker;
    call->hurry = NULL;
    list_remove(&call->link);
    list_push_back(&broker->replies, &call->link);
    turn_add(&broker->turn, &broker->send_replies);
}

static void send_replies(struct turn_task *task, struct io_time now)
{
    struct broker *broker = task->ctx;
    struct list due;
    list_init(&due);
    for (struct list *node; (node = list_pop_front(&broker->replies)) != NULL;)
        list_push_back(&due, node);
    for (struct list *node; (node = list_pop_front(&due)) != NULL;) {
        struct call *call = list_entry(node, struct call, link);
        call->reply(call->reply_ctx, call->message, now);
    }
    if (broker->state == BROKER_CLOSING)
        turn_add(&broker->turn, &broker->finish);
}

void call_reply(struct call *call, struct io_time now)
{
    if (call->starved) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    queue_reply(call);
}

void call_reply_nothing(struct call *call, struct io_time now)
{
    call->message->response.body = NULL;
    queue_reply(call);
}

void call_fail(struct call *call, int code, struct io_time now)
{
    call->message->response.body = NULL;
    call->message->response.error = code;
    queue_reply(call);
}

mill_bytes call_copy(struct call *call, mill_bytes bytes)
{
    mill_bytes copy = arena_dup(call->arena, bytes);
    if (!mill_is_null(copy) || mill_is_null(bytes))
        return copy;
    call->starved = true;
    return mill_string("");
}

void *call_array(struct call *call, void *array)
{
    if (!array)
        call->starved = true;
    return array;
}

/* ---- work ------------------------------------------------------------------------------------------------------------------ */

void broker_work(struct broker *broker, enum work_class class, struct work_item *item)
{
    broker->works++;
    loop_work_submit(broker->loop, class, item);
}

void broker_work_done(struct broker *broker)
{
    mill_assert(broker->works > 0);
    broker->works--;
    if (broker->state == BROKER_CLOSING)
        turn_add(&broker->turn, &broker->finish);
}

/* ---- upkeep ---------------------------------------------------------------------------------------------------------------- */

static void maintain(struct partition *partition, struct io_time now)
{
    if (!partition->log)
        return;
    int64_t log_start = partition_log_start(partition);
    int code = partition_log_maintain(partition->log, now);
    if (partition_log_start(partition) > log_start)
        broker_checkpoint(partition->broker, now); /* without it the files do not go */
    if (code != 0)
        trace_warn("broker", "%s-%d: upkeep failed, it is tried again later: %s", partition->topic, partition->index,
                   partition_log_error(partition->log));
    if (partition_log_is_dirty(partition->log))
        sync_rounds_add(&partition->broker->syncs, partition);
    cleaner_note(&partition->broker->cleaner, partition, now);
}

/* The `at`-th partition of the broker, counted over all topics; NULL behind the last. */
static struct partition *nth_partition(const struct broker *broker, size_t at)
{
    size_t walk = 0;
    if (at == 0)
        return broker->metadata.log;
    at--;
    for (struct topic *topic; (topic = metadata_next_topic(&broker->metadata, &walk)) != NULL;) {
        if (at < (size_t)topic->partition_count)
            return topic->partitions[at];
        at -= (size_t)topic->partition_count;
    }
    return NULL;
}

static void upkeep(struct loop_timer *timer, struct io_time now)
{
    struct broker *broker = timer->ctx;
    struct partition *partition = NULL;
    for (int i = 0; i < UPKEEP_LOGS_PER_TURN && (partition = nth_partition(broker, broker->upkeep_at)) != NULL; i++) {
        maintain(partition, now);
        broker->upkeep_at++;
    }
    int64_t pause = UPKEEP_PAUSE_US;
    if (!partition) {
        metadata_snapshot_look(&broker->metadata.snapshot, now);
        broker->upkeep_at = 0;
        pause = config_int(&broker->config, "log.retention.check.interval.ms") * 1000;
    }
    loop_timer_set(broker->loop, timer, now.monotonic_us + pause);
}

static void flush_what_is_due(struct loop_timer *timer, struct io_time now)
{
    struct broker *broker = timer->ctx;
    size_t at = 0;
    for (struct topic *topic; (topic = metadata_next_topic(&broker->metadata, &at)) != NULL;)
        for (int32_t i = 0; i < topic->partition_count; i++) {
            struct partition *partition = topic->partitions[i];
            if (partition->log && partition_log_sync_is_due(partition->log, now))
                sync_rounds_add(&broker->syncs, partition);
        }
    loop_timer_set(broker->loop, timer, now.monotonic_us + FLUSH_LOOK_US);
}

static void run_checkpoint(struct work_item *item)
{
    struct broker *broker = item->ctx;
    log_checkpoint_run(broker->checkpoint);
}

static bool is_much_appended(const struct broker *broker)
{
    return broker->appended_bytes >= CHECKPOINT_BYTES;
}

static void end_checkpoint(struct broker *broker, int code, struct io_time now)
{
    broker->checkpoint = NULL;
    if (code != 0)
        trace_warn("broker", "%s: checkpoint failed (%s); a crash would have more to scan", broker->data_dir,
                   mill_error_text(code));
    int64_t rest_us = (now.monotonic_us - broker->checkpoint_began_us) * CHECKPOINT_RESTS;
    broker->checkpoint_rested_us = now.monotonic_us + rest_us;
    int64_t pause_us = is_much_appended(broker) && rest_us < CHECKPOINT_US ? rest_us : CHECKPOINT_US;
    if (broker->checkpoint_again && pause_us > CHECKPOINT_SOON_US)
        pause_us = CHECKPOINT_SOON_US;
    broker->checkpoint_again = false;
    loop_timer_set(broker->loop, &broker->checkpoint_timer, now.monotonic_us + pause_us);
}

static void step_checkpoint(struct broker *broker, struct io_time now);

static void checkpoint_ran(struct work_item *item, struct io_time now)
{
    struct broker *broker = item->ctx;
    broker->checkpoint_runs = false;
    if (broker->state == BROKER_OPEN)
        step_checkpoint(broker, now);
    else
        cancel_checkpoint(broker);
    broker_work_done(broker);
}

static void step_checkpoint(struct broker *broker, struct io_time now)
{
    int code = log_directory_checkpoint_step(broker->directory, broker->checkpoint);
    if (code == LOG_CHECKPOINT_RUNS) {
        broker->checkpoint_runs = true;
        broker->checkpoint_work = (struct work_item){ .run = run_checkpoint, .done = checkpoint_ran, .ctx = broker };
        broker_work(broker, WORK_BACKGROUND, &broker->checkpoint_work);
    } else if (code == LOG_CHECKPOINT_ADDS) {
        loop_timer_set(broker->loop, &broker->checkpoint_timer, now.monotonic_us + CHECKPOINT_STEP_US);
    } else {
        end_checkpoint(broker, code, now);
    }
}

/* Begins one, or goes on with the one that has paused. */
static void checkpoint_due(struct loop_timer *timer, struct io_time now)
{
    struct broker *broker = timer->ctx;
    if (!broker->checkpoint) {
        broker->checkpoint_began_us = now.monotonic_us;
        broker->appended_bytes = 0;
        broker->checkpoint = log_directory_checkpoint_begin(broker->directory);
    }
    if (broker->checkpoint)
        step_checkpoint(broker, now);
    else
        loop_timer_set(broker->loop, timer, now.monotonic_us + CHECKPOINT_US);
}

static void checkpoint_by(struct broker *broker, int64_t at_us)
{
    if (broker->state == BROKER_OPEN && !broker->checkpoint && broker->checkpoint_timer.at_us > at_us)
        loop_timer_set(broker->loop, &broker->checkpoint_timer, at_us);
}

void broker_checkpoint(struct broker *broker, struct io_time now)
{
    broker->checkpoint_again |= broker->checkpoint != NULL;
    checkpoint_by(broker, now.monotonic_us + CHECKPOINT_SOON_US);
}

void broker_count_appended(struct broker *broker, size_t bytes, struct io_time now)
{
    broker->appended_bytes += (int64_t)bytes;
    if (is_much_appended(broker))
        checkpoint_by(broker, broker->checkpoint_rested_us > now.monotonic_us ? broker->checkpoint_rested_us : now.monotonic_us);
}

/* While no worker has it. */
static void cancel_checkpoint(struct broker *broker)
{
    if (broker->checkpoint && !broker->checkpoint_runs) {
        log_directory_checkpoint_cancel(broker->directory, broker->checkpoint);
        broker->checkpoint = NULL;
    }
}

/* ---- close ----------------------------------------------------------------------------------------------------------------- */

static void hurry_all(struct broker *broker, struct io_time now)
{
    list_for_each_safe (node, &broker->calls) {
        struct call *call = list_entry(node, struct call, link);
        if (call->hurry)
            call->hurry(call, now);
    }
}

void broker_close(struct broker *broker, void (*closed)(void *ctx), void *ctx, struct io_time now)
{
    mill_assert(broker->state == BROKER_OPEN);
    broker->state = BROKER_CLOSING;
    broker->closed = closed;
    broker->closed_ctx = ctx;
    loop_timer_cancel(broker->loop, &broker->upkeep_timer);
    loop_timer_cancel(broker->loop, &broker->flush_timer);
    loop_timer_cancel(broker->loop, &broker->checkpoint_timer);
    cancel_checkpoint(broker);
    cleaner_close(&broker->cleaner);
    txn_coordinator_close(&broker->txns, now);
    coordinator_close(&broker->coordinator, now);
    hurry_all(broker, now);
    turn_add(&broker->turn, &broker->finish);
}

static bool is_quiet(const struct broker *broker)
{
    return broker->works == 0 && list_empty(&broker->calls) && list_empty(&broker->replies) && sync_rounds_idle(&broker->syncs) &&
           !broker->metadata.current && list_empty(&broker->metadata.changes);
}

static void look_whether_closed(struct turn_task *task, struct io_time now)
{
    struct broker *broker = task->ctx;
    if (broker->state != BROKER_CLOSING || !is_quiet(broker))
        return; /* whatever is under way looks again when it ends */
    broker->state = BROKER_CLOSED;
    sync_rounds_close(&broker->syncs);
    metadata_release(&broker->metadata, now);
    txn_coordinator_release(&broker->txns);
    coordinator_release(&broker->coordinator);
    int code = log_directory_close(broker->directory, true, &broker->error);
    broker->directory = NULL;
    if (code != 0)
        trace_warn("broker", "%s: not closed cleanly, the next start will scan: %s", broker->data_dir, broker->error.text);
    broker->closed(broker->closed_ctx);
}

void broker_free(struct broker *broker)
{
    if (!broker)
        return;
    mill_assert(broker->state != BROKER_CLOSING);
    if (broker->state != BROKER_CLOSED) {
        loop_timer_cancel(broker->loop, &broker->upkeep_timer);
        loop_timer_cancel(broker->loop, &broker->flush_timer);
        loop_timer_cancel(broker->loop, &broker->checkpoint_timer);
        sync_rounds_close(&broker->syncs);
        cleaner_close(&broker->cleaner);
        struct io_time now = { 0 };
        broker->state = BROKER_CLOSED;
        txn_coordinator_close(&broker->txns, now);
        coordinator_close(&broker->coordinator, now);
        metadata_release(&broker->metadata, now);
        txn_coordinator_release(&broker->txns);
        coordinator_release(&broker->coordinator);
        if (broker->checkpoint) /* a crash that is only simulated: nobody works on it any more */
            log_checkpoint_free(broker->checkpoint);
        if (broker->directory)
            log_directory_close(broker->directory, false, &broker->error);
    }
    broker_hub_free(broker);
    if (broker->turn_is_open)
        turn_close(&broker->turn);
    batch_reader_release(&broker->check);
    metrics_free(broker->metrics);
    config_release(&broker->config);
    mem_free(broker->advertised_host);
    mem_free(broker->data_dir);
    mem_free(broker);
}
