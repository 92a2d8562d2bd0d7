/*
 * An assigned task from its name to its first record, and back to nothing.
 *
 * Committed offsets are fetched before the changelogs' ends are asked, and the task reads on from those very offsets: so what the
 * stores are restored to is never behind what the inputs say was processed.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "task/offset_metadata.h"
#include "worker/internal.h"

enum {
    STABLE_RETRY_US = 20000,
    STABLE_TOLD_AFTER_US = 2000000, /* markers of a committed transaction come sooner */
    PROGRESS_INTERVAL_US = 1000000,
    TOPIC_TOLD_AFTER_US = 5 * 1000000, /* one that the broker makes by itself comes sooner */
    TOPIC_TOLD_EVERY_US = 60 * 1000000,
};

/* ---- outputs --------------------------------------------------------------------------------------------------------------- */

static int send_record(struct task_topic *topic, int32_t partition, const mill_record *record)
{
    struct output_topic *output = (struct output_topic *)topic;
    return producer_send(output->producer, output->producer_topic, partition, record);
}

static int64_t acknowledged_end(struct task_topic *topic, int32_t partition)
{
    return producer_acknowledged_end(((struct output_topic *)topic)->producer_topic, partition);
}

static const struct task_output_ops OUTPUT_OPS = { send_record, acknowledged_end };

struct task_topic *thread_output(void *ctx, const struct topology_topic *topic)
{
    struct stream_thread *thread = ctx;
    char name[TOPIC_NAME_MAX + 1];
    if (topology_topic_name(topic, thread->application_id, name) < 0)
        return NULL;
    list_for_each (node, &thread->outputs) {
        struct output_topic *known = list_entry(node, struct output_topic, link);
        if (strcmp(known->name, name) == 0)
            return &known->base;
    }
    struct output_topic *output = mem_calloc(1, sizeof *output);
    if (output == NULL)
        return NULL;
    memcpy(output->name, name, sizeof name);
    output->base = (struct task_topic){ &OUTPUT_OPS, output->name, 0 };
    output->producer = thread->producer;
    output->producer_topic = producer_topic(thread->producer, name);
    if (output->producer_topic == NULL) {
        mem_free(output);
        return NULL;
    }
    list_push_back(&thread->outputs, &output->link);
    return &output->base;
}

