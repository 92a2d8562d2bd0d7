/*
 * A small client on the command line, for the integration tests and for looking at a broker:
 *
 *     client_program [-X name=value]... create TOPIC PARTITIONS
 *     client_program [-X ...] delete TOPIC
 *     client_program [-X ...] describe TOPIC|-
 *     client_program [-X ...] produce TOPIC PARTITIONS COUNT BYTES      keys and values are made; partition is number modulo
 *     PARTITIONS client_program [-X ...] lines TOPIC PARTITION                     one record a line of standard input
 *     client_program [-X ...] consume TOPIC PARTITIONS                  prints "partition offset key value" up to the ends
 *     client_program [-X ...] count TOPIC PARTITIONS                    reads all, prints figures only
 *     client_program [-X ...] member TOPIC MILLISECONDS                 in group.id: prints assignments, reads, commits, leaves
 *     client_program [-X ...] groups
 *     client_program [-X ...] group GROUP
 *
 * Properties are the client's (client/options.h); bootstrap.servers is needed. The exit code is 0 when all went well.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/trace.h"
#include "client/admin.h"
#include "client/consumer.h"
#include "client/group_member.h"
#include "client/producer.h"
#include "io/io.h"
#include "record/batch_reader.h"

enum { PARTITIONS_MAX = 256 };

struct program {
    struct loop *loop;
    struct client *client;
    struct config config;
    struct client_options client_options;
    struct producer_options producer_options;
    struct consumer_options consumer_options;
    struct group_options group_options;
    bool over;
    int code;
};

static void end(struct program *program, int code, const char *text)
{
    if (code != 0)
        fprintf(stderr, "%s\n", text && *text ? text : mill_error_text(code));
    program->code = code;
    program->over = true;
}

static double seconds_between(struct io_time from, struct io_time to)
{
    return (double)(to.monotonic_us - from.monotonic_us) / 1e6;
}

/* ---- topics ---------------------------------------------------------------------------------------------------------------- */

static void topics_done(void *ctx, int code, const char *text, const struct admin_topic_result *results, size_t count,
                        struct io_time now)
{
    for (size_t i = 0; i < count; i++)
        printf("%s %s\n", results[i].name, results[i].code == 0 ? "done" : mill_error_text(results[i].code));
    end(ctx, code, text);
}

static void described(void *ctx, int code, const char *text, const struct admin_topic *topics, size_t count, struct io_time now)
{
    for (size_t i = 0; i < count; i++) {
        printf("%s partitions=%d%s\n", topics[i].name, (int)topics[i].partition_count, topics[i].internal ? " internal" : "");
        for (int32_t p = 0; p < topics[i].partition_count; p++)
            printf("  %d leader=%d epoch=%d\n", (int)topics[i].partitions[p].index, (int)topics[i].partitions[p].leader,
                   (int)topics[i].partitions[p].leader_epoch);
    }
    end(ctx, code, text);
}

static void configs_described(void *ctx, int code, const char *text, const struct admin_config_entry *entries, size_t count,
                              struct io_time now)
{
    for (size_t i = 0; i < count; i++)
        printf("  %s=%s%s\n", entries[i].name, entries[i].value ? entries[i].value : "(null)",
               entries[i].is_default ? " default" : "");
    end(ctx, code, text);
}

static void topics_command(struct program *program, const char *command, char **arguments)
{
    const char *name = arguments[0];
    if (strcmp(command, "create") == 0) {
        struct admin_new_topic topic = { .name = name, .partitions = atoi(arguments[1]), .replication_factor = -1 };
        admin_create_topics(program->client, &topic, 1, false, topics_done, program);
    } else if (strcmp(command, "delete") == 0) {
        admin_delete_topics(program->client, &name, 1, topics_done, program);
    } else if (strcmp(command, "configs") == 0) {
        admin_describe_configs(program->client, ADMIN_TOPIC, name, configs_described, program);
    } else {
        bool all = strcmp(name, "-") == 0;
        admin_describe_topics(program->client, all ? NULL : &name, all ? 0 : 1, described, program);
    }
}

