/*
 * A stream thread in its group: what it tells, how the leader gives tasks out, what a new generation means.
 *
 * Eager: before a join the thread commits and stops; tasks stay open. The new assignment says which go on, which are closed and
 * which are new. Losing the membership closes everything without a commit: others own the tasks already.
 *
 * Kafka Streams' members and ours are never in one group: neither could read what the other's leader gives out. The broker sees
 * to that, since our protocol has a name of its own. Who comes second stays outside; ours says so and waits.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "worker/internal.h"
#include "worker/subscription.h"

const char *const membership_protocols[] = { "millstream", NULL };

/* That of Kafka Streams' StreamsPartitionAssignor. */
static const char KAFKA_STREAMS_PROTOCOL[] = "stream";

enum { NAMES_MAX = 4096, ENCODED_BYTES_MAX = 16 << 20 };

/* ---- what this member tells ------------------------------------------------------------------------------------------------ */

/* "0_3" -> {0, 3}. */
static bool parse_task_name(const char *text, struct task_name *name)
{
    int consumed = 0;
    return sscanf(text, "%d_%d%n", &name->subtopology, &name->partition, &consumed) == 2 && text[consumed] == '\0' &&
           name->subtopology >= 0 && name->partition >= 0;
}

struct stored_tasks {
    struct task_name names[NAMES_MAX];
    size_t count;
};

static int add_stored(void *ctx, const struct disk_entry *entry)
{
    struct stored_tasks *stored = ctx;
    if (entry->is_directory && stored->count < NAMES_MAX && parse_task_name(entry->name, &stored->names[stored->count]))
        stored->count++;
    return 0;
}

static size_t collect_running(struct stream_thread *thread, struct task_name *names)
{
    size_t count = 0;
    for_each_task (assigned, thread)
        if (assigned->state != ASSIGNED_CLOSING && count < NAMES_MAX)
            names[count++] = assigned->name;
    return count;
}

static int subscribe(void *ctx, const char *protocol, struct buffer *metadata)
{
    struct stream_thread *thread = ctx;
    const struct topology_topics *topics = &thread->options.topology->topics;
    struct arena arena;
    arena_init(&arena, 64 << 10, ENCODED_BYTES_MAX);
    struct stored_tasks *stored = arena_alloc(&arena, sizeof *stored);
    struct task_name *running = arena_alloc(&arena, NAMES_MAX * sizeof *running);
    const char **names = arena_alloc(&arena, (topics->count + thread->match_count + 1) * sizeof *names);
    int code = stored && running && names ? 0 : MILL_ENOMEM;
    size_t count = 0;
    for (size_t i = 0; code == 0 && i < topics->count; i++) {
        if (topics->at[i]->source == NULL || topics->at[i]->source->global || topics->at[i]->kind == TOPOLOGY_PATTERN)
            continue;
        char *name = arena_alloc(&arena, TOPIC_NAME_MAX + 1);
        code = name ? topology_topic_name(topics->at[i], thread->application_id, name) : MILL_ENOMEM;
        if (code == 0)
            names[count++] = name;
    }
    /* One that is gone makes this another subscription, for which the group rebalances whoever leads it. */
    for (size_t i = 0; code == 0 && i < thread->match_count; i++) {
        const struct client_topic *topic = client_topic_there(thread->client, thread->matches[i]);
        if (topic != NULL && topic->code != MILL_ENOTFOUND)
            names[count++] = thread->matches[i];
    }
    if (code == 0) {
        stored->count = 0;
        disk_list(thread->options.disk, thread->options.state_directory, add_stored, stored); /* a hint: errors mean none */
        struct assignor_member member = { .running = running,
                                          .running_count = collect_running(thread, running),
                                          .stored = stored->names,
                                          .stored_count = stored->count,
                                          .error = thread->stop_told_by_us > 0 ? ASSIGNOR_SHUTDOWN_REQUESTED : ASSIGNOR_OK };
        memcpy(member.process_id, thread->options.process_id, PROCESS_ID_BYTES);
        code = subscription_encode(metadata, names, count, &member);
    }
    arena_release(&arena);
    return code;
}

/* ---- leading --------------------------------------------------------------------------------------------------------------- */

