/*
 * Broker, client and stream threads together in one simulated world: a pipeline counts views and visitors of four partitions, in
 * a process with the broker inside and, in some scenarios, in a second one on another host that joins, leaves and dies, while a
 * feeder on a third keeps producing over the network. Processes are killed and machines lose power.
 *
 * Afterwards: the input topic holds every record once, each visitor count is exact, no view count is too low, and without faults
 * each view count is exact too.
 */
#include "support/cmocka_all.h"
#include "support/rounds.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/local_connector.h"
#include "base/bytes.h"
#include "base/murmur2.h"
#include "broker/broker.h"
#include "broker/config.h"
#include "client/admin.h"
#include "client/client.h"
#include "client/consumer.h"
#include "client/options.h"
#include "client/producer.h"
#include "millstream/millstream.h"
#include "record/batch_reader.h"
#include "server/server.h"
#include "simulation/sim_disk.h"
#include "simulation/sim_lmdb.h"
#include "simulation/sim_world.h"
#include "task/streams_config.h"
#include "worker/stream_thread.h"

enum {
    RECORDS = 1500,
    PAGES = 12,
    VISITORS = 40,
    WINDOW_MS = 60000,
    SPAN_MS = 10 * WINDOW_MS,
    WINDOWS = SPAN_MS / WINDOW_MS,
    PARTITIONS = 4,
    PORT = 9092,
    FEED_EVERY_US = 2000,
    FEED_RECORDS = 5,
    LIFETIME_US = 600 * 1000000, /* virtual: far more than a run takes */
};

struct expected {
    int64_t views[PAGES][WINDOWS];
    bool seen[PAGES][WINDOWS][VISITORS];
    int64_t visitors[PAGES][WINDOWS];
};

/* One life of a process. On the host "server" it has the broker inside. */
struct process {
    struct loop *broker_loop; /* NULL: no broker inside */
    struct loop *stream_loop;
    struct broker *broker;
    struct server *server;
    struct local_connector connector;
    struct stream_thread *thread;
    struct config broker_config;
    bool closed;
    bool failed;
};

struct machine {
    const char *host;
    const char *root; /* where its disk is mounted */
    struct sim_disk *disk;
    struct process *process; /* NULL: none runs */
};

enum { SERVER, SECOND, MACHINES };

struct scenario {
    uint64_t seed;
    struct sim_world *world;
    struct machine machines[MACHINES];
    mill_topology *topology;
    struct config config;
    int faults; /* that may make records be read again */

    struct loop *feeder_loop;
    struct client *feeder;
    struct producer *producer;
    struct producer_topic *topic;
    struct loop_timer feed;
    int sent;
    bool all_acknowledged;
    struct admin_operation *asking;
    int64_t committed;
    struct expected expected;
};

/* What a kill leaves behind is never freed, as in a real one; it stays reachable from here. */
static void *graveyard[1 << 18];
static size_t buried;

static void bury(void *what)
{
    assert_true(buried < sizeof graveyard / sizeof graveyard[0]);
    graveyard[buried++] = what;
}

/* ---- the pipeline ---------------------------------------------------------------------------------------------------------- */

static mill_topology *make_topology(void)
{
    mill_topology *topology = mill_topology_new();
    mill_windowed *per_minute = mill_grouped_windowed_by(mill_stream_group_by_key(mill_topology_stream(topology, "visits", NULL)),
                                                         mill_window_tumbling(WINDOW_MS, 2 * SPAN_MS));
    mill_table_to(mill_windowed_count(per_minute, mill_as("views")), "page-views");
    mill_table_to(mill_windowed_count_distinct(per_minute, mill_as("visitors")), "unique-visitors");
    assert_null(mill_topology_error(topology));
    return topology;
}

/* ---- the process ----------------------------------------------------------------------------------------------------------- */

static void thread_state(void *ctx, enum stream_thread_state now, enum stream_thread_state before)
{
}

static void thread_failed(void *ctx, int code, const char *text)
{
    ((struct process *)ctx)->failed = true;
    print_message("stream thread failed: %s\n", text);
}

static void thread_restoring(void *ctx, const mill_restore_progress *progress)
{
}

static void thread_closed(void *ctx)
{
    ((struct process *)ctx)->closed = true;
}

static const struct stream_thread_events THREAD_EVENTS = { thread_state, thread_failed, thread_restoring, thread_closed };

