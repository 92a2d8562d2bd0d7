#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "record/batch_writer.h"
#include "task/record_queue.h"

enum { BATCH_RECORDS = 300 }; /* above RECORD_QUEUE_RUN, so that a batch takes several runs of decoding */

struct fixture {
    struct record_queue queue;
    struct batch_writer writer;
};

static int set_up(void **state)
{
    static struct fixture f;
    record_queue_init(&f.queue, "clicks", 3, &(mill_source_options){ 0 });
    batch_writer_init(&f.writer, 1 << 20, 1 << 20);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    record_queue_release(&f->queue);
    batch_writer_release(&f->writer);
    return 0;
}

static void add_record(struct fixture *f, int64_t timestamp_ms)
{
    mill_record record = { .value = mill_string("v"), .timestamp_ms = timestamp_ms };
    assert_int_equal(batch_writer_append(&f->writer, &record), 0);
}

/* What was added since the last call becomes one batch at `base_offset` in a run of its own. */
static void add_run(struct fixture *f, int64_t base_offset, int64_t first_offset)
{
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.base_offset = base_offset;
    int64_t next_offset = base_offset + f->writer.record_count;
    mill_bytes batch;
    struct shared_buffer *buffer;
    assert_int_equal(batch_writer_finish(&f->writer, &options, &batch), 0);
    assert_int_equal(batch_writer_take(&f->writer, &buffer), 0);
    struct record_run run = { { mill_bytes_of(buffer->data, buffer->len), buffer }, first_offset, next_offset };
    record_queue_add(&f->queue, &run);
}

static struct batch_record *head(struct fixture *f)
{
    int code;
    struct batch_record *record = record_queue_head(&f->queue, 5000, &code);
    assert_int_equal(code, 0);
    return record;
}

static void records_come_in_log_order_across_batches(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < BATCH_RECORDS; i++)
        add_record(f, i);
    add_run(f, 100, 100);
    add_record(f, 1);
    add_run(f, 400, 400);
    for (int i = 0; i <= BATCH_RECORDS; i++) {
        assert_int_equal(head(f)->offset, 100 + i);
        record_queue_take(&f->queue);
        assert_int_equal(f->queue.next_offset, 101 + i);
    }
    assert_null(head(f));
    assert_int_equal(f->queue.bytes, 0);
}

static void records_before_the_position_are_passed_over(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10; i++)
        add_record(f, i);
    add_run(f, 0, 7);
    assert_int_equal(head(f)->offset, 7);
}

static void partition_time_is_the_largest_taken_and_never_goes_back(void **state)
{
    struct fixture *f = *state;
    add_record(f, 50);
    add_record(f, 20);
    add_record(f, 90);
    add_run(f, 0, 0);
    head(f);
    assert_int_equal(f->queue.partition_time_ms, -1);
    record_queue_take(&f->queue);
    head(f);
    record_queue_take(&f->queue);
    assert_int_equal(f->queue.partition_time_ms, 50);
}

static void a_negative_time_is_an_error_that_says_where(void **state)
{
    struct fixture *f = *state;
    add_record(f, 1);
    add_record(f, -7);
    add_run(f, 40, 40);
    int code;
    assert_null(record_queue_head(&f->queue, 0, &code));
    assert_int_equal(code, MILL_EINVALID);
    assert_non_null(strstr(f->queue.error.text, "topic clicks, partition 3, offset 41"));
}

static int64_t tenfold_or_drop(void *ctx, const mill_record *record, int64_t partition_time_ms)
{
    *(int64_t *)ctx = partition_time_ms;
    return record->timestamp_ms == 3 ? -1 : record->timestamp_ms * 10;
}

static void an_extractor_sees_the_partition_time_and_may_drop(void **state)
{
    struct fixture *f = *state;
    int64_t seen = 0;
    record_queue_release(&f->queue);
    record_queue_init(&f->queue, "clicks", 3, &(mill_source_options){ .extractor = tenfold_or_drop, .extractor_ctx = &seen });
    add_record(f, 9);
    add_record(f, 3);
    add_record(f, 4);
    add_run(f, 0, 0);
    assert_int_equal(head(f)->record.timestamp_ms, 90);
    assert_int_equal(seen, 90);
    assert_int_equal(f->queue.skipped, 1);
    record_queue_take(&f->queue);
    assert_int_equal(head(f)->offset, 2);
}

static void headers_are_there_when_a_record_has_them(void **state)
{
    struct fixture *f = *state;
    mill_header header = { mill_string("trace"), mill_string("7") };
    mill_record record = { .value = mill_string("v"), .headers = &header, .header_count = 1 };
    assert_int_equal(batch_writer_append(&f->writer, &record), 0);
    add_run(f, 0, 0);
    const mill_record *read = &head(f)->record;
    assert_int_equal(read->header_count, 1);
    assert_true(mill_bytes_equal(read->headers[0].value, mill_string("7")));
}

static void seeking_drops_what_is_buffered(void **state)
{
    struct fixture *f = *state;
    add_record(f, 1);
    add_run(f, 0, 0);
    head(f);
    record_queue_seek(&f->queue, 77, 500);
    assert_null(head(f));
    assert_int_equal(f->queue.next_offset, 77);
    assert_int_equal(f->queue.partition_time_ms, 500);
}

static void bytes_that_are_no_batch_are_an_error(void **state)
{
    struct fixture *f = *state;
    struct shared_buffer *buffer = shared_buffer_new(100);
    memset(buffer->data, 0x55, 100);
    record_queue_add(&f->queue, &(struct record_run){ { mill_bytes_of(buffer->data, 100), buffer }, 0, 1 });
    int code;
    assert_null(record_queue_head(&f->queue, 0, &code));
    assert_true(code < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void what_holds_no_records_is_passed_once_nothing_is_buffered(void **state)
{
    struct fixture *f = *state;
    assert_false(record_queue_pass(&f->queue, 5)); /* where reading begins is not known */
    record_queue_seek(&f->queue, 10, -1);
    add_record(f, 1);
    add_run(f, 10, 10);
    assert_false(record_queue_pass(&f->queue, 12));
    assert_non_null(head(f));
    record_queue_take(&f->queue);
    assert_null(head(f));
    assert_int_equal(f->queue.next_offset, 11);
    assert_true(record_queue_pass(&f->queue, 12));
    assert_false(record_queue_pass(&f->queue, 12));
    assert_int_equal(f->queue.next_offset, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_come_in_log_order_across_batches),
        TEST(records_before_the_position_are_passed_over),
        TEST(partition_time_is_the_largest_taken_and_never_goes_back),
        TEST(a_negative_time_is_an_error_that_says_where),
        TEST(an_extractor_sees_the_partition_time_and_may_drop),
        TEST(headers_are_there_when_a_record_has_them),
        TEST(seeking_drops_what_is_buffered),
        TEST(bytes_that_are_no_batch_are_an_error),
        TEST(what_holds_no_records_is_passed_once_nothing_is_buffered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