/* ---- produce --------------------------------------------------------------------------------------------------------------- */

struct produce_job {
    struct program *program;
    struct producer *producer;
    struct producer_topic *topic;
    int32_t partitions;
    int64_t count;
    int64_t next;
    size_t bytes;
    int64_t lost;
    bool lines;
    struct loop_timer timer;
    struct io_time started;
    char *value;
};

static void produce_some(struct loop_timer *timer, struct io_time now);

static void produced(void *ctx, int code, struct io_time now)
{
    struct produce_job *job = ctx;
    double seconds = seconds_between(job->started, now);
    printf("produced=%" PRId64 " lost=%" PRId64 " seconds=%.3f rate=%.0f\n", job->next, job->lost, seconds,
           (double)job->next / seconds);
    for (int32_t p = 0; p < job->partitions; p++)
        printf("partition=%d end=%" PRId64 "\n", (int)p, producer_acknowledged_end(job->topic, p));
    loop_timer_cancel(job->program->loop, &job->timer);
    end(job->program, code, "some records were not delivered");
}

static void produce_failed(void *ctx, const struct producer_failure *failure)
{
    struct produce_job *job = ctx;
    job->lost += failure->record_count;
    fprintf(stderr, "%s\n", failure->text);
}

static void produce_room(void *ctx, struct io_time now)
{
    struct produce_job *job = ctx;
    loop_timer_set(job->program->loop, &job->timer, now.monotonic_us);
}

static const struct producer_events producer_events = { produce_failed, produce_room };

static bool make_record(struct produce_job *job, char *key, mill_record *record, struct io_time now)
{
    if (job->lines) {
        if (!fgets(job->value, (int)job->bytes, stdin))
            return false;
        record->key = mill_null();
        record->value = mill_bytes_of(job->value, strcspn(job->value, "\n"));
    } else {
        if (job->next == job->count)
            return false;
        record->key = mill_bytes_of(key, (size_t)sprintf(key, "key-%08" PRId64, job->next));
        record->value = mill_bytes_of(job->value, job->bytes);
        memcpy(job->value, key, record->key.len < job->bytes ? record->key.len : job->bytes);
    }
    record->timestamp_ms = now.wall_ms;
    return true;
}

static void produce_some(struct loop_timer *timer, struct io_time now)
{
    struct produce_job *job = timer->ctx;
    char key[32];
    mill_record record = { 0 };
    for (int i = 0; i < 10000 && !producer_full(job->producer); i++) {
        if (!make_record(job, key, &record, now)) {
            int code = producer_flush(job->producer, produced, job);
            if (code < 0)
                end(job->program, code, NULL);
            return;
        }
        int code = producer_send(job->producer, job->topic,
                                 job->lines ? job->partitions - 1 : (int32_t)(job->next % job->partitions), &record);
        if (code < 0) {
            end(job->program, code, NULL);
            return;
        }
        job->next++;
    }
    if (!producer_full(job->producer))
        loop_timer_set(job->program->loop, timer, now.monotonic_us);
}

static void produce_command(struct program *program, bool lines, char **arguments, struct produce_job *job)
{
    job->program = program;
    job->lines = lines;
    job->partitions = lines ? atoi(arguments[1]) + 1 : atoi(arguments[1]);
    job->count = lines ? INT64_MAX : atoll(arguments[2]);
    job->bytes = lines ? 1 << 20 : (size_t)atoll(arguments[3]);
    job->value = mem_calloc(1, job->bytes + 64);
    memset(job->value, 'x', job->bytes);
    job->producer = producer_new(program->client, &program->producer_options, &producer_events, job);
    job->topic = producer_topic(job->producer, arguments[0]);
    job->timer = (struct loop_timer){ .fire = produce_some, .ctx = job };
    job->started = loop_now(program->loop);
    loop_timer_set(program->loop, &job->timer, job->started.monotonic_us);
}

