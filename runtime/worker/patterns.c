/*
 * Sources by pattern: which topics match changes while the program runs.
 *
 * The group's leader looks at all topics when it gives tasks out, and every metadata.max.age.ms whether that is still right; if
 * not, it joins again, and all get new tasks' shares with their partitions by name. A task whose topics are others than before
 * is closed and made anew. Whoever reads a topic that is deleted sees that first, and asks for a new generation at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "worker/internal.h"

enum { NAMES_BYTES_MAX = 64 << 20, LOOK_RETRY_US = 1000000 };

/* ---- this member's share --------------------------------------------------------------------------------------------------- */

static bool is_assigned(const struct assigned_partitions *partitions, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < partitions->count; i++)
        if (partitions->at[i].partition == partition && strcmp(partitions->at[i].topic, topic) == 0)
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct task_source *)a)->name, ((const struct task_source *)b)->name);
}

static void add_matching(struct stream_thread *thread, const struct assigned_partitions *partitions,
                         const struct topology_topic *pattern, int32_t partition, struct task_source *sources, size_t *count)
{
    size_t first = *count;
    for (size_t i = 0; i < partitions->count; i++)
        if (partitions->at[i].partition == partition &&
            topology_pattern_of(thread->options.topology, thread->application_id, partitions->at[i].topic) == pattern)
            sources[(*count)++] = (struct task_source){ pattern, partitions->at[i].topic };
    qsort(sources + first, *count - first, sizeof *sources, by_name);
}

struct task_source *sources_of_task(struct stream_thread *thread, const struct assigned_partitions *partitions,
                                    struct task_name name, struct arena *arena, size_t *count)
{
    const struct topology_topics *topics = &thread->options.topology->subtopologies[name.subtopology].source_topics;
    struct task_source *sources = arena_alloc(arena, (partitions->count + topics->count + 1) * sizeof *sources);
    *count = 0;
    for (size_t i = 0; sources != NULL && i < topics->count; i++) {
        if (topics->at[i]->kind == TOPOLOGY_PATTERN) {
            add_matching(thread, partitions, topics->at[i], name.partition, sources, count);
            continue;
        }
        char *topic = arena_alloc(arena, TOPIC_NAME_MAX + 1);
        if (topic == NULL || topology_topic_name(topics->at[i], thread->application_id, topic) < 0)
            return NULL;
        if (is_assigned(partitions, topic, name.partition))
            sources[(*count)++] = (struct task_source){ topics->at[i], topic };
    }
    return sources;
}

