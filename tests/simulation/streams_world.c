/*
 * The processes of the world, its feeder and its reader.
 *
 * The feeder retries for as long as anything lives here: the input topic then holds each record once.
 */
#include "simulation/streams_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/shared_buffer.h"
#include "broker/config.h"
#include "client/admin.h"
#include "client/consumer.h"
#include "client/options.h"
#include "record/default_partitioner.h"
#include "simulation/sim_lmdb.h"
#include "support/fetched_records.h"
#include "task/streams_config.h"

enum {
    PORT = 9092,
    FEED_EVERY_US = 2000,
    FEED_RECORDS = 5,
    TIMES_DONE = 2, /* the ends of the repartition topic may be older than the positions that they are seen with */
};

/* ---- the pipeline ---------------------------------------------------------------------------------------------------------- */

static int add_visit(mill_context *context, void *self, const mill_record *visit)
{
    mill_store *sums = mill_context_store(context, "sums");
    uint8_t sum[8] = { 0 };
    mill_bytes stored;
    int code = mill_key_value_get(sums, visit->key, &stored, NULL);
    if (code == 1)
        memcpy(sum, stored.data, sizeof sum);
    write_u64_be(sum, read_u64_be(sum) + 1);
    return code < 0 ? code : mill_key_value_put(sums, visit->key, mill_bytes_of(sum, sizeof sum), visit->timestamp_ms);
}

static int give_sums_out(mill_context *context, void *self, int64_t now_ms)
{
    mill_store *sums = mill_context_store(context, "sums");
    mill_store_iterator *all;
    mill_store_entry entry;
    int code = mill_key_value_all(sums, MILL_FORWARD, &all);
    while (code >= 0 && (code = mill_store_iterator_next(all, &entry)) == 1) {
        mill_record sum = { .key = entry.key, .value = entry.value, .timestamp_ms = now_ms };
        code = mill_forward(context, &sum);
        code = code < 0 ? code : mill_key_value_delete(sums, entry.key, now_ms);
    }
    return code;
}

static int schedule_sums(mill_context *context, void *self, const void *argument)
{
    return mill_context_schedule(context, SUM_EVERY_MS, MILL_PUNCTUATE_WALL_CLOCK, give_sums_out) ? 0 : MILL_ENOMEM;
}

static const mill_processor_type SUM_TYPE = { .name = "sum", .init = schedule_sums, .process = add_visit };

static void add_sums(mill_topology *topology)
{
    mill_store_builder *store = mill_store_with_caching(mill_key_value_store("sums"), true);
    mill_topology_add_source(topology, "visits", (const char *[]){ "visits" }, 1, NULL);
    mill_topology_add_processor(topology, "sum", (mill_processor_supplier){ &SUM_TYPE }, (const char *[]){ "visits" }, 1);
    mill_topology_add_store(topology, store, (const char *[]){ "sum" }, 1);
    mill_topology_add_sink(topology, "sums-out", "sums", NULL, (const char *[]){ "sum" }, 1);
}

static void add_table(mill_topology *topology)
{
    mill_topology_optimize(topology, "reuse.ktable.source.topics");
    mill_table_to(mill_topology_table(topology, "visits", NULL, mill_as("latest")), "latest");
}

static void add_views(mill_topology *topology, bool repartitioned)
{
    mill_stream *visits = mill_topology_stream(topology, "visits", NULL);
    if (repartitioned)
        visits = mill_stream_repartition(visits, "by-page", 0);
    mill_windowed *per_minute =
        mill_grouped_windowed_by(mill_stream_group_by_key(visits), mill_window_tumbling(WINDOW_MS, 2 * SPAN_MS));
    mill_table_to(mill_windowed_count(per_minute, mill_as("views")), "page-views");
    mill_table_to(mill_windowed_count_distinct(per_minute, mill_as("visitors")), "unique-visitors");
}

/* NULL: no memory. */
static mill_topology *make_topology(const struct scenario *s)
{
    mill_topology *topology = mill_topology_new();
    if (!topology)
        return NULL;
    if (s->pipeline == PIPELINE_SUMS)
        add_sums(topology);
    else if (s->pipeline == PIPELINE_TABLE)
        add_table(topology);
    else
        add_views(topology, s->repartitioned);
    if (topology_build(topology) == 0)
        return topology;
    mill_topology_free(topology);
    return NULL;
}

/* ---- the process ----------------------------------------------------------------------------------------------------------- */

