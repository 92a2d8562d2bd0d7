/*
 * The test driver: the real task over a memory log, stepped by the caller.
 *
 * All sub-topologies are one task here, as in Kafka Streams' TopologyTestDriver. A pipe appends to the source topic and then runs
 * to the end: feed what the topics hold to the task's inputs, process one record, commit, feed what that wrote, and so on.
 */
#include "millstream/test_driver.h"

#include "base/alloc.h"
#include "base/error.h"
#include "io/io.h"
#include "task/offset_metadata.h"
#include "task/streams_config.h"
#include "testdriver/memory_log.h"

/* How far an input was read and committed. */
struct driver_input {
    struct memory_topic *topic;
    size_t fed;
    int64_t committed_offset;
    int64_t committed_partition_time_ms;
};

struct mill_test_driver {
    mill_topology *topology;
    struct subtopology whole; /* every node, topic and store of all sub-topologies */
    struct config config;
    struct memory_log log;
    struct task *task;
    struct driver_input *inputs;
    size_t input_count;
    char metadata[OFFSET_METADATA_BYTES]; /* committed with the first input */
    struct io_time now;
    bool auto_commit;
    int broken; /* set by a failure that the driver cannot go on from */
    struct error_text error;
};

enum { CACHE_SLICE = 1024 };

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
    int code = gather(&whole->nodes.at, &whole->nodes.count, driver->topology->nodes.at, driver->topology->nodes.count);
    for (size_t i = 0; code == 0 && i < driver->topology->subtopology_count; i++) {
        const struct subtopology *part = &driver->topology->subtopologies[i];
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

static int restore_store(mill_test_driver *driver, struct task_store *store)
{
    if (store->restored)
        return 0;
    struct memory_topic *topic = (struct memory_topic *)store->topic;
    struct changelog_facts facts = { .log_end = (int64_t)topic->end, .delete_retention_ms = INT64_MAX };
    int code = task_restore_plan(driver->task, store, &facts, driver->now);
    while (code == 0 && !store->restored) {
        struct record_run run = memory_log_run(topic, (size_t)store->next_offset);
        code = task_restore_run(driver->task, store, &run, driver->now);
    }
    return code;
}

static int open_task(mill_test_driver *driver, bool wipe)
{
    bool on_disk = config_get_set(&driver->config, "state.dir") != NULL;
    struct task_options options = { .topology = driver->topology,
                                    .subtopology = &driver->whole,
                                    .application_id = config_string(&driver->config, "application.id"),
                                    .state_directory = config_get_set(&driver->config, "state.dir"),
                                    .disk = on_disk ? uv_disk() : NULL,
                                    .cache_bytes = (size_t)config_int(&driver->config, "statestore.cache.max.bytes"),
                                    .max_task_idle_ms = streams_config_ms(&driver->config, "max.task.idle.ms"),
                                    .property = get_property,
                                    .property_ctx = &driver->config,
                                    .output = output_topic,
                                    .output_ctx = driver };
    int code = task_new(&options, &driver->task);
    if (code < 0)
        return break_down(driver, code, NULL);
    code = task_open(driver->task, driver->now);
    if (code == 0 && wipe) {
        code = task_wipe(driver->task);
        task_free(driver->task, false);
        driver->task = NULL;
        return code < 0 ? break_down(driver, code, "the task's state could not be wiped") : open_task(driver, false);
    }
    size_t count;
    struct task_store *stores = task_stores(driver->task, &count);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = restore_store(driver, &stores[i]);
    task_restore_metadata(driver->task, mill_string(driver->metadata));
    struct task_input *inputs = task_inputs(driver->task, &count);
    for (size_t i = 0; code == 0 && i < count; i++) {
        struct driver_input *input = &driver->inputs[i];
        record_queue_seek(&inputs[i].queue, input->committed_offset, input->committed_partition_time_ms);
        input->fed = (size_t)input->committed_offset;
    }
    if (code == 0)
        code = task_restored(driver->task, driver->now);
    return code < 0 ? break_down(driver, code, task_error(driver->task)) : 0;
}

static int make_inputs(mill_test_driver *driver)
{
    driver->input_count = driver->whole.source_topics.count;
    driver->inputs = mem_calloc(driver->input_count + 1, sizeof *driver->inputs);
    if (driver->inputs == NULL)
        return MILL_ENOMEM;
    for (size_t i = 0; i < driver->input_count; i++) {
        driver->inputs[i].topic = (struct memory_topic *)output_topic(driver, driver->whole.source_topics.at[i]);
        driver->inputs[i].committed_partition_time_ms = -1;
        if (driver->inputs[i].topic == NULL)
            return MILL_ENOMEM;
    }
    return 0;
}

static int set_up(mill_test_driver *driver, const char *const *properties)
{
    if (config_set(&driver->config, "application.id", "test") < 0 ||
        config_set(&driver->config, "__emit.interval.ms.kstreams.windowed.aggregation__", "0") < 0 ||
        streams_config_set_all(&driver->config, properties) < 0)
        return break_down(driver, MILL_EINVALID, driver->config.error.text);
    int code = topology_build(driver->topology);
    if (code < 0)
        return break_down(driver, code, mill_topology_error(driver->topology));
    code = gather_subtopologies(driver);
    if (code == 0)
        code = make_inputs(driver);
    return code < 0 ? break_down(driver, code, NULL) : open_task(driver, false);
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
    task_free(driver->task, false);
    memory_log_release(&driver->log);
    config_release(&driver->config);
    mem_free(driver->whole.nodes.at);
    mem_free(driver->whole.source_topics.at);
    mem_free(driver->whole.stores.at);
    mem_free(driver->inputs);
    mem_free(driver);
}

const char *mill_test_driver_error(const mill_test_driver *driver)
{
    return driver->error.text;
}

/* ---- processing ------------------------------------------------------------------------------------------------------------ */

int mill_test_driver_commit(mill_test_driver *driver)
{
    if (driver->broken < 0)
        return driver->broken;
    int code;
    while ((code = task_flush_caches(driver->task, CACHE_SLICE, driver->now)) > 0)
        continue;
    if (code == 0)
        code = task_freeze(driver->task, driver->now);
    if (code < 0)
        return break_down(driver, code, task_error(driver->task));
    size_t count;
    struct task_input *inputs = task_inputs(driver->task, &count);
    for (size_t i = 0; i < count; i++) {
        char metadata[OFFSET_METADATA_BYTES];
        (void)task_input_commit(driver->task, &inputs[i], i == 0 ? driver->metadata : metadata);
        if (inputs[i].queue.next_offset >= 0)
            driver->inputs[i].committed_offset = inputs[i].queue.next_offset;
        driver->inputs[i].committed_partition_time_ms = inputs[i].queue.partition_time_ms;
    }
    task_committed(driver->task);
    if (!task_flush_due(driver->task, driver->now, false))
        return 0;
    code = task_flush(driver->task);
    task_flushed(driver->task, code);
    return code < 0 ? break_down(driver, code, task_error(driver->task)) : 0;
}

/* Gives the inputs what their topics hold, and the truth about what is left there. */
static void feed(mill_test_driver *driver)
{
    size_t count;
    struct task_input *inputs = task_inputs(driver->task, &count);
    for (size_t i = 0; i < count; i++) {
        struct driver_input *input = &driver->inputs[i];
        while (input->fed < input->topic->end && record_queue_has_room(&inputs[i].queue)) {
            struct record_run run = memory_log_run(input->topic, input->fed++);
            record_queue_add(&inputs[i].queue, &run);
        }
        inputs[i].lag = (int64_t)(input->topic->end - input->fed);
    }
}

static int run_to_the_end(mill_test_driver *driver)
{
    for (;;) {
        feed(driver);
        int done = task_process(driver->task, 1, NULL, NULL, driver->now);
        if (done < 0)
            return break_down(driver, done, task_error(driver->task));
        if (done == 0)
            return 0;
        int code = driver->auto_commit ? mill_test_driver_commit(driver) : 0;
        if (code < 0)
            return code;
    }
}

static struct memory_topic *source_topic(mill_test_driver *driver, const char *name)
{
    for (size_t i = 0; i < driver->input_count; i++)
        if (strcmp(driver->inputs[i].topic->output.name, name) == 0)
            return driver->inputs[i].topic;
    return NULL;
}

int mill_test_driver_pipe(mill_test_driver *driver, const char *topic, const mill_record *record)
{
    if (driver->broken < 0)
        return driver->broken;
    struct memory_topic *source = source_topic(driver, topic);
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
    int code = task_punctuate(driver->task, driver->now);
    if (code < 0)
        return break_down(driver, code, task_error(driver->task));
    code = driver->auto_commit ? mill_test_driver_commit(driver) : 0;
    return code < 0 ? code : run_to_the_end(driver);
}

void mill_test_driver_auto_commit(mill_test_driver *driver, bool on)
{
    driver->auto_commit = on;
}

static int flush_for_closing(mill_test_driver *driver)
{
    int code = mill_test_driver_commit(driver);
    if (code < 0 || !task_flush_due(driver->task, driver->now, true))
        return code;
    code = task_flush(driver->task);
    task_flushed(driver->task, code);
    return code < 0 ? break_down(driver, code, task_error(driver->task)) : 0;
}

int mill_test_driver_restart(mill_test_driver *driver, mill_test_restart how)
{
    if (driver->broken < 0)
        return driver->broken;
    int code = how == MILL_RESTART_CLEAN ? flush_for_closing(driver) : 0;
    if (code < 0)
        return code;
    task_free(driver->task, how == MILL_RESTART_CLEAN);
    driver->task = NULL;
    code = open_task(driver, how == MILL_RESTART_STATE_LOST);
    return code < 0 ? code : run_to_the_end(driver);
}

mill_store *mill_test_driver_store(mill_test_driver *driver, const char *name)
{
    return driver->broken < 0 ? NULL : task_find_store(driver->task, name);
}

int64_t mill_test_driver_dropped(const mill_test_driver *driver, const char *reason)
{
    return driver->task ? task_dropped(driver->task, reason) : 0;
}
