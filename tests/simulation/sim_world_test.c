#include "simulation/sim_world.h"

#include <stdlib.h>
#include <string.h>

#include "simulation/sim_disk.h"
#include "support/net_suite.h"

enum { SECOND = 1000000, BYTES = 300000 };

/* ---- a client that sends bytes to an echoing server and checks what returns ------------------------------------------------ */

struct end {
    struct net_stream *stream;
    struct loop *loop;
    uint8_t place[4096];
    uint8_t *bytes; /* received */
    size_t len;
    int connected_code, written, last_written_code;
    ssize_t last_read;
    bool connected, accepted, ended, closed, echoes;
};

static struct sim_world *world;
static struct loop *server_loop, *client_loop;
static struct net_listener *listener;
static struct end server, client;
static bool listener_closed;

static uint8_t *end_reserve(void *ctx, size_t *len)
{
    struct end *end = ctx;
    *len = sizeof end->place;
    return end->place;
}

static void end_read(void *ctx, ssize_t len, struct io_time now)
{
    struct end *end = ctx;
    assert_false(end->ended);
    end->last_read = len;
    if (len <= 0) {
        end->ended = true;
        return;
    }
    memcpy(end->bytes + end->len, end->place, (size_t)len);
    if (end->echoes)
        assert_int_equal(net_write(end->stream, &(struct io_vector){ end->bytes + end->len, (size_t)len }, 1, NULL), 0);
    end->len += (size_t)len;
}

static void end_written(void *ctx, void *write_ctx, int code, struct io_time now)
{
    struct end *end = ctx;
    end->written++;
    end->last_written_code = code;
}

static void end_closed(void *ctx)
{
    ((struct end *)ctx)->closed = true;
}

static const struct net_stream_events end_events = { end_reserve, end_read, end_written, end_closed };

static void accept_server(void *ctx, struct net_stream *stream, struct io_time now)
{
    server.stream = stream;
    server.accepted = true;
    net_start(stream, &end_events, &server);
}

static void note_listener_closed(void *ctx)
{
    listener_closed = true;
}

static const struct net_listener_events listener_events = { accept_server, note_listener_closed };

static void note_connected(void *ctx, int code, struct io_time now)
{
    client.connected = true;
    client.connected_code = code;
}

static void start_world(uint64_t seed)
{
    free(server.bytes);
    free(client.bytes);
    server = (struct end){ .echoes = true, .bytes = malloc(BYTES * 2) };
    client = (struct end){ .bytes = malloc(BYTES * 2) };
    listener_closed = false;
    world = sim_world_new(seed);
    server.loop = server_loop = sim_world_add_loop(world, "broker");
    client.loop = client_loop = sim_world_add_loop(world, "app");
    assert_int_equal(net_listen(server_loop, "", 9092, &listener_events, NULL, &listener), 0);
}

static int set_up(void **state)
{
    start_world(7);
    return 0;
}

static int tear_down(void **state)
{
    sim_world_free(world);
    free(server.bytes);
    free(client.bytes);
    server.bytes = client.bytes = NULL;
    return 0;
}

static void connect_client(void)
{
    assert_int_equal(net_connect(client_loop, "broker", 9092, note_connected, &end_events, &client, &client.stream), 0);
}

static bool is_true(void *flag)
{
    return *(bool *)flag;
}

static bool all_echoed(void *ctx)
{
    return client.len == BYTES;
}

static uint64_t echo_run(uint64_t seed)
{
    static uint8_t bytes[BYTES];
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i * 13 + (i >> 8));
    connect_client();
    assert_int_equal(sim_world_run(world, is_true, &client.connected, SECOND), 0);
    for (size_t at = 0; at < BYTES; at += BYTES / 10)
        assert_int_equal(net_write(client.stream, &(struct io_vector){ bytes + at, BYTES / 10 }, 1, NULL), 0);
    assert_int_equal(sim_world_run(world, all_echoed, NULL, 600 * (int64_t)SECOND), 0);
    assert_memory_equal(client.bytes, bytes, BYTES);
    assert_int_equal(client.written, 10);
    assert_int_equal(net_write_queued(client.stream), 0);
    return sim_world_trace(world);
}

static void bytes_return_whole_and_in_order_whatever_the_seed(void **state)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        sim_world_free(world);
        start_world(seed);
        echo_run(seed);
    }
}

static void a_seed_run_twice_gives_one_trace_and_another_seed_another(void **state)
{
    uint64_t traces[3];
    for (int i = 0; i < 3; i++) {
        sim_world_free(world);
        start_world(i < 2 ? 5 : 6);
        traces[i] = echo_run(0);
    }
    assert_true(traces[0] == traces[1]);
    assert_true(traces[1] != traces[2]);
}