static void thread_state(void *ctx, enum stream_thread_state now, enum stream_thread_state before)
{
}

static void thread_failed(void *ctx, int code, const char *text)
{
    struct process *process = ctx;
    process->failed = true;
    snprintf(process->failure, sizeof process->failure, "%s", text);
}

static void thread_restoring(void *ctx, const mill_restore_progress *progress)
{
    struct process *process = ctx;
    if (progress->restored == progress->total)
        process->restored[progress->task_id[strlen(progress->task_id) - 1] - '0'] = true;
}

static void set_true(void *ctx)
{
    *(bool *)ctx = true;
}

static void thread_closed(void *ctx)
{
    ((struct process *)ctx)->thread_closed = true;
}

static void thread_stopped(void *ctx, const char *text)
{
    struct process *process = ctx;
    process->stopped = true;
    if (!process->failed)
        snprintf(process->failure, sizeof process->failure, "%s", text);
}

static const struct stream_thread_events THREAD_EVENTS = { .state = thread_state,
                                                           .failed = thread_failed,
                                                           .restoring = thread_restoring,
                                                           .stopped = thread_stopped,
                                                           .closed = thread_closed };

static int start_broker(struct scenario *s, struct machine *machine, struct process *process)
{
    struct error_text error = { "" };
    config_init(&process->broker_config, broker_config_table());
    int code = config_set(&process->broker_config, "offsets.topic.num.partitions", "2");
    if (code == 0)
        code = config_set(&process->broker_config, "num.partitions", "4");
    if (code == 0)
        code = config_set(&process->broker_config, "transaction.state.log.num.partitions", "2");
    if (code == 0 && s->topics_are_the_users)
        code = config_set(&process->broker_config, "auto.create.topics.enable", "false");
    if (code == 0 && s->message_bytes_max != NULL)
        code = config_set(&process->broker_config, "message.max.bytes", s->message_bytes_max);
    if (code < 0)
        return code;
    process->broker_loop = sim_world_add_loop(s->world, machine->host);
    struct broker_options options = { sim_disk_disk(machine->disk), process->broker_loop, "/server/broker",
                                      &process->broker_config };
    process->broker = broker_new(&options);
    if (!process->broker)
        return MILL_ENOMEM;
    code = broker_open(process->broker, sim_world_now(s->world));
    if (code < 0) {
        assert_string_not_equal(broker_error(process->broker), "");
        broker_free(process->broker);
        process->broker = NULL;
        return code;
    }
    struct server_options server = server_default_options(process->broker, process->broker_loop, "0.0.0.0", PORT);
    code = server_open(&server, &process->server, &error);
    if (code == 0)
        code = broker_set_advertised(process->broker, "server", PORT);
    local_connector_init(&process->connector, process->broker);
    return code;
}

static int start_stream_thread(struct scenario *s, int at, struct process *process)
{
    struct machine *machine = &s->machines[at];
    struct error_text error = { "" };
    snprintf(process->state_directory, sizeof process->state_directory, "%s/views", machine->root);
    process->topology = make_topology(s);
    if (!process->topology)
        return MILL_ENOMEM;
    process->stream_loop = sim_world_add_loop(s->world, machine->host);
    struct stream_thread_options thread = { .topology = process->topology,
                                            .config = &s->config,
                                            .bootstrap_servers = at == SERVER ? "" : "server:9092",
                                            .state_directory = process->state_directory,
                                            .process_id = { (uint8_t)(at + 1) },
                                            .number = 1,
                                            .loop = process->stream_loop,
                                            .disk = sim_disk_disk(machine->disk),
                                            .connector = at == SERVER ? &process->connector.base : NULL,
                                            .embedded = at == SERVER };
    int code = disk_make_directories(thread.disk, thread.state_directory);
    if (code < 0)
        return code;
    process->thread = stream_thread_new(&thread, &THREAD_EVENTS, process, &error);
    if (!process->thread) {
        assert_string_not_equal(error.text, "");
        return MILL_ENOMEM;
    }
    stream_thread_start(process->thread, sim_world_now(s->world));
    return 0;
}

