#include "worker/internal_topics.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "task/streams_config.h"

enum { OPERATION_BYTES_MAX = 64 << 20, GLOBAL_PROPERTIES_MAX = 16, MISSING_RETRY_US = 1000000 };

static const int64_t DELETE_RETENTION_MS = 24 * 60 * 60 * 1000; /* Kafka's default */

struct internal_topics {
    struct client *client;
    const mill_topology *topology;
    const struct config *config;
    bool create_sources;
    internal_topics_done *done;
    void *ctx;

    struct arena arena;
    struct arena found; /* what the last look at the broker's topics has found to match */
    struct matched_topics matched;
    const char **names; /* by topology->topics, on the broker */
    int32_t *counts;
    int32_t *existing; /* what describing found, beside what is wanted in `counts` */
    struct admin_new_topic *wanted;
    size_t wanted_count;
    struct admin_operation *running;
    struct loop_timer retry;
    bool told; /* that a source topic is missing */
    struct error_text error;
};

static void describe(struct internal_topics *operation);

static void release(struct internal_topics *operation)
{
    loop_timer_cancel(client_loop(operation->client), &operation->retry);
    if (operation->running != NULL)
        admin_cancel(operation->running);
    arena_release(&operation->arena);
    arena_release(&operation->found);
    mem_free(operation);
}

void internal_topics_cancel(struct internal_topics *operation)
{
    if (operation != NULL)
        release(operation);
}

static void finish(struct internal_topics *operation, int code, const char *text, struct io_time now)
{
    /* The callback may start the next one; text and counts live in this one until it returns. */
    operation->done(operation->ctx, code, text, operation->counts, &operation->matched, now);
    release(operation);
}

static void fail(struct internal_topics *operation, int code, struct io_time now)
{
    if (operation->error.text[0] == '\0')
        error_set(&operation->error, code, "internal topics: %s", mill_error_text(code));
    finish(operation, code, operation->error.text, now);
}

/* ---- creating -------------------------------------------------------------------------------------------------------------- */

static void created(void *ctx, int code, const char *text, const struct admin_topic_result *results, size_t count,
                    struct io_time now)
{
    struct internal_topics *operation = ctx;
    operation->running = NULL;
    for (size_t i = 0; i < count; i++) {
        if (results[i].code == 0 || results[i].code == MILL_EEXISTS)
            continue;
        error_set(&operation->error, results[i].code, "topic %s could not be created: %s", results[i].name, results[i].text);
        fail(operation, results[i].code, now);
        return;
    }
    if (count == 0 && code < 0) {
        error_set(&operation->error, code, "internal topics could not be created: %s", text);
        fail(operation, code, now);
        return;
    }
    describe(operation); /* what is there now counts, whoever made it */
}

static size_t global_properties(struct internal_topics *operation, struct topic_property *properties)
{
    static const char PREFIX[] = "topic.";
    size_t count = 0;
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&operation->config->values, &at)) != NULL && count < GLOBAL_PROPERTIES_MAX) {
        size_t prefix = sizeof PREFIX - 1;
        if (entry->key.len <= prefix || memcmp(entry->key.data, PREFIX, prefix) != 0)
            continue;
        char *name = arena_string(&operation->arena, mill_bytes_of(entry->key.data + prefix, entry->key.len - prefix));
        if (name != NULL)
            properties[count++] = (struct topic_property){ .name = name, .value = entry->value };
    }
    return count;
}

static int want_topic(struct internal_topics *operation, size_t index, struct admin_new_topic *wanted)
{
    const struct topology_topic *topic = operation->topology->topics.at[index];
    *wanted = (struct admin_new_topic){ .name = operation->names[index],
                                        .partitions = topic->kind == TOPOLOGY_EXTERNAL ? -1 : operation->counts[index],
                                        .replication_factor = (int16_t)config_int(operation->config, "replication.factor") };
    if (topic->kind == TOPOLOGY_EXTERNAL)
        return 0;
    struct topic_property global[GLOBAL_PROPERTIES_MAX];
    size_t global_count = global_properties(operation, global);
    struct topic_properties *properties = arena_alloc(&operation->arena, sizeof *properties);
    struct admin_config *configs = arena_alloc(&operation->arena, TOPIC_PROPERTIES_MAX * sizeof *configs);
    if (properties == NULL || configs == NULL)
        return MILL_ENOMEM;
    int64_t additional = config_int(operation->config, "windowstore.changelog.additional.retention.ms");
    int code = topology_topic_properties(topic, additional, global, global_count, properties);
    if (code < 0)
        return code;
    for (size_t i = 0; i < properties->count; i++)
        configs[i] = (struct admin_config){ properties->at[i].name, properties->at[i].value };
    wanted->configs = configs;
    wanted->config_count = properties->count;
    return 0;
}

