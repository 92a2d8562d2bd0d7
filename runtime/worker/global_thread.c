#include "worker/global_thread.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "worker/client_properties.h"
#include "worker/internal.h"

enum {
    GLOBAL_RECORDS_PER_TURN = 2048,
    GLOBAL_INPUT_BYTES_MAX = 4 << 20, /* batches waiting in one partition; the consumer holds more */
    GLOBAL_MESSAGE_BYTES = 1 << 20,   /* of updates, after which a turn ends */
    GLOBAL_PROGRESS_INTERVAL_US = 1000000,
    GLOBAL_IDLE_US = 5000000, /* between two looks at whether a flush is due by age */
};

enum global_state { GLOBAL_TOPICS, GLOBAL_LOOKING_UP, GLOBAL_FILLING, GLOBAL_FOLLOWING, GLOBAL_FAILED, GLOBAL_CLOSING };

struct global_thread {
    struct global_thread_options options;
    struct global_thread_events events;
    void *ctx;
    enum global_state state;
    struct error_text error;
    char client_id[256];

    struct config clients; /* of client_option_table */
    struct client *client;
    struct consumer *consumer;
    struct metadata_listener metadata;
    struct internal_topics *internal_topics;
    struct offset_lookup *lookup;
    int32_t *partition_counts; /* by topology->topics; NULL before they are known */

    struct task *task;
    struct consumer_partition **partitions; /* by input */
    int64_t *ends;                          /* by input: where filling ends */
    int64_t progress_told_us;
    int64_t filled_records;
    bool runs; /* the task does */

    struct global_message *message; /* what the running turn did, once there are readers; NULL between turns */
    uint64_t sent;                  /* messages, after the fill */
    uint64_t flushing_sent;         /* those whose updates the running flush has */
    uint64_t flushed_sent;          /* not yet told to the readers; 0: no news */
    bool flushing;
    int flush_code;
    struct work_item flush;
    struct loop_timer turn;
    struct loop_wakeup room;
    bool room_open;
};

/* ---- turns and failures ---------------------------------------------------------------------------------------------------- */

static void wake(struct global_thread *thread)
{
    int64_t now_us = loop_now(thread->options.loop).monotonic_us;
    if (thread->turn.at_us == 0 || now_us < thread->turn.at_us)
        loop_timer_set(thread->options.loop, &thread->turn, now_us > 0 ? now_us : 1);
}

static void fail_with(struct global_thread *thread, int code, const char *text)
{
    if (thread->error.text[0] != '\0')
        return;
    error_set(&thread->error, code, "%s: %s", thread->client_id, text);
    trace_error("streams", "%s", thread->error.text);
    thread->events.failed(thread->ctx, code, thread->error.text);
    if (thread->state != GLOBAL_CLOSING)
        thread->state = GLOBAL_FAILED;
    wake(thread);
}

static bool is_over(const struct global_thread *thread)
{
    return thread->state == GLOBAL_FAILED || thread->state == GLOBAL_CLOSING;
}

/* ---- topics ---------------------------------------------------------------------------------------------------------------- */

static void topics_are_sure(void *ctx, int code, const char *text, const int32_t *counts, const struct matched_topics *matched,
                            struct io_time now)
{
    struct global_thread *thread = ctx;
    thread->internal_topics = NULL;
    if (code < 0) {
        fail_with(thread, code, text);
        return;
    }
    size_t count = thread->options.topology->topics.count;
    thread->partition_counts = mem_calloc(count, sizeof *thread->partition_counts);
    if (thread->partition_counts == NULL) {
        fail_with(thread, MILL_ENOMEM, "no memory for the topics of the global stores");
        return;
    }
    memcpy(thread->partition_counts, counts, count * sizeof *counts);
    wake(thread);
}

/* ---- the task -------------------------------------------------------------------------------------------------------------- */

static const char *get_property(void *ctx, const char *name)
{
    return streams_config_text(((struct global_thread *)ctx)->options.config, name);
}

