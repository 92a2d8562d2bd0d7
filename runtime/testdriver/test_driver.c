/*
 * The test driver: the real task over a memory log, stepped by the caller.
 *
 * All sub-topologies are one task here, as in Kafka Streams' TopologyTestDriver, and the global stores are another, which always
 * goes first. A pipe appends to the source topic and then runs to the end: feed what the topics hold to the task's inputs,
 * process one record, commit, feed what that wrote, and so on.
 *
 * A source by pattern reads one topic, as in Kafka Streams' driver, to which each record is copied that a pipe or a sink has
 * written to a topic that matches; its name goes along.
 */
#include "millstream/test_driver.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/io.h"
#include "task/offset_metadata.h"
#include "task/streams_config.h"
#include "testdriver/memory_log.h"

/* How far an input was read and committed. */
struct driver_input {
    const struct topology_topic *definition;
    struct memory_topic *topic;
    size_t fed;
    int64_t committed_offset;
    int64_t committed_partition_time_ms;
};

struct driven_task {
    struct task *task; /* NULL: it has nothing to do, or failed to open */
    const struct subtopology *part;
    struct driver_input *inputs;
    size_t input_count;
    size_t fed;                           /* of all records, in the order in which they were written */
    char metadata[OFFSET_METADATA_BYTES]; /* committed with the first input */
};

struct mill_test_driver {
    mill_topology *topology;
    struct subtopology whole; /* every node, topic and store of all sub-topologies but global stores */
    struct config config;
    struct memory_log log;
    size_t matched; /* so many of the log's records have been held against the patterns */
    struct driven_task globals;
    struct driven_task main;
    struct io_time now;
    bool auto_commit;
    int broken; /* set by a failure that the driver cannot go on from */
    struct error_text error;
};

enum { PATTERN_NAME_BYTES = 24 };

static int fail(mill_test_driver *driver, int code, const char *text)
{
    if (text != NULL)
        error_set(&driver->error, code, "%s", text);
    else
        error_set(&driver->error, code, "%s", mill_error_text(code));
    return code;
}

static int break_down(mill_test_driver *driver, int code, const char *text)
{
    driver->broken = code;
    return fail(driver, code, text);
}

/* ---- one task over everything ---------------------------------------------------------------------------------------------- */

static int gather(void *into, size_t *count, const void *from, size_t more)
{
    void ***list = into;
    void **grown = mem_realloc(*list, (*count + more + 1) * sizeof(void *));
    if (grown == NULL)
        return MILL_ENOMEM;
    if (more > 0)
        memcpy(grown + *count, from, more * sizeof(void *));
    *list = grown;
    *count += more;
    return 0;
}

static int gather_subtopologies(mill_test_driver *driver)
{
    struct subtopology *whole = &driver->whole;
    int code = 0;
    for (size_t i = 0; code == 0 && i < driver->topology->nodes.count; i++)
        if (!driver->topology->nodes.at[i]->global)
            code = gather(&whole->nodes.at, &whole->nodes.count, &driver->topology->nodes.at[i], 1);
    for (size_t i = 0; code == 0 && i < driver->topology->subtopology_count; i++) {
        const struct subtopology *part = &driver->topology->subtopologies[i];
        if (part->global)
            continue;
        code = gather(&whole->source_topics.at, &whole->source_topics.count, part->source_topics.at, part->source_topics.count);
        if (code == 0)
            code = gather(&whole->stores.at, &whole->stores.count, part->stores.at, part->stores.count);
    }
    return code;
}

static const char *get_property(void *ctx, const char *name)
{
    return streams_config_text(ctx, name);
}

static struct task_topic *output_topic(void *ctx, const struct topology_topic *topic)
{
    mill_test_driver *driver = ctx;
    char name[TOPIC_NAME_MAX + 1];
    if (topology_topic_name(topic, config_string(&driver->config, "application.id"), name) < 0)
        return NULL;
    struct memory_topic *made = memory_log_topic(&driver->log, name);
    return made ? &made->output : NULL;
}

