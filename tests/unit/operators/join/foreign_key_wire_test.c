/* What both sides of a foreign-key join write, as Apache Kafka 4.3.1's serializers wrote it; and what is none of it. */
#include "unit/operators/pipeline.h"

#include "join/foreign_key_wire.h"

#define BYTES(text) mill_bytes_of((text), sizeof(text) - 1)

static const char HASH[] = "\0\0\0\0\0\0\0\1\377\377\377\377\377\377\377\376";

static mill_bytes hash(void)
{
    return BYTES(HASH);
}

#define HASH_TEXT "\0\0\0\0\0\0\0\1\377\377\377\377\377\377\377\376"

static void subscriptions_are_read_as_kafka_streams_writes_them(void **state)
{
    struct subscription read;
    assert_true(subscription_read(BYTES("\1\3" HASH_TEXT "pk\0\0\0\7"), &read));
    assert_int_equal(read.instruction, SUBSCRIPTION_ANSWER_IF_THERE);
    assert_true(mill_bytes_equal(read.hash, hash()));
    assert_true(mill_bytes_equal(read.primary_key, mill_string("pk")));
    assert_int_equal(read.partition, 7);
    assert_true(subscription_read(BYTES("\201\2pk\0\0\0\7"), &read));
    assert_int_equal(read.instruction, SUBSCRIPTION_ANSWER);
    assert_true(mill_is_null(read.hash));
}

static void subscriptions_of_version_0_have_no_partition(void **state)
{
    struct subscription read;
    assert_true(subscription_read(BYTES("\200\1pk"), &read));
    assert_int_equal(read.instruction, SUBSCRIPTION_DELETE_AND_ANSWER);
    assert_true(mill_bytes_equal(read.primary_key, mill_string("pk")));
    assert_int_equal(read.partition, SUBSCRIPTION_NO_PARTITION);
}

/* Writing needs a task's memory, so a processor does it. */
static int write_subscriptions(mill_context *context, void *self, const mill_record *record)
{
    struct subscription subscription = {
        .instruction = SUBSCRIPTION_DELETE_AND_ANSWER, .hash = hash(), .primary_key = mill_string("pk"), .partition = 7
    };
    mill_bytes bytes;
    assert_int_equal(subscription_write(context, &subscription, &bytes), 0);
    assert_true(mill_bytes_equal(bytes, BYTES("\1\1" HASH_TEXT "pk\0\0\0\7")));
    subscription = (struct subscription){ .instruction = SUBSCRIPTION_ANSWER, .primary_key = mill_string("pk"), .partition = 7 };
    assert_int_equal(subscription_write(context, &subscription, &bytes), 0);
    assert_true(mill_bytes_equal(bytes, BYTES("\201\2pk\0\0\0\7")));
    assert_int_equal(subscription_key_write(context, mill_string("fk"), mill_string("pk"), &bytes), 0);
    assert_true(mill_bytes_equal(bytes, BYTES("\0\0\0\2fkpk")));
    assert_int_equal(subscription_key_write(context, mill_string("fk"), mill_null(), &bytes), 0);
    assert_true(mill_bytes_equal(bytes, BYTES("\0\0\0\2fk")));
    return mill_forward(context, record);
}

static void subscriptions_are_written_as_kafka_streams_writes_them(void **state)
{
    static const mill_processor_type type = { .name = "write", .process = write_subscriptions };
    struct pipeline p = pipeline_begin();
    mill_stream_to(mill_stream_process(pipeline_in(&p), (mill_processor_supplier){ .type = &type }, NULL, 0), "out");
    pipeline_start(&p);
    step(&p, "k", "v", 1, "k=v@1");
    pipeline_end(&p);
}

static void responses_are_as_kafka_streams_writes_them(void **state)
{
    struct buffer buffer;
    struct foreign_response read;
    mill_bytes bytes;
    buffer_init(&buffer, 1000);
    struct foreign_response full = { .hash = hash(), .value = mill_string("value") };
    assert_int_equal(foreign_response_write(&buffer, &full, &bytes), 0);
    assert_true(mill_bytes_equal(bytes, BYTES("\0" HASH_TEXT "value")));
    assert_true(foreign_response_read(bytes, &read));
    assert_true(mill_bytes_equal(read.hash, hash()) && mill_bytes_equal(read.value, full.value));
    struct foreign_response hashless = { .value = mill_string("value") };
    assert_int_equal(foreign_response_write(&buffer, &hashless, &bytes), 0);
    assert_true(mill_bytes_equal(bytes, BYTES("\200value")));
    struct foreign_response nothing = { .hash = hash() };
    assert_int_equal(foreign_response_write(&buffer, &nothing, &bytes), 0);
    assert_true(mill_bytes_equal(bytes, BYTES("\0" HASH_TEXT)));
    assert_true(foreign_response_read(bytes, &read));
    assert_true(mill_is_null(read.value));
    buffer_release(&buffer);
}

static void what_is_cut_off_or_of_a_later_version_is_refused(void **state)
{
    struct subscription subscription;
    struct foreign_response response;
    mill_bytes subscribed = BYTES("\1\3" HASH_TEXT "\0\0\0\7");
    for (size_t len = 0; len < subscribed.len; len++)
        assert_false(subscription_read(mill_bytes_of(subscribed.data, len), &subscription));
    assert_true(subscription_read(subscribed, &subscription));
    assert_false(subscription_read(BYTES("\202\2pk\0\0\0\7"), &subscription));
    assert_false(subscription_read(BYTES("\201\4pk\0\0\0\7"), &subscription));
    mill_bytes responded = BYTES("\0" HASH_TEXT);
    for (size_t len = 0; len < responded.len; len++)
        assert_false(foreign_response_read(mill_bytes_of(responded.data, len), &response));
    assert_false(foreign_response_read(BYTES("\201value"), &response));
    mill_bytes foreign_key;
    mill_bytes primary_key;
    assert_false(subscription_key_read(BYTES("\0\0\0"), &foreign_key, &primary_key));
    assert_false(subscription_key_read(BYTES("\0\0\0\3fk"), &foreign_key, &primary_key));
    assert_false(subscription_key_read(BYTES("\377\377\377\377fk"), &foreign_key, &primary_key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subscriptions_are_read_as_kafka_streams_writes_them),
        cmocka_unit_test(subscriptions_of_version_0_have_no_partition),
        cmocka_unit_test(subscriptions_are_written_as_kafka_streams_writes_them),
        cmocka_unit_test(responses_are_as_kafka_streams_writes_them),
        cmocka_unit_test(what_is_cut_off_or_of_a_later_version_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