static int take_update(void *ctx, const struct topology_store *store, const mill_record *update)
{
    struct global_thread *thread = ctx;
    const struct topology_stores *stores = &thread->options.topology->globals.stores;
    size_t i = 0;
    if (thread->message == NULL)
        return 0;
    while (stores->at[i] != store)
        i++;
    return global_message_add(thread->message, i, update);
}

static size_t share_of_memory(const struct global_thread *thread)
{
    const struct config *config = thread->options.config;
    return (size_t)config_int(config, "statestore.cache.max.bytes") / (size_t)config_int(config, "num.stream.threads");
}

static int open_task(struct global_thread *thread, struct io_time now)
{
    const struct config *config = thread->options.config;
    struct task_options options = { .topology = thread->options.topology,
                                    .subtopology = &thread->options.topology->globals,
                                    .application_id = config_string(config, "application.id"),
                                    .state_directory = thread->options.state_directory,
                                    .disk = thread->options.disk,
                                    .memory = { .cache_bytes = share_of_memory(thread),
                                                .restore_bytes = (size_t)config_int(config, "mill.state.restore.bytes") },
                                    .max_task_idle_ms = -1,
                                    .property = get_property,
                                    .property_ctx = thread,
                                    .partition_counts = thread->partition_counts,
                                    .updated = take_update,
                                    .updated_ctx = thread };
    int code = task_new(&options, &thread->task);
    return code == 0 ? task_open(thread->task, now) : code;
}

/* Every input at its place; MILL_ECORRUPT when what is on disk is of no use. */
static int plan_inputs(struct global_thread *thread, const struct offset_query *answers, int64_t *offsets, struct io_time now)
{
    size_t count;
    struct task_input *inputs = task_inputs(thread->task, &count);
    int code = 0;
    for (size_t i = 0; code == 0 && i < count; i++) {
        const struct client_topic *topic = answers[2 * i].topic;
        struct changelog_facts facts = { .leader_epoch = topic->partitions[answers[2 * i].partition].leader_epoch,
                                         .log_start = answers[2 * i].offset,
                                         .log_end = answers[2 * i + 1].offset,
                                         .delete_retention_ms =
                                             internal_topics_delete_retention_ms(thread->options.config, NULL) };
        memcpy(facts.topic_id, topic->id.bytes, sizeof facts.topic_id);
        code = task_global_plan(thread->task, &inputs[i], &facts, now, &offsets[i]);
        thread->ends[i] = facts.log_end;
    }
    return code;
}

static int begin_anew(struct global_thread *thread, struct io_time now)
{
    int code = task_wipe(thread->task);
    if (code < 0)
        return code;
    task_free(thread->task, false);
    thread->task = NULL;
    return open_task(thread, now);
}

static int open_views(struct global_thread *thread)
{
    size_t count;
    struct task_store *stores = task_stores(thread->task, &count);
    size_t tables = thread->options.topology->globals.stores.count; /* the others keep positions */
    int code = 0;
    for (size_t i = 0; code == 0 && i < tables; i++)
        for (size_t r = 0; code == 0 && r < thread->options.reader_count; r++)
            code = task_open_view(thread->task, &stores[i], share_of_memory(thread) / tables,
                                  global_reader_view(thread->options.readers[r], i));
    return code;
}

static int read_inputs(struct global_thread *thread, const struct offset_query *answers, const int64_t *offsets)
{
    size_t count;
    struct task_input *inputs = task_inputs(thread->task, &count);
    for (size_t i = 0; i < count; i++) {
        thread->partitions[i] = consumer_assign(thread->consumer, answers[2 * i].topic, inputs[i].queue.partition, offsets[i]);
        if (thread->partitions[i] == NULL)
            return MILL_ENOMEM;
    }
    return 0;
}