static int restore_store(mill_test_driver *driver, struct task *task, struct task_store *store)
{
    if (store->restored)
        return 0;
    struct memory_topic *topic = (struct memory_topic *)store->topic;
    struct changelog_facts facts = { .log_end = (int64_t)topic->end, .delete_retention_ms = INT64_MAX };
    int code = task_restore_plan(task, store, &facts, driver->now);
    while (code == 0 && !store->restored) {
        struct record_run run = memory_log_run(topic, (size_t)store->next_offset);
        code = task_restore_run(task, store, &run, driver->now);
    }
    return code;
}

/* Where an input goes on: with the last commit, or, in a global store, where its rows end. */
static int seek_input(mill_test_driver *driver, struct driven_task *driven, struct task_input *input, struct driver_input *fed)
{
    int64_t offset = fed->committed_offset;
    int code = 0;
    if (driven->part->global) {
        struct changelog_facts facts = { .log_end = (int64_t)fed->topic->end, .delete_retention_ms = INT64_MAX };
        code = task_global_plan(driven->task, input, &facts, driver->now, &offset);
    } else {
        record_queue_seek(&input->queue, offset, fed->committed_partition_time_ms);
    }
    fed->fed = (size_t)offset;
    return code;
}

static int bring_up(mill_test_driver *driver, struct driven_task *driven)
{
    int code = 0;
    size_t count;
    struct task_input *inputs = task_inputs(driven->task, &count);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = seek_input(driver, driven, &inputs[i], &driven->inputs[i]);
    if (!driven->part->global) {
        task_forget_metadata(driven->task);
        task_restore_metadata(driven->task, mill_string(driven->metadata));
    }
    struct task_store *stores = task_stores(driven->task, &count);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = restore_store(driver, driven->task, &stores[i]);
    return code == 0 ? task_restored(driven->task, driver->now) : code;
}

static mill_store *global_store(void *ctx, const char *name)
{
    mill_test_driver *driver = ctx;
    return driver->globals.task ? task_find_store(driver->globals.task, name) : NULL;
}

static int open_task(mill_test_driver *driver, struct driven_task *driven, bool wipe)
{
    bool on_disk = config_get_set(&driver->config, "state.dir") != NULL;
    struct task_options options = { .topology = driver->topology,
                                    .subtopology = driven->part,
                                    .application_id = config_string(&driver->config, "application.id"),
                                    .state_directory = config_get_set(&driver->config, "state.dir"),
                                    .disk = on_disk ? uv_disk() : NULL,
                                    .memory = { .cache_bytes = (size_t)config_int(&driver->config, "statestore.cache.max.bytes"),
                                                .restore_bytes =
                                                    (size_t)config_int(&driver->config, "mill.state.restore.bytes") },
                                    .max_task_idle_ms = streams_config_ms(&driver->config, "max.task.idle.ms"),
                                    .property = get_property,
                                    .property_ctx = &driver->config,
                                    .global_store = driven->part->global ? NULL : global_store,
                                    .global_store_ctx = driver,
                                    .output = output_topic,
                                    .output_ctx = driver };
    int code = task_new(&options, &driven->task);
    if (code < 0)
        return break_down(driver, code, NULL);
    code = task_open(driven->task, driver->now);
    if (code == 0 && wipe) {
        code = task_wipe(driven->task);
        task_free(driven->task, false);
        driven->task = NULL;
        return code < 0 ? break_down(driver, code, "the task's state could not be wiped") : open_task(driver, driven, false);
    }
    if (code == 0)
        code = bring_up(driver, driven);
    return code < 0 ? break_down(driver, code, task_error(driven->task)) : 0;
}

static int run_to_the_end(mill_test_driver *driver);

/* The global stores have what their topics hold before anything else is processed. */
static int open_tasks(mill_test_driver *driver, bool wipe)
{
    int code = driver->topology->globals.nodes.count > 0 ? open_task(driver, &driver->globals, wipe) : 0;
    if (code == 0)
        code = open_task(driver, &driver->main, wipe);
    return code == 0 ? run_to_the_end(driver) : code;
}