int process_start(struct scenario *s, int at)
{
    struct machine *machine = &s->machines[at];
    struct process *process = calloc(1, sizeof *process);
    assert_null(machine->process);
    machine->process = process;
    process->memory = sim_memory_new();
    sim_memory_fail_at(process->memory, s->allocation_fails_at, s->allocations_fail_on);
    struct sim_memory *before = sim_memory_enter(process->memory);
    int code = at == SERVER ? start_broker(s, machine, process) : 0;
    if (code == 0)
        code = start_stream_thread(s, at, process);
    sim_memory_enter(before);
    if (code < 0)
        process_close(s, at);
    return code;
}

static bool is_true(void *ctx)
{
    return *(bool *)ctx;
}

static void wait_for(struct scenario *s, bool *what)
{
    assert_int_equal(sim_world_run(s->world, is_true, what, LIFETIME_US), 0);
}

static void close_stream_thread(struct scenario *s, struct process *process)
{
    stream_thread_close(process->thread, sim_world_now(s->world));
    sim_memory_enter(NULL);
    wait_for(s, &process->thread_closed);
    sim_memory_enter(process->memory);
    stream_thread_free(process->thread);
    mill_topology_free(process->topology);
    process->thread = NULL;
    process->topology = NULL;
    process->thread_closed = false;
}

void process_leave(struct scenario *s, int at)
{
    struct process *process = s->machines[at].process;
    struct sim_memory *before = sim_memory_enter(process->memory);
    close_stream_thread(s, process);
    sim_memory_enter(before);
}

void process_return(struct scenario *s, int at)
{
    struct process *process = s->machines[at].process;
    struct sim_memory *before = sim_memory_enter(process->memory);
    assert_int_equal(start_stream_thread(s, at, process), 0);
    sim_memory_enter(before);
}

static void close_broker(struct scenario *s, struct process *process)
{
    if (process->server)
        server_close(process->server, set_true, &process->server_closed);
    else
        process->server_closed = true;
    broker_close(process->broker, set_true, &process->broker_closed, sim_world_now(s->world));
    sim_memory_enter(NULL);
    wait_for(s, &process->server_closed);
    wait_for(s, &process->broker_closed);
    sim_memory_enter(process->memory);
    broker_free(process->broker);
}

void process_close(struct scenario *s, int at)
{
    struct process *process = s->machines[at].process;
    struct sim_memory *before = sim_memory_enter(process->memory);
    if (process->thread)
        close_stream_thread(s, process);
    mill_topology_free(process->topology);
    if (process->broker)
        close_broker(s, process);
    if (at == SERVER)
        config_release(&process->broker_config);
    sim_memory_enter(before);
    assert_int_equal(sim_memory_blocks(process->memory), 0);
    s->allocations += sim_memory_fail_at(process->memory, 0, false);
    sim_memory_free(process->memory);
    free(process);
    s->machines[at].process = NULL;
}

void process_close_within(struct scenario *s, int at, int64_t max_us)
{
    int64_t begun_us = sim_world_now(s->world).monotonic_us;
    process_close(s, at);
    assert_true(sim_world_now(s->world).monotonic_us - begun_us <= max_us);
    s->faults++;
}

void process_kill(struct scenario *s, int at, bool power_cut)
{
    struct machine *machine = &s->machines[at];
    sim_world_kill(s->world, machine->host);
    struct sim_disk *image = power_cut ? sim_disk_after_power_cut(machine->disk, prng_next(sim_world_prng(s->world)))
                                       : sim_disk_after_kill(machine->disk);
    sim_lmdb_abandon(machine->disk);
    sim_disk_free(machine->disk);
    sim_memory_free(machine->process->memory);
    free(machine->process);
    machine->process = NULL;
    machine->disk = image;
    sim_lmdb_mount(machine->root, image);
    s->faults++;
}

bool process_failed(const struct scenario *s)
{
    for (int i = 0; i < MACHINES; i++)
        if (s->machines[i].process && s->machines[i].process->failed)
            return true;
    return false;
}

/* Whose memory an event uses. */
static void enter_memory_of(void *ctx, struct loop *loop)
{
    struct scenario *s = ctx;
    struct sim_memory *memory = NULL;
    for (int i = 0; loop && i < MACHINES; i++) {
        struct process *process = s->machines[i].process;
        if (process && (process->broker_loop == loop || process->stream_loop == loop))
            memory = process->memory;
    }
    sim_memory_enter(memory);
}

/* ---- the feeder ------------------------------------------------------------------------------------------------------------ */

