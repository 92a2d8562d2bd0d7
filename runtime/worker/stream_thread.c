/*
 * A stream thread's making, its turns and its end.
 *
 * Everything that happens (a fetch, an answer, room in the producer, a timer) only asks for a turn. A turn does a bounded amount
 * of whatever is next: opens and restores tasks, goes on with a commit, or processes records; then the loop looks at its events
 * again.
 */
#include "worker/stream_thread.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "task/failure.h"
#include "task/offset_metadata.h"
#include "worker/client_properties.h"
#include "worker/internal.h"

enum {
    RECORDS_PER_TURN = 16384,  /* 2-20 ms of work: heartbeats and commits are never further away */
    RECORDS_PER_TASK = 2048,   /* tasks take turns within a turn */
    INPUT_BYTES_MAX = 8 << 20, /* batches waiting in one input; the consumer holds more */
    MEMORY_CHECK_RECORDS = 64,
    CLOSE_PATIENCE_US = 30 * 1000000, /* that of Kafka's consumer */
    FAILED_PATIENCE_US = 5 * 1000000, /* the broker may be what failed */
    UNREACHABLE_PATIENCE_US = 5 * 1000000,
    WAITING_TOLD_US = 1000000,
    CLOSING_LOOK_US = 250000,
    STOP_PATIENCE_US = 60 * 1000000, /* a rebalance waits that long for a member that is busy, if all are well */
};

/* ---- states ---------------------------------------------------------------------------------------------------------------- */

void thread_move(struct stream_thread *thread, enum stream_thread_state to)
{
    enum stream_thread_state before = thread->state;
    if (before == to)
        return;
    mill_assert(before != STREAM_THREAD_CLOSED);
    mill_assert(before != STREAM_THREAD_CLOSING || to == STREAM_THREAD_CLOSED);
    mill_assert(before != STREAM_THREAD_FAILED || to == STREAM_THREAD_CLOSING);
    thread->state = to;
    thread->events.state(thread->ctx, to, before);
}

void thread_fail(struct stream_thread *thread, int code, const char *text)
{
    bool first = thread->error.text[0] == '\0';
    if (thread->state >= STREAM_THREAD_CLOSING && !first) {
        trace_error("streams", "%s: %s", thread->client_id, text);
        return;
    }
    error_set(&thread->error, code, "%s: %s", thread->client_id, text);
    trace_error("streams", "%s", thread->error.text);
    thread->events.failed(thread->ctx, code, thread->error.text);
    if (thread->state < STREAM_THREAD_CLOSING)
        thread_move(thread, STREAM_THREAD_FAILED);
}

void thread_wake_at(struct stream_thread *thread, int64_t at_us)
{
    if (thread->turn.at_us == 0 || at_us < thread->turn.at_us)
        loop_timer_set(thread->options.loop, &thread->turn, at_us > 0 ? at_us : 1);
}

void thread_wake(struct stream_thread *thread)
{
    thread_wake_at(thread, loop_now(thread->options.loop).monotonic_us);
}

/* ---- the end of the whole application (KIP-671) ------------------------------------------------------------------------ */

void stream_thread_stop_application(struct stream_thread *thread)
{
    thread->stop_told_by_us = loop_now(thread->options.loop).monotonic_us + STOP_PATIENCE_US;
    thread_wake(thread);
}

void thread_stopped(struct stream_thread *thread, const char *text)
{
    if (thread->stop_told)
        return;
    thread->stop_told = true;
    trace_error("streams", "%s: %s", thread->client_id, text);
    thread->events.stopped(thread->ctx, text);
}

/* Failed, but still a member: with its next join it tells the leader, who tells all. */
static void ask_to_stop(struct stream_thread *thread, struct io_time now)
{
    enum group_member_state membership = group_member_state(thread->member);
    bool alone = membership == GROUP_MEMBER_IDLE || membership == GROUP_MEMBER_FAILED;
    if (alone || now.monotonic_us >= thread->stop_told_by_us) {
        thread_stopped(thread, "the application stops here; the others of its group could not be told");
        return;
    }
    thread_wake_at(thread, thread->stop_told_by_us);
    if (thread->stop_asked)
        return;
    thread->stop_asked = true;
    if (membership == GROUP_MEMBER_PREPARING)
        group_member_join(thread->member);
    else
        group_member_rejoin(thread->member, "the application is to stop");
}

