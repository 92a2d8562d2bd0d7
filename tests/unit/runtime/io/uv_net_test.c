#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/net_suite.h"

static struct loop *loop;
static struct net_rig rig;

static void run(const bool *until)
{
    loop_run(loop, until);
}

static int set_up(void **state)
{
    loop = uv_loop_new_with(NULL);
    rig = (struct net_rig){ .server_loop = loop, .client_loop = loop, .server_host = "127.0.0.1", .run = run };
    net_rig_open(&rig);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    net_rig_close(&rig);
    uv_loop_free(loop);
    return 0;
}

static void a_name_is_looked_up_and_its_addresses_are_tried(void **state)
{
    net_rig_connect(&rig, "localhost", net_listener_port(rig.listener)); /* often ::1 comes first, where nobody listens */
    run(&rig.client.connected);
    assert_int_equal(rig.client.connected_code, 0);
    run(&rig.accepted);
    char text[IO_ADDRESS_BYTES], expected[IO_ADDRESS_BYTES];
    net_peer_address(rig.client.stream, text);
    snprintf(expected, sizeof expected, "127.0.0.1:%d", net_listener_port(rig.listener));
    assert_string_equal(text, expected);
}

static void a_look_up_can_be_given_up(void **state)
{
    net_rig_connect(&rig, "localhost", net_listener_port(rig.listener));
    net_close(rig.client.stream);
    run(&rig.client.closed);
    assert_false(rig.client.connected);
}

static void an_unknown_host_is_not_found(void **state)
{
    struct net_listener *other;
    assert_int_equal(net_listen(loop, "no.such.host.invalid", 0, &net_rig_listener_events, &rig, &other), MILL_ENOTFOUND);
    net_rig_connect(&rig, "no.such.host.invalid", 1);
    run(&rig.client.connected);
    assert_true(rig.client.connected_code < 0);
}

static void an_empty_host_listens_on_every_address(void **state)
{
    struct net_listener *any;
    assert_int_equal(net_listen(loop, "", 0, &net_rig_listener_events, &rig, &any), 0);
    net_rig_connect(&rig, "127.0.0.1", net_listener_port(any));
    run(&rig.accepted);
    char text[IO_ADDRESS_BYTES];
    net_peer_address(rig.server.stream, text);
    assert_memory_equal(text, "127.0.0.1:", strlen("127.0.0.1:"));
    net_listener_close(any);
    run(&rig.listener_closed);
    rig.listener_closed = false;
}

static void pass(struct loop_timer *timer, struct io_time now)
{
    *(bool *)timer->ctx = true;
}

static void running_out_of_descriptors_delays_accepting_and_loses_nobody(void **state)
{
    net_rig_connect(&rig, "127.0.0.1", net_listener_port(rig.listener));
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)dup(0); /* the lowest free number is the new limit */
    close((int)none.rlim_cur);
    setrlimit(RLIMIT_NOFILE, &none);
    bool passed = false;
    struct loop_timer timer = { .fire = pass, .ctx = &passed };
    loop_timer_set(loop, &timer, loop_now(loop).monotonic_us + 150000); /* several rests of the listener */
    run(&passed);
    assert_false(rig.accepted);
    setrlimit(RLIMIT_NOFILE, &before);
    run(&rig.accepted);
    assert_true(rig.client.connected);
}

static void running_out_of_memory_anywhere_is_an_error(void **state)
{
    struct net_listener *other;
    struct net_stream *none;
    mem_fail_at(1, 0);
    assert_int_equal(net_listen(loop, "127.0.0.1", 0, &net_rig_listener_events, &rig, &other), MILL_ENOMEM);
    mem_fail_at(1, 0);
    assert_int_equal(net_connect(loop, "127.0.0.1", 1, NULL, &net_end_events, &rig.client, &none), MILL_ENOMEM);
    net_rig_connect_both(&rig);
    mem_fail_at(1, 0);
    assert_int_equal(net_write(rig.client.stream, &(struct io_vector){ "x", 1 }, 1, NULL), MILL_ENOMEM);
    mem_fail_at(0, 0);
    rig.server.wanted = 1;
    net_end_write(&rig.client, "x", 1, 0);
    run(&rig.server.enough);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET_SUITE(set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_looked_up_and_its_addresses_are_tried, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_look_up_can_be_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_host_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_host_listens_on_every_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_descriptors_delays_accepting_and_loses_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_memory_anywhere_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