/* One of which it is not known how many partitions it has; NULL: there is none. */
static const struct client_topic *unknown_output(struct stream_thread *thread)
{
    const struct client_topic *unknown = NULL;
    list_for_each (node, &thread->outputs) {
        struct output_topic *output = list_entry(node, struct output_topic, link);
        int32_t count = producer_topic_partition_count(output->producer_topic);
        if (count > 0)
            output->base.partition_count = count;
        else
            unknown = producer_topic_handle(output->producer_topic);
    }
    return unknown;
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static const char *get_property(void *ctx, const char *name)
{
    struct stream_thread *thread = ctx;
    return streams_config_text(thread->options.config, name);
}

static mill_store *global_store(void *ctx, const char *name)
{
    struct stream_thread *thread = ctx;
    return global_reader_store(thread->options.globals, name);
}

static int make_task(struct assigned_task *assigned)
{
    struct stream_thread *thread = assigned->thread;
    struct task_options options = {
        .topology = thread->options.topology,
        .subtopology = &thread->options.topology->subtopologies[assigned->name.subtopology],
        .partition = assigned->name.partition,
        .application_id = thread->application_id,
        .state_directory = thread->options.state_directory,
        .disk = thread->options.disk,
        .memory = thread->task_memory,
        .max_task_idle_ms = streams_config_ms(thread->options.config, "max.task.idle.ms"),
        .property = get_property,
        .property_ctx = thread,
        .global_store = thread->options.globals != NULL ? global_store : NULL,
        .global_store_ctx = thread,
        .sources = assigned->sources,
        .source_count = assigned->source_count,
        .output = thread_output,
        .output_ctx = thread,
    };
    int code = task_new(&options, &assigned->task);
    if (code < 0)
        return code;
    size_t inputs;
    size_t stores;
    task_inputs(assigned->task, &inputs);
    task_stores(assigned->task, &stores);
    assigned->partitions = mem_calloc(inputs + 1, sizeof *assigned->partitions);
    assigned->start_offsets = mem_calloc(inputs + 1, sizeof *assigned->start_offsets);
    assigned->start_times = mem_calloc(inputs + 1, sizeof *assigned->start_times);
    assigned->changelogs = mem_calloc(stores + 1, sizeof *assigned->changelogs);
    return assigned->partitions && assigned->start_offsets && assigned->start_times && assigned->changelogs ? 0 : MILL_ENOMEM;
}

static void unmake_task(struct assigned_task *assigned)
{
    task_free(assigned->task, assigned->close_clean);
    mem_free(assigned->partitions);
    mem_free(assigned->start_offsets);
    mem_free(assigned->start_times);
    mem_free(assigned->stable);
    mem_free(assigned->changelogs);
    assigned->task = NULL;
    assigned->partitions = NULL;
    assigned->start_offsets = NULL;
    assigned->start_times = NULL;
    assigned->stable = NULL;
    assigned->changelogs = NULL;
}

/* What a task dropped goes with it, in its committed metadata, to the thread that has it next; only the last keeps the count. */
static void keep_counts(struct assigned_task *assigned)
{
    struct stream_thread *thread = assigned->thread;
    thread->processed_by_closed += task_processed(assigned->task);
    if (thread->state < STREAM_THREAD_CLOSING)
        return;
    const struct drop_count *drop;
    for (size_t i = 0; (drop = task_drop_at(assigned->task, i)) != NULL; i++)
        drops_keep(&thread->drops, drop->reason, drop->count);
}

static void free_assigned(struct assigned_task *assigned)
{
    if (assigned->task != NULL)
        keep_counts(assigned);
    list_remove(&assigned->link);
    unmake_task(assigned);
    mem_free(assigned->sources);
    mem_free(assigned);
}

/* One block, with the names behind the array. */
static struct task_source *copy_sources(const struct task_source *sources, size_t count)
{
    struct task_source *copy = mem_alloc((count + 1) * sizeof *copy + count * (TOPIC_NAME_MAX + 1));
    if (copy == NULL)
        return NULL;
    char *names = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        char *name = names + i * (TOPIC_NAME_MAX + 1);
        snprintf(name, TOPIC_NAME_MAX + 1, "%s", sources[i].name);
        copy[i] = (struct task_source){ sources[i].topic, name };
    }
    return copy;
}

int assigned_task_new(struct stream_thread *thread, struct task_name name, const struct task_source *sources, size_t source_count)
{
    struct assigned_task *assigned = mem_calloc(1, sizeof *assigned);
    if (assigned != NULL)
        assigned->sources = copy_sources(sources, source_count);
    if (assigned == NULL || assigned->sources == NULL) {
        mem_free(assigned);
        return MILL_ENOMEM;
    }
    assigned->source_count = source_count;
    assigned->thread = thread;
    assigned->name = name;
    assigned->wanted = true;
    list_push_back(&thread->tasks, &assigned->link);
    int code = make_task(assigned);
    if (code < 0)
        free_assigned(assigned);
    return code;
}

/* ---- the steps to running -------------------------------------------------------------------------------------------------- */

static void fail_task(struct assigned_task *assigned, int code, const char *text)
{
    char message[ERROR_TEXT_BYTES];
    snprintf(message, sizeof message, "task %s: %s", task_id(assigned->task), text);
    thread_fail(assigned->thread, code, message);
}

static struct client_topic *input_topic(struct assigned_task *assigned, const struct task_input *input)
{
    bool may_go = input->topic->kind == TOPOLOGY_PATTERN;
    struct client *client = assigned->thread->client;
    return may_go ? client_topic_there(client, input->queue.topic) : client_topic(client, input->queue.topic);
}

static struct client_topic *changelog_topic(const struct task_store *store)
{
    return producer_topic_handle(((struct output_topic *)store->topic)->producer_topic);
}