static bool is_read(const struct topology_topic *topic)
{
    return topic->source != NULL;
}

/* Collects what has to be created of one kind: source topics first, since internal ones take their number from them. */
static int collect(struct internal_topics *operation, bool sources)
{
    operation->wanted_count = 0;
    for (size_t i = 0; i < operation->topology->topics.count; i++) {
        const struct topology_topic *topic = operation->topology->topics.at[i];
        bool wanted = topic->kind == TOPOLOGY_EXTERNAL ? sources && is_read(topic) : !sources && operation->counts[i] > 0;
        if (!wanted || topic->kind == TOPOLOGY_PATTERN || operation->existing[i] > 0)
            continue;
        int code = want_topic(operation, i, &operation->wanted[operation->wanted_count]);
        if (code < 0)
            return code;
        operation->wanted_count++;
    }
    return 0;
}

static void create(struct internal_topics *operation, struct io_time now)
{
    operation->running =
        admin_create_topics(operation->client, operation->wanted, operation->wanted_count, false, created, operation);
    if (operation->running == NULL)
        fail(operation, MILL_ENOMEM, now);
}

static void retry_now(struct loop_timer *timer, struct io_time now)
{
    describe(timer->ctx);
}

static void wait_for_sources(struct internal_topics *operation, struct io_time now)
{
    if (!operation->told)
        trace_warn("streams", "%s: waiting for the source topic %s; create it with: millstream topic create %s",
                   config_string(operation->config, "application.id"), operation->wanted[0].name, operation->wanted[0].name);
    operation->told = true;
    loop_timer_set(client_loop(operation->client), &operation->retry, now.monotonic_us + MISSING_RETRY_US);
}

/* ---- patterns -------------------------------------------------------------------------------------------------------------- */

/* May it stand beside the others of its pattern? */
static int check_match(const mill_topology *topology, const struct matched_topics *matched, const struct matched_topic *match,
                       struct error_text *error)
{
    const struct topology_topic *second = topology_second_pattern_of(topology, match->pattern, match->name);
    if (second != NULL)
        return error_set(error, MILL_EINVALID,
                         "topic %s matches the patterns %s of %s and %s of %s: one source reads a topic, make one narrower",
                         match->name, match->pattern->name, match->pattern->source->name, second->name, second->source->name);
    for (size_t i = 0; i < matched->count; i++) {
        const struct matched_topic *other = &matched->at[i];
        if (other->pattern == match->pattern && other->partitions != match->partitions &&
            topology_is_copartitioned(topology, match->pattern))
            return error_set(
                error, MILL_EINVALID,
                "topics %s (%d partitions) and %s (%d partitions) match the pattern %s, which takes part in a join, so that "
                "equal keys must be in equal partitions: bring them to one number with mill_stream_repartition",
                other->name, other->partitions, match->name, match->partitions, match->pattern->name);
    }
    return 0;
}

int matched_topics_find(const mill_topology *topology, const char *application_id, const struct admin_topic *topics, size_t count,
                        struct arena *arena, struct matched_topics *matched, struct error_text *error)
{
    matched->count = 0;
    matched->at = arena_calloc(arena, count + 1, sizeof *matched->at);
    int code = matched->at ? 0 : error_set(error, MILL_ENOMEM, "no memory for the topics that match a pattern");
    for (size_t i = 0; code == 0 && i < count; i++) {
        const struct topology_topic *pattern =
            topics[i].code == 0 && !topics[i].internal ? topology_pattern_of(topology, application_id, topics[i].name) : NULL;
        if (pattern == NULL)
            continue;
        struct matched_topic match = { pattern, topics[i].name, topics[i].partition_count };
        code = check_match(topology, matched, &match, error);
        matched->at[matched->count++] = match;
    }
    return code;
}

/* The names outlive the answer. */
static int take_matches(struct internal_topics *operation, const struct admin_topic *topics, size_t count)
{
    arena_clear(&operation->found);
    int code = matched_topics_find(operation->topology, config_string(operation->config, "application.id"), topics, count,
                                   &operation->found, &operation->matched, &operation->error);
    for (size_t i = 0; code == 0 && i < operation->matched.count; i++) {
        struct matched_topic *match = &operation->matched.at[i];
        match->name = arena_string(&operation->found, mill_string(match->name));
        code = match->name ? 0 : MILL_ENOMEM;
        int32_t *largest = &operation->counts[match->pattern->index];
        *largest = match->partitions > *largest ? match->partitions : *largest;
    }
    return code;
}

/* ---- describing ------------------------------------------------------------------------------------------------------------ */