/* ---- processing ------------------------------------------------------------------------------------------------------------ */

/* Asked between two records. The stores are asked now and then only: it takes some nanoseconds each. */
static bool must_hold(void *ctx)
{
    struct stream_thread *thread = ctx;
    if (producer_full(thread->producer))
        return true;
    return ++thread->records_since_memory_check % MEMORY_CHECK_RECORDS == 0 && thread_wants_commit(thread);
}

static void feed(struct assigned_task *assigned)
{
    size_t count;
    struct task_input *inputs = task_inputs(assigned->task, &count);
    for (size_t i = 0; i < count; i++) {
        struct record_queue *queue = &inputs[i].queue;
        struct fetched fetched;
        if (assigned->start_offsets[i] < 0) /* an abort before the first commit comes back to here */
            assigned->start_offsets[i] = consumer_position(assigned->partitions[i]);
        while (queue->bytes < INPUT_BYTES_MAX && record_queue_has_room(queue) &&
               consumer_next_of(assigned->partitions[i], &fetched) == 1) {
            struct record_run run = { fetched.batches, fetched.first_offset, fetched.next_offset };
            record_queue_add(queue, &run);
        }
        task_pass(assigned->task, &inputs[i], consumer_position(assigned->partitions[i]));
        inputs[i].lag = consumer_lag(assigned->partitions[i]);
        inputs[i].told_until_us = consumer_told_until_us(assigned->partitions[i]);
    }
}

/* Up to RECORDS_PER_TURN records, tasks in turn. False: nothing is left to do until something arrives. */
static bool process(struct stream_thread *thread, struct io_time now)
{
    size_t budget = RECORDS_PER_TURN;
    bool some = true;
    while (some && budget > 0 && !thread_wants_commit(thread)) {
        some = false;
        for_each_task (assigned, thread) {
            if (assigned->state != ASSIGNED_RUNS || producer_full(thread->producer))
                continue;
            feed(assigned);
            int done = task_process(assigned->task, RECORDS_PER_TASK, must_hold, thread, now);
            if (done < 0) {
                thread_fail(thread, done, task_error(assigned->task));
                return false;
            }
            some |= done > 0;
            budget -= (size_t)done < budget ? (size_t)done : budget;
        }
    }
    return some && !producer_full(thread->producer) && !thread_wants_commit(thread);
}

static bool punctuate(struct stream_thread *thread, struct io_time now)
{
    for_each_task (assigned, thread) {
        int fired = assigned->state == ASSIGNED_RUNS ? task_punctuate(assigned->task, now) : 0;
        if (fired < 0) {
            thread_fail(thread, fired, task_error(assigned->task));
            return false;
        }
    }
    return true;
}

static bool is_in_generation(const struct stream_thread *thread)
{
    return group_member_state(thread->member) == GROUP_MEMBER_STABLE;
}

/* When the next turn is due although nothing arrives. Between generations tasks wait for the next assignment, which wakes us. */
static void set_next_turn(struct stream_thread *thread, struct io_time now)
{
    bool commit_needed = thread->offsets_owed;
    bool in_generation = is_in_generation(thread);
    for_each_task (assigned, thread) {
        if (assigned->state == ASSIGNED_OPENING && assigned->retry_at_us > 0)
            thread_wake_at(thread, assigned->retry_at_us);
        if (assigned->state == ASSIGNED_WAITS_FOR_STABLE)
            thread_wake_at(thread, assigned->look_up_at_us);
        if (assigned->state != ASSIGNED_RUNS || !in_generation)
            continue;
        int64_t punctuation_us = task_next_punctuation_us(assigned->task);
        int64_t idle_us = task_idle_until_us(assigned->task);
        if (punctuation_us < INT64_MAX)
            thread_wake_at(thread, punctuation_us);
        if (idle_us < INT64_MAX)
            thread_wake_at(thread, idle_us);
        commit_needed |= task_commit_needed(assigned->task);
    }
    /* One that is overdue waits for the group or for stores on their way to the disk: they wake us. */
    if (commit_needed && thread->commit == COMMIT_NONE && thread->commit_due_us > now.monotonic_us)
        thread_wake_at(thread, thread->commit_due_us);
}