static int make_inputs(mill_test_driver *driver, struct driven_task *driven, const struct subtopology *part)
{
    driven->part = part;
    driven->input_count = part->source_topics.count;
    driven->inputs = mem_calloc(driven->input_count + 1, sizeof *driven->inputs);
    if (driven->inputs == NULL)
        return MILL_ENOMEM;
    for (size_t i = 0; i < driven->input_count; i++) {
        const struct topology_topic *topic = part->source_topics.at[i];
        char name[PATTERN_NAME_BYTES];
        snprintf(name, sizeof name, "/%zu", topic->index); /* which no topic is called */
        driven->inputs[i].definition = topic;
        driven->inputs[i].topic = topic->kind == TOPOLOGY_PATTERN ? memory_log_topic(&driver->log, name)
                                                                  : (struct memory_topic *)output_topic(driver, topic);
        driven->inputs[i].committed_partition_time_ms = -1;
        if (driven->inputs[i].topic == NULL)
            return MILL_ENOMEM;
    }
    return 0;
}

static int set_up(mill_test_driver *driver, const char *const *properties)
{
    static const char *const DEFAULTS[] = { "application.id",
                                            "test",
                                            "__emit.interval.ms.kstreams.windowed.aggregation__",
                                            "0",
                                            "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__",
                                            "0",
                                            NULL };
    int code = streams_config_set_all(&driver->config, DEFAULTS);
    if (code == 0)
        code = streams_config_set_all(&driver->config, properties);
    if (code < 0)
        return break_down(driver, code, driver->config.error.text);
    if (config_get_set(&driver->config, "topology.optimization") != NULL)
        mill_topology_optimize(driver->topology, config_string(&driver->config, "topology.optimization"));
    if (config_bool(&driver->config, "ensure.explicit.internal.resource.naming"))
        mill_topology_require_names(driver->topology, true);
    code = topology_build(driver->topology);
    if (code < 0)
        return break_down(driver, code, mill_topology_error(driver->topology));
    code = gather_subtopologies(driver);
    if (code == 0)
        code = make_inputs(driver, &driver->globals, &driver->topology->globals);
    if (code == 0)
        code = make_inputs(driver, &driver->main, &driver->whole);
    return code < 0 ? break_down(driver, code, NULL) : open_tasks(driver, false);
}

mill_test_driver *mill_test_driver_new(mill_topology *topology, const char *const *properties, int64_t wall_time_ms)
{
    mill_test_driver *driver = mem_calloc(1, sizeof *driver);
    if (driver == NULL)
        return NULL;
    driver->topology = topology;
    driver->now = (struct io_time){ .wall_ms = wall_time_ms };
    driver->auto_commit = true;
    config_init(&driver->config, &streams_config_table);
    memory_log_init(&driver->log);
    set_up(driver, properties); /* a failure is kept: every call answers with it */
    return driver;
}

void mill_test_driver_free(mill_test_driver *driver)
{
    if (driver == NULL)
        return;
    task_free(driver->main.task, false);
    task_free(driver->globals.task, false);
    memory_log_release(&driver->log);
    config_release(&driver->config);
    mem_free(driver->whole.nodes.at);
    mem_free(driver->whole.source_topics.at);
    mem_free(driver->whole.stores.at);
    mem_free(driver->main.inputs);
    mem_free(driver->globals.inputs);
    mem_free(driver);
}

const char *mill_test_driver_error(const mill_test_driver *driver)
{
    return driver->error.text;
}

/* ---- processing ------------------------------------------------------------------------------------------------------------ */

static int flush(mill_test_driver *driver, struct driven_task *driven, bool closing)
{
    if (!task_flush_due(driven->task, driver->now, closing))
        return 0;
    int code = task_flush(driven->task);
    task_flushed(driven->task, code);
    return code < 0 ? break_down(driver, code, task_error(driven->task)) : 0;
}

static int commit(mill_test_driver *driver, struct driven_task *driven)
{
    int code;
    while ((code = task_flush_caches(driven->task, NULL, NULL, driver->now)) > 0)
        continue;
    if (code == 0)
        code = task_freeze(driven->task, driver->now);
    if (code < 0)
        return break_down(driver, code, task_error(driven->task));
    size_t count;
    struct task_input *inputs = task_inputs(driven->task, &count);
    for (size_t i = 0; i < count; i++) {
        char metadata[OFFSET_METADATA_BYTES];
        (void)task_input_commit(driven->task, &inputs[i], i == 0 ? driven->metadata : metadata);
        if (inputs[i].queue.next_offset >= 0)
            driven->inputs[i].committed_offset = inputs[i].queue.next_offset;
        driven->inputs[i].committed_partition_time_ms = inputs[i].queue.partition_time_ms;
    }
    task_committed(driven->task);
    return flush(driver, driven, false);
}

