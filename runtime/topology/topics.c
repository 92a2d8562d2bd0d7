/*
 * What an application makes of a topology's topics: names on the broker, properties, numbers of partitions.
 *
 * Rules are Kafka Streams' InternalTopicConfig and RepartitionTopics. One deviation: `topic.retention.ms` of the application
 * also reaches the changelogs of window stores. Kafka Streams ignores it there without a word, and a broker that ages by event
 * time would then delete the changelog of a job that reads old data.
 */
#include "topology/topology.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

int topology_topic_name(const struct topology_topic *topic, const char *application_id, char out[TOPIC_NAME_MAX + 1])
{
    bool is_the_users = topic->kind == TOPOLOGY_EXTERNAL || topic->kind == TOPOLOGY_PATTERN;
    int len = is_the_users ? snprintf(out, TOPIC_NAME_MAX + 1, "%s", topic->name)
                           : snprintf(out, TOPIC_NAME_MAX + 1, "%s-%s", application_id, topic->name);
    return len > TOPIC_NAME_MAX ? MILL_ETOOLARGE : 0;
}

/* ---- properties ---------------------------------------------------------------------------------------------------------- */

static struct topic_property *find_property(struct topic_properties *properties, const char *name)
{
    for (size_t i = 0; i < properties->count; i++)
        if (strcmp(properties->at[i].name, name) == 0)
            return &properties->at[i];
    return NULL;
}

/* Sets or replaces. */
static int set_property(struct topic_properties *properties, const char *name, const char *value)
{
    struct topic_property *property = find_property(properties, name);
    if (property == NULL) {
        if (properties->count == TOPIC_PROPERTIES_MAX)
            return MILL_ETOOLARGE;
        property = &properties->at[properties->count++];
        property->name = name;
    }
    property->value = value;
    return 0;
}

static int set_time(struct topic_properties *properties, const char *name, int64_t time_ms)
{
    int code = set_property(properties, name, "");
    if (code != 0)
        return code;
    struct topic_property *property = find_property(properties, name);
    snprintf(property->text, sizeof property->text, "%lld", (long long)time_ms);
    property->value = property->text;
    return 0;
}

static int set_defaults(const struct topology_topic *topic, int64_t additional_retention_ms, struct topic_properties *properties)
{
    int code = set_property(properties, "message.timestamp.type", "CreateTime");
    if (topic->kind == TOPOLOGY_REPARTITION) {
        /* Records go only when they have been read: the application deletes them itself. */
        code = code ? code : set_property(properties, "cleanup.policy", "delete");
        code = code ? code : set_property(properties, "segment.bytes", "52428800");
        return code ? code : set_property(properties, "retention.ms", "-1");
    }
    int64_t retention_ms = topic->store->builder->retention_ms;
    mill_store_kind kind = topic->store->builder->kind;
    if (retention_ms == 0 && kind != MILL_STORE_JOIN)
        return code ? code : set_property(properties, "cleanup.policy", "compact");
    bool versioned = kind == MILL_STORE_VERSIONED; /* the latest value stays, so history must not be compacted too soon */
    bool overflow = retention_ms > INT64_MAX - additional_retention_ms;
    code = code ? code : set_property(properties, "cleanup.policy", versioned ? "compact" : "compact,delete");
    return code ? code
                : set_time(properties, versioned ? "min.compaction.lag.ms" : "retention.ms",
                           overflow ? INT64_MAX : retention_ms + additional_retention_ms);
}

int topology_topic_properties(const struct topology_topic *topic, int64_t additional_retention_ms,
                              const struct topic_property *global, size_t global_count, struct topic_properties *properties)
{
    properties->count = 0;
    if (topic->kind == TOPOLOGY_EXTERNAL)
        return 0;
    int code = set_defaults(topic, additional_retention_ms, properties);
    for (size_t i = 0; code == 0 && i < global_count; i++)
        code = set_property(properties, global[i].name, global[i].value);
    const char *const *own = topic->kind == TOPOLOGY_CHANGELOG ? topic->store->builder->changelog_properties : NULL;
    for (; code == 0 && own != NULL && own[0] != NULL; own += 2)
        code = set_property(properties, own[0], own[1]);
    return code;
}

/* ---- numbers of partitions ----------------------------------------------------------------------------------------------- */

/*
 * While working it out, 0 is a number that is not known yet, and this one is known to be none: nothing matches a pattern, and no
 * other topic leads there.
 */
enum { NO_PARTITIONS = -1 };

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

int32_t topology_task_count(const mill_topology *topology, const struct subtopology *subtopology, const int32_t *counts)
{
    (void)topology;
    int32_t count = 0;
    for (size_t i = 0; !subtopology->global && i < subtopology->source_topics.count; i++)
        count = larger(count, counts[subtopology->source_topics.at[i]->index]);
    return count;
}

static bool knows_its_number(const struct subtopology *subtopology, const int32_t *wanted)
{
    for (size_t i = 0; i < subtopology->source_topics.count; i++)
        if (wanted[subtopology->source_topics.at[i]->index] == 0)
            return false;
    return true;
}