/* ---- consume --------------------------------------------------------------------------------------------------------------- */

struct consume_job {
    struct program *program;
    struct consumer *consumer;
    struct batch_reader reader;
    struct consumer_partition *partitions[PARTITIONS_MAX];
    int64_t ends[PARTITIONS_MAX];
    int32_t count;
    bool print;
    bool ends_known;
    int64_t records;
    int64_t bytes;
    struct io_time started;
};

static void print_records(struct batch_reader *reader, const struct fetched *fetched, bool print, int64_t *records)
{
    mill_bytes region = fetched->batches.bytes;
    mill_bytes batch;
    struct batch_header header;
    while (batch_next(&region, &batch, &header) == 1) {
        struct batch_record record;
        if (batch_reader_open(reader, batch, true) < 0 || batch_reader_skip_to(reader, fetched->first_offset) < 0)
            abort();
        while (batch_reader_next(reader, &record) == 1) {
            (*records)++;
            if (print)
                printf("%d %" PRId64 " %.*s %.*s\n", (int)fetched->partition->index, record.offset, (int)record.record.key.len,
                       (const char *)record.record.key.data, (int)record.record.value.len,
                       (const char *)record.record.value.data);
        }
    }
}

static bool at_ends(const struct consume_job *job)
{
    if (!job->ends_known)
        return false;
    for (int32_t p = 0; p < job->count; p++)
        if (consumer_position(job->partitions[p]) < job->ends[p])
            return false;
    return true;
}

static void consume_some(void *ctx, struct io_time now)
{
    struct consume_job *job = ctx;
    struct fetched fetched;
    while (consumer_next(job->consumer, &fetched)) {
        job->bytes += (int64_t)fetched.batches.bytes.len;
        print_records(&job->reader, &fetched, job->print, &job->records);
        fetched_release(&fetched);
    }
    if (at_ends(job) && !job->program->over) {
        double seconds = seconds_between(job->started, now);
        fprintf(job->print ? stderr : stdout, "consumed=%" PRId64 " bytes=%" PRId64 " seconds=%.3f rate=%.0f\n", job->records,
                job->bytes, seconds, (double)job->records / seconds);
        end(job->program, 0, NULL);
    }
}

static void consume_failed(void *ctx, struct consumer_partition *partition, int code, const char *text)
{
    end(((struct consume_job *)ctx)->program, code, text);
}

static const struct consumer_events consumer_events = { consume_some, consume_failed, NULL };

static void ends_found(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now)
{
    struct consume_job *job = ctx;
    if (code != 0) {
        end(job->program, code, NULL);
        return;
    }
    for (size_t p = 0; p < count; p++)
        job->ends[p] = queries[p].offset;
    job->ends_known = true;
    consume_some(job, now);
}

static void consume_command(struct program *program, bool print, char **arguments, struct consume_job *job)
{
    struct offset_query queries[PARTITIONS_MAX] = { 0 };
    struct client_topic *topic = client_topic(program->client, arguments[0]);
    job->program = program;
    job->print = print;
    job->count = atoi(arguments[1]);
    batch_reader_init(&job->reader, 64 << 20);
    job->started = loop_now(program->loop);
    job->consumer = consumer_new(program->client, &program->consumer_options, &consumer_events, job);
    for (int32_t p = 0; p < job->count && p < PARTITIONS_MAX; p++) {
        job->partitions[p] = consumer_assign(job->consumer, topic, p, CONSUMER_EARLIEST);
        queries[p] = (struct offset_query){ .topic = topic, .partition = p, .timestamp_ms = OFFSET_AT_END };
    }
    offset_lookup_start(program->client, queries, (size_t)job->count, false, ends_found, job);
}