static int begin_filling(struct global_thread *thread, const struct offset_query *answers, size_t count, struct io_time now)
{
    int64_t *offsets = mem_calloc(count, sizeof *offsets);
    if (offsets == NULL)
        return MILL_ENOMEM;
    int code = plan_inputs(thread, answers, offsets, now);
    if (code == MILL_ECORRUPT) {
        code = begin_anew(thread, now);
        code = code == 0 ? plan_inputs(thread, answers, offsets, now) : code;
    }
    if (code == 0)
        code = read_inputs(thread, answers, offsets);
    mem_free(offsets);
    if (code == 0)
        code = task_restored(thread->task, now);
    thread->runs = code == 0;
    return code;
}

static void fail_in_task(struct global_thread *thread, int code)
{
    const char *text = thread->task ? task_error(thread->task) : "";
    fail_with(thread, code, text[0] != '\0' ? text : mill_error_text(code));
}

static void looked_up(void *ctx, int code, struct offset_query *answers, size_t count, struct io_time now)
{
    struct global_thread *thread = ctx;
    thread->lookup = NULL;
    wake(thread);
    if (is_over(thread))
        return;
    if (code < 0) {
        fail_with(thread, code, "the ends of the global stores' topics could not be looked up");
        return;
    }
    code = begin_filling(thread, answers, count, now);
    if (code < 0)
        fail_in_task(thread, code);
    else
        thread->state = GLOBAL_FILLING;
}

/* Once their metadata is there: starts and ends, two queries for each input. */
static void look_up(struct global_thread *thread, struct io_time now)
{
    if (thread->partition_counts == NULL)
        return;
    int code = thread->task == NULL ? open_task(thread, now) : 0;
    if (code < 0) {
        fail_in_task(thread, code);
        return;
    }
    size_t count;
    struct task_input *inputs = task_inputs(thread->task, &count);
    struct offset_query *queries = mem_calloc(2 * count + 1, sizeof *queries);
    bool known = queries != NULL;
    for (size_t i = 0; known && i < count; i++) {
        struct client_topic *topic = client_topic(thread->client, inputs[i].queue.topic);
        known = topic != NULL && inputs[i].queue.partition < topic->partition_count;
        queries[2 * i] = (struct offset_query){ topic, inputs[i].queue.partition, OFFSET_AT_START };
        queries[2 * i + 1] = (struct offset_query){ topic, inputs[i].queue.partition, OFFSET_AT_END };
    }
    if (known && thread->partitions == NULL) {
        thread->partitions = mem_calloc(count + 1, sizeof *thread->partitions);
        thread->ends = mem_calloc(count + 1, sizeof *thread->ends);
        thread->lookup = thread->partitions && thread->ends
                             ? offset_lookup_start(thread->client, queries, 2 * count, false, looked_up, thread)
                             : NULL;
        if (thread->lookup == NULL)
            fail_with(thread, MILL_ENOMEM, "no memory to look up the ends of the global stores' topics");
        else
            thread->state = GLOBAL_LOOKING_UP;
    }
    mem_free(queries);
}

/* ---- processing ------------------------------------------------------------------------------------------------------------ */

static void feed(struct global_thread *thread)
{
    size_t count;
    struct task_input *inputs = task_inputs(thread->task, &count);
    for (size_t i = 0; i < count; i++) {
        struct record_queue *queue = &inputs[i].queue;
        struct fetched fetched;
        while (queue->bytes < GLOBAL_INPUT_BYTES_MAX && record_queue_has_room(queue) &&
               consumer_next_of(thread->partitions[i], &fetched)) {
            struct record_run run = { fetched.batches, fetched.first_offset, fetched.next_offset };
            record_queue_add(queue, &run);
        }
        inputs[i].lag = consumer_lag(thread->partitions[i]);
    }
}

static bool message_is_large(void *ctx)
{
    const struct global_thread *thread = ctx;
    return thread->message != NULL && thread->message->memory.bytes_used > GLOBAL_MESSAGE_BYTES;
}

/* What the stores have now may go to the disk. */
static int commit(struct global_thread *thread, struct io_time now)
{
    int code = task_freeze(thread->task, now);
    if (code == 0)
        task_committed(thread->task);
    else
        fail_in_task(thread, code);
    return code;
}