static int64_t task_lag(struct assigned_task *assigned)
{
    int64_t lag = 0;
    size_t count;
    struct task_input *inputs = task_inputs(assigned->task, &count);
    for (size_t i = 0; i < count; i++) {
        int64_t end = consumer_high_watermark(assigned->partitions[i]);
        if (inputs[i].topic->kind != TOPOLOGY_CHANGELOG && end > inputs[i].queue.next_offset && inputs[i].queue.next_offset >= 0)
            lag += end - inputs[i].queue.next_offset;
    }
    return lag;
}

static void publish_progress(struct stream_thread *thread)
{
    long long processed = thread->processed_by_closed;
    long long lag = 0;
    int running = 0;
    int restoring = 0;
    drops_begin(&thread->drops);
    for_each_task (assigned, thread) {
        processed += task_processed(assigned->task);
        const struct drop_count *drop;
        for (size_t i = 0; (drop = task_drop_at(assigned->task, i)) != NULL; i++)
            drops_add(&thread->drops, drop->reason, drop->count);
        running += assigned->state == ASSIGNED_RUNS;
        restoring += assigned->state < ASSIGNED_RUNS;
        if (assigned->state == ASSIGNED_RUNS)
            lag += task_lag(assigned);
    }
    atomic_store_explicit(&thread->processed, processed, memory_order_relaxed);
    drops_publish(&thread->drops);
    atomic_store_explicit(&thread->lag, lag, memory_order_relaxed);
    atomic_store_explicit(&thread->tasks_running, running, memory_order_relaxed);
    atomic_store_explicit(&thread->tasks_restoring, restoring, memory_order_relaxed);
}

/* Tasks restore one after the other, as far as their changelogs have come: so the first ones run early, while the others do. */
static void step_tasks(struct stream_thread *thread, struct io_time now)
{
    bool all_run = true;
    thread->has_restored = false;
    for_each_task (assigned, thread) {
        all_run &= assigned_task_step(assigned, now);
        if (thread->state >= STREAM_THREAD_CLOSING)
            return;
    }
    consumer_expect(thread->consumer, !all_run); /* those that are still restored */
    if (thread->has_restored)
        thread_wake(thread);
    if (thread->state == STREAM_THREAD_REBALANCING && all_run && is_in_generation(thread))
        thread_move(thread, STREAM_THREAD_RUNNING);
}

/* ---- closing --------------------------------------------------------------------------------------------------------------- */

static void client_closed(void *ctx)
{
    struct stream_thread *thread = ctx;
    thread_move(thread, STREAM_THREAD_CLOSED);
    thread->events.closed(thread->ctx);
}

/* With the member gone nothing more is called back into this thread but by the client. */
static void release_client(struct stream_thread *thread)
{
    if (thread->options.globals != NULL)
        global_reader_detach(thread->options.globals);
    membership_release(thread);
    if (thread->purge != NULL)
        admin_cancel(thread->purge);
    thread->purge = NULL;
    if (thread->member != NULL)
        group_member_free(thread->member);
    if (thread->producer != NULL)
        producer_free(thread->producer);
    if (thread->consumer != NULL)
        consumer_free(thread->consumer);
    if (thread->restorer != NULL)
        consumer_free(thread->restorer);
    thread->member = NULL;
    thread->producer = NULL;
    thread->consumer = NULL;
    thread->restorer = NULL;
    loop_timer_cancel(thread->options.loop, &thread->turn);
    client_unlisten(&thread->metadata);
    struct client *client = thread->client;
    thread->client = NULL;
    client_free(client, client_closed, thread);
}

static void left_group(void *ctx)
{
    struct stream_thread *thread = ctx;
    thread->left = true;
    thread_wake(thread);
}

/* What closing waits for, for people. */
static void describe_wait(struct stream_thread *thread, struct error_text *text)
{
    char broker[300];
    char why[ERROR_TEXT_BYTES];
    client_connected(thread->client, broker, sizeof broker, why, sizeof why);
    const char *what = thread->commit != COMMIT_NONE                                ? "to commit the last offsets"
                       : group_member_state(thread->member) == GROUP_MEMBER_LEAVING ? "to let it leave the group"
                                                                                    : NULL;
    if (what == NULL && thread->error.text[0] == '\0')
        error_set(text, 0, "its stores to be written to disk");
    else
        error_set(text, 0, "%.300s %s%s%.400s%s", broker, what ? what : "to answer", why[0] ? " (" : "", why, why[0] ? ")" : "");
}