static void open_task(struct assigned_task *assigned, struct io_time now)
{
    if (now.monotonic_us < assigned->retry_at_us)
        return;
    int code = task_open(assigned->task, now);
    if (code == MILL_ELOCKED) {
        /*
         * Another thread of this process is still closing it. A task that failed to open cannot be opened again: a new one can.
         */
        unmake_task(assigned);
        code = make_task(assigned);
        assigned->retry_at_us = now.monotonic_us + LOCK_RETRY_US;
        if (code == 0)
            return;
    }
    if (code < 0) {
        thread_fail(assigned->thread, code, assigned->task ? task_error(assigned->task) : mill_error_text(code));
        return;
    }
    assigned->state = ASSIGNED_WAITS_FOR_TOPICS;
}

static void offsets_fetched(void *ctx, int code, const char *text, struct group_offset *offsets, size_t count,
                            struct io_time now);

/* One that it reads or writes, as above. */
static const struct client_topic *unknown_topic(struct assigned_task *assigned)
{
    size_t count;
    struct task_input *inputs = task_inputs(assigned->task, &count);
    for (size_t i = 0; i < count; i++) {
        const struct client_topic *topic = input_topic(assigned, &inputs[i]);
        if (topic != NULL && topic->partition_count <= 0)
            return topic;
    }
    return unknown_output(assigned->thread);
}

/* The next metadata wakes us. A topic that does not come by itself is the user's to create, which is told now and then. */
static void wait_for_topic(struct assigned_task *assigned, const struct client_topic *topic, struct io_time now)
{
    struct stream_thread *thread = assigned->thread;
    char text[ERROR_TEXT_BYTES];
    if (topic->code == MILL_EACCESS || topic->code == MILL_EINVALID) {
        snprintf(text, sizeof text, "topic %s cannot be used: %s", topic->name, mill_error_text(topic->code));
        fail_task(assigned, topic->code, text);
        return;
    }
    if (assigned->topic_wait_us == 0)
        assigned->topic_wait_us = now.monotonic_us;
    int64_t tell_at_us = assigned->topic_wait_us + TOPIC_TOLD_AFTER_US;
    if (thread->missing_told_us > 0 && thread->missing_told_us + TOPIC_TOLD_EVERY_US > tell_at_us)
        tell_at_us = thread->missing_told_us + TOPIC_TOLD_EVERY_US;
    if (now.monotonic_us >= tell_at_us) {
        if (topic->code == MILL_ENOTFOUND)
            trace_warn("streams", "%s: task %s waits for the topic %s; create it with: millstream topic create %s",
                       thread->client_id, task_id(assigned->task), topic->name, topic->name);
        thread->missing_told_us = now.monotonic_us;
        tell_at_us = now.monotonic_us + TOPIC_TOLD_EVERY_US;
    }
    thread_wake_at(thread, tell_at_us);
}

/* Exactly once, only when who had the tasks before under our transactional id is fenced: what it left open is then no more. */
static void fetch_offsets(struct assigned_task *assigned, struct io_time now)
{
    if (assigned->thread->exactly_once && !assigned->thread->owns_transactions)
        return;
    const struct client_topic *unknown = unknown_topic(assigned);
    if (unknown != NULL) {
        wait_for_topic(assigned, unknown, now);
        return;
    }
    assigned->topic_wait_us = 0;
    size_t count;
    struct task_input *inputs = task_inputs(assigned->task, &count);
    struct group_offset *offsets = mem_calloc(count, sizeof *offsets);
    int code = offsets ? 0 : MILL_ENOMEM;
    for (size_t i = 0; code == 0 && i < count; i++)
        offsets[i] = (struct group_offset){ .topic = input_topic(assigned, &inputs[i]), .partition = assigned->name.partition };
    if (code == 0)
        code = group_member_committed(assigned->thread->member, offsets, count, true, offsets_fetched, assigned);
    mem_free(offsets);
    if (code < 0) {
        fail_task(assigned, code, "committed offsets could not be asked for");
        return;
    }
    assigned->pending++;
    assigned->state = ASSIGNED_FETCHING_OFFSETS;
}

static void looked_up(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now);

