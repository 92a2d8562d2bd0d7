/* What a task with several inputs commits beside their offsets, and takes from there. */
#include "unit/runtime/task/lone_task.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/shared_buffer.h"
#include "millstream/processor.h"
#include "record/batch_writer.h"
#include "task/offset_metadata.h"

enum { INPUTS = 3 };

static int set_up(void **state)
{
    static struct lone_task lone;
    lone_task_begin(&lone, (const char *[]){ "a", "b", "c" }, INPUTS);
    lone_task_make(&lone);
    *state = &lone;
    return 0;
}

static int tear_down(void **state)
{
    lone_task_release(*state);
    return 0;
}

/* As Kafka Streams writes it, or ours: a number under a name, and how many were dropped late. */
static void restore(struct lone_task *f, const char *name, int64_t number, int64_t late)
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

static void assert_committed(struct lone_task *f, size_t input, const char *numbers, const char *drops)
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
    struct lone_task *f = *state;
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
    struct lone_task *f = *state;
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
    struct lone_task *f = *state;
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

/* ---- back to the last commit ----------------------------------------------------------------------------------------------- */

static void start(struct lone_task *f)
{
    struct io_time now = { .monotonic_us = 1, .wall_ms = 1 };
    assert_int_equal(task_open(f->task, now), 0);
    assert_int_equal(task_restored(f->task, now), 0);
}

static void what_was_dropped_since_the_last_commit_is_counted_when_it_is_read_again(void **state)
{
    struct lone_task *f = *state;
    task_forget_metadata(f->task);
    restore(f, NULL, 0, 3);
    start(f);
    mill_context_drop(f->inputs[0].source, "late");
    assert_int_equal(task_roll_back(f->task, (struct io_time){ .monotonic_us = 2 }), 0);
    assert_int_equal(task_dropped(f->task, "late"), 3);
    mill_context_drop(f->inputs[0].source, "late");
    mill_context_drop(f->inputs[0].source, "null-key");
    task_committed(f->task);
    mill_context_drop(f->inputs[0].source, "null-key");
    mill_context_drop(f->inputs[0].source, "other");
    assert_int_equal(task_roll_back(f->task, (struct io_time){ .monotonic_us = 3 }), 0);
    record_queue_seek(&f->inputs[0].queue, 10, 7);
    assert_committed(f, 0, "", "late=4 null-key=1 ");
}

/* ---- what makes a commit due ----------------------------------------------------------------------------------------------- */

static int64_t no_time(void *ctx, const mill_record *record, int64_t partition_time_ms)
{
    return -1;
}

static void feed_one(struct task_input *input)
{
    struct batch_writer writer;
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    mill_bytes batch;
    struct record_run run = { .first_offset = 0, .next_offset = 1 };
    batch_writer_init(&writer, 1 << 12, 1 << 12);
    assert_int_equal(batch_writer_append(&writer, &(mill_record){ .value = mill_string("v") }), 0);
    assert_int_equal(batch_writer_finish(&writer, &options, &batch), 0);
    assert_int_equal(batch_writer_take(&writer, &run.batches.buffer), 0);
    run.batches.bytes = mill_bytes_of(run.batches.buffer->data, run.batches.buffer->len);
    record_queue_add(&input->queue, &run);
    batch_writer_release(&writer);
}

static void what_was_passed_over_is_committed_although_nothing_was_processed(void **state)
{
    struct lone_task *f = *state;
    start(f);
    f->inputs[1].queue.extractor = no_time;
    feed_one(&f->inputs[1]);
    assert_int_equal(task_process(f->task, 10, NULL, NULL, (struct io_time){ .monotonic_us = 2 }), 0);
    assert_int_equal(f->inputs[1].queue.next_offset, 1);
    assert_int_equal(task_dropped(f->task, "negative-timestamp"), 1);
    assert_true(task_commit_needed(f->task));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_input_holds_what_processors_remember, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_input_that_was_never_read_takes_nothing_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_of_all_inputs_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_dropped_since_the_last_commit_is_counted_when_it_is_read_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_passed_over_is_committed_although_nothing_was_processed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