/* Once: a person who has pressed Ctrl-C looks at a program that seems to ignore it. */
static void tell_waiting(struct stream_thread *thread, struct io_time now)
{
    struct error_text text;
    if (thread->waiting_told || now.monotonic_us - thread->closing_since_us < WAITING_TOLD_US)
        return;
    thread->waiting_told = true;
    describe_wait(thread, &text);
    trace_info("streams", "%s: waits for %s", thread->client_id, text.text);
    if (thread->events.waiting != NULL)
        thread->events.waiting(thread->ctx, text.text);
}

/* Has the broker had its time? It gets less while no broker is connected: nothing is on its way then. */
static bool close_is_overdue(struct stream_thread *thread, struct io_time now)
{
    char name[1], why[1];
    if (client_connected(thread->client, name, sizeof name, why, sizeof why))
        thread->connected_us = now.monotonic_us;
    if (now.monotonic_us - thread->connected_us >= UNREACHABLE_PATIENCE_US && thread->close_by_us > now.monotonic_us)
        thread->close_by_us = now.monotonic_us;
    thread_wake_at(thread, now.monotonic_us + CLOSING_LOOK_US);
    return now.monotonic_us >= thread->close_by_us;
}

/*
 * Nothing of it is lost: what was processed since the last commit is processed again, as after a crash. A transaction the broker
 * ends when it times out, or our next start does.
 */
static void give_up_commit(struct stream_thread *thread)
{
    char broker[300];
    char why[ERROR_TEXT_BYTES];
    struct error_text text;
    bool connected = client_connected(thread->client, broker, sizeof broker, why, sizeof why);
    thread->commit = COMMIT_NONE;
    error_set(&text, 0, "the last %s could not be committed: %.300s%s%.300s; records since the last commit are read again",
              thread->exactly_once ? "transaction" : "offsets", broker, connected ? " does not answer" : ": ", why);
    thread_fail(thread, connected ? MILL_ETIMEOUT : MILL_ECONNECTION, text.text);
}

/* The answers that tasks wait for: when they are overdue nobody is interested any more. */
static void forget_answers(struct stream_thread *thread)
{
    group_member_cancel_offsets(thread->member);
    for_each_task (assigned, thread) {
        assigned_task_forget_lookup(assigned);
        assigned->pending = 0;
    }
}

/* Everything is committed or given up: flush, free the tasks, leave, free the client. */
static void go_on_closing(struct stream_thread *thread, struct io_time now)
{
    tell_waiting(thread, now);
    bool overdue = close_is_overdue(thread, now);
    if (thread->commit != COMMIT_NONE && !overdue)
        return;
    if (thread->commit != COMMIT_NONE)
        give_up_commit(thread);
    if (overdue)
        forget_answers(thread);
    bool unclean = thread->error.text[0] != '\0';
    if (unclean && !overdue && !transaction_given_up(thread, now))
        return;
    for_each_task (assigned, thread)
        if (assigned->state != ASSIGNED_CLOSING)
            assigned_task_close(assigned, !unclean, now);
    for_each_task (assigned, thread)
        assigned_task_step(assigned, now);
    if (!list_empty(&thread->tasks))
        return;
    publish_progress(thread);
    if (thread->left || overdue) {
        release_client(thread);
        return;
    }
    group_member_leave(thread->member, false, left_group, thread);
}

void stream_thread_close(struct stream_thread *thread, struct io_time now)
{
    if (thread->state == STREAM_THREAD_CLOSING || thread->state == STREAM_THREAD_CLOSED)
        return;
    bool failed = thread->state == STREAM_THREAD_FAILED;
    bool started = thread->state != STREAM_THREAD_CREATED;
    thread_move(thread, STREAM_THREAD_CLOSING);
    if (!started)
        thread->left = true;
    thread->closing_since_us = now.monotonic_us;
    thread->connected_us = now.monotonic_us;
    thread->close_by_us = now.monotonic_us + (failed ? FAILED_PATIENCE_US : CLOSE_PATIENCE_US);
    if (failed)
        thread->commit = COMMIT_NONE;
    else if (thread->commit == COMMIT_NONE)
        commit_begin(thread, now);
    thread_wake(thread);
}

