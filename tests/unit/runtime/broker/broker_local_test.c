#include "broker_rig.h"

#include "broker/broker_local.h"
#include "wire/api/metadata.h"

enum { CREDITS = 3, REQUESTS = 50 };

struct fixture {
    struct rig rig;
    struct loop *client_loop;
    struct broker_local *local;
    struct request *answered[REQUESTS];
    int answered_count;
    bool closed;
};

static void on_response(void *ctx, struct request *request, struct io_time now)
{
    struct fixture *f = ctx;
    f->answered[f->answered_count++] = request;
}

static void on_closed(void *ctx)
{
    struct fixture *f = ctx;
    f->closed = true;
}

static bool is_closed(void *ctx)
{
    return ((struct fixture *)ctx)->closed;
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .local = NULL };
    rig_open(&f.rig, NULL);
    f.client_loop = sim_world_add_loop(f.rig.world, "broker");
    assert_int_equal(broker_local_open(f.rig.broker, f.client_loop, CREDITS, on_response, &f, &f.local), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (!f->closed) {
        broker_local_close(f->local, on_closed, f);
        assert_int_equal(sim_world_run(f->rig.world, is_closed, f, SECOND_US), 0);
    }
    for (int i = 0; i < f->answered_count; i++)
        request_free(f->answered[i]);
    rig_close(&f->rig);
    return 0;
}

static void wait_for_answers(struct fixture *f, int count)
{
    for (int i = 0; i < 1000000 && f->answered_count < count; i++)
        sim_world_step(f->rig.world);
    assert_int_equal(f->answered_count, count);
}

static bool send_metadata(struct fixture *f)
{
    struct ask ask;
    struct metadata_request *request = ask_new(&ask, API_METADATA, 12);
    request->topics.count = -1;
    if (broker_local_send(f->local, ask.request))
        return true;
    ask_end(&ask);
    return false;
}

static void an_answer_comes_to_the_callers_loop_as_a_struct(void **state)
{
    struct fixture *f = *state;
    assert_true(send_metadata(f));
    assert_int_equal(f->answered_count, 0); /* never from within send */
    wait_for_answers(f, 1);
    struct metadata_response *response = f->answered[0]->response.body;
    assert_int_equal(response->brokers.count, 1);
}

static void a_request_spends_a_credit_and_its_answer_gives_it_back(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < CREDITS; i++)
        assert_true(send_metadata(f));
    assert_int_equal(broker_local_credits(f->local), 0);
    assert_false(send_metadata(f));
    wait_for_answers(f, CREDITS);
    assert_int_equal(broker_local_credits(f->local), CREDITS);
    assert_true(send_metadata(f));
    wait_for_answers(f, CREDITS + 1);
}

static void record_bytes_go_both_ways_without_a_copy(void **state)
{
    struct fixture *f = *state;
    struct ask produce, fetch;
    rig_create_topic(&f->rig, "events", 1, NULL, NULL);
    struct shared_buffer *batch = make_batch(&f->rig, &(struct batch_spec){ .value = "the very bytes", .count = 10 });
    const uint8_t *bytes = batch->data;
    shared_buffer_hold(batch);
    ask_produce_buffer(&produce, "events", 0, batch, -1);
    assert_true(broker_local_send(f->local, produce.request));
    wait_for_answers(f, 1);
    assert_int_equal(produced(&produce)->error_code, KAFKA_NONE);
    ask_fetch(&fetch, "events", 0, 0, 1, 1000);
    assert_true(broker_local_send(f->local, fetch.request));
    wait_for_answers(f, 2);
    assert_int_equal(fetched_records(&fetch), 10);
    struct wire_records *records = &fetched(&fetch)->records;
    assert_int_equal(records->count, 1);
    assert_ptr_equal(records->slices[0].bytes.data, bytes);
    shared_buffer_drop(batch);
}

static void closing_answers_what_is_parked(void **state)
{
    struct fixture *f = *state;
    struct ask fetch;
    rig_create_topic(&f->rig, "events", 1, NULL, NULL);
    ask_fetch(&fetch, "events", 0, 0, 1, INT32_MAX);
    assert_true(broker_local_send(f->local, fetch.request));
    rig_pass(&f->rig, SECOND_US);
    assert_int_equal(f->answered_count, 0);
    broker_local_close(f->local, on_closed, f);
    assert_int_equal(sim_world_run(f->rig.world, is_closed, f, SECOND_US), 0);
    assert_int_equal(f->answered_count, 1);
}

static void a_closed_broker_answers_that_it_is_closed(void **state)
{
    struct fixture *f = *state;
    f->rig.closed = false;
    broker_close(f->rig.broker, rig_closed, &f->rig, sim_world_now(f->rig.world));
    assert_int_equal(sim_world_run(f->rig.world, rig_is_closed, &f->rig, SECOND_US), 0);
    assert_true(send_metadata(f));
    wait_for_answers(f, 1);
    assert_int_equal(f->answered[0]->response.error, MILL_ECLOSED);
    broker_local_close(f->local, on_closed, f);
    assert_int_equal(sim_world_run(f->rig.world, is_closed, f, SECOND_US), 0);
    broker_free(f->rig.broker);
    f->rig.broker = NULL;
}

static void endpoints_share_a_bounded_number_of_credits(void **state)
{
    struct fixture *f = *state;
    struct broker_local *other;
    assert_int_equal(broker_local_open(f->rig.broker, f->client_loop, BROKER_LOCAL_CREDITS_MAX, on_response, f, &other),
                     MILL_ENOMEM);
    for (uint64_t nth = 1; nth <= 3; nth++) {
        mem_fail_at(nth, 0);
        int code = broker_local_open(f->rig.broker, f->client_loop, 1, on_response, f, &other);
        mem_fail_at(0, 0);
        assert_int_equal(code, MILL_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_comes_to_the_callers_loop_as_a_struct, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_spends_a_credit_and_its_answer_gives_it_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(record_bytes_go_both_ways_without_a_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_answers_what_is_parked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closed_broker_answers_that_it_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(endpoints_share_a_bounded_number_of_credits, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