static void start_broker(struct scenario *s, struct machine *machine, struct process *process)
{
    struct error_text error = { "" };
    process->broker_loop = sim_world_add_loop(s->world, machine->host);
    config_init(&process->broker_config, broker_config_table());
    assert_int_equal(config_set(&process->broker_config, "offsets.topic.num.partitions", "2"), 0);
    assert_int_equal(config_set(&process->broker_config, "num.partitions", "4"), 0);
    struct broker_options options = { sim_disk_disk(machine->disk), process->broker_loop, "/server/broker",
                                      &process->broker_config };
    process->broker = broker_new(&options);
    assert_non_null(process->broker);
    int code = broker_open(process->broker, sim_world_now(s->world));
    if (code < 0)
        print_message("broker: %s\n", broker_error(process->broker));
    assert_int_equal(code, 0);
    struct server_options server = server_default_options(process->broker, process->broker_loop, "0.0.0.0", PORT);
    assert_int_equal(server_open(&server, &process->server, &error), 0);
    assert_int_equal(broker_set_advertised(process->broker, "server", PORT), 0);
    local_connector_init(&process->connector, process->broker);
}

static void start_process(struct scenario *s, int at)
{
    struct machine *machine = &s->machines[at];
    struct process *process = calloc(1, sizeof *process);
    struct error_text error = { "" };
    char directory[64];
    machine->process = process;
    if (at == SERVER)
        start_broker(s, machine, process);
    process->stream_loop = sim_world_add_loop(s->world, machine->host);
    snprintf(directory, sizeof directory, "%s/views", machine->root);
    struct stream_thread_options thread = { .topology = s->topology,
                                            .config = &s->config,
                                            .bootstrap_servers = at == SERVER ? "" : "server:9092",
                                            .state_directory = strdup(directory),
                                            .process_id = { (uint8_t)(at + 1) },
                                            .number = 1,
                                            .loop = process->stream_loop,
                                            .disk = sim_disk_disk(machine->disk),
                                            .connector = at == SERVER ? &process->connector.base : NULL,
                                            .embedded = at == SERVER };
    bury((void *)thread.state_directory);
    assert_int_equal(disk_make_directories(thread.disk, thread.state_directory), 0);
    process->thread = stream_thread_new(&thread, &THREAD_EVENTS, process, &error);
    assert_string_equal(error.text, "");
    assert_non_null(process->thread);
    stream_thread_start(process->thread, sim_world_now(s->world));
}

/* Ends a process where it is. After a power cut the disk keeps what was synced and some of the rest. */
static void crash(struct scenario *s, int at, bool power_cut)
{
    struct machine *machine = &s->machines[at];
    sim_world_kill(s->world, machine->host);
    bury(machine->process);
    machine->process = NULL;
    struct sim_disk *image = power_cut ? sim_disk_after_power_cut(machine->disk, prng_next(sim_world_prng(s->world)))
                                       : sim_disk_after_kill(machine->disk);
    assert_non_null(image);
    sim_lmdb_abandon(machine->disk);
    bury(machine->disk);
    machine->disk = image;
    sim_lmdb_mount(machine->root, image);
    s->faults++;
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
    assert_int_equal(producer_send(s->producer, s->topic, murmur2_partition(record.key, PARTITIONS), &record), 0);
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
    for (int i = 0; known && i < FEED_RECORDS && s->sent < RECORDS; i++)
        send_record(s);
    if (s->sent < RECORDS)
        loop_timer_set(s->feeder_loop, &s->feed, now.monotonic_us + FEED_EVERY_US);
    else
        assert_int_equal(producer_flush(s->producer, acknowledged, s), 0);
}

static void delivery_failed(void *ctx, const struct producer_failure *failure)
{
    print_message("feeder: %s\n", failure->text);
    fail();
}

static const struct producer_events PRODUCER_EVENTS = { delivery_failed, NULL };