static int commit_both(mill_test_driver *driver)
{
    if (driver->broken < 0)
        return driver->broken;
    int code = commit(driver, &driver->main);
    return code == 0 && driver->globals.task != NULL ? commit(driver, &driver->globals) : code;
}

int mill_test_driver_commit(mill_test_driver *driver)
{
    int code = commit_both(driver);
    return code < 0 ? code : run_to_the_end(driver);
}

/* One after the other, since the queue has one topic's name. One that an extractor drops is followed by the next. */
static void feed_pattern(mill_test_driver *driver, struct driver_input *input, struct task_input *to)
{
    int code = 0;
    while (record_queue_head(&to->queue, driver->now.wall_ms, &code) == NULL && code == 0 && input->fed < input->topic->end) {
        to->queue.topic = input->topic->names[input->fed];
        struct record_run run = memory_log_run(input->topic, input->fed++);
        record_queue_add(&to->queue, &run);
    }
}

static void feed_input(mill_test_driver *driver, struct driver_input *input, struct task_input *to, size_t max)
{
    if (input->definition->kind == TOPOLOGY_PATTERN) {
        feed_pattern(driver, input, to);
        return;
    }
    for (; max > 0 && input->fed < input->topic->end && record_queue_has_room(&to->queue); max--) {
        struct record_run run = memory_log_run(input->topic, input->fed++);
        record_queue_add(&to->queue, &run);
    }
}

/* What has been written since, one by one: Kafka Streams lines its inputs up in this order, which decides between equal times. */
static int feed_in_order(mill_test_driver *driver, struct driven_task *driven, struct task_input *inputs, size_t count)
{
    int code = task_line_up(driven->task, driver->now);
    for (; code == 0 && driven->fed < driver->log.count; driven->fed++) {
        for (size_t i = 0; code == 0 && i < count; i++) {
            if (driven->inputs[i].topic != driver->log.order[driven->fed])
                continue;
            feed_input(driver, &driven->inputs[i], &inputs[i], 1);
            code = task_line_up(driven->task, driver->now);
        }
    }
    return code;
}

static struct memory_topic *source_topic(const struct driven_task *driven, const char *name)
{
    for (size_t i = 0; i < driven->input_count; i++)
        if (strcmp(driven->inputs[i].topic->output.name, name) == 0)
            return driven->inputs[i].topic;
    return NULL;
}

/* The source by pattern that reads a topic; NULL: none does. */
static const struct driver_input *pattern_input(const mill_test_driver *driver, const char *name)
{
    const struct topology_topic *pattern =
        topology_pattern_of(driver->topology, config_string(&driver->config, "application.id"), name);
    for (size_t i = 0; pattern != NULL && i < driver->main.input_count; i++)
        if (driver->main.inputs[i].definition == pattern)
            return &driver->main.inputs[i];
    return NULL;
}

/* What has been written since to topics that match: once more, for those who read them by a pattern. */
static int match(mill_test_driver *driver)
{
    int code = 0;
    for (size_t end = driver->log.count; code == 0 && driver->matched < end; driver->matched++) {
        struct memory_topic *topic = driver->log.order[driver->matched];
        const struct driver_input *input = pattern_input(driver, topic->output.name);
        if (input != NULL)
            code = memory_log_match(topic, input->topic);
    }
    return code;
}

/* Gives the inputs what their topics hold, and the truth about what is left there. */
static int feed(mill_test_driver *driver, struct driven_task *driven)
{
    size_t count;
    struct task_input *inputs = task_inputs(driven->task, &count);
    int code = match(driver);
    if (code == 0)
        code = feed_in_order(driver, driven, inputs, count);
    for (size_t i = 0; i < count; i++) {
        feed_input(driver, &driven->inputs[i], &inputs[i], SIZE_MAX);
        inputs[i].lag = (int64_t)(driven->inputs[i].topic->end - driven->inputs[i].fed);
        inputs[i].told_until_us = INT64_MAX;
    }
    return code;
}