/* ---- global stores --------------------------------------------------------------------------------------------------------- */

static void global_news(struct loop_wakeup *wakeup, struct io_time now)
{
    thread_wake(wakeup->ctx);
}

static bool follow_globals(struct stream_thread *thread)
{
    struct error_text error = { "" };
    int code = thread->options.globals != NULL ? global_reader_step(thread->options.globals, &error) : 0;
    if (code < 0)
        thread_fail(thread, code, error.text);
    return code == 0;
}

/* ---- the turn -------------------------------------------------------------------------------------------------------------- */

static void take_turn(struct loop_timer *timer, struct io_time now)
{
    struct stream_thread *thread = timer->ctx;
    queries_step(thread);
    if (thread->state == STREAM_THREAD_FAILED) {
        if (thread->stop_told_by_us > 0 && !thread->stop_told)
            ask_to_stop(thread, now);
        return;
    }
    if (thread->commit != COMMIT_NONE)
        commit_continue(thread, now);
    if (commit_is_broken(thread) && thread->error.text[0] == '\0')
        commit_abort(thread, now);
    if (thread->state == STREAM_THREAD_CLOSING) {
        go_on_closing(thread, now);
        return;
    }
    if (!follow_globals(thread))
        return;
    step_tasks(thread, now);
    if (thread->state == STREAM_THREAD_FAILED || thread->commit != COMMIT_NONE)
        return;
    if (thread->join_after_commit) {
        thread->join_after_commit = false;
        group_member_join(thread->member);
        return;
    }
    /* Between the commit before a join and the assignment that may take tasks away nothing comes up that would be to commit. */
    bool in_generation = is_in_generation(thread);
    if (in_generation && !punctuate(thread, now))
        return;
    bool more = in_generation && process(thread, now);
    if (thread->state == STREAM_THREAD_FAILED)
        return;
    publish_progress(thread);
    flush_if_due(thread, now, false);
    if (commit_is_due(thread, now))
        commit_begin(thread, now);
    if (more || (thread->commit == COMMIT_FLUSHING_CACHES && !producer_full(thread->producer)))
        thread_wake(thread);
    else
        set_next_turn(thread, now);
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static void consumer_ready(void *ctx, struct io_time now)
{
    thread_wake(ctx);
}

static void partition_failed(void *ctx, struct consumer_partition *partition, int code, const char *text)
{
    thread_fail(ctx, code, text);
}

/* A start by policy is known now: what is committed before the first record is this offset. */
static void partition_positioned(void *ctx, struct consumer_partition *partition, int64_t offset)
{
    struct task_input *input = partition->user;
    if (input != NULL && input->queue.next_offset < 0)
        input->queue.next_offset = offset;
    thread_wake(ctx);
}

static const char *get_property(void *ctx, const char *name)
{
    struct stream_thread *thread = ctx;
    return streams_config_text(thread->options.config, name);
}

/* The records of a batch are lost; which source records they were made of is no longer known. */
static bool goes_on_without(struct stream_thread *thread, const struct producer_failure *failure)
{
    mill_failure lost = { .kind = MILL_FAILURE_PRODUCTION,
                          .code = failure->code,
                          .text = failure->text,
                          .task_id = "",
                          .node = failure->topic,
                          .partition = -1,
                          .offset = -1,
                          .record_count = failure->record_count };
    return failure_ask(thread->options.topology, get_property, thread, &lost) == MILL_ANSWER_CONTINUE;
}

/* For people: what to do about it. */
static const char *advice(int code)
{
    switch (code) {
    case MILL_ETOOLARGE:
        return "; raise max.message.bytes of the topic, or write smaller records";
    case MILL_EACCESS:
        return "; allow this program to write to the topic";
    case MILL_EINVALID:
        return "; see the topic's message.timestamp.* and cleanup.policy (compact takes no record without a key)";
    default:
        return "";
    }
}

/* The broker would refuse these records again. */
static void records_refused(struct stream_thread *thread, const struct producer_failure *failure)
{
    bool goes_on = goes_on_without(thread, failure);
    if (goes_on && !thread->exactly_once) {
        trace_warn("streams", "%s: %d records are skipped: %s", thread->client_id, (int)failure->record_count, failure->text);
        drops_keep(&thread->drops, "production-error", failure->record_count);
        thread->loss_excused = true;
        return;
    }
    char text[ERROR_TEXT_BYTES];
    snprintf(text, sizeof text, "%s%s%s", failure->text, advice(failure->code),
             goes_on ? "; the production handler would go on without them, but a transaction goes with all of its records or not "
                       "at all"
                     : "");
    thread_fail(thread, failure->code, text);
}

static void delivery_failed(void *ctx, const struct producer_failure *failure)
{
    struct stream_thread *thread = ctx;
    if (failure_is_a_records(failure->code))
        records_refused(thread, failure);
    else if (thread->exactly_once)
        thread_wake(thread); /* to abort: all is processed again */
    else
        thread_fail(thread, failure->code, failure->text);
}

static void producer_has_room(void *ctx, struct io_time now)
{
    thread_wake(ctx);
}

static void metadata_changed(void *ctx, int code, const char *text, struct io_time now)
{
    struct stream_thread *thread = ctx;
    if (thread->state < STREAM_THREAD_CLOSING)
        patterns_look_for_gone(thread);
    thread_wake(thread);
}

static const struct consumer_events CONSUMER_EVENTS = { consumer_ready, partition_failed, partition_positioned };
static const struct producer_events PRODUCER_EVENTS = { delivery_failed, producer_has_room };

static int make_clients(struct stream_thread *thread, struct error_text *error)
{
    struct stream_client_options options;
    int code = stream_client_options_read(&options, &thread->clients, thread->options.config, error);
    if (code == 0) {
        const char *instance = config_get_set(thread->options.config, "group.instance.id");
        if (instance != NULL)
            snprintf(thread->instance_id, sizeof thread->instance_id, "%s-%d", instance, thread->options.number);
        options.client.bootstrap_servers = thread->options.bootstrap_servers;
        options.client.client_id = thread->client_id;
        options.producer.transactional_id = thread->exactly_once ? thread->transactional_id : NULL;
        options.group.group_id = thread->application_id;
        options.group.group_instance_id = instance ? thread->instance_id : NULL;
        thread->reset_duration_ms = options.reset_duration_ms;
        thread->client = client_new(thread->options.loop, &options.client, thread->options.connector, error);
        code = thread->client ? 0 : MILL_EINVALID;
    }
    if (code == 0) {
        thread->producer = producer_new(thread->client, &options.producer, &PRODUCER_EVENTS, thread);
        thread->consumer = consumer_new(thread->client, &options.consumer, &CONSUMER_EVENTS, thread);
        thread->restorer = consumer_new(thread->client, &options.restorer, &restorer_events, thread);
        thread->member =
            group_member_new(thread->client, &options.group, "consumer", membership_protocols, &membership_events, thread);
        if (!thread->producer || !thread->consumer || !thread->restorer || !thread->member)
            code = error_set(error, MILL_ENOMEM, "no memory for a stream thread");
    }
    return code;
}

static void name_thread(struct stream_thread *thread)
{
    const uint8_t *id = thread->options.process_id;
    const char *prefix = config_get_set(thread->options.config, "client.id");
    char process[40];
    snprintf(process, sizeof process, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", id[0], id[1], id[2],
             id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11], id[12], id[13], id[14], id[15]);
    snprintf(thread->client_id, sizeof thread->client_id, "%s-%s-StreamThread-%d", prefix ? prefix : thread->application_id,
             process, thread->options.number);
    /* Of this process for ever: after a crash it takes over what it left open itself. */
    snprintf(thread->transactional_id, sizeof thread->transactional_id, "%s-%s-%d", thread->application_id, process,
             thread->options.number);
}