static void a_paused_reader_holds_the_writer_up(void **state)
{
    static uint8_t bytes[BYTES];
    server.echoes = false;
    connect_client();
    sim_world_run(world, is_true, &server.accepted, SECOND);
    net_read_pause(server.stream, true);
    net_write(client.stream, &(struct io_vector){ bytes, BYTES }, 1, NULL);
    sim_world_run(world, NULL, NULL, SECOND);
    assert_int_equal(server.len, 0);
    assert_int_equal(client.written, 0);
    assert_in_range(net_write_queued(client.stream), BYTES / 2, BYTES - 1);
    net_read_pause(server.stream, false);
    sim_world_run(world, NULL, NULL, 60 * (int64_t)SECOND);
    assert_int_equal(server.len, BYTES);
    assert_int_equal(client.written, 1);
    net_close(client.stream);
    sim_world_run(world, is_true, &client.closed, SECOND);
}

static void nobody_listening_refuses(void **state)
{
    net_listener_close(listener);
    connect_client();
    assert_int_equal(sim_world_run(world, is_true, &client.connected, SECOND), 0);
    assert_int_equal(client.connected_code, MILL_EREFUSED);
    assert_true(listener_closed);
    net_close(client.stream);
    assert_int_equal(sim_world_run(world, is_true, &client.closed, SECOND), 0);
}

static void a_port_has_one_listener_per_host(void **state)
{
    struct net_listener *other;
    assert_int_equal(net_listen(server_loop, "", 9092, &listener_events, NULL, &other), MILL_EADDRINUSE);
    assert_int_equal(net_listen(client_loop, "", 9092, &listener_events, NULL, &other), 0);
    assert_int_equal(net_listen(server_loop, "", 0, &listener_events, NULL, &other), 0);
    assert_true(net_listener_port(other) > 0);
}

static void a_cut_delays_bytes_until_it_heals_and_connects_time_out(void **state)
{
    connect_client();
    sim_world_run(world, is_true, &server.accepted, SECOND);
    sim_world_cut(world, "app", "broker", true);
    net_write(client.stream, &(struct io_vector){ "ping", 4 }, 1, NULL);
    assert_int_equal(sim_world_run(world, NULL, NULL, 10 * SECOND), MILL_ETIMEOUT);
    assert_int_equal(server.len, 0);
    struct net_stream *stream;
    client.connected = false;
    net_connect(client_loop, "broker", 9092, note_connected, &end_events, &client, &stream);
    sim_world_run(world, is_true, &client.connected, 10 * SECOND);
    assert_int_equal(client.connected_code, MILL_ETIMEOUT);
    sim_world_cut(world, "app", "broker", false);
    sim_world_run(world, NULL, NULL, SECOND);
    assert_int_equal(client.len, 4);
}

static void a_broken_stream_fails_on_both_sides(void **state)
{
    connect_client();
    sim_world_run(world, is_true, &server.accepted, SECOND);
    sim_world_break_streams(world, "broker");
    sim_world_run(world, is_true, &server.ended, SECOND);
    sim_world_run(world, is_true, &client.ended, SECOND);
    assert_int_equal(server.last_read, MILL_ECONNECTION);
    assert_int_equal(client.last_read, MILL_ECONNECTION);
}

static void streams_that_break_by_chance_tell_both_sides(void **state)
{
    static uint8_t bytes[BYTES];
    int broken = 0;
    for (uint64_t seed = 0; seed < 30; seed++) {
        sim_world_free(world);
        start_world(seed);
        server.echoes = false;
        connect_client();
        sim_world_run(world, is_true, &server.accepted, SECOND);
        sim_world_set_break_chance(world, 0.05);
        net_write(client.stream, &(struct io_vector){ bytes, BYTES }, 1, NULL);
        sim_world_run(world, NULL, NULL, 600 * (int64_t)SECOND);
        assert_true(server.len == BYTES || (client.ended && server.ended && client.last_read == MILL_ECONNECTION));
        broken += client.ended;
    }
    assert_in_range(broken, 1, 29);
}

static void nothing_fires(struct loop_timer *timer, struct io_time now)
{
    fail();
}

static void a_killed_host_is_silent_and_its_port_is_free(void **state)
{
    connect_client();
    sim_world_run(world, is_true, &server.accepted, SECOND);
    struct loop_timer timer = { .fire = nothing_fires };
    loop_timer_set(server_loop, &timer, loop_now(server_loop).monotonic_us + 10);
    sim_world_kill(world, "broker");
    assert_int_equal(sim_world_run(world, is_true, &client.ended, SECOND), 0);
    loop_timer_cancel(server_loop, &timer);
    net_close(server.stream); /* an owner that is released does no harm */
    struct loop *again = sim_world_add_loop(world, "broker");
    assert_int_equal(net_listen(again, "", 9092, &listener_events, NULL, &listener), 0);
    client.connected = server.accepted = false;
    struct net_stream *stream;
    net_connect(client_loop, "broker", 9092, note_connected, &end_events, &client, &stream);
    assert_int_equal(sim_world_run(world, is_true, &server.accepted, SECOND), 0);
    assert_int_equal(client.connected_code, 0);
    assert_false(server.closed);
}

static void closing_a_listener_resets_those_not_yet_accepted(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        sim_world_free(world);
        start_world(seed);
        connect_client();
        sim_world_run(world, is_true, &client.connected, SECOND);
        net_listener_close(listener);
        sim_world_run(world, NULL, NULL, SECOND);
        assert_true(listener_closed);
        assert_true(client.ended || server.accepted);
    }
}