static void send_record(struct scenario *s)
{
    struct prng *prng = sim_world_prng(s->world);
    char page[16];
    size_t p = prng_below(prng, PAGES);
    size_t v = prng_below(prng, VISITORS);
    int64_t time = (int64_t)prng_below(prng, SPAN_MS);
    size_t w = (size_t)(time / WINDOW_MS);
    snprintf(page, sizeof page, "page-%zu", p);
    char member[16];
    snprintf(member, sizeof member, "%zu", v);
    mill_record record = { .key = mill_string(page), .value = mill_string(member), .timestamp_ms = time };
    assert_int_equal(producer_send(s->producer, s->topic, default_partition(record.key, PARTITIONS), &record), 0);
    s->expected.views[p][w]++;
    if (!s->expected.seen[p][w][v])
        s->expected.visitors[p][w]++;
    s->expected.seen[p][w][v] = true;
    s->sent++;
}

static void acknowledged(void *ctx, int code, struct io_time now)
{
    struct scenario *s = ctx;
    assert_int_equal(code, 0);
    s->all_acknowledged = true;
}

static void feed(struct loop_timer *timer, struct io_time now)
{
    struct scenario *s = timer->ctx;
    bool known = producer_topic_partition_count(s->topic) == PARTITIONS;
    for (int i = 0; known && i < FEED_RECORDS && s->sent < s->records; i++)
        send_record(s);
    if (s->sent < s->records)
        loop_timer_set(s->feeder_loop, &s->feed, now.monotonic_us + s->feed_every_us);
    else
        assert_int_equal(producer_flush(s->producer, acknowledged, s), 0);
}

static void delivery_failed(void *ctx, const struct producer_failure *failure)
{
    print_message("feeder: %s\n", failure->text);
    fail();
}

static const struct producer_events PRODUCER_EVENTS = { delivery_failed, NULL };

static struct client *new_client(struct scenario *s, struct config *config, const char *client_id)
{
    struct client_options options;
    struct error_text error = { "" };
    assert_int_equal(client_options_read(&options, config), 0);
    options.bootstrap_servers = "server:9092";
    options.client_id = client_id;
    options.allow_auto_create_topics = true;
    struct client *client = client_new(s->feeder_loop, &options, NULL, &error);
    assert_string_equal(error.text, "");
    return client;
}

static void free_client(struct scenario *s, struct client *client)
{
    bool closed = false;
    client_free(client, set_true, &closed);
    wait_for(s, &closed);
}

static void start_feeder(struct scenario *s)
{
    struct config config;
    struct producer_options producer;
    config_init(&config, &client_option_table);
    assert_int_equal(config_set(&config, "delivery.timeout.ms", "3600000"), 0);
    assert_int_equal(producer_options_read(&producer, &config), 0);
    s->feeder_loop = sim_world_add_loop(s->world, "feeder");
    s->feeder = new_client(s, &config, "feeder");
    s->producer = producer_new(s->feeder, &producer, &PRODUCER_EVENTS, s);
    s->feed = (struct loop_timer){ .fire = feed, .ctx = s };
    s->topic = producer_topic(s->producer, "visits"); /* its metadata request makes the broker create it */
    loop_timer_set(s->feeder_loop, &s->feed, sim_world_now(s->world).monotonic_us + 1000);
    config_release(&config);
}

/* ---- reading back ---------------------------------------------------------------------------------------------------------- */

struct reader {
    struct client *client;
    struct consumer *consumer;
    struct consumer_partition *partitions[PARTITIONS];
    void (*each)(void *ctx, const mill_record *record, int64_t offset);
    void *ctx;
};

static void take_record(void *ctx, const struct consumer_partition *partition, const struct batch_record *record)
{
    struct reader *reader = ctx;
    reader->each(reader->ctx, &record->record, record->offset);
}

static void read_more(void *ctx, struct io_time now)
{
    struct reader *reader = ctx;
    take_fetched_records(reader->consumer, take_record, reader);
}

static bool reader_done(void *ctx)
{
    const struct reader *reader = ctx;
    return all_is_fetched(reader->partitions, PARTITIONS);
}

static const struct consumer_events READER_EVENTS = { read_more, NULL, NULL };