static void start_feeder(struct scenario *s)
{
    struct config config;
    struct client_options client;
    struct producer_options producer;
    struct error_text error = { "" };
    config_init(&config, &client_option_table);
    assert_int_equal(client_options_read(&client, &config), 0);
    assert_int_equal(producer_options_read(&producer, &config), 0);
    client.bootstrap_servers = "server:9092";
    client.client_id = "feeder";
    client.allow_auto_create_topics = true;
    s->feeder_loop = sim_world_add_loop(s->world, "feeder");
    s->feeder = client_new(s->feeder_loop, &client, NULL, &error);
    assert_string_equal(error.text, "");
    s->producer = producer_new(s->feeder, &producer, &PRODUCER_EVENTS, s);
    s->feed = (struct loop_timer){ .fire = feed, .ctx = s };
    s->topic = producer_topic(s->producer, "visits"); /* its metadata request makes the broker create it */
    loop_timer_set(s->feeder_loop, &s->feed, 1000);
    config_release(&config);
}

/* ---- reading back ---------------------------------------------------------------------------------------------------------- */

static void client_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
    return *(bool *)ctx;
}

static void free_client(struct scenario *s, struct client *client)
{
    bool closed = false;
    client_free(client, client_closed, &closed);
    assert_int_equal(sim_world_run(s->world, is_true, &closed, LIFETIME_US), 0);
}

struct reader {
    struct client *client;
    struct consumer *consumer;
    int partitions_left;
    void (*each)(void *ctx, const mill_record *record, int64_t offset);
    void *ctx;
};

static void read_more(void *ctx, struct io_time now)
{
    struct reader *reader = ctx;
    struct fetched fetched;
    struct batch_reader batches;
    batch_reader_init(&batches, 1 << 24);
    while (consumer_next(reader->consumer, &fetched) == 1) {
        mill_bytes region = fetched.batches.bytes;
        mill_bytes batch;
        struct batch_header header;
        struct batch_record record;
        while (batch_next(&region, &batch, &header) == 1) {
            assert_int_equal(batch_reader_open(&batches, batch, true), 0);
            while (batch_reader_next(&batches, &record) == 1)
                reader->each(reader->ctx, &record.record, record.offset);
        }
        reader->partitions_left -= fetched.next_offset >= fetched.high_watermark;
        fetched_release(&fetched);
    }
    batch_reader_release(&batches);
}

static bool reader_done(void *ctx)
{
    return ((struct reader *)ctx)->partitions_left == 0;
}

static const struct consumer_events READER_EVENTS = { read_more, NULL, NULL };

static void read_topic(struct scenario *s, const char *name, int partitions,
                       void (*each)(void *ctx, const mill_record *record, int64_t offset), void *ctx)
{
    struct config config;
    struct client_options client;
    struct consumer_options options;
    struct error_text error = { "" };
    struct reader reader = { .partitions_left = partitions, .each = each, .ctx = ctx };
    config_init(&config, &client_option_table);
    assert_int_equal(client_options_read(&client, &config), 0);
    assert_int_equal(consumer_options_read(&options, &config), 0);
    client.bootstrap_servers = "server:9092";
    client.client_id = "reader";
    reader.client = client_new(s->feeder_loop, &client, NULL, &error);
    reader.consumer = consumer_new(reader.client, &options, &READER_EVENTS, &reader);
    for (int i = 0; i < partitions; i++)
        assert_non_null(consumer_assign(reader.consumer, client_topic(reader.client, name), i, CONSUMER_EARLIEST));
    assert_int_equal(sim_world_run(s->world, reader_done, &reader, LIFETIME_US), 0);
    consumer_free(reader.consumer);
    free_client(s, reader.client);
    config_release(&config);
}

static void count_inputs(void *ctx, const mill_record *record, int64_t offset)
{
    ++*(int64_t *)ctx;
}

struct results {
    int64_t values[PAGES][WINDOWS];
};

/* Key: page, then the window's start as 8 bytes; value: a long. The last one counts. */
static void take_result(void *ctx, const mill_record *record, int64_t offset)
{
    struct results *results = ctx;
    assert_true(record->key.len > 8 + 5);
    assert_int_equal(record->value.len, 8);
    size_t page = (size_t)strtoul((const char *)record->key.data + 5, NULL, 10);
    size_t window = (size_t)(read_u64_be(record->key.data + record->key.len - 8) / WINDOW_MS);
    assert_true(page < PAGES && window < WINDOWS);
    results->values[page][window] = (int64_t)read_u64_be(record->value.data);
}

/* ---- a run ----------------------------------------------------------------------------------------------------------------- */