struct stream_thread *stream_thread_new(const struct stream_thread_options *options, const struct stream_thread_events *events,
                                        void *ctx, struct error_text *error)
{
    struct stream_thread *thread = mem_calloc(1, sizeof *thread);
    if (thread == NULL) {
        error_set(error, MILL_ENOMEM, "no memory for a stream thread");
        return NULL;
    }
    thread->options = *options;
    thread->events = *events;
    thread->ctx = ctx;
    thread->application_id = config_string(options->config, "application.id");
    thread->turn = (struct loop_timer){ .fire = take_turn, .ctx = thread };
    thread->metadata = (struct metadata_listener){ .changed = metadata_changed, .ctx = thread };
    thread->exactly_once = streams_exactly_once(options->config);
    thread->commit_interval_us = streams_commit_interval_ms(options->config) * 1000;
    config_init(&thread->clients, &client_option_table);
    list_init(&thread->tasks);
    thread_memory_init(thread);
    list_init(&thread->outputs);
    list_init(&thread->metadata.link);
    arena_init(&thread->leading, 16 << 10, 64 << 20);
    arena_init(&thread->committing, 16 << 10, 64 << 20);
    patterns_init(thread);
    name_thread(thread);
    if (queries_init(thread) < 0)
        error_set(error, MILL_ENOMEM, "no memory for a stream thread");
    if (thread->asked == NULL || make_clients(thread, error) < 0) {
        stream_thread_free(thread);
        return NULL;
    }
    client_listen(thread->client, &thread->metadata);
    return thread;
}