/* ---- group member ---------------------------------------------------------------------------------------------------------- */

struct member_job {
    struct program *program;
    struct group_member *member;
    struct consumer *consumer;
    struct client_topic *topic;
    struct batch_reader reader;
    struct consumer_partition *partitions[PARTITIONS_MAX]; /* by index; NULL: not ours */
    int64_t records;
    int32_t generation;
    bool committing;
    bool join_after_commit;
    bool leaving;
    struct loop_timer tick;
    struct loop_timer deadline;
};

static int subscribe(void *ctx, const char *protocol, struct buffer *metadata)
{
    struct member_job *job = ctx;
    buffer_append(metadata, job->topic->name, strlen(job->topic->name));
    return 0;
}

/* Round robin: a byte per partition. */
static void assign(void *ctx, const char *protocol, const struct group_peer *peers, size_t count, struct io_time now)
{
    struct member_job *job = ctx;
    static uint8_t shares[16][PARTITIONS_MAX];
    mill_bytes assignments[16];
    size_t lens[16] = { 0 };
    for (int32_t p = 0; p < job->topic->partition_count && count <= 16; p++)
        shares[(size_t)p % count][lens[(size_t)p % count]++] = (uint8_t)p;
    for (size_t i = 0; i < count && i < 16; i++)
        assignments[i] = mill_bytes_of(shares[i], lens[i]);
    printf("leads members=%zu\n", count);
    group_member_assign(job->member, assignments, count);
}

static void drop_partitions(struct member_job *job)
{
    for (int32_t p = 0; p < PARTITIONS_MAX; p++) {
        if (job->partitions[p])
            consumer_unassign(job->partitions[p]);
        job->partitions[p] = NULL;
    }
}

static void left(void *ctx)
{
    struct member_job *job = ctx;
    printf("left records=%" PRId64 "\n", job->records);
    end(job->program, 0, NULL);
}

static void after_commit(struct member_job *job)
{
    job->committing = false;
    if (job->leaving) {
        drop_partitions(job);
        group_member_leave(job->member, true, left, job);
    } else if (job->join_after_commit) {
        job->join_after_commit = false;
        drop_partitions(job);
        group_member_join(job->member);
    }
}

static void committed(void *ctx, int code, const char *text, struct group_offset *offsets, size_t count, struct io_time now)
{
    struct member_job *job = ctx;
    if (code != 0)
        printf("commit failed: %s\n", text);
    after_commit(job);
}

static void commit(struct member_job *job)
{
    struct group_offset offsets[PARTITIONS_MAX];
    size_t count = 0;
    for (int32_t p = 0; p < PARTITIONS_MAX; p++)
        if (job->partitions[p] && consumer_position(job->partitions[p]) >= 0)
            offsets[count++] = (struct group_offset){ .topic = job->topic,
                                                      .partition = p,
                                                      .offset = consumer_position(job->partitions[p]),
                                                      .leader_epoch = -1,
                                                      .metadata = mill_string("program") };
    if (job->committing)
        return;
    job->committing = true;
    if (count == 0 || group_member_commit(job->member, offsets, count, committed, job) < 0)
        after_commit(job);
}

static void prepare(void *ctx, struct io_time now)
{
    struct member_job *job = ctx;
    job->join_after_commit = true;
    commit(job);
}