/* Processes one record: 1, 0 when there is none, or an error. */
static int process_one(mill_test_driver *driver, struct driven_task *driven)
{
    if (driven->task == NULL)
        return 0;
    int done = feed(driver, driven);
    if (done == 0)
        done = task_process(driven->task, 1, NULL, NULL, driver->now);
    return done < 0 ? break_down(driver, done, task_error(driven->task)) : done;
}

static int run_to_the_end(mill_test_driver *driver)
{
    for (;;) {
        int done = process_one(driver, &driver->globals);
        if (done == 0)
            done = process_one(driver, &driver->main);
        if (done <= 0)
            return done;
        int code = driver->auto_commit ? commit_both(driver) : 0;
        if (code < 0)
            return code;
    }
}

int mill_test_driver_pipe(mill_test_driver *driver, const char *topic, const mill_record *record)
{
    if (driver->broken < 0)
        return driver->broken;
    struct memory_topic *source = source_topic(&driver->main, topic);
    if (source == NULL)
        source = source_topic(&driver->globals, topic);
    if (source == NULL && pattern_input(driver, topic) != NULL) {
        source = memory_log_topic(&driver->log, topic);
        if (source == NULL)
            return fail(driver, MILL_ENOMEM, NULL);
    }
    if (source == NULL) {
        error_set(&driver->error, MILL_ENOTFOUND, "topic %s: no source of the topology reads it", topic);
        return MILL_ENOTFOUND;
    }
    int code = memory_log_append(source, record);
    return code < 0 ? fail(driver, code, NULL) : run_to_the_end(driver);
}

int mill_test_driver_read(mill_test_driver *driver, const char *topic, mill_record *record)
{
    struct memory_topic *from = memory_log_topic(&driver->log, topic);
    if (from == NULL)
        return fail(driver, MILL_ENOMEM, NULL);
    int code = memory_log_read(from, record);
    return code < 0 ? fail(driver, code, NULL) : code;
}

int mill_test_driver_advance(mill_test_driver *driver, int64_t milliseconds)
{
    if (driver->broken < 0)
        return driver->broken;
    driver->now.wall_ms += milliseconds;
    driver->now.monotonic_us += milliseconds * 1000;
    int code = task_punctuate(driver->main.task, driver->now);
    if (code < 0)
        return break_down(driver, code, task_error(driver->main.task));
    code = driver->auto_commit ? commit_both(driver) : 0;
    return code < 0 ? code : run_to_the_end(driver);
}

void mill_test_driver_auto_commit(mill_test_driver *driver, bool on)
{
    driver->auto_commit = on;
}

static int flush_for_closing(mill_test_driver *driver)
{
    int code = commit_both(driver);
    if (code == 0)
        code = flush(driver, &driver->main, true);
    return code == 0 && driver->globals.task != NULL ? flush(driver, &driver->globals, true) : code;
}

int mill_test_driver_restart(mill_test_driver *driver, mill_test_restart how)
{
    if (driver->broken < 0)
        return driver->broken;
    int code = how == MILL_RESTART_CLEAN ? flush_for_closing(driver) : 0;
    if (code < 0)
        return code;
    task_free(driver->main.task, how == MILL_RESTART_CLEAN);
    task_free(driver->globals.task, how == MILL_RESTART_CLEAN);
    driver->main.task = NULL;
    driver->globals.task = NULL;
    return open_tasks(driver, how == MILL_RESTART_STATE_LOST);
}

mill_store *mill_test_driver_store(mill_test_driver *driver, const char *name)
{
    if (driver->broken < 0)
        return NULL;
    mill_store *store = task_find_store(driver->main.task, name);
    return store != NULL ? store : global_store(driver, name);
}

int64_t mill_test_driver_dropped(const mill_test_driver *driver, const char *reason)
{
    int64_t dropped = driver->main.task ? task_dropped(driver->main.task, reason) : 0;
    return driver->globals.task ? dropped + task_dropped(driver->globals.task, reason) : dropped;
}