static void read_topic(struct scenario *s, const char *name, void (*each)(void *ctx, const mill_record *record, int64_t offset),
                       void *ctx)
{
    struct config config;
    struct consumer_options options;
    struct reader reader = { .each = each, .ctx = ctx };
    config_init(&config, &client_option_table);
    if (s->exactly_once)
        assert_int_equal(config_set(&config, "isolation.level", "read_committed"), 0);
    assert_int_equal(consumer_options_read(&options, &config), 0);
    reader.client = new_client(s, &config, "reader");
    reader.consumer = consumer_new(reader.client, &options, &READER_EVENTS, &reader);
    for (int i = 0; i < PARTITIONS; i++) {
        reader.partitions[i] = consumer_assign(reader.consumer, client_topic(reader.client, name), i, CONSUMER_EARLIEST);
        assert_non_null(reader.partitions[i]);
    }
    assert_int_equal(sim_world_run(s->world, reader_done, &reader, LIFETIME_US), 0);
    consumer_free(reader.consumer);
    free_client(s, reader.client);
    config_release(&config);
}

static void count_inputs(void *ctx, const mill_record *record, int64_t offset)
{
    ++*(int64_t *)ctx;
}

/* Key: page, then the window's start as 8 bytes; value: a long. The last one counts. */
static void take_result(void *ctx, const mill_record *record, int64_t offset)
{
    struct results *results = ctx;
    assert_true(record->key.len > 8 + 5);
    assert_int_equal(record->value.len, 8);
    size_t page = (size_t)strtoul((const char *)record->key.data + 5, NULL, 10);
    size_t window = (size_t)(read_u64_be(record->key.data + record->key.len - 8) / WINDOW_MS);
    assert_true(page < PAGES && window < WINDOWS);
    int64_t value = (int64_t)read_u64_be(record->value.data);
    results->steps += value == results->values[page][window] + 1;
    results->values[page][window] = value;
    results->counts[page][window]++;
    results->total++;
}

/* The same with 4 bytes behind the window's start, which number records of one key and time: always 0. */
static void take_change(void *ctx, const mill_record *record, int64_t offset)
{
    mill_record result = *record;
    assert_true(record->key.len > 4);
    result.key.len -= 4;
    take_result(ctx, &result, offset);
}

static void take_sum(void *ctx, const mill_record *record, int64_t offset)
{
    int64_t *sums = ctx;
    size_t page = (size_t)strtoul((const char *)record->key.data + 5, NULL, 10);
    assert_true(page < PAGES);
    assert_int_equal(record->value.len, 8);
    sums[page] += (int64_t)read_u64_be(record->value.data);
}

void read_back(struct scenario *s, struct found *found)
{
    memset(found, 0, sizeof *found);
    read_topic(s, "visits", count_inputs, &found->inputs);
    if (s->pipeline == PIPELINE_SUMS) {
        sim_world_run(s->world, NULL, NULL, 1000000); /* what was processed last is given out and committed */
        read_topic(s, "sums", take_sum, found->sums);
        return;
    }
    read_topic(s, "page-views", take_result, &found->views);
    read_topic(s, "unique-visitors", take_result, &found->visitors);
    if (s->exactly_once)
        read_topic(s, "views-views-changelog", take_change, &found->changelog);
}

static const char *judge_exactly_once(const struct scenario *s, const struct found *found)
{
    if (found->views.total != s->records || found->visitors.total != s->records)
        return "a record made no result, or two";
    if (found->views.steps != s->records)
        return "views are not counted one by one";
    if (memcmp(found->changelog.values, found->views.values, sizeof found->views.values) != 0)
        return "the changelog is not what was counted";
    return NULL;
}

static const char *judge_sums(const struct scenario *s, const struct found *found)
{
    for (size_t p = 0; p < PAGES; p++) {
        int64_t visits = 0;
        for (size_t w = 0; w < WINDOWS; w++)
            visits += s->expected.views[p][w];
        if (found->sums[p] != visits)
            return found->sums[p] < visits ? "part of a sum was lost" : "part of a sum was given out twice";
    }
    return NULL;
}

const char *judge(const struct scenario *s, const struct found *found)
{
    if (found->inputs != s->records)
        return "an input record was lost or doubled";
    if (s->pipeline == PIPELINE_SUMS)
        return judge_sums(s, found);
    for (size_t p = 0; p < PAGES; p++) {
        for (size_t w = 0; w < WINDOWS; w++) {
            if (found->visitors.values[p][w] != s->expected.visitors[p][w])
                return "a number of visitors is wrong";
            if (found->views.values[p][w] < s->expected.views[p][w])
                return "views were lost";
            if ((s->faults == 0 || s->exactly_once) && found->views.values[p][w] > s->expected.views[p][w])
                return "views were counted twice";
        }
    }
    return s->exactly_once ? judge_exactly_once(s, found) : NULL;
}