/* Takes records into the stores, all that a turn allows, and makes them a commit. Returns how many. */
static int process(struct global_thread *thread, struct io_time now)
{
    feed(thread);
    int done = task_process(thread->task, GLOBAL_RECORDS_PER_TURN, message_is_large, thread, now);
    if (done < 0)
        fail_in_task(thread, done);
    int code = done > 0 ? commit(thread, now) : 0;
    return code < 0 ? code : done;
}

static void run_flush(struct work_item *item)
{
    struct global_thread *thread = item->ctx;
    thread->flush_code = task_flush(thread->task);
}

static void flush_done(struct work_item *item, struct io_time now)
{
    struct global_thread *thread = item->ctx;
    thread->flushing = false;
    task_flushed(thread->task, thread->flush_code);
    if (thread->flush_code < 0)
        fail_in_task(thread, thread->flush_code);
    thread->flushed_sent = thread->flushing_sent;
    wake(thread);
}

/* False: nothing is due. */
static bool flush_when_due(struct global_thread *thread, bool all, struct io_time now)
{
    if (thread->flushing || !task_flush_due(thread->task, now, all))
        return thread->flushing;
    thread->flushing = true;
    thread->flushing_sent = thread->sent;
    thread->flush = (struct work_item){ .run = run_flush, .done = flush_done, .ctx = thread };
    loop_work_submit(thread->options.loop, WORK_BACKGROUND, &thread->flush);
    return true;
}

/* ---- filling --------------------------------------------------------------------------------------------------------------- */

static bool at_the_ends(struct global_thread *thread)
{
    size_t count;
    const struct task_input *inputs = task_inputs(thread->task, &count);
    for (size_t i = 0; i < count; i++) {
        /* The last records may be markers of transactions, which never come out. */
        bool drained = inputs[i].queue.bytes == 0 && consumer_position(thread->partitions[i]) >= thread->ends[i];
        if (inputs[i].queue.next_offset < thread->ends[i] && !drained)
            return false;
    }
    return true;
}

static void tell_progress(struct global_thread *thread, bool always, struct io_time now)
{
    if (!always && now.monotonic_us < thread->progress_told_us + GLOBAL_PROGRESS_INTERVAL_US)
        return;
    thread->progress_told_us = now.monotonic_us;
    int64_t left = 0;
    size_t count;
    const struct task_input *inputs = task_inputs(thread->task, &count);
    for (size_t i = 0; i < count; i++)
        if (inputs[i].queue.next_offset < thread->ends[i])
            left += thread->ends[i] - inputs[i].queue.next_offset;
    mill_restore_progress progress = { .task_id = task_id(thread->task),
                                       .store = thread->options.topology->globals.stores.at[0]->name,
                                       .restored = thread->filled_records,
                                       .total = thread->filled_records + left };
    thread->events.restoring(thread->ctx, &progress);
}

/* All is in the stores and on the disk: the views show it and become the stream threads'. */
static void hand_over(struct global_thread *thread)
{
    int code = open_views(thread);
    if (code < 0) {
        fail_in_task(thread, code);
        return;
    }
    for (size_t i = 0; i < thread->options.reader_count; i++)
        global_reader_hand_over(thread->options.readers[i], &thread->room);
    thread->state = GLOBAL_FOLLOWING;
    thread->flushed_sent = 0;
    thread->events.filled(thread->ctx);
}

static void fill(struct global_thread *thread, struct io_time now)
{
    if (thread->flushing)
        return; /* the disk comes first: what is in memory is bounded by it */
    int done = process(thread, now);
    if (done < 0)
        return;
    thread->filled_records += done;
    bool full = at_the_ends(thread);
    tell_progress(thread, full, now);
    if (flush_when_due(thread, full, now))
        return;
    if (full)
        hand_over(thread);
    if (done > 0 || full)
        wake(thread);
}

/* ---- following ------------------------------------------------------------------------------------------------------------- */