/* The group's committed offsets, asked for again and again until they are the end of the input. */
static void described(void *ctx, int code, const char *text, const struct admin_group *group, struct io_time now)
{
    struct scenario *s = ctx;
    s->asking = NULL;
    s->committed = 0;
    for (size_t i = 0; code == 0 && i < group->offset_count; i++)
        s->committed += group->offsets[i].committed;
}

static bool has_failed(void *ctx)
{
    struct scenario *s = ctx;
    for (int i = 0; i < MACHINES; i++)
        if (s->machines[i].process != NULL && s->machines[i].process->failed)
            return true;
    return false;
}

static bool fed_and_done(void *ctx)
{
    struct scenario *s = ctx;
    if (has_failed(s))
        return true;
    if (s->all_acknowledged && s->asking == NULL && s->committed < RECORDS)
        s->asking = admin_describe_group(s->feeder, "views", described, s);
    return s->committed == RECORDS;
}

static void begin(struct scenario *s, uint64_t seed)
{
    *s = (struct scenario){ .seed = seed, .machines = { { "server", "/server" }, { "second", "/second" } } };
    print_message("seed %llu\n", (unsigned long long)seed);
    s->world = sim_world_new(seed);
    for (int i = 0; i < MACHINES; i++) {
        s->machines[i].disk = sim_world_new_disk(s->world);
        sim_lmdb_mount(s->machines[i].root, s->machines[i].disk);
        assert_int_equal(disk_make_directories(sim_disk_disk(s->machines[i].disk), s->machines[i].root), 0);
    }
    s->topology = make_topology();
    assert_int_equal(topology_build(s->topology), 0);
    config_init(&s->config, &streams_config_table);
    assert_int_equal(config_set(&s->config, "application.id", "views"), 0);
    assert_int_equal(config_set(&s->config, "commit.interval.ms", "50"), 0);
    assert_int_equal(config_set(&s->config, "session.timeout.ms", "6000"), 0);
    start_process(s, SERVER);
    start_feeder(s);
}

static bool process_closed(void *ctx)
{
    return ((struct process *)ctx)->closed;
}

static void close_process(struct scenario *s, int at)
{
    struct process *process = s->machines[at].process;
    stream_thread_close(process->thread, sim_world_now(s->world));
    assert_int_equal(sim_world_run(s->world, process_closed, process, LIFETIME_US), 0);
    stream_thread_free(process->thread);
    process->thread = NULL;
    bury(process);
    s->machines[at].process = NULL;
}

struct found {
    int64_t inputs;
    struct results views;
    struct results visitors;
};

static void read_back(struct scenario *s, struct found *found)
{
    memset(found, 0, sizeof *found);
    read_topic(s, "visits", PARTITIONS, count_inputs, &found->inputs);
    read_topic(s, "page-views", PARTITIONS, take_result, &found->views);
    read_topic(s, "unique-visitors", PARTITIONS, take_result, &found->visitors);
}

/* What is wrong, or NULL. */
static const char *judge(const struct scenario *s, const struct found *found)
{
    if (found->inputs != RECORDS)
        return "an input record was lost or doubled";
    for (size_t p = 0; p < PAGES; p++) {
        for (size_t w = 0; w < WINDOWS; w++) {
            if (found->visitors.values[p][w] != s->expected.visitors[p][w])
                return "a number of visitors is wrong";
            if (found->views.values[p][w] < s->expected.views[p][w])
                return "views were lost";
            if (s->faults == 0 && found->views.values[p][w] > s->expected.views[p][w])
                return "views were counted twice";
        }
    }
    return NULL;
}

static void check(struct scenario *s)
{
    static struct found found;
    read_back(s, &found);
    const char *wrong = judge(s, &found);
    if (wrong != NULL)
        print_message("seed %llu: %s\n", (unsigned long long)s->seed, wrong);
    assert_null(wrong);
}

static void end(struct scenario *s)
{
    producer_free(s->producer);
    free_client(s, s->feeder);
    for (int i = 0; i < MACHINES; i++) {
        sim_lmdb_mount(s->machines[i].root, NULL);
        sim_lmdb_abandon(s->machines[i].disk);
        bury(s->machines[i].process);
        bury(s->machines[i].disk);
    }
    config_release(&s->config);
    bury(s->topology);
    sim_world_free(s->world);
}