/* Of the topics. */
struct sizes {
    const int32_t *counts; /* by topology->topics */
    const struct matched_topics *matched;
};

struct task_list {
    struct task_name *names;
    size_t *owners;
    size_t count;
};

static int list_tasks(struct stream_thread *thread, const int32_t *counts, struct task_list *tasks)
{
    const mill_topology *topology = thread->options.topology;
    size_t total = 0;
    for (size_t s = 0; s < topology->subtopology_count; s++)
        total += (size_t)topology_task_count(topology, &topology->subtopologies[s], counts);
    tasks->names = arena_alloc(&thread->leading, (total + 1) * sizeof *tasks->names);
    tasks->owners = arena_alloc(&thread->leading, (total + 1) * sizeof *tasks->owners);
    if (tasks->names == NULL || tasks->owners == NULL)
        return MILL_ENOMEM;
    for (size_t s = 0; s < topology->subtopology_count; s++) {
        int32_t partitions = topology_task_count(topology, &topology->subtopologies[s], counts);
        for (int32_t p = 0; p < partitions; p++)
            tasks->names[tasks->count++] = (struct task_name){ (int32_t)s, p };
    }
    return 0;
}

static void append_of_topic(const struct task_list *tasks, size_t member, size_t subtopology, const char *name,
                            int32_t partitions, struct assigned_partition *into, size_t *count)
{
    for (size_t i = 0; i < tasks->count; i++)
        if (tasks->owners[i] == member && (size_t)tasks->names[i].subtopology == subtopology &&
            tasks->names[i].partition < partitions)
            into[(*count)++] = (struct assigned_partition){ name, tasks->names[i].partition };
}

static int append_partitions(struct stream_thread *thread, const struct sizes *sizes, const struct task_list *tasks,
                             size_t member, struct assigned_partition *partitions, size_t *count)
{
    const mill_topology *topology = thread->options.topology;
    for (size_t t = 0; t < topology->topics.count; t++) {
        const struct topology_topic *topic = topology->topics.at[t];
        if (topic->source == NULL || topic->kind == TOPOLOGY_PATTERN)
            continue;
        char *name = arena_alloc(&thread->leading, TOPIC_NAME_MAX + 1);
        int code = name ? topology_topic_name(topic, thread->application_id, name) : MILL_ENOMEM;
        if (code < 0)
            return code;
        append_of_topic(tasks, member, topic->source->subtopology, name, sizes->counts[t], partitions, count);
    }
    for (size_t m = 0; m < sizes->matched->count; m++) {
        const struct matched_topic *match = &sizes->matched->at[m];
        append_of_topic(tasks, member, match->pattern->source->subtopology, match->name, match->partitions, partitions, count);
    }
    return 0;
}

static int encode_share(struct stream_thread *thread, const struct sizes *sizes, const struct task_list *tasks, size_t member,
                        mill_bytes *encoded)
{
    struct task_name *share = arena_alloc(&thread->leading, (tasks->count + 1) * sizeof *share);
    size_t topics = thread->options.topology->topics.count + sizes->matched->count;
    struct assigned_partition *partitions = arena_alloc(&thread->leading, (tasks->count * topics + 1) * sizeof *partitions);
    if (share == NULL || partitions == NULL)
        return MILL_ENOMEM;
    struct assignor_member assignment = { .running = share };
    memcpy(assignment.process_id, thread->options.process_id, PROCESS_ID_BYTES);
    for (size_t i = 0; i < tasks->count; i++)
        if (tasks->owners[i] == member)
            share[assignment.running_count++] = tasks->names[i];
    size_t partition_count = 0;
    int code = append_partitions(thread, sizes, tasks, member, partitions, &partition_count);
    struct buffer out;
    buffer_init(&out, ENCODED_BYTES_MAX);
    if (code == 0)
        code = assignment_encode(&out, partitions, partition_count, &assignment);
    if (code == 0) {
        *encoded = arena_dup(&thread->leading, buffer_bytes(&out));
        code = encoded->data ? 0 : MILL_ENOMEM;
    }
    buffer_release(&out);
    return code;
}