static void starts_known(void *ctx, int code, const char *text, struct group_offset *offsets, size_t count, struct io_time now)
{
    struct member_job *job = ctx;
    if (code != 0) {
        printf("committed offsets: %s\n", text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t start = offsets[i].offset >= 0 ? offsets[i].offset : CONSUMER_BY_POLICY;
        if (!job->partitions[offsets[i].partition])
            job->partitions[offsets[i].partition] = consumer_assign(job->consumer, job->topic, offsets[i].partition, start);
    }
}

static void assigned(void *ctx, const char *protocol, mill_bytes assignment, struct io_time now)
{
    struct member_job *job = ctx;
    struct group_offset offsets[PARTITIONS_MAX];
    printf("assigned generation=%d partitions=", (int)group_member_generation(job->member));
    for (size_t i = 0; i < assignment.len; i++) {
        printf("%s%d", i > 0 ? "," : "", assignment.data[i]);
        offsets[i] = (struct group_offset){ .topic = job->topic, .partition = assignment.data[i] };
    }
    printf("\n");
    fflush(stdout);
    group_member_committed(job->member, offsets, assignment.len, true, starts_known, job);
}

static void lost(void *ctx, struct io_time now)
{
    struct member_job *job = ctx;
    printf("lost\n");
    drop_partitions(job);
}

static void membership_failed(void *ctx, int code, const char *text, struct io_time now)
{
    end(((struct member_job *)ctx)->program, code, text);
}

static const struct group_member_events member_events = { prepare, subscribe, assign, assigned, lost, membership_failed };
static const char *const member_protocols[] = { "program", NULL };

static void member_reads(void *ctx, struct io_time now)
{
    struct member_job *job = ctx;
    struct fetched fetched;
    while (consumer_next(job->consumer, &fetched)) {
        print_records(&job->reader, &fetched, true, &job->records);
        fetched_release(&fetched);
    }
}

static void member_read_failed(void *ctx, struct consumer_partition *partition, int code, const char *text)
{
    printf("read failed: %s\n", text);
}

static const struct consumer_events member_consumer_events = { member_reads, member_read_failed, NULL };

static void on_tick(struct loop_timer *timer, struct io_time now)
{
    struct member_job *job = timer->ctx;
    if (group_member_state(job->member) == GROUP_MEMBER_STABLE)
        commit(job);
    loop_timer_set(job->program->loop, timer, now.monotonic_us + 200 * 1000);
}

static void on_deadline(struct loop_timer *timer, struct io_time now)
{
    struct member_job *job = timer->ctx;
    loop_timer_cancel(job->program->loop, &job->tick);
    job->leaving = true;
    commit(job);
}

static void member_command(struct program *program, char **arguments, struct member_job *job)
{
    job->program = program;
    job->topic = client_topic(program->client, arguments[0]);
    batch_reader_init(&job->reader, 64 << 20);
    job->consumer = consumer_new(program->client, &program->consumer_options, &member_consumer_events, job);
    job->member = group_member_new(program->client, &program->group_options, "program", member_protocols, &member_events, job);
    job->tick = (struct loop_timer){ .fire = on_tick, .ctx = job };
    job->deadline = (struct loop_timer){ .fire = on_deadline, .ctx = job };
    int64_t now_us = loop_now(program->loop).monotonic_us;
    loop_timer_set(program->loop, &job->tick, now_us + 200 * 1000);
    loop_timer_set(program->loop, &job->deadline, now_us + atoll(arguments[1]) * 1000);
    group_member_start(job->member);
}

/* ---- groups ---------------------------------------------------------------------------------------------------------------- */

static void groups_listed(void *ctx, int code, const char *text, const struct admin_group_listing *groups, size_t count,
                          struct io_time now)
{
    for (size_t i = 0; i < count; i++)
        printf("%s type=%s state=%s\n", groups[i].group_id, groups[i].protocol_type, groups[i].state);
    end(ctx, code, text);
}

static void group_described(void *ctx, int code, const char *text, const struct admin_group *group, struct io_time now)
{
    if (group) {
        printf("%s state=%s protocol=%s members=%zu\n", group->group_id, group->state, group->protocol, group->member_count);
        for (size_t i = 0; i < group->offset_count; i++)
            printf("  %s-%d committed=%" PRId64 " end=%" PRId64 " lag=%" PRId64 " metadata=%s\n", group->offsets[i].topic,
                   (int)group->offsets[i].partition, group->offsets[i].committed, group->offsets[i].log_end,
                   group->offsets[i].lag, group->offsets[i].metadata);
    }
    end(ctx, code, text);
}

/* ---- main ------------------------------------------------------------------------------------------------------------------ */

static int read_options(struct program *program, int argc, char **argv, int *at)
{
    config_init(&program->config, &client_option_table);
    for (*at = 1; *at + 1 < argc && strcmp(argv[*at], "-X") == 0; *at += 2) {
        int code = config_set_pair(&program->config, argv[*at + 1]);
        if (code < 0)
            return code;
    }
    int code = client_options_read(&program->client_options, &program->config);
    code = code == 0 ? producer_options_read(&program->producer_options, &program->config) : code;
    code = code == 0 ? consumer_options_read(&program->consumer_options, &program->config) : code;
    return code == 0 ? group_options_read(&program->group_options, &program->config) : code;
}

static void client_gone(void *ctx)
{
    *(bool *)ctx = true;
}

static int need(int argc, int at, int count)
{
    return argc - at - 1 >= count;
}

int main(int argc, char **argv)
{
    struct program program = { 0 };
    static struct produce_job produce;
    static struct consume_job consume;
    static struct member_job member;
    int at;
    if (read_options(&program, argc, argv, &at) < 0 || at >= argc) {
        fprintf(stderr, "%s\nusage: see the top of client_program.c\n", program.config.error.text);
        return 2;
    }
    trace_set_level(getenv("TRACE") ? (enum trace_level)atoi(getenv("TRACE")) : TRACE_WARN);
    struct work_threads *threads = work_threads_new(1, 1, 1);
    struct error_text error = { "" };
    program.loop = uv_loop_new_with(threads);
    program.client = client_new(program.loop, &program.client_options, NULL, &error);
    if (!program.client) {
        fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    const char *command = argv[at];
    char **arguments = argv + at + 1;
    if ((strcmp(command, "create") == 0 && need(argc, at, 2)) || (strcmp(command, "delete") == 0 && need(argc, at, 1)) ||
        (strcmp(command, "describe") == 0 && need(argc, at, 1)) || (strcmp(command, "configs") == 0 && need(argc, at, 1)))
        topics_command(&program, command, arguments);
    else if (strcmp(command, "produce") == 0 && need(argc, at, 4))
        produce_command(&program, false, arguments, &produce);
    else if (strcmp(command, "lines") == 0 && need(argc, at, 2))
        produce_command(&program, true, arguments, &produce);
    else if ((strcmp(command, "consume") == 0 || strcmp(command, "count") == 0) && need(argc, at, 2))
        consume_command(&program, strcmp(command, "consume") == 0, arguments, &consume);
    else if (strcmp(command, "member") == 0 && need(argc, at, 2))
        member_command(&program, arguments, &member);
    else if (strcmp(command, "groups") == 0)
        admin_list_groups(program.client, groups_listed, &program);
    else if (strcmp(command, "group") == 0 && need(argc, at, 1))
        admin_describe_group(program.client, arguments[0], group_described, &program);
    else
        end(&program, MILL_EINVALID, "usage: see the top of client_program.c");

    loop_run(program.loop, &program.over);
    producer_free(produce.producer);
    mem_free(produce.value);
    if (consume.consumer)
        batch_reader_release(&consume.reader);
    consumer_free(consume.consumer);
    if (member.member) {
        loop_timer_cancel(program.loop, &member.tick);
        loop_timer_cancel(program.loop, &member.deadline);
        batch_reader_release(&member.reader);
        group_member_free(member.member);
        consumer_free(member.consumer);
    }
    bool gone = false;
    client_free(program.client, client_gone, &gone);
    if (!gone)
        loop_run(program.loop, &gone);
    uv_loop_free(program.loop);
    work_threads_free(threads);
    config_release(&program.config);
    return program.code == 0 ? 0 : 1;
}