/*
 * The largest number among the sub-topologies that write `topic`, NO_PARTITIONS if none has any; 0 while one of them does not
 * know its own, unless `in_circle`: then what is known of them decides, if anything is.
 */
static int32_t count_upstream(const mill_topology *topology, const struct topology_topic *topic, const int32_t *wanted,
                              bool in_circle)
{
    int32_t count = 0;
    bool all_known = true;
    bool is_written = false;
    for (size_t i = 0; i < topology->subtopology_count; i++) {
        const struct subtopology *writer = &topology->subtopologies[i];
        bool writes = false;
        for (size_t j = 0; j < writer->sink_topics.count; j++)
            writes = writes || writer->sink_topics.at[j] == topic;
        if (!writes)
            continue;
        is_written = true;
        all_known &= knows_its_number(writer, wanted);
        if (!in_circle && !all_known)
            return 0;
        count = larger(count, topology_task_count(topology, writer, wanted));
    }
    return count == 0 && is_written && all_known ? NO_PARTITIONS : count;
}

/* The next repartition topic that waits for its number, or NULL. */
static const struct topology_topic *next_waiting(const mill_topology *topology, const int32_t *wanted, size_t from)
{
    for (size_t i = from; i < topology->topics.count; i++)
        if (topology->topics.at[i]->kind == TOPOLOGY_REPARTITION && wanted[i] == 0)
            return topology->topics.at[i];
    return NULL;
}

/* Gives numbers to those that wait. True: at least one has got its number; in a circle one is enough, the rest follow from it. */
static bool resolve_some(const mill_topology *topology, int32_t *wanted, bool in_circle)
{
    bool some = false;
    const struct topology_topic *topic = next_waiting(topology, wanted, 0);
    for (; topic != NULL && !(some && in_circle); topic = next_waiting(topology, wanted, topic->index + 1)) {
        wanted[topic->index] = count_upstream(topology, topic, wanted, in_circle);
        some = some || wanted[topic->index] != 0;
    }
    return some;
}

/*
 * A repartition topic may wait for another one's number, and those of a foreign-key join for each other's, beside that of what is
 * joined. In Kafka Streams the order of a hash set decides what is known when; here as much as can be.
 */
static int resolve_upstream(const mill_topology *topology, int32_t *wanted, struct error_text *error)
{
    const struct topology_topic *waiting;
    while ((waiting = next_waiting(topology, wanted, 0)) != NULL)
        if (!resolve_some(topology, wanted, false) && !resolve_some(topology, wanted, true))
            return error_set(error, MILL_EINVALID, "repartition topic %s gets its number of partitions from itself: give it one",
                             waiting->name);
    return 0;
}

/* ---- joined topics ------------------------------------------------------------------------------------------------------- */

/* A pattern that nothing matches has no number, and so it ties nothing together. */
static bool has_a_say(const struct topology_topic *topic, const int32_t *wanted)
{
    return topic->kind != TOPOLOGY_PATTERN || wanted[topic->index] != NO_PARTITIONS;
}

/* All topics of a copartition group take the least mark among them. True: one has changed. */
static bool mark_group(const struct topology_topics *topics, const int32_t *wanted, size_t *marks)
{
    size_t least = SIZE_MAX;
    bool changed = false;
    for (size_t i = 0; i < topics->count; i++)
        if (has_a_say(topics->at[i], wanted) && marks[topics->at[i]->index] < least)
            least = marks[topics->at[i]->index];
    for (size_t i = 0; i < topics->count; i++) {
        size_t *mark = &marks[topics->at[i]->index];
        if (!has_a_say(topics->at[i], wanted) || *mark == least)
            continue;
        *mark = least;
        changed = true;
    }
    return changed;
}

/* Groups with a topic in common need one number: what they tie together gets one mark, the least index among those topics. */
static void mark_what_is_tied(const mill_topology *topology, const int32_t *wanted, size_t *marks)
{
    for (size_t i = 0; i < topology->topics.count; i++)
        marks[i] = i;
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < topology->copartitions.count; i++)
            changed |= mark_group(&topology->copartitions.at[i]->topics, wanted, marks);
    }
}

/* Not up to us: the user's topics, and repartition topics with a number that the user gave. */
static bool is_fixed(const struct topology_topic *topic, const int32_t *wanted)
{
    return wanted[topic->index] != NO_PARTITIONS && (topic->kind != TOPOLOGY_REPARTITION || topic->partitions != 0);
}

/* The number that every topic with that mark must have: that of its fixed ones, else the largest. */
static int find_common_number(const mill_topology *topology, const int32_t *wanted, const size_t *marks, size_t mark,
                              int32_t *common, struct error_text *error)
{
    const struct topology_topic *leader = NULL;
    int32_t largest = 0;
    for (size_t i = mark; i < topology->topics.count; i++) {
        const struct topology_topic *topic = topology->topics.at[i];
        if (marks[i] != mark)
            continue;
        largest = larger(largest, wanted[i]);
        if (!is_fixed(topic, wanted))
            continue;
        if (leader != NULL && wanted[leader->index] != wanted[i])
            return error_set(
                error, MILL_EINVALID,
                "topics %s (%d partitions) and %s (%d partitions) are joined, so that equal keys must be in equal partitions: "
                "bring one to the other's number with mill_stream_repartition",
                leader->name, wanted[leader->index], topic->name, wanted[i]);
        leader = topic;
    }
    *common = leader == NULL ? largest : wanted[leader->index];
    return 0;
}