/* Start and end of every changelog, two queries a store; exactly once, the ends are the last stable offsets, if asked for. */
static void look_up_changelogs(struct assigned_task *assigned, bool stable)
{
    size_t count;
    struct task_store *stores = task_stores(assigned->task, &count);
    struct offset_query *queries = mem_calloc(2 * count + 1, sizeof *queries);
    size_t asked = 0;
    for (size_t i = 0; queries != NULL && i < count; i++) {
        if (stores[i].topic == NULL)
            continue;
        struct offset_query query = { .topic = changelog_topic(&stores[i]), .partition = assigned->name.partition };
        query.timestamp_ms = OFFSET_AT_START;
        queries[asked++] = query;
        query.timestamp_ms = OFFSET_AT_END;
        queries[asked++] = query;
    }
    assigned->state = ASSIGNED_LOOKING_UP;
    if (queries != NULL && asked == 0) {
        assigned->state = ASSIGNED_RESTORES;
    } else {
        if (queries != NULL)
            assigned->lookup = offset_lookup_start(assigned->thread->client, queries, asked, stable, looked_up, assigned);
        if (assigned->lookup == NULL)
            fail_task(assigned, MILL_ENOMEM, "no memory to look up the changelogs");
        else
            assigned->pending++;
    }
    mem_free(queries);
}

void assigned_task_forget_lookup(struct assigned_task *assigned)
{
    if (assigned->lookup == NULL)
        return;
    offset_lookup_cancel(assigned->lookup);
    assigned->lookup = NULL;
    assigned->pending--;
}

static void offsets_fetched(void *ctx, int code, const char *text, struct group_offset *offsets, size_t count, struct io_time now)
{
    struct assigned_task *assigned = ctx;
    assigned->pending--;
    thread_wake(assigned->thread);
    if (assigned->state == ASSIGNED_CLOSING || assigned->thread->state >= STREAM_THREAD_CLOSING)
        return;
    if (code == MILL_EAGAIN || code == MILL_EFENCED) {
        assigned->state = ASSIGNED_WAITS_FOR_TOPICS; /* a rebalance: again in the next generation, if it is still ours */
        return;
    }
    if (code < 0) {
        fail_task(assigned, code, text);
        return;
    }
    size_t input_count;
    struct task_input *inputs = task_inputs(assigned->task, &input_count);
    task_forget_metadata(assigned->task);
    for (size_t i = 0; i < input_count && i < count; i++) {
        task_restore_metadata(assigned->task, offsets[i].metadata);
        assigned->start_offsets[i] = offsets[i].offset;
        assigned->start_times[i] = offset_metadata_decode(offsets[i].metadata);
        record_queue_seek(&inputs[i].queue, offsets[i].offset, assigned->start_times[i]);
    }
    look_up_changelogs(assigned, assigned->thread->exactly_once);
}

static void tell_progress(struct assigned_task *assigned, struct task_store *store, bool always, struct io_time now)
{
    if (!always && now.monotonic_us < assigned->progress_told_us + PROGRESS_INTERVAL_US)
        return;
    assigned->progress_told_us = now.monotonic_us;
    mill_restore_progress progress = { .task_id = task_id(assigned->task),
                                       .store = store->definition->name,
                                       .restored = store->next_offset - store->restore_begin,
                                       .total = store->log_end - store->restore_begin };
    assigned->thread->events.restoring(assigned->thread->ctx, &progress);
}

static void plan_restores(struct assigned_task *assigned, const struct offset_query *answer, struct io_time now)
{
    struct stream_thread *thread = assigned->thread;
    size_t count;
    struct task_store *stores = task_stores(assigned->task, &count);
    for (size_t i = 0; i < count; i++) {
        if (stores[i].topic == NULL)
            continue;
        struct client_topic *topic = changelog_topic(&stores[i]);
        if (assigned->name.partition >= topic->partition_count) {
            fail_task(assigned, MILL_ENOTFOUND, "its changelog has lost its partition: was the topic deleted?");
            return;
        }
        int64_t retention_ms = internal_topics_delete_retention_ms(thread->options.config, stores[i].definition->changelog);
        struct changelog_facts facts = { .leader_epoch = topic->partitions[assigned->name.partition].leader_epoch,
                                         .log_start = answer[0].offset,
                                         .log_end = answer[1].offset,
                                         .delete_retention_ms = retention_ms,
                                         .transactional = thread->exactly_once };
        memcpy(facts.topic_id, topic->id.bytes, sizeof facts.topic_id);
        answer += 2;
        int code = task_restore_plan(assigned->task, &stores[i], &facts, now);
        if (code < 0) {
            thread_fail(thread, code, task_error(assigned->task));
            return;
        }
        if (stores[i].restored)
            continue;
        assigned->changelogs[i] = consumer_assign(thread->restorer, topic, assigned->name.partition, stores[i].next_offset);
        if (assigned->changelogs[i] == NULL) {
            fail_task(assigned, MILL_ENOMEM, "no memory to read its changelogs");
            return;
        }
        assigned->changelogs[i]->user = assigned;
        tell_progress(assigned, &stores[i], true, now);
    }
    assigned->state = ASSIGNED_RESTORES;
}

