/*
 * What every implementation of io.h's network must do: one suite, run by the tests of each.
 */
#ifndef SUPPORT_NET_SUITE_H
#define SUPPORT_NET_SUITE_H

#include "io/io.h"
#include "support/cmocka_all.h"

/* One end of a connection as its owner sees it; keeps what arrives. */
struct net_end {
    struct net_stream *stream;
    uint8_t *bytes;
    size_t len, capacity, wanted;
    int connected_code, written, written_code, writes_wanted;
    ssize_t last_read;
    bool connected, ended, closed;
    bool enough;      /* `wanted` bytes have arrived */
    bool all_written; /* `writes_wanted` writes are finished */
    bool refuses_memory, closes_in_reserve;
};

/* What an implementation brings: two loops, perhaps the same, the server's with the listener, and a way to run both. */
struct net_rig {
    struct loop *server_loop, *client_loop;
    const char *server_host; /* as the client connects to it */
    void (*run)(const bool *until);
    struct net_listener *listener;
    struct net_end server, client;
    bool accepted, listener_closed;
};

extern const struct net_stream_events net_end_events;
extern const struct net_listener_events net_rig_listener_events; /* ctx: the rig */

/* Listens on a free port of the server loop. */
void net_rig_open(struct net_rig *rig);
/* Closes what is open and runs until it is closed. */
void net_rig_close(struct net_rig *rig);

void net_rig_connect(struct net_rig *rig, const char *host, int port);
void net_rig_connect_both(struct net_rig *rig);

/* The `number`th write of this end, counted from 0. */
void net_end_write(struct net_end *end, const void *data, size_t len, int number);

/* `set_up` leaves a struct net_rig * in *state. */
#define NET_SUITE(set_up, tear_down)                                                                                    \
    cmocka_unit_test_setup_teardown(net_suite_bytes_go_both_ways_and_the_end_is_told, set_up, tear_down),               \
        cmocka_unit_test_setup_teardown(net_suite_a_large_write_arrives_whole_while_reading_pauses, set_up, tear_down), \
        cmocka_unit_test_setup_teardown(net_suite_many_writes_finish_in_order, set_up, tear_down),                      \
        cmocka_unit_test_setup_teardown(net_suite_closing_finishes_queued_writes_with_an_error, set_up, tear_down),     \
        cmocka_unit_test_setup_teardown(net_suite_writing_to_one_who_left_fails, set_up, tear_down),                    \
        cmocka_unit_test_setup_teardown(net_suite_a_refused_connection_is_an_error_of_connected, set_up, tear_down),    \
        cmocka_unit_test_setup_teardown(net_suite_a_connect_can_be_given_up_at_once, set_up, tear_down),                \
        cmocka_unit_test_setup_teardown(net_suite_an_occupied_port_is_told, set_up, tear_down),                         \
        cmocka_unit_test_setup_teardown(net_suite_an_owner_without_memory_fails_the_stream, set_up, tear_down),         \
        cmocka_unit_test_setup_teardown(net_suite_an_owner_may_close_when_asked_for_a_place, set_up, tear_down)

void net_suite_bytes_go_both_ways_and_the_end_is_told(void **state);
void net_suite_a_large_write_arrives_whole_while_reading_pauses(void **state);
void net_suite_many_writes_finish_in_order(void **state);
void net_suite_closing_finishes_queued_writes_with_an_error(void **state);
void net_suite_writing_to_one_who_left_fails(void **state);
void net_suite_a_refused_connection_is_an_error_of_connected(void **state);
void net_suite_a_connect_can_be_given_up_at_once(void **state);
void net_suite_an_occupied_port_is_told(void **state);
void net_suite_an_owner_without_memory_fails_the_stream(void **state);
void net_suite_an_owner_may_close_when_asked_for_a_place(void **state);

#endif