static int align(const mill_topology *topology, int32_t *wanted, size_t *marks, struct error_text *error)
{
    mark_what_is_tied(topology, wanted, marks);
    for (size_t mark = 0; mark < topology->topics.count; mark++) {
        int32_t common = 0;
        int code = marks[mark] != mark ? 0 : find_common_number(topology, wanted, marks, mark, &common, error);
        if (code != 0)
            return code;
        for (size_t i = mark; common != 0 && i < topology->topics.count; i++)
            if (marks[i] == mark)
                wanted[i] = common;
    }
    return 0;
}

/* Topics that are joined, also by way of others, must have equal numbers. */
static int align_joined(const mill_topology *topology, int32_t *wanted, struct error_text *error)
{
    size_t *marks = mem_calloc(topology->topics.count, sizeof *marks);
    int code =
        marks != NULL ? align(topology, wanted, marks, error) : error_set(error, MILL_ENOMEM, "no memory for joined topics");
    mem_free(marks);
    return code;
}

/* ---- all together -------------------------------------------------------------------------------------------------------- */

static int begin_with_what_is_known(const mill_topology *topology, const int32_t *counts, int32_t *wanted,
                                    struct error_text *error)
{
    for (size_t i = 0; i < topology->topics.count; i++) {
        const struct topology_topic *topic = topology->topics.at[i];
        wanted[i] = topic->kind == TOPOLOGY_EXTERNAL      ? counts[i]
                    : topic->kind == TOPOLOGY_REPARTITION ? topic->partitions
                    : topic->kind == TOPOLOGY_CHANGELOG   ? 0
                    : counts[i] > 0                       ? counts[i]
                                                          : NO_PARTITIONS;
        if (topic->kind == TOPOLOGY_EXTERNAL && topic->source != NULL && counts[i] == 0)
            return error_set(error, MILL_ENOTFOUND, "source topic %s does not exist: create it, then start again", topic->name);
    }
    return 0;
}

/* Repartition topics that no record goes to: what they hold is still read. */
static void keep_idle_ones(const mill_topology *topology, const int32_t *counts, int32_t *wanted)
{
    for (size_t i = 0; i < topology->topics.count; i++)
        if (wanted[i] == NO_PARTITIONS)
            wanted[i] = topology->topics.at[i]->kind == TOPOLOGY_REPARTITION ? counts[i] : 0;
}

static void resolve_changelogs(const mill_topology *topology, const int32_t *counts, int32_t *wanted)
{
    for (size_t i = 0; i < topology->stores.count; i++) {
        const struct topology_store *store = topology->stores.at[i];
        if (store->changelog == NULL || store->restored_from_source)
            continue;
        int32_t tasks = topology_task_count(topology, &topology->subtopologies[store->subtopology], wanted);
        /* With no task, because nothing matches a pattern, it stays as it is. */
        wanted[store->changelog->index] = tasks > 0 ? tasks : counts[store->changelog->index];
    }
}

/* What exists already must be as it should be: its records lie in those partitions. */
static int check_existing(const mill_topology *topology, const int32_t *counts, const int32_t *wanted, struct error_text *error)
{
    for (size_t i = 0; i < topology->topics.count; i++) {
        const struct topology_topic *topic = topology->topics.at[i];
        bool is_the_users = topic->kind == TOPOLOGY_EXTERNAL || topic->kind == TOPOLOGY_PATTERN;
        if (is_the_users || counts[i] == 0 || counts[i] == wanted[i])
            continue;
        return error_set(error, MILL_EINVALID,
                         "internal topic <application.id>-%s has %d partitions and needs %d: restore its input's number of "
                         "partitions, or delete the "
                         "application's internal topics and state to begin anew",
                         topic->name, counts[i], wanted[i]);
    }
    return 0;
}

static int resolve(const mill_topology *topology, const int32_t *counts, int32_t *wanted, struct error_text *error)
{
    int code = begin_with_what_is_known(topology, counts, wanted, error);
    code = code ? code : resolve_upstream(topology, wanted, error);
    code = code ? code : align_joined(topology, wanted, error);
    if (code != 0)
        return code;
    keep_idle_ones(topology, counts, wanted);
    resolve_changelogs(topology, counts, wanted);
    return check_existing(topology, counts, wanted, error);
}

int topology_resolve_partitions(const mill_topology *topology, int32_t *counts, struct error_text *error)
{
    int32_t *wanted = mem_calloc(topology->topics.count, sizeof *wanted);
    if (wanted == NULL)
        return error_set(error, MILL_ENOMEM, "no memory for the numbers of partitions");
    int code = resolve(topology, counts, wanted, error);
    if (code == 0)
        memcpy(counts, wanted, topology->topics.count * sizeof *wanted);
    mem_free(wanted);
    return code;
}