/* ---- a run ----------------------------------------------------------------------------------------------------------------- */

/* The group's committed offsets, asked for again and again until they are the end of the input. */
static void described(void *ctx, int code, const char *text, const struct admin_group *group, struct io_time now)
{
    struct scenario *s = ctx;
    int64_t between = 0; /* partitions of the repartition topic that are done with */
    s->asking = NULL;
    s->committed = 0;
    for (size_t i = 0; code == 0 && i < group->offset_count; i++) {
        if (strcmp(group->offsets[i].topic, "visits") == 0)
            s->committed += group->offsets[i].committed;
        else
            between += group->offsets[i].lag == 0;
    }
    bool done = s->committed == s->records && (!s->repartitioned || between == PARTITIONS);
    s->times_done = done ? s->times_done + 1 : 0;
}

static bool done_or_failed(void *ctx)
{
    struct scenario *s = ctx;
    if (process_failed(s))
        return true;
    if (s->all_acknowledged && s->asking == NULL && s->times_done < TIMES_DONE)
        s->asking = admin_describe_group(s->feeder, "views", described, s);
    return s->times_done == TIMES_DONE;
}

static bool has_failed(void *ctx)
{
    return process_failed(ctx);
}

void run_for(struct scenario *s, uint64_t max_us)
{
    sim_world_run(s->world, has_failed, s, 1000 + (int64_t)prng_below(sim_world_prng(s->world), max_us));
    assert_false(process_failed(s));
}

int run_until_done(struct scenario *s, int64_t max_us)
{
    return sim_world_run(s->world, done_or_failed, s, max_us);
}

void run_to_the_end(struct scenario *s)
{
    static struct found found;
    assert_int_equal(run_until_done(s, LIFETIME_US), 0);
    for (int i = 0; i < MACHINES; i++)
        if (s->machines[i].process && s->machines[i].process->failed)
            fail_msg("seed %llu: %s", (unsigned long long)s->seed, s->machines[i].process->failure);
    read_back(s, &found);
    const char *wrong = judge(s, &found);
    if (wrong)
        fail_msg("seed %llu: %s", (unsigned long long)s->seed, wrong);
    scenario_end(s);
}

void scenario_begin(struct scenario *s, uint64_t seed, int records)
{
    *s = (struct scenario){ .seed = seed, .records = records, .machines = { { "server", "/server" }, { "second", "/second" } } };
    s->feed_every_us = FEED_EVERY_US;
    print_message("seed %llu\n", (unsigned long long)seed);
    shared_buffer_keep(0);
    s->world = sim_world_new(seed);
    sim_world_watch(s->world, enter_memory_of, s);
    for (int i = 0; i < MACHINES; i++) {
        s->machines[i].disk = sim_world_new_disk(s->world);
        sim_lmdb_mount(s->machines[i].root, s->machines[i].disk);
        assert_int_equal(disk_make_directories(sim_disk_disk(s->machines[i].disk), s->machines[i].root), 0);
    }
    config_init(&s->config, &streams_config_table);
    assert_int_equal(config_set(&s->config, "application.id", "views"), 0);
    assert_int_equal(config_set(&s->config, "commit.interval.ms", "50"), 0);
    assert_int_equal(config_set(&s->config, "session.timeout.ms", "6000"), 0);
    start_feeder(s);
}

void scenario_exactly_once(struct scenario *s)
{
    s->exactly_once = true;
    s->repartitioned = s->seed % 2 == 1;
    assert_int_equal(config_set(&s->config, "processing.guarantee", "exactly_once_v2"), 0);
    assert_int_equal(config_set(&s->config, "statestore.cache.max.bytes", "0"), 0);
}

void scenario_sums(struct scenario *s)
{
    s->exactly_once = true;
    s->pipeline = PIPELINE_SUMS;
    assert_int_equal(config_set(&s->config, "processing.guarantee", "exactly_once_v2"), 0);
}

void scenario_end(struct scenario *s)
{
    producer_free(s->producer);
    free_client(s, s->feeder);
    for (int i = 0; i < MACHINES; i++) {
        if (s->machines[i].process)
            process_kill(s, i, false);
        sim_lmdb_mount(s->machines[i].root, NULL);
        sim_disk_free(s->machines[i].disk);
    }
    config_release(&s->config);
    sim_world_free(s->world);
}