static int give_out(struct stream_thread *thread, const struct sizes *sizes)
{
    struct task_list tasks = { 0 };
    int code = list_tasks(thread, sizes->counts, &tasks);
    size_t *shares = arena_alloc(&thread->leading, (thread->member_count + 1) * sizeof *shares);
    mill_bytes *assignments = arena_alloc(&thread->leading, (thread->member_count + 1) * sizeof *assignments);
    if (code < 0 || shares == NULL || assignments == NULL)
        return MILL_ENOMEM;
    assignor_assign(thread->members, thread->member_count, tasks.names, tasks.count, tasks.owners, shares);
    for (size_t m = 0; code == 0 && m < thread->member_count; m++)
        code = encode_share(thread, sizes, &tasks, m, &assignments[m]);
    return code < 0 ? code : group_member_assign(thread->member, assignments, thread->member_count);
}

/* No tasks for anyone, but the word to stop. */
static int tell_all_to_stop(struct stream_thread *thread)
{
    mill_bytes *assignments = arena_alloc(&thread->leading, (thread->member_count + 1) * sizeof *assignments);
    struct assignor_member nothing = { .error = ASSIGNOR_SHUTDOWN_REQUESTED };
    struct buffer out;
    buffer_init(&out, ENCODED_BYTES_MAX);
    memcpy(nothing.process_id, thread->options.process_id, PROCESS_ID_BYTES);
    int code = assignments == NULL ? MILL_ENOMEM : assignment_encode(&out, NULL, 0, &nothing);
    for (size_t m = 0; code == 0 && m < thread->member_count; m++)
        assignments[m] = buffer_bytes(&out);
    if (code == 0)
        code = group_member_assign(thread->member, assignments, thread->member_count);
    buffer_release(&out);
    return code;
}

static void topics_are_sure(void *ctx, int code, const char *text, const int32_t *counts, const struct matched_topics *matched,
                            struct io_time now)
{
    struct stream_thread *thread = ctx;
    thread->internal_topics = NULL;
    if (code == 0) {
        code = give_out(thread, &(struct sizes){ counts, matched });
        text = mill_error_text(code);
    }
    if (code == 0)
        patterns_led(thread, matched);
    if (code < 0)
        thread_fail(thread, code, text);
}

static void assign(void *ctx, const char *protocol, const struct group_peer *peers, size_t count, struct io_time now)
{
    struct stream_thread *thread = ctx;
    internal_topics_cancel(thread->internal_topics);
    thread->internal_topics = NULL;
    arena_clear(&thread->leading);
    thread->member_count = count;
    thread->members = arena_calloc(&thread->leading, count, sizeof *thread->members);
    int code = thread->members ? 0 : MILL_ENOMEM;
    bool stop = false;
    for (size_t i = 0; code == 0 && i < count; i++) {
        mill_bytes metadata = arena_dup(&thread->leading, peers[i].metadata);
        code = metadata.data ? subscription_decode(metadata, &thread->leading, &thread->members[i]) : MILL_ENOMEM;
        if (code == MILL_ECORRUPT) {
            /* A member of another kind: it gets a share like any other and says itself what it cannot read. */
            trace_warn("streams", "%s: member %.*s of the group does not describe itself as this program does", thread->client_id,
                       (int)peers[i].member_id.len, (const char *)peers[i].member_id.data);
            memset(&thread->members[i], 0, sizeof thread->members[i]);
            code = 0;
        }
        stop |= thread->members[i].error == ASSIGNOR_SHUTDOWN_REQUESTED;
    }
    if (code == 0 && stop) {
        code = tell_all_to_stop(thread);
    } else if (code == 0) {
        thread->internal_topics = internal_topics_start(thread->client, thread->options.topology, thread->options.config,
                                                        thread->options.embedded, topics_are_sure, thread);
        code = thread->internal_topics ? 0 : MILL_ENOMEM;
    }
    if (code < 0)
        thread_fail(thread, code, "no memory to lead the group");
}

/* ---- the beginning --------------------------------------------------------------------------------------------------------- */

static void own_topics_are_sure(void *ctx, int code, const char *text, const int32_t *counts,
                                const struct matched_topics *matched, struct io_time now)
{
    struct stream_thread *thread = ctx;
    thread->internal_topics = NULL;
    if (code < 0)
        thread_fail(thread, code, text);
    else if (thread->state == STREAM_THREAD_STARTING) /* not closed meanwhile */
        group_member_start(thread->member);
}