/* Runs on for up to `max_us`, and no process may fail. */
static void run_for(struct scenario *s, uint64_t max_us)
{
    sim_world_run(s->world, has_failed, s, 1000 + (int64_t)prng_below(sim_world_prng(s->world), max_us));
    assert_false(has_failed(s));
}

static void run_to_the_end(struct scenario *s)
{
    assert_int_equal(sim_world_run(s->world, fed_and_done, s, LIFETIME_US), 0);
    assert_false(has_failed(s));
    check(s);
    end(s);
}

static int rounds(void)
{
    return test_rounds(5);
}

static void results_are_exact_without_faults(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + (uint64_t)i);
        run_to_the_end(&s);
    }
}

static void planted_faults_are_noticed(void **state)
{
    static struct found true_find;
    static struct found altered;
    struct scenario s;
    begin(&s, test_seed(1));
    assert_int_equal(sim_world_run(s.world, fed_and_done, &s, LIFETIME_US), 0);
    read_back(&s, &true_find);
    assert_null(judge(&s, &true_find));
    int64_t *const places[] = { &altered.inputs, &altered.views.values[3][4], &altered.visitors.values[PAGES - 1][WINDOWS - 1] };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        altered = true_find;
        ++*places[i];
        assert_non_null(judge(&s, &altered));
        *places[i] -= 2;
        assert_non_null(judge(&s, &altered));
    }
    end(&s);
}

static void the_same_seed_gives_the_same_run(void **state)
{
    uint64_t traces[2];
    for (int i = 0; i < 2; i++) {
        struct scenario s;
        begin(&s, test_seed(1));
        run_for(&s, 300000);
        crash(&s, SERVER, true);
        start_process(&s, SERVER);
        assert_int_equal(sim_world_run(s.world, fed_and_done, &s, LIFETIME_US), 0);
        traces[i] = sim_world_trace(s.world);
        end(&s);
    }
    assert_int_equal(traces[0], traces[1]);
}

static void crash_the_server(uint64_t seed, bool power_cut)
{
    struct scenario s;
    begin(&s, seed);
    for (int i = 0; i < 4; i++) {
        run_for(&s, 300000);
        crash(&s, SERVER, power_cut);
        start_process(&s, SERVER);
    }
    run_to_the_end(&s);
}

static void killed_processes_lose_nothing(void **state)
{
    for (int i = 0; i < rounds(); i++)
        crash_the_server(test_seed(1) + 10000 + (uint64_t)i, false);
}

static void power_cuts_lose_nothing_acknowledged(void **state)
{
    for (int i = 0; i < rounds(); i++)
        crash_the_server(test_seed(1) + 20000 + (uint64_t)i, true);
}

/* Joining and leaving in good order commit before tasks move: nothing is read twice. */
static void a_second_process_joins_and_leaves_without_a_trace(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 30000 + (uint64_t)i);
        for (int j = 0; j < 3; j++) {
            run_for(&s, 200000);
            start_process(&s, SECOND);
            run_for(&s, 200000);
            close_process(&s, SECOND);
        }
        run_to_the_end(&s);
    }
}

static void a_second_process_may_die_at_any_moment(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 40000 + (uint64_t)i);
        for (int j = 0; j < 3; j++) {
            run_for(&s, 200000);
            start_process(&s, SECOND);
            run_for(&s, 300000);
            crash(&s, SECOND, j % 2 == 0);
        }
        run_to_the_end(&s);
    }
}

static void a_second_process_goes_on_when_the_broker_comes_back(void **state)
{
    for (int i = 0; i < rounds(); i++) {
        struct scenario s;
        begin(&s, test_seed(1) + 50000 + (uint64_t)i);
        run_for(&s, 100000);
        start_process(&s, SECOND);
        for (int j = 0; j < 3; j++) {
            run_for(&s, 400000);
            crash(&s, SERVER, j % 2 == 0);
            start_process(&s, SERVER);
        }
        run_to_the_end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_faults_are_noticed),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(results_are_exact_without_faults),
        cmocka_unit_test(killed_processes_lose_nothing),
        cmocka_unit_test(power_cuts_lose_nothing_acknowledged),
        cmocka_unit_test(a_second_process_joins_and_leaves_without_a_trace),
        cmocka_unit_test(a_second_process_may_die_at_any_moment),
        cmocka_unit_test(a_second_process_goes_on_when_the_broker_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