static void settle(struct internal_topics *operation, struct io_time now)
{
    memcpy(operation->existing, operation->counts, operation->topology->topics.count * sizeof *operation->existing);
    int code = collect(operation, true);
    if (code == 0 && operation->wanted_count > 0) {
        if (operation->create_sources)
            create(operation, now);
        else
            wait_for_sources(operation, now);
        return;
    }
    if (code == 0)
        code = topology_resolve_partitions(operation->topology, operation->counts, &operation->error);
    if (code == 0)
        code = collect(operation, false);
    if (code < 0)
        fail(operation, code, now);
    else if (operation->wanted_count > 0)
        create(operation, now);
    else
        finish(operation, 0, "", now);
}

static void described(void *ctx, int code, const char *text, const struct admin_topic *topics, size_t count, struct io_time now)
{
    struct internal_topics *operation = ctx;
    operation->running = NULL;
    if (count == 0 && code < 0 && code != MILL_ENOTFOUND) {
        error_set(&operation->error, code, "the topology's topics could not be described: %s", text);
        fail(operation, code, now);
        return;
    }
    for (size_t i = 0; i < operation->topology->topics.count; i++) {
        operation->counts[i] = 0;
        bool is_pattern = operation->topology->topics.at[i]->kind == TOPOLOGY_PATTERN;
        for (size_t j = 0; !is_pattern && j < count; j++)
            if (topics[j].code == 0 && strcmp(topics[j].name, operation->names[i]) == 0)
                operation->counts[i] = topics[j].partition_count;
    }
    code = take_matches(operation, topics, count);
    if (code < 0)
        fail(operation, code, now);
    else
        settle(operation, now);
}

static void describe(struct internal_topics *operation)
{
    bool all = topology_has_patterns(operation->topology);
    operation->running = admin_describe_topics(operation->client, all ? NULL : operation->names,
                                               all ? 0 : operation->topology->topics.count, described, operation);
    if (operation->running == NULL) /* no memory now: once more in a while */
        loop_timer_set(client_loop(operation->client), &operation->retry,
                       loop_now(client_loop(operation->client)).monotonic_us + MISSING_RETRY_US);
}

static int name_topics(struct internal_topics *operation)
{
    const struct topology_topics *topics = &operation->topology->topics;
    operation->names = arena_calloc(&operation->arena, topics->count + 1, sizeof *operation->names);
    operation->counts = arena_calloc(&operation->arena, topics->count + 1, sizeof *operation->counts);
    operation->existing = arena_calloc(&operation->arena, topics->count + 1, sizeof *operation->existing);
    operation->wanted = arena_calloc(&operation->arena, topics->count + 1, sizeof *operation->wanted);
    if (!operation->names || !operation->counts || !operation->existing || !operation->wanted)
        return MILL_ENOMEM;
    for (size_t i = 0; i < topics->count; i++) {
        char *name = arena_alloc(&operation->arena, TOPIC_NAME_MAX + 1);
        int code =
            name ? topology_topic_name(topics->at[i], config_string(operation->config, "application.id"), name) : MILL_ENOMEM;
        if (code < 0)
            return code;
        operation->names[i] = name;
    }
    return 0;
}

struct internal_topics *internal_topics_start(struct client *client, const mill_topology *topology, const struct config *config,
                                              bool create_sources, internal_topics_done *done, void *ctx)
{
    struct internal_topics *operation = mem_calloc(1, sizeof *operation);
    if (operation == NULL)
        return NULL;
    operation->client = client;
    operation->topology = topology;
    operation->config = config;
    operation->create_sources = create_sources;
    operation->done = done;
    operation->ctx = ctx;
    operation->retry = (struct loop_timer){ .fire = retry_now, .ctx = operation };
    arena_init(&operation->arena, 16 << 10, OPERATION_BYTES_MAX);
    arena_init(&operation->found, 16 << 10, OPERATION_BYTES_MAX);
    if (name_topics(operation) < 0) {
        release(operation);
        return NULL;
    }
    describe(operation);
    return operation;
}

/* ---- delete.retention.ms --------------------------------------------------------------------------------------------------- */

int64_t internal_topics_delete_retention_ms(const struct config *config, const struct topology_topic *topic)
{
    const char *text = NULL;
    bool changelog = topic != NULL && topic->kind == TOPOLOGY_CHANGELOG;
    const char *const *own = changelog ? topic->store->builder->changelog_properties : NULL;
    for (; own != NULL && own[0] != NULL; own += 2)
        if (strcmp(own[0], "delete.retention.ms") == 0)
            text = own[1];
    if (text == NULL && changelog)
        text = config_get_set(config, "topic.delete.retention.ms");
    if (text == NULL)
        text = config_get_set(config, "broker.log.cleaner.delete.retention.ms");
    return text != NULL ? strtoll(text, NULL, 10) : DELETE_RETENTION_MS;
}