static bool is_among(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Those that are no longer read are not asked for any more, unless written: one that was deleted would be for ever. */
static void leave_others(struct stream_thread *thread, const char *const *names, size_t count)
{
    for (size_t i = 0; i < thread->match_count; i++)
        if (!is_among(names, count, thread->matches[i]))
            client_leave_topic(thread->client, thread->matches[i]);
}

int patterns_assigned(struct stream_thread *thread, const struct assigned_partitions *partitions)
{
    struct arena arena;
    arena_init(&arena, 16 << 10, NAMES_BYTES_MAX);
    const char **names = arena_alloc(&arena, (partitions->count + 1) * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; names != NULL && i < partitions->count; i++) {
        const char *name = partitions->at[i].topic;
        bool matches = topology_pattern_of(thread->options.topology, thread->application_id, name) != NULL;
        if (!matches || is_among(names, count, name))
            continue;
        char *copy = arena_string(&arena, mill_string(name));
        if (copy == NULL)
            names = NULL;
        else
            names[count++] = copy;
    }
    if (names == NULL) {
        arena_release(&arena);
        return MILL_ENOMEM;
    }
    leave_others(thread, names, count);
    arena_release(&thread->matching);
    thread->matching = arena;
    thread->matches = names;
    thread->match_count = count;
    thread->gone_told = false;
    return 0;
}

void patterns_look_for_gone(struct stream_thread *thread)
{
    for (size_t i = 0; !thread->gone_told && i < thread->match_count; i++) {
        const struct client_topic *topic = client_topic_there(thread->client, thread->matches[i]);
        if (topic == NULL || topic->code != MILL_ENOTFOUND || group_member_state(thread->member) != GROUP_MEMBER_STABLE)
            continue;
        trace_info("streams", "%s: topic %s is gone, which was read by a pattern", thread->client_id, thread->matches[i]);
        thread->gone_told = true;
        group_member_rejoin(thread->member, "a topic that matched a pattern is gone");
    }
}

/* ---- the leader ------------------------------------------------------------------------------------------------------------ */

static void write_matched(struct buffer *out, const struct matched_topics *matched)
{
    buffer_clear(out);
    for (size_t i = 0; i < matched->count; i++) {
        buffer_append(out, matched->at[i].name, strlen(matched->at[i].name) + 1);
        buffer_append_u32(out, (uint32_t)matched->at[i].partitions);
    }
}

static void look_again(struct stream_thread *thread, int64_t in_us)
{
    loop_timer_set(thread->options.loop, &thread->look_timer, loop_now(thread->options.loop).monotonic_us + in_us);
}

static void looked(void *ctx, int code, const char *text, const struct admin_topic *topics, size_t count, struct io_time now)
{
    struct stream_thread *thread = ctx;
    struct arena arena;
    struct buffer found;
    struct matched_topics matched;
    struct error_text error = { "" };
    thread->look = NULL;
    if (thread->state >= STREAM_THREAD_CLOSING)
        return;
    if (code < 0) {
        look_again(thread, LOOK_RETRY_US);
        return;
    }
    arena_init(&arena, 16 << 10, NAMES_BYTES_MAX);
    buffer_init(&found, NAMES_BYTES_MAX);
    code = matched_topics_find(thread->options.topology, thread->application_id, topics, count, &arena, &matched, &error);
    write_matched(&found, &matched);
    bool is_right = code == 0 && !found.failed && mill_bytes_equal(buffer_bytes(&found), buffer_bytes(&thread->led_by));
    if (code == MILL_EINVALID) {
        thread_fail(thread, code, error.text);
    } else if (is_right || found.failed || code < 0) {
        look_again(thread, client_get_options(thread->client)->metadata_max_age_ms * 1000);
    } else {
        trace_info("streams", "%s: the topics that match the topology's patterns are others now: %zu", thread->client_id,
                   matched.count);
        group_member_rejoin(thread->member, "the topics that match a pattern have changed");
    }
    buffer_release(&found);
    arena_release(&arena);
}

static void on_look(struct loop_timer *timer, struct io_time now)
{
    struct stream_thread *thread = timer->ctx;
    if (thread->look != NULL || thread->state >= STREAM_THREAD_CLOSING || !group_member_is_leader(thread->member))
        return;
    thread->look = admin_describe_topics(thread->client, NULL, 0, looked, thread);
    if (thread->look == NULL)
        look_again(thread, LOOK_RETRY_US);
}

void patterns_led(struct stream_thread *thread, const struct matched_topics *matched)
{
    patterns_release(thread);
    if (!topology_has_patterns(thread->options.topology))
        return;
    write_matched(&thread->led_by, matched);
    look_again(thread, client_get_options(thread->client)->metadata_max_age_ms * 1000);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

void patterns_init(struct stream_thread *thread)
{
    arena_init(&thread->matching, 4096, NAMES_BYTES_MAX);
    buffer_init(&thread->led_by, NAMES_BYTES_MAX);
    thread->look_timer = (struct loop_timer){ .fire = on_look, .ctx = thread };
}

void patterns_release(struct stream_thread *thread)
{
    if (thread->look != NULL)
        admin_cancel(thread->look);
    thread->look = NULL;
    loop_timer_cancel(thread->options.loop, &thread->look_timer);
}