/*
 * Whether the last stable offsets, asked first, are the ends: nothing of a transaction is open. A source's own topic does not
 * count: others write to it all the time, and of it the store takes no more than what the task has processed.
 */
static bool all_is_stable(struct assigned_task *assigned, const struct offset_query *stable, const struct offset_query *ends)
{
    size_t count;
    const struct task_store *stores = task_stores(assigned->task, &count);
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        if (stores[i].topic == NULL)
            continue;
        size_t end = 2 * asked++ + 1;
        if (stores[i].source == NULL && stable[end].offset < ends[end].offset)
            return false;
    }
    return true;
}

static void wait_until_stable(struct assigned_task *assigned, struct io_time now)
{
    struct stream_thread *thread = assigned->thread;
    if (assigned->stable_wait_us == 0)
        assigned->stable_wait_us = now.monotonic_us;
    if (!thread->open_transaction_told && now.monotonic_us - assigned->stable_wait_us > STABLE_TOLD_AFTER_US) {
        thread->open_transaction_told = true;
        trace_warn(
            "streams",
            "%s: task %s waits for the end of a transaction in its changelogs that the member who had it before has left "
            "open: the broker aborts it when that member's transaction.timeout.ms is over (10 s in Kafka Streams unless set)",
            thread->client_id, task_id(assigned->task));
    }
    assigned->state = ASSIGNED_WAITS_FOR_STABLE;
    assigned->look_up_at_us = now.monotonic_us + STABLE_RETRY_US;
}

/*
 * Exactly once the ends are asked for twice, stable ones first. Where they differ in a changelog of ours, a transaction that
 * wrote it is not ended yet: its producer, the task's last owner, has committed, with the markers still on their way, or will be
 * aborted. Either way the changelog says what is true only after it.
 */
static void looked_up(void *ctx, int code, struct offset_query *queries, size_t query_count, struct io_time now)
{
    struct assigned_task *assigned = ctx;
    struct stream_thread *thread = assigned->thread;
    assigned->lookup = NULL;
    assigned->pending--;
    thread_wake(thread);
    if (assigned->state == ASSIGNED_CLOSING || thread->state >= STREAM_THREAD_CLOSING)
        return;
    if (code < 0) {
        fail_task(assigned, code, "the ends of its changelogs could not be looked up");
        return;
    }
    if (!thread->exactly_once) {
        plan_restores(assigned, queries, now);
        return;
    }
    struct offset_query *stable = assigned->stable;
    assigned->stable = NULL;
    if (stable == NULL) {
        assigned->stable = mem_alloc(query_count * sizeof *queries);
        if (assigned->stable == NULL) {
            fail_task(assigned, MILL_ENOMEM, "no memory to look up the changelogs");
            return;
        }
        memcpy(assigned->stable, queries, query_count * sizeof *queries);
        look_up_changelogs(assigned, false);
        return;
    }
    if (all_is_stable(assigned, stable, queries)) {
        assigned->stable_wait_us = 0;
        plan_restores(assigned, stable, now);
    } else {
        wait_until_stable(assigned, now);
    }
    mem_free(stable);
}