void stream_thread_start(struct stream_thread *thread, struct io_time now)
{
    thread->commit_due_us = now.monotonic_us + thread->commit_interval_us;
    thread->purge_due_us = now.monotonic_us + streams_config_ms(thread->options.config, "repartition.purge.interval.ms") * 1000;
    thread_move(thread, STREAM_THREAD_STARTING);
    thread->global_news = (struct loop_wakeup){ .woken = global_news, .ctx = thread };
    int code = thread->options.globals == NULL
                   ? 0
                   : global_reader_attach(thread->options.globals, thread->options.loop, &thread->global_news);
    if (code < 0) {
        thread_fail(thread, code, "the global stores cannot be read");
        return;
    }
    if (thread->exactly_once)
        transactions_begin(thread);
    membership_start(thread);
}

void stream_thread_free(struct stream_thread *thread)
{
    if (thread == NULL)
        return;
    mill_assert(list_empty(&thread->tasks));
    queries_release(thread);
    if (thread->client != NULL) { /* never started */
        if (thread->member != NULL)
            group_member_free(thread->member);
        if (thread->producer != NULL)
            producer_free(thread->producer);
        if (thread->consumer != NULL)
            consumer_free(thread->consumer);
        if (thread->restorer != NULL)
            consumer_free(thread->restorer);
        client_unlisten(&thread->metadata);
        client_free(thread->client, NULL, NULL);
    }
    struct list *node;
    while ((node = list_pop_front(&thread->outputs)) != NULL)
        mem_free(list_entry(node, struct output_topic, link));
    config_release(&thread->clients);
    arena_release(&thread->leading);
    arena_release(&thread->committing);
    arena_release(&thread->matching);
    buffer_release(&thread->led_by);
    mem_free(thread);
}

bool stream_thread_is_closed(const struct stream_thread *thread)
{
    return thread->state == STREAM_THREAD_CLOSED;
}

size_t stream_thread_drops(const struct stream_thread *thread, mill_drops *drops, size_t count)
{
    return drops_read(&thread->drops, drops, count);
}

void stream_thread_progress(const struct stream_thread *thread, mill_app_progress *progress)
{
    progress->records_read += atomic_load_explicit(&thread->processed, memory_order_relaxed);
    mill_drops drops[MILL_DROP_REASONS_MAX];
    size_t reasons = stream_thread_drops(thread, drops, 0);
    for (size_t i = 0; i < reasons; i++) {
        progress->records_dropped += drops[i].records;
        progress->records_late += strcmp(drops[i].reason, "late") == 0 ? drops[i].records : 0;
    }
    progress->lag += atomic_load_explicit(&thread->lag, memory_order_relaxed);
    progress->commits += atomic_load_explicit(&thread->commits, memory_order_relaxed);
    progress->tasks_running += atomic_load_explicit(&thread->tasks_running, memory_order_relaxed);
    progress->tasks_restoring += atomic_load_explicit(&thread->tasks_restoring, memory_order_relaxed);
}