void membership_start(struct stream_thread *thread)
{
    if (!thread->options.embedded) {
        group_member_start(thread->member);
        return;
    }
    thread->internal_topics = internal_topics_start(thread->client, thread->options.topology, thread->options.config, true,
                                                    own_topics_are_sure, thread);
    if (thread->internal_topics == NULL)
        thread_fail(thread, MILL_ENOMEM, "no memory to look for the topics");
}

/* ---- generations ----------------------------------------------------------------------------------------------------------- */

static void prepare(void *ctx, struct io_time now)
{
    struct stream_thread *thread = ctx;
    membership_release(thread);
    if (thread->state == STREAM_THREAD_FAILED && thread->stop_told_by_us > 0) {
        thread->stop_asked = true;
        group_member_join(thread->member); /* to say so; nothing is committed any more */
        return;
    }
    if (thread->state >= STREAM_THREAD_CLOSING)
        return; /* leaving is under way */
    if (thread->state != STREAM_THREAD_STARTING)
        thread_move(thread, STREAM_THREAD_REBALANCING);
    thread->join_after_commit = true;
    if (thread->commit == COMMIT_NONE)
        commit_begin(thread, now);
    thread_wake(thread);
}

static struct assigned_task *find_task(struct stream_thread *thread, struct task_name name)
{
    for_each_task (assigned, thread)
        if (assigned->state != ASSIGNED_CLOSING && assigned->name.subtopology == name.subtopology &&
            assigned->name.partition == name.partition)
            return assigned;
    return NULL;
}