static bool begin_message(struct global_thread *thread)
{
    thread->message = global_message_new(thread->options.topology->globals.stores.count);
    if (thread->message == NULL)
        fail_with(thread, MILL_ENOMEM, "no memory for updates of the global stores");
    return thread->message != NULL;
}

static void end_message(struct global_thread *thread)
{
    global_message_drop(thread->message);
    thread->message = NULL;
}

/* Room for one message in all of them or in none. */
static bool reserve(struct global_thread *thread)
{
    size_t reserved = 0;
    while (reserved < thread->options.reader_count && global_reader_reserve(thread->options.readers[reserved]))
        reserved++;
    if (reserved == thread->options.reader_count)
        return true;
    while (reserved > 0)
        global_reader_unreserve(thread->options.readers[--reserved]);
    return false; /* `room` wakes us */
}

static bool has_updates(const struct global_message *message)
{
    for (size_t i = 0; i < message->store_count; i++)
        if (message->stores[i].count > 0)
            return true;
    return false;
}

static void send(struct global_thread *thread)
{
    bool worth = thread->message != NULL && (has_updates(thread->message) || thread->flushed_sent > 0);
    if (worth) {
        thread->message->flushed = thread->flushed_sent;
        thread->flushed_sent = 0;
        thread->sent++;
    }
    for (size_t i = 0; i < thread->options.reader_count; i++) {
        if (worth)
            global_reader_send(thread->options.readers[i], thread->message);
        else
            global_reader_unreserve(thread->options.readers[i]);
    }
}

static void follow(struct global_thread *thread, struct io_time now)
{
    if (!reserve(thread))
        return;
    int done = begin_message(thread) ? process(thread, now) : MILL_ENOMEM;
    send(thread);
    end_message(thread);
    if (is_over(thread))
        return;
    flush_when_due(thread, false, now);
    if (done > 0)
        wake(thread);
    else if (!thread->flushing) /* a flush becomes due by age */
        loop_timer_set(thread->options.loop, &thread->turn, now.monotonic_us + GLOBAL_IDLE_US);
}

/* ---- closing --------------------------------------------------------------------------------------------------------------- */

static void client_closed(void *ctx)
{
    struct global_thread *thread = ctx;
    thread->events.closed(thread->ctx);
}

static void release_client(struct global_thread *thread)
{
    internal_topics_cancel(thread->internal_topics);
    thread->internal_topics = NULL;
    if (thread->lookup != NULL)
        offset_lookup_cancel(thread->lookup);
    thread->lookup = NULL;
    if (thread->consumer != NULL)
        consumer_free(thread->consumer);
    thread->consumer = NULL;
    client_unlisten(&thread->metadata);
    loop_timer_cancel(thread->options.loop, &thread->turn);
    if (thread->room_open)
        loop_wakeup_close(&thread->room);
    thread->room_open = false;
}

static void go_on_closing(struct global_thread *thread, struct io_time now)
{
    bool retired = true;
    for (size_t i = 0; i < thread->options.reader_count; i++)
        retired &= global_reader_retire(thread->options.readers[i]);
    bool runs =
        thread->task != NULL && thread->error.text[0] == '\0' && thread->filled_records >= 0 && thread->partitions != NULL;
    if (!retired || thread->flushing || (runs && flush_when_due(thread, true, now)))
        return;
    task_free(thread->task, runs);
    thread->task = NULL;
    struct client *client = thread->client;
    release_client(thread);
    thread->client = NULL;
    client_free(client, client_closed, thread);
}

void global_thread_close(struct global_thread *thread, struct io_time now)
{
    if (thread->state == GLOBAL_CLOSING)
        return;
    if (thread->runs && thread->error.text[0] == '\0')
        (void)commit(thread, now); /* if there is nothing else, the positions are marked as true today */
    thread->state = GLOBAL_CLOSING;
    wake(thread);
}

/* ---- the turn -------------------------------------------------------------------------------------------------------------- */