/* ---- timers, wakeups, work, clock ------------------------------------------------------------------------------------------ */

static int64_t fired_at_us;

static void note_time(struct loop_timer *timer, struct io_time now)
{
    fired_at_us = now.monotonic_us;
}

static void a_timer_fires_at_its_virtual_time(void **state)
{
    struct loop_timer timer = { .fire = note_time };
    int64_t at_us = loop_now(client_loop).monotonic_us + 3600 * (int64_t)SECOND;
    loop_timer_set(client_loop, &timer, at_us);
    assert_true(sim_world_step(world));
    assert_int_equal(fired_at_us, at_us);
    assert_false(sim_world_step(world));
}

static int woken;

static void note_woken(struct loop_wakeup *wakeup, struct io_time now)
{
    woken++;
}

static void signals_are_gathered_and_end_with_close(void **state)
{
    struct loop_wakeup wakeup = { .woken = note_woken };
    loop_wakeup_open(client_loop, &wakeup);
    woken = 0;
    loop_wakeup_signal(&wakeup);
    loop_wakeup_signal(&wakeup);
    sim_world_run(world, NULL, NULL, SECOND);
    assert_int_equal(woken, 1);
    loop_wakeup_signal(&wakeup);
    loop_wakeup_close(&wakeup);
    loop_wakeup_signal(&wakeup);
    sim_world_run(world, NULL, NULL, SECOND);
    assert_int_equal(woken, 1);
}

struct noted_work {
    struct work_item item;
    bool ran, done;
};

static void note_run(struct work_item *item)
{
    ((struct noted_work *)item->ctx)->ran = true;
}

static void note_done(struct work_item *item, struct io_time now)
{
    struct noted_work *work = item->ctx;
    assert_true(work->ran);
    work->done = true;
}

static void work_runs_later_and_is_done_later_still(void **state)
{
    struct noted_work work = { .item = { .run = note_run, .done = note_done, .ctx = &work } };
    loop_work_submit(client_loop, WORK_SYNC, &work.item);
    assert_false(work.ran);
    assert_int_equal(sim_world_run(world, is_true, &work.ran, SECOND), 0);
    assert_false(work.done);
    assert_int_equal(sim_world_run(world, is_true, &work.done, SECOND), 0);
}

static void a_clock_jumps_for_its_host_alone(void **state)
{
    int64_t before_ms = loop_now(client_loop).wall_ms;
    sim_world_jump_clock(world, "app", -5000);
    assert_int_equal(loop_now(client_loop).wall_ms, before_ms - 5000);
    assert_int_equal(loop_now(server_loop).wall_ms, before_ms);
    assert_int_equal(loop_now(client_loop).monotonic_us, loop_now(server_loop).monotonic_us);
}

static void a_disk_of_the_world_has_its_time_and_enters_its_trace(void **state)
{
    struct sim_disk *sim = sim_world_new_disk(world);
    uint64_t before = sim_world_trace(world);
    disk_replace_file(sim_disk_disk(sim), "f", "x", 1);
    assert_true(sim_world_trace(world) != before);
    struct disk_entry entry;
    disk_stat(sim_disk_disk(sim), "f", &entry);
    assert_int_equal(entry.modified_ms, sim_world_now(world).wall_ms);
    sim_disk_free(sim);
}

/* ---- the suite of all networks, over several seeds ------------------------------------------------------------------------- */

static struct net_rig rig;
static uint64_t suite_seed;

static void run_rig(const bool *until)
{
    sim_world_run(world, is_true, (void *)until, 3600 * (int64_t)SECOND);
}

static int set_up_rig(void **state)
{
    print_message("seed %llu\n", (unsigned long long)suite_seed);
    world = sim_world_new(suite_seed++);
    rig = (struct net_rig){ .server_loop = sim_world_add_loop(world, "broker"),
                            .client_loop = sim_world_add_loop(world, suite_seed % 2 ? "app" : "broker"),
                            .server_host = "broker",
                            .run = run_rig };
    net_rig_open(&rig);
    *state = &rig;
    return 0;
}

static int tear_down_rig(void **state)
{
    net_rig_close(&rig);
    sim_world_free(world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET_SUITE(set_up_rig, tear_down_rig),
        NET_SUITE(set_up_rig, tear_down_rig),
        NET_SUITE(set_up_rig, tear_down_rig),
        cmocka_unit_test_setup_teardown(bytes_return_whole_and_in_order_whatever_the_seed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_seed_run_twice_gives_one_trace_and_another_seed_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_paused_reader_holds_the_writer_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_listening_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_has_one_listener_per_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_delays_bytes_until_it_heals_and_connects_time_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_stream_fails_on_both_sides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(streams_that_break_by_chance_tell_both_sides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_host_is_silent_and_its_port_is_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_a_listener_resets_those_not_yet_accepted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_fires_at_its_virtual_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signals_are_gathered_and_end_with_close, set_up, tear_down),
        cmocka_unit_test_setup_teardown(work_runs_later_and_is_done_later_still, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_jumps_for_its_host_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_of_the_world_has_its_time_and_enters_its_trace, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