static int restore_store(struct assigned_task *assigned, struct task_store *store, struct consumer_partition *changelog,
                         struct io_time now)
{
    struct fetched fetched;
    int64_t before = store->next_offset;
    int code = 0;
    while (code == 0 && !store->restored && consumer_next_of(changelog, &fetched) == 1) {
        struct record_run run = { fetched.batches, fetched.first_offset, fetched.next_offset };
        code = task_restore_run(assigned->task, store, &run, now);
        assigned->thread->has_restored = true;
    }
    if (code == 0 && !store->restored)
        code = task_restore_pass(assigned->task, store, consumer_position(changelog), now);
    if (code == 0 && store->next_offset != before)
        tell_progress(assigned, store, store->restored, now);
    return code;
}

static bool restore(struct assigned_task *assigned, struct io_time now)
{
    size_t count;
    struct task_store *stores = task_stores(assigned->task, &count);
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        int code = stores[i].restored ? 0 : restore_store(assigned, &stores[i], assigned->changelogs[i], now);
        if (code < 0) {
            thread_fail(assigned->thread, code, task_error(assigned->task));
            return false;
        }
        if (stores[i].restored && assigned->changelogs[i] != NULL) {
            consumer_unassign(assigned->changelogs[i]);
            assigned->changelogs[i] = NULL;
        }
        all &= stores[i].restored;
    }
    return all;
}

int64_t assigned_task_start(const struct assigned_task *assigned, size_t i)
{
    size_t count;
    const struct task_input *input = &task_inputs(assigned->task, &count)[i];
    if (assigned->start_offsets[i] >= 0)
        return assigned->start_offsets[i];
    /* What a repartition topic holds was written for us, whatever the reset policy says of the user's topics. */
    if (input->topic->kind == TOPOLOGY_REPARTITION || input->source_reset == MILL_RESET_EARLIEST)
        return CONSUMER_EARLIEST;
    if (input->source_reset == MILL_RESET_LATEST || input->source_reset == MILL_RESET_NONE)
        return input->source_reset == MILL_RESET_LATEST ? CONSUMER_LATEST : CONSUMER_NOWHERE;
    const struct stream_thread *thread = assigned->thread;
    int64_t duration_ms = thread->reset_duration_ms;
    if (input->source_reset == MILL_RESET_BY_DURATION)
        duration_ms = input->topic->source->source.reset_duration_ms;
    if (duration_ms == 0)
        return CONSUMER_BY_POLICY;
    int64_t now_ms = loop_now(thread->options.loop).wall_ms;
    return consumer_since(duration_ms < now_ms ? now_ms - duration_ms : 0);
}

static void run(struct assigned_task *assigned, struct io_time now)
{
    struct stream_thread *thread = assigned->thread;
    size_t count;
    struct task_input *inputs = task_inputs(assigned->task, &count);
    for (size_t i = 0; i < count; i++) {
        assigned->partitions[i] = consumer_assign(thread->consumer, input_topic(assigned, &inputs[i]), assigned->name.partition,
                                                  assigned_task_start(assigned, i));
        if (assigned->partitions[i] == NULL) {
            fail_task(assigned, MILL_ENOMEM, "no memory to read its inputs");
            return;
        }
        assigned->partitions[i]->user = &inputs[i];
    }
    int code = task_restored(assigned->task, now);
    if (code < 0)
        thread_fail(thread, code, task_error(assigned->task));
    else
        assigned->state = ASSIGNED_RUNS;
}

static void restorer_ready(void *ctx, struct io_time now)
{
    thread_wake(ctx);
}

/* Retention, or somebody, has cut the changelog since its start was looked up: what would be read from elsewhere has a hole. */
static void changelog_failed(void *ctx, struct consumer_partition *changelog, int code, const char *text)
{
    struct assigned_task *assigned = changelog->user;
    if (code != MILL_EOUTOFRANGE) {
        fail_task(assigned, code, text);
        return;
    }
    trace_warn("restore", "task %s: its stores are built anew, because a changelog was cut while it was read: %s",
               task_id(assigned->task), text);
    assigned->changelog_lost = true;
    thread_wake(ctx);
}

const struct consumer_events restorer_events = { restorer_ready, changelog_failed, NULL };

/* ---- flushing and closing -------------------------------------------------------------------------------------------------- */

static void run_flush(struct work_item *item)
{
    struct assigned_task *assigned = item->ctx;
    assigned->flush_code = task_flush(assigned->task);
}

