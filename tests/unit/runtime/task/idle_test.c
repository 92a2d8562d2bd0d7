/* For how long a task is known to have nothing to read: what is silence, and what only looks like it. */
#include "unit/runtime/task/lone_task.h"

#include "millstream/processor.h"

enum { INPUTS = 2, SECOND_US = 1000 * 1000 };

struct fixture {
    struct lone_task lone;
    struct io_time now;
};

static int64_t idle_ms; /* as the punctuator saw it last */

static int look(mill_context *context, void *self, int64_t timestamp_ms)
{
    idle_ms = mill_context_idle_ms(context);
    return 0;
}

static int init(mill_context *context, void *self, const void *argument)
{
    return mill_context_schedule(context, 1000, MILL_PUNCTUATE_WALL_CLOCK, look) != NULL ? 0 : MILL_ENOMEM;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    return 0;
}

static int set_up(void **state)
{
    static const mill_processor_type LOOKS = { .name = "looks", .init = init, .process = process };
    static struct fixture fixture;
    fixture = (struct fixture){ .now = { .monotonic_us = SECOND_US, .wall_ms = 1000 } };
    struct lone_task *lone = &fixture.lone;
    lone_task_begin(lone, (const char *[]){ "a", "b" }, INPUTS);
    mill_topology_add_processor(lone->topology, "looks", (mill_processor_supplier){ &LOOKS }, (const char *[]){ "source" }, 1);
    lone_task_make(lone);
    assert_int_equal(task_open(lone->task, fixture.now), 0);
    assert_int_equal(task_restored(lone->task, fixture.now), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    lone_task_release(&((struct fixture *)*state)->lone);
    return 0;
}

/* A second later; the brokers of both inputs have said how much they have. */
static void hear(struct fixture *f, int64_t lag_a, int64_t lag_b)
{
    f->now.monotonic_us += SECOND_US;
    f->now.wall_ms += 1000;
    f->lone.inputs[0].lag = lag_a;
    f->lone.inputs[1].lag = lag_b;
    for (int i = 0; i < INPUTS; i++)
        f->lone.inputs[i].told_until_us = f->now.monotonic_us + 2 * SECOND_US;
    assert_int_equal(task_punctuate(f->lone.task, f->now), 1);
}

/* Seconds later; nothing was heard. */
static void hear_nothing(struct fixture *f, int seconds)
{
    f->now.monotonic_us += (int64_t)seconds * SECOND_US;
    f->now.wall_ms += 1000 * seconds;
    assert_int_equal(task_punctuate(f->lone.task, f->now), 1);
}

static void a_task_that_has_read_all_counts_the_time_since(void **state)
{
    struct fixture *f = *state;
    hear(f, 0, 0);
    hear(f, 0, 0);
    hear(f, 0, 0);
    assert_int_equal(idle_ms, 2000);
}

static void what_the_broker_has_or_has_not_told_is_not_silence(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10; i++)
        hear(f, 0, 0);
    hear(f, 1, 0);
    assert_int_equal(idle_ms, 0);
    hear(f, 0, -1);
    assert_int_equal(idle_ms, 0);
    hear(f, 0, 0); /* a moment of records that went elsewhere does not begin it anew */
    assert_int_equal(idle_ms, 12000);
}

static void after_an_outage_it_begins_anew(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10; i++)
        hear(f, 0, 0);
    for (int i = 0; i < 60; i++)
        hear_nothing(f, 1);
    assert_int_equal(idle_ms, 0);
    hear(f, 0, 0); /* the records of that minute are still on their way to the broker */
    assert_int_equal(idle_ms, 0);
    hear(f, 0, 0);
    assert_int_equal(idle_ms, 1000);
}

static void a_process_that_was_stopped_begins_anew(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10; i++)
        hear(f, 0, 0);
    hear_nothing(f, 3600);
    hear(f, 0, 0);
    assert_int_equal(idle_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_task_that_has_read_all_counts_the_time_since, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_broker_has_or_has_not_told_is_not_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_an_outage_it_begins_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_that_was_stopped_begins_anew, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