static void take_turn(struct loop_timer *timer, struct io_time now)
{
    struct global_thread *thread = timer->ctx;
    switch (thread->state) {
    case GLOBAL_TOPICS:
        look_up(thread, now);
        return;
    case GLOBAL_FILLING:
        fill(thread, now);
        return;
    case GLOBAL_FOLLOWING:
        follow(thread, now);
        return;
    case GLOBAL_CLOSING:
        go_on_closing(thread, now);
        return;
    case GLOBAL_LOOKING_UP:
    case GLOBAL_FAILED:
        return;
    }
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static void consumer_ready(void *ctx, struct io_time now)
{
    wake(ctx);
}

static void partition_failed(void *ctx, struct consumer_partition *partition, int code, const char *text)
{
    fail_with(ctx, code, text);
}

static void metadata_changed(void *ctx, int code, const char *text, struct io_time now)
{
    wake(ctx);
}

static void room_again(struct loop_wakeup *wakeup, struct io_time now)
{
    wake(wakeup->ctx);
}

static const struct consumer_events CONSUMER_EVENTS = { consumer_ready, partition_failed, NULL };

static int make_client(struct global_thread *thread, struct error_text *error)
{
    struct stream_client_options options;
    int code = global_client_options_read(&options, &thread->clients, thread->options.config, error);
    if (code < 0)
        return code;
    options.client.bootstrap_servers = thread->options.bootstrap_servers;
    options.client.client_id = thread->client_id;
    thread->client = client_new(thread->options.loop, &options.client, thread->options.connector, error);
    if (thread->client == NULL)
        return MILL_EINVALID;
    thread->consumer = consumer_new(thread->client, &options.consumer, &CONSUMER_EVENTS, thread);
    code = thread->consumer == NULL ? MILL_ENOMEM : loop_wakeup_open(thread->options.loop, &thread->room);
    thread->room_open = code == 0;
    return code < 0 ? error_set(error, code, "the global stores' thread cannot be made: %s", mill_error_text(code)) : 0;
}

struct global_thread *global_thread_new(const struct global_thread_options *options, const struct global_thread_events *events,
                                        void *ctx, struct error_text *error)
{
    struct global_thread *thread = mem_calloc(1, sizeof *thread);
    if (thread == NULL) {
        error_set(error, MILL_ENOMEM, "no memory for the global stores' thread");
        return NULL;
    }
    thread->options = *options;
    thread->events = *events;
    thread->ctx = ctx;
    thread->turn = (struct loop_timer){ .fire = take_turn, .ctx = thread };
    thread->metadata = (struct metadata_listener){ .changed = metadata_changed, .ctx = thread };
    thread->room = (struct loop_wakeup){ .woken = room_again, .ctx = thread };
    list_init(&thread->metadata.link);
    config_init(&thread->clients, &client_option_table);
    const char *prefix = config_get_set(options->config, "client.id");
    snprintf(thread->client_id, sizeof thread->client_id, "%s-GlobalStreamThread",
             prefix ? prefix : config_string(options->config, "application.id"));
    if (make_client(thread, error) < 0) {
        global_thread_free(thread);
        return NULL;
    }
    client_listen(thread->client, &thread->metadata);
    return thread;
}

void global_thread_start(struct global_thread *thread, struct io_time now)
{
    thread->internal_topics = internal_topics_start(thread->client, thread->options.topology, thread->options.config,
                                                    thread->options.embedded, topics_are_sure, thread);
    if (thread->internal_topics == NULL)
        fail_with(thread, MILL_ENOMEM, "no memory to look for the topics");
}

void global_thread_free(struct global_thread *thread)
{
    if (thread == NULL)
        return;
    mill_assert(thread->task == NULL);
    if (thread->client != NULL) { /* never started */
        release_client(thread);
        client_free(thread->client, NULL, NULL);
    }
    config_release(&thread->clients);
    mem_free(thread->partition_counts);
    mem_free(thread->partitions);
    mem_free(thread->ends);
    mem_free(thread);
}