static void flush_done(struct work_item *item, struct io_time now)
{
    struct assigned_task *assigned = item->ctx;
    assigned->flushing = false;
    task_flushed(assigned->task, assigned->flush_code);
    if (assigned->flush_code < 0) {
        assigned->close_clean = false;
        thread_fail(assigned->thread, assigned->flush_code, task_error(assigned->task));
    }
    thread_wake(assigned->thread);
}

void assigned_task_flush(struct assigned_task *assigned)
{
    mill_assert(!assigned->flushing);
    assigned->flushing = true;
    assigned->flush = (struct work_item){ .run = run_flush, .done = flush_done, .ctx = assigned };
    loop_work_submit(assigned->thread->options.loop, WORK_BACKGROUND, &assigned->flush);
}

static void stop_reading(struct assigned_task *assigned)
{
    if (assigned->partitions == NULL || assigned->changelogs == NULL)
        return; /* there was no memory to make it anew */
    size_t count;
    task_inputs(assigned->task, &count);
    for (size_t i = 0; i < count; i++) {
        if (assigned->partitions[i] != NULL)
            consumer_unassign(assigned->partitions[i]);
        assigned->partitions[i] = NULL;
    }
    task_stores(assigned->task, &count);
    for (size_t i = 0; i < count; i++) {
        if (assigned->changelogs[i] != NULL)
            consumer_unassign(assigned->changelogs[i]);
        assigned->changelogs[i] = NULL;
    }
}

/* From nothing, as Kafka Streams does with a task that is corrupted. */
static void begin_anew(struct assigned_task *assigned)
{
    stop_reading(assigned);
    int code = task_wipe(assigned->task);
    if (code < 0) {
        thread_fail(assigned->thread, code, task_error(assigned->task));
        return;
    }
    unmake_task(assigned);
    code = make_task(assigned);
    if (code < 0) {
        thread_fail(assigned->thread, code, mill_error_text(code));
        return;
    }
    assigned->changelog_lost = false;
    assigned->state = ASSIGNED_OPENING;
    thread_wake(assigned->thread);
}

void assigned_task_close(struct assigned_task *assigned, bool clean, struct io_time now)
{
    struct stream_thread *thread = assigned->thread;
    /* Others will send again what it has sent since the last commit: the transaction must not commit it for other tasks. */
    if (thread->exactly_once && assigned->state == ASSIGNED_RUNS && task_commit_needed(assigned->task))
        producer_break_transaction(thread->producer, MILL_EAGAIN, "a task was closed with work that is not committed");
    assigned->close_clean = clean && assigned->state == ASSIGNED_RUNS;
    assigned->state = ASSIGNED_CLOSING;
    stop_reading(assigned);
    thread_wake(thread);
}

/* What is committed goes to disk first; then, when no answer is due any more, the task is freed. */
static void go_on_closing(struct assigned_task *assigned, struct io_time now)
{
    if (assigned->flushing || assigned->pending > 0)
        return;
    if (assigned->close_clean && task_flush_due(assigned->task, now, true))
        assigned_task_flush(assigned);
    else
        free_assigned(assigned);
}

bool assigned_task_step(struct assigned_task *assigned, struct io_time now)
{
    if (assigned->state == ASSIGNED_OPENING)
        open_task(assigned, now);
    bool stable = group_member_state(assigned->thread->member) == GROUP_MEMBER_STABLE;
    if (assigned->state == ASSIGNED_WAITS_FOR_TOPICS && stable)
        fetch_offsets(assigned, now);
    if (assigned->state == ASSIGNED_WAITS_FOR_STABLE && now.monotonic_us >= assigned->look_up_at_us)
        look_up_changelogs(assigned, true);
    if (assigned->state == ASSIGNED_RESTORES && assigned->changelog_lost)
        begin_anew(assigned);
    if (assigned->state == ASSIGNED_RESTORES && !assigned->thread->has_restored && restore(assigned, now))
        run(assigned, now);
    bool settled = assigned->state >= ASSIGNED_RUNS;
    if (assigned->state == ASSIGNED_CLOSING)
        go_on_closing(assigned, now);
    return settled;
}
