/* What a task with several inputs commits beside their offsets, and takes from there. */
#include "support/cmocka_all.h"

#include <stdio.h>

#include "base/bytes.h"
#include "millstream/topology.h"
#include "task/offset_metadata.h"
#include "task/task.h"

enum { INPUTS = 3 };

struct fixture {
    mill_topology *topology;
    struct task *task;
    struct task_input *inputs;
};

static const char *no_property(void *ctx, const char *name)
{
    return NULL;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.topology = mill_topology_new();
    mill_topology_add_source(fixture.topology, "source", (const char *[]){ "a", "b", "c" }, INPUTS, NULL);
    assert_int_equal(topology_build(fixture.topology), 0);
    struct task_options options = { .topology = fixture.topology,
                                    .subtopology = &fixture.topology->subtopologies[0],
                                    .application_id = "app",
                                    .property = no_property };
    assert_int_equal(task_new(&options, &fixture.task), 0);
    size_t count;
    fixture.inputs = task_inputs(fixture.task, &count);
    assert_int_equal(count, INPUTS);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    task_free(f->task, false);
    mill_topology_free(f->topology);
    return 0;
}

/* As Kafka Streams writes it, or ours: a number under a name, and how many were dropped late. */
static void restore(struct fixture *f, const char *name, int64_t number, int64_t late)
{
    char text[OFFSET_METADATA_BYTES];
    struct drop_count drops = { "late", late };
    struct remembered_number remembered = { .name = name, .number = number };
    offset_metadata_encode(7, &drops, late > 0, &remembered, name != NULL, text);
    task_restore_metadata(f->task, mill_string(text));
}

static void note(void *ctx, mill_bytes name, int64_t number)
{
    char *noted = ctx;
    snprintf(noted + strlen(noted), 256 - strlen(noted), "%.*s=%lld ", (int)name.len, (const char *)name.data, (long long)number);
}

static void assert_committed(struct fixture *f, size_t input, const char *numbers, const char *drops)
{
    char text[OFFSET_METADATA_BYTES];
    char noted[256] = "";
    (void)task_input_commit(f->task, &f->inputs[input], text);
    offset_metadata_numbers(mill_string(text), note, noted);
    assert_string_equal(noted, numbers);
    noted[0] = '\0';
    offset_metadata_drops(mill_string(text), note, noted);
    assert_string_equal(noted, drops);
}

static void every_input_holds_what_processors_remember(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < INPUTS; i++)
        record_queue_seek(&f->inputs[i].queue, 10, 7);
    task_forget_metadata(f->task);
    restore(f, "closed", 60000, 3);
    assert_committed(f, 0, "closed=60000 ", "late=3 ");
    assert_committed(f, 1, "closed=60000 ", "");
    assert_committed(f, 2, "closed=60000 ", "");
}

static void an_input_that_was_never_read_takes_nothing_away(void **state)
{
    struct fixture *f = *state;
    record_queue_seek(&f->inputs[0].queue, -1, -1);
    record_queue_seek(&f->inputs[1].queue, 10, 7);
    record_queue_seek(&f->inputs[2].queue, 10, 7);
    task_forget_metadata(f->task);
    restore(f, "closed", 60000, 3);
    assert_committed(f, 1, "closed=60000 ", "late=3 ");
    assert_committed(f, 2, "closed=60000 ", "");
}

static void the_newest_of_all_inputs_counts(void **state)
{
    struct fixture *f = *state;
    record_queue_seek(&f->inputs[0].queue, 10, 7);
    task_forget_metadata(f->task);
    task_restore_metadata(f->task, mill_null());
    restore(f, "closed", 60000, 3);
    restore(f, "closed", 180000, 5);
    restore(f, "closed", 120000, 0);
    restore(f, "other", 1, 4);
    assert_committed(f, 0, "closed=180000 other=1 ", "late=5 ");
    assert_int_equal(task_dropped(f->task, NULL), 5);
    task_forget_metadata(f->task);
    assert_committed(f, 0, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_input_holds_what_processors_remember, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_input_that_was_never_read_takes_nothing_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_of_all_inputs_counts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