static bool reads_the_same(const struct assigned_task *assigned, const struct task_source *sources, size_t count)
{
    if (assigned->source_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (assigned->sources[i].topic != sources[i].topic || strcmp(assigned->sources[i].name, sources[i].name) != 0)
            return false;
    return true;
}

static bool is_task(const struct stream_thread *thread, struct task_name name)
{
    return name.partition >= 0 && (size_t)name.subtopology < thread->options.topology->subtopology_count;
}

/* A task goes on if it reads the same topics as before. */
static int take_share(struct stream_thread *thread, const struct assignor_member *share,
                      const struct assigned_partitions *partitions, struct arena *arena, struct io_time now)
{
    struct task_source **sources = arena_calloc(arena, share->running_count + 1, sizeof *sources);
    size_t *counts = arena_calloc(arena, share->running_count + 1, sizeof *counts);
    int taken = sources && counts ? patterns_assigned(thread, partitions) : MILL_ENOMEM;
    if (taken < 0)
        return taken;
    for_each_task (assigned, thread)
        assigned->wanted = false;
    for (size_t i = 0; i < share->running_count; i++) {
        if (!is_task(thread, share->running[i]))
            return MILL_EPROTOCOL;
        struct assigned_task *assigned = find_task(thread, share->running[i]);
        sources[i] = sources_of_task(thread, partitions, share->running[i], arena, &counts[i]);
        if (sources[i] == NULL)
            return MILL_ENOMEM;
        if (assigned != NULL)
            assigned->wanted = reads_the_same(assigned, sources[i], counts[i]);
    }
    for_each_task (assigned, thread)
        if (!assigned->wanted && assigned->state != ASSIGNED_CLOSING)
            assigned_task_close(assigned, true, now);
    for (size_t i = 0; i < share->running_count; i++) {
        if (find_task(thread, share->running[i]) != NULL)
            continue;
        int code = assigned_task_new(thread, share->running[i], sources[i], counts[i]);
        if (code < 0)
            return code;
    }
    thread_share_memory(thread);
    return 0;
}

static void assigned_share(void *ctx, const char *protocol, mill_bytes assignment, struct io_time now)
{
    struct stream_thread *thread = ctx;
    struct arena arena;
    arena_init(&arena, 16 << 10, ENCODED_BYTES_MAX);
    struct assignor_member share = { .running_count = 0 };
    struct assigned_partitions partitions = { NULL, 0 };
    int code = assignment.len > 0 ? assignment_decode(assignment, &arena, &share, &partitions) : 0;
    bool stop = code == 0 && share.error == ASSIGNOR_SHUTDOWN_REQUESTED;
    bool over = thread->state >= STREAM_THREAD_CLOSING || stop;
    if (!over)
        thread_move(thread, STREAM_THREAD_REBALANCING);
    if (!over && code == 0)
        code = take_share(thread, &share, &partitions, &arena, now);
    arena_release(&arena);
    if (stop)
        thread_stopped(thread, "the whole application is to stop: a stream thread of its group has failed and asked for it");
    if (over)
        return;
    if (code == MILL_ECORRUPT)
        thread_fail(thread, code,
                    "the group's leader is another kind of program and its assignment cannot be read; stop it, or "
                    "choose another application.id");
    else if (code < 0)
        thread_fail(thread, code, mill_error_text(code));
    thread_wake(thread);
}

static void lost(void *ctx, struct io_time now)
{
    struct stream_thread *thread = ctx;
    trace_warn("streams", "%s: the group dropped this member; its tasks go on elsewhere, and it joins again", thread->client_id);
    membership_release(thread);
    for_each_task (assigned, thread)
        if (assigned->state != ASSIGNED_CLOSING)
            assigned_task_close(assigned, false, now);
    if (thread->exactly_once) /* what they have sent since the last commit others will send again */
        producer_break_transaction(thread->producer, MILL_EFENCED, "the group dropped this member");
    /* A commit under way goes on, now without any task: its late answer must not be taken for that of the next one. */
    if (thread->state < STREAM_THREAD_CLOSING)
        thread_move(thread, STREAM_THREAD_REBALANCING);
    thread_wake(thread);
}

/* "3 members of Kafka Streams, client a-StreamThread-1-consumer at /10.0.0.1 among them" */
static void name_holders(const struct admin_group *group, char *text, size_t size)
{
    bool kafka_streams = strcmp(group->protocol, KAFKA_STREAMS_PROTOCOL) == 0;
    snprintf(text, size, "%zu member%s of %s, client %s at %s%s", group->member_count, group->member_count == 1 ? "" : "s",
             kafka_streams ? "Kafka Streams (a JVM program)" : "another kind of program", group->members[0].client_id,
             group->members[0].host, group->member_count == 1 ? "" : " among them");
}

static void holders_are_known(void *ctx, int code, const char *text, const struct admin_group *group, struct io_time now)
{
    struct stream_thread *thread = ctx;
    char holders[512] = "members of another kind of program";
    thread->holders = NULL;
    if (group != NULL && group->member_count > 0)
        name_holders(group, holders, sizeof holders);
    trace_warn(
        "streams",
        "the group %s is held by %s. This program shares no group with them and waits up to %lld s until they are gone: stop "
        "them. What has stopped without leaving the group (as Kafka Streams does unless told otherwise) is dropped by the "
        "broker after its session.timeout.ms; if that is longer than the wait, set ours to as much. To run beside them, "
        "choose another application.id",
        thread->application_id, holders, (long long)(thread->held_ms + 999) / 1000);
}

/* All threads wait for the same; the first one speaks. */
static void held(void *ctx, int64_t wait_ms, struct io_time now)
{
    struct stream_thread *thread = ctx;
    if (thread->options.number != 1 || thread->holders != NULL)
        return;
    thread->held_ms = wait_ms;
    thread->holders = admin_describe_group(thread->client, thread->application_id, holders_are_known, thread);
    if (thread->holders == NULL)
        holders_are_known(thread, MILL_ENOMEM, "", NULL, now);
}

void membership_release(struct stream_thread *thread)
{
    patterns_release(thread);
    internal_topics_cancel(thread->internal_topics);
    thread->internal_topics = NULL;
    if (thread->holders != NULL)
        admin_cancel(thread->holders);
    thread->holders = NULL;
}

static void membership_failed(void *ctx, int code, const char *text, struct io_time now)
{
    thread_fail(ctx, code, text);
}

const struct group_member_events membership_events = {
    .prepare = prepare,
    .subscribe = subscribe,
    .assign = assign,
    .assigned = assigned_share,
    .lost = lost,
    .failed = membership_failed,
    .held = held,
};
