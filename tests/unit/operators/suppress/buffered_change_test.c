/* The form of a suppression's buffer: Kafka Streams' bytes, and what is not of that form. */
#include "unit/operators/pipeline.h"

#include "suppress/buffered_change.h"

/* Decoding takes memory from a context, so it runs inside an operator: the values of "in" are decoded, then written again. */
static int decode_and_encode(mill_context *context, void *self, const mill_record *record)
{
    struct buffered_change change;
    int code = buffered_change_decode(context, record->value, &change);
    mill_record out = *record;
    out.value = code < 0 ? mill_string("corrupt") : mill_null();
    struct buffer again;
    buffer_init(&again, 1 << 20);
    if (code >= 0) {
        assert_int_equal(buffered_change_encode(&again, &change), 0);
        out.value = buffer_bytes(&again);
        out.timestamp_ms = (int64_t)buffered_change_bytes(record->key, &change);
    }
    code = mill_forward(context, &out);
    buffer_release(&again);
    return code;
}

static struct pipeline decoding(void)
{
    static const mill_processor_type TYPE = { .name = "decode", .process = decode_and_encode };
    struct pipeline p = pipeline_begin();
    mill_processor_supplier supplier = { .type = &TYPE };
    mill_stream_to(mill_stream_process(pipeline_in(&p), supplier, NULL, 0), "out");
    pipeline_start(&p);
    return p;
}

/* timestamp 5, offset 7, topic "in", partition 3, header h: null, prior "a", old the same, new "bc", buffer time 9. */
static const uint8_t WHOLE[] = { 0, 0, 0,   0,    0,    0,    0,    5, 0, 0, 0, 0,   0,    0,    0,    7,
                                 0, 0, 0,   2,    'i',  'n',  0,    0, 0, 3, 0, 0,   0,    1,    0,    0,
                                 0, 1, 'h', 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 'a', 0xff, 0xff, 0xff, 0xfe,
                                 0, 0, 0,   2,    'b',  'c',  0,    0, 0, 0, 0, 0,   0,    9 };

static const char *decoded(struct pipeline *p, mill_bytes bytes, mill_record *out)
{
    mill_record in = { .key = mill_string("k"), .value = bytes, .timestamp_ms = 1 };
    pipeline_ok(p, mill_test_driver_pipe(p->driver, "in", &in));
    assert_int_equal(mill_test_driver_read(p->driver, "out", out), 1);
    return (const char *)out->value.data;
}

static void what_kafka_streams_writes_is_read_and_written_alike(void **state)
{
    struct pipeline p = decoding();
    mill_record out;
    decoded(&p, mill_bytes_of(WHOLE, sizeof WHOLE), &out);
    assert_true(mill_bytes_equal(out.value, mill_bytes_of(WHOLE, sizeof WHOLE)));
    /* 8 + key 1 + prior 1 + new 2, then 20 + topic 2 + header 1 */
    assert_int_equal(out.timestamp_ms, 35);
    pipeline_end(&p);
}

static void cut_anywhere_it_is_corrupt(void **state)
{
    struct pipeline p = decoding();
    mill_record out;
    for (size_t len = 0; len < sizeof WHOLE; len++) {
        decoded(&p, mill_bytes_of(WHOLE, len), &out);
        assert_true(mill_bytes_equal(out.value, mill_string("corrupt")));
    }
    uint8_t longer[sizeof WHOLE + 1] = { 0 };
    memcpy(longer, WHOLE, sizeof WHOLE);
    decoded(&p, mill_bytes_of(longer, sizeof longer), &out);
    assert_true(mill_bytes_equal(out.value, mill_string("corrupt")));
    pipeline_end(&p);
}

static void more_headers_than_bytes_are_corrupt(void **state)
{
    struct pipeline p = decoding();
    uint8_t many[sizeof WHOLE];
    memcpy(many, WHOLE, sizeof WHOLE);
    many[26] = 0x7f; /* of the number of headers */
    mill_record out;
    decoded(&p, mill_bytes_of(many, sizeof many), &out);
    assert_true(mill_bytes_equal(out.value, mill_string("corrupt")));
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_kafka_streams_writes_is_read_and_written_alike),
        cmocka_unit_test(cut_anywhere_it_is_corrupt),
        cmocka_unit_test(more_headers_than_bytes_are_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
