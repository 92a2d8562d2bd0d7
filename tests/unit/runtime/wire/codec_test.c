#include "support/cmocka_all.h"
#include "support/rounds.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "millstream/error.h"
#include "support/unreadable_page.h"
#include "unit/runtime/wire/all_messages.h"
#include "unit/runtime/wire/golden_messages.h"
#include "wire/api/fetch.h"
#include "wire/api/heartbeat.h"
#include "wire/api/join_group.h"
#include "wire/api/metadata.h"
#include "wire/api/offset_commit.h"
#include "wire/api/produce.h"
#include "wire/fields.h"

enum { ARENA_MAX = 64 * 1024 * 1024, ROUNDS = 20, VALUE_BYTES_MAX = 4096, EVERYTHING = INT32_MAX };

struct fixture {
    struct arena arena;
    struct buffer first;
    struct buffer second;
    struct prng prng;
    struct error_text error;
    struct unreadable_page page;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 64 * 1024, ARENA_MAX);
    buffer_init(&f->first, ARENA_MAX);
    buffer_init(&f->second, ARENA_MAX);
    uint64_t seed = test_seed(20260101);
    print_message("seed %llu\n", (unsigned long long)seed);
    prng_init(&f->prng, seed);
    f->page = unreadable_page_new(16 * VALUE_BYTES_MAX);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    mem_fail_at(0, 0);
    arena_release(&f->arena);
    buffer_release(&f->first);
    buffer_release(&f->second);
    unreadable_page_free(&f->page);
    free(f);
    return 0;
}

static void clear(struct fixture *f)
{
    arena_clear(&f->arena);
    buffer_clear(&f->first);
    buffer_clear(&f->second);
    f->error.text[0] = 0;
}

static void *new_value(struct fixture *f, const struct wire_message *message)
{
    void *value = arena_calloc(&f->arena, 1, message->layout->size + 1);
    assert_non_null(value);
    wire_init(message->layout, value);
    return value;
}

static int decode(struct fixture *f, const struct wire_message *message, int version, mill_bytes bytes, void **value,
                  size_t *left)
{
    struct byte_reader reader = byte_reader_of(bytes);
    *value = new_value(f, message);
    int code = wire_decode(message, version, &reader, NULL, &f->arena, *value, &f->error);
    *left = byte_reader_left(&reader);
    return code;
}

static void must(struct fixture *f, int code)
{
    if (code)
        print_error("%s\n", f->error.text);
    assert_int_equal(code, 0);
}

/* ---- what Kafka itself writes ---------------------------------------------------------------------------------------------- */

static const struct wire_message *message_named(const char *name)
{
    for (int i = 0; i < all_message_count(); i++)
        if (strcmp(all_message(i)->layout->name, name) == 0)
            return all_message(i);
    fail_msg("no message %s", name);
    return NULL;
}

static size_t bytes_of_hex(const char *hex, uint8_t *bytes)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++)
        assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &bytes[i]), 1);
    return len;
}

static void messages_from_kafkas_own_encoder_say_the_same_here_and_go_back_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof GOLDEN_MESSAGES / sizeof *GOLDEN_MESSAGES; i++) {
        const struct golden_message *golden = &GOLDEN_MESSAGES[i];
        const struct wire_message *message = message_named(golden->message);
        uint8_t bytes[VALUE_BYTES_MAX];
        size_t len = bytes_of_hex(golden->hex, bytes);
        clear(f);

        void *value;
        size_t left;
        must(f, decode(f, message, golden->version, mill_bytes_of(bytes, len), &value, &left));
        assert_int_equal(left, 0);
        wire_print(message, golden->version, value, EVERYTHING, &f->first);
        buffer_append_u8(&f->first, 0);
        assert_string_equal((const char *)f->first.data, golden->text);

        must(f, wire_append(message, golden->version, value, &f->second, &f->error));
        assert_int_equal(f->second.len, len);
        assert_memory_equal(f->second.data, bytes, len);
    }
}

static void every_version_of_every_message_has_its_golden_bytes(void **state)
{
    size_t i = 0;
    FOR_EACH_MESSAGE_AND_VERSION(message, version)
    {
        bool found = false;
        for (i = 0; i < sizeof GOLDEN_MESSAGES / sizeof *GOLDEN_MESSAGES && !found; i++)
            found = GOLDEN_MESSAGES[i].version == version && strcmp(GOLDEN_MESSAGES[i].message, message->layout->name) == 0;
        if (!found)
            fail_msg("none for %s %d", message->layout->name, version);
    }
}

/* ---- there and back -------------------------------------------------------------------------------------------------------- */

static void a_random_message_of_every_version_survives_encoding_and_its_size_is_exact(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_MESSAGE_AND_VERSION(message, version)
    {
        for (int round = 0; round < test_rounds(ROUNDS); round++) {
            clear(f);
            void *value = new_value(f, message);
            must(f, wire_random(message, version, &f->prng, &f->arena, value));
            size_t size;
            must(f, wire_size(message, version, value, &size, &f->error));
            must(f, wire_append(message, version, value, &f->first, &f->error));
            assert_int_equal(f->first.len, size);

            void *again;
            size_t left;
            must(f, decode(f, message, version, buffer_bytes(&f->first), &again, &left));
            assert_int_equal(left, 0);
            must(f, wire_append(message, version, again, &f->second, &f->error));
            assert_int_equal(f->second.len, size);
            assert_memory_equal(f->second.data, f->first.data, size);
        }
    }
}

static void a_frame_refers_to_record_bytes_and_says_what_append_says(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_MESSAGE_AND_VERSION(message, version)
    {
        for (int round = 0; round < test_rounds(ROUNDS); round++) {
            clear(f);
            void *value = new_value(f, message);
            must(f, wire_random(message, version, &f->prng, &f->arena, value));
            must(f, wire_append(message, version, value, &f->first, &f->error));

            struct wire_frame frame;
            must(f, wire_encode(message, version, value, 7, &f->arena, &frame, &f->error));
            assert_int_equal(frame.len, 7 + f->first.len);
            for (int32_t i = 0; i < frame.count; i++)
                buffer_append(&f->second, frame.slices[i].bytes.data, frame.slices[i].bytes.len);
            assert_int_equal(f->second.len, frame.len);
            assert_memory_equal(f->second.data + 7, f->first.data, f->first.len);
        }
    }
}

static bool has_records(const struct wire_layout *layout)
{
    bool has = false;
    for (uint32_t i = 0; i < layout->field_count && !has; i++)
        has = layout->fields[i].type == WIRE_RECORDS || (layout->fields[i].part && has_records(layout->fields[i].part));
    return has;
}

static void a_message_that_owns_its_bytes_outlives_those_that_it_was_made_from(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_MESSAGE_AND_VERSION(message, version)
    {
        if (has_records(message->layout))
            continue; /* which stay where they are */
        clear(f);
        void *value = new_value(f, message);
        must(f, wire_random(message, version, &f->prng, &f->arena, value));
        must(f, wire_append(message, version, value, &f->first, &f->error));
        struct buffer wire;
        buffer_init(&wire, ARENA_MAX);
        buffer_append(&wire, f->first.data, f->first.len);
        void *decoded;
        size_t left;
        must(f, decode(f, message, version, buffer_bytes(&wire), &decoded, &left));
        assert_int_equal(wire_own(message->layout, decoded, &f->arena), 0);
        memset(wire.data, 0xee, wire.len);
        buffer_release(&wire);
        must(f, wire_append(message, version, decoded, &f->second, &f->error));
        assert_int_equal(f->second.len, f->first.len);
        assert_memory_equal(f->second.data, f->first.data, f->first.len);
    }
}

static void records_go_out_from_where_they_lie_and_come_in_as_views_of_the_frame(void **state)
{
    struct fixture *f = *state;
    struct shared_buffer *buffer = shared_buffer_new(100);
    assert_non_null(buffer);
    memset(buffer->data, 'r', 100);
    struct slice slices[2] = { { mill_bytes_of(buffer->data, 40), buffer }, { mill_bytes_of(buffer->data + 40, 60), buffer } };
    struct fetch_response response;
    fetch_response_init(&response);
    response.responses.items = fetch_response_topic_array(&f->arena, 1);
    response.responses.count = 1;
    struct fetch_response_topic *topic = &response.responses.items[0];
    topic->partitions.items = fetch_response_partition_array(&f->arena, 1);
    topic->partitions.count = 1;
    topic->partitions.items[0].records = (struct wire_records){ slices, 2, 100 };

    struct wire_frame frame;
    must(f, wire_encode(&fetch_response_message, 13, &response, 4, &f->arena, &frame, &f->error));
    assert_int_equal(frame.count, 4);
    assert_ptr_equal(frame.slices[1].bytes.data, buffer->data);
    assert_ptr_equal(frame.slices[1].buffer, buffer);
    assert_ptr_equal(frame.slices[2].bytes.data, buffer->data + 40);

    must(f, wire_append(&fetch_response_message, 13, &response, &f->first, &f->error));
    struct shared_buffer *received = shared_buffer_new(f->first.len);
    assert_non_null(received);
    memcpy(received->data, f->first.data, f->first.len);
    struct byte_reader reader = byte_reader_of(mill_bytes_of(received->data, f->first.len));
    struct fetch_response again;
    must(f, wire_decode(&fetch_response_message, 13, &reader, received, &f->arena, &again, &f->error));
    struct wire_records *records = &again.responses.items[0].partitions.items[0].records;
    assert_int_equal(records->count, 1);
    assert_int_equal(records->len, 100);
    assert_ptr_equal(records->slices[0].buffer, received);
    assert_in_range((uintptr_t)records->slices[0].bytes.data, (uintptr_t)received->data,
                    (uintptr_t)received->data + f->first.len);
    assert_int_equal(received->holders, 1);
    shared_buffer_drop(received);
    shared_buffer_drop(buffer);
}

/* ---- nulls ----------------------------------------------------------------------------------------------------------------- */

/* Fills a part with one element in each array, none null, then makes its `*nth` nullable field null; counts *nth down. */
static void fill_but_nth(struct fixture *f, const struct wire_layout *layout, int version, void *value, int *nth)
{
    wire_init(layout, value);
    for (uint32_t i = 0; i < layout->field_count; i++) {
        const struct wire_field *field = &layout->fields[i];
        void *at = (uint8_t *)value + field->offset;
        if (!field_in_version(field, version))
            continue;
        bool becomes_null = field_may_be_null(field, version) && (*nth)-- == 0;
        if (field->shape == WIRE_MANY) {
            void *items = arena_calloc(&f->arena, 1, field_element_size(field));
            assert_non_null(items);
            *(struct wire_array *)at = (struct wire_array){ items, becomes_null ? -1 : 1 };
            if (field->type == WIRE_PART)
                fill_but_nth(f, field->part, version, items, nth);
            else if (field->type == WIRE_STRING)
                *(mill_bytes *)items = mill_string("s");
        } else if (field->shape == WIRE_OPTIONAL) {
            void *part = arena_calloc(&f->arena, 1, field->part->size);
            assert_non_null(part);
            fill_but_nth(f, field->part, version, part, nth);
            *(void **)at = becomes_null ? NULL : part;
        } else if (field->type == WIRE_PART) {
            fill_but_nth(f, field->part, version, at, nth);
        } else if (field->type == WIRE_STRING || field->type == WIRE_BYTES) {
            *(mill_bytes *)at = becomes_null ? mill_null() : mill_string("s");
        } else if (field->type == WIRE_RECORDS) {
            *(struct wire_records *)at = becomes_null ? wire_records_null() : (struct wire_records){ NULL, 0, 0 };
        }
    }
}

static void print_value(struct fixture *f, const struct wire_message *message, int version, const void *value, struct buffer *out)
{
    wire_print(message, version, value, EVERYTHING, out);
    assert_false(out->failed);
}

static void each_nullable_field_alone_can_be_null_in_every_version_that_allows_it(void **state)
{
    struct fixture *f = *state;
    int tried = 0;
    FOR_EACH_MESSAGE_AND_VERSION(message, version)
    {
        for (int nth = 0, left_over = -1; left_over < 0; nth++) {
            clear(f);
            void *value = new_value(f, message);
            left_over = nth;
            fill_but_nth(f, message->layout, version, value, &left_over);
            struct buffer bytes;
            buffer_init(&bytes, ARENA_MAX);
            must(f, wire_append(message, version, value, &bytes, &f->error));
            void *again;
            size_t left;
            must(f, decode(f, message, version, buffer_bytes(&bytes), &again, &left));
            print_value(f, message, version, value, &f->first);
            print_value(f, message, version, again, &f->second);
            assert_int_equal(f->first.len, f->second.len);
            assert_memory_equal(f->first.data, f->second.data, f->first.len);
            buffer_release(&bytes);
            tried++;
        }
    }
    assert_true(tried > 500);
}

static void null_where_a_version_knows_none_is_refused_in_both_directions(void **state)
{
    struct fixture *f = *state;
    struct metadata_request request;
    metadata_request_init(&request);
    request.topics.count = -1;
    assert_int_equal(wire_append(&metadata_request_message, 0, &request, &f->first, &f->error), MILL_EINVALID);
    assert_string_equal(f->error.text, "encoding metadata_request version 0: topics: must not be null in this version");
    must(f, wire_append(&metadata_request_message, 1, &request, &f->first, &f->error));

    void *value;
    size_t left;
    assert_int_equal(decode(f, &metadata_request_message, 0, mill_bytes_of("\xff\xff\xff\xff", 4), &value, &left), MILL_ECORRUPT);
    assert_int_equal(decode(f, &metadata_request_message, 1, mill_bytes_of("\xff\xff\xff\xff", 4), &value, &left), 0);
    assert_int_equal(decode(f, &metadata_request_message, 1, mill_bytes_of("\xff\xff\xff\xfe", 4), &value, &left), MILL_ECORRUPT);
}

/* ---- versions -------------------------------------------------------------------------------------------------------------- */

static void a_field_that_a_version_lacks_refuses_unless_it_may_be_ignored(void **state)
{
    struct fixture *f = *state;
    struct heartbeat_request heartbeat;
    heartbeat_request_init(&heartbeat);
    heartbeat.group_instance_id = mill_string("static-1");
    assert_int_equal(wire_append(&heartbeat_request_message, 2, &heartbeat, &f->first, &f->error), MILL_EUNSUPPORTED);
    assert_string_equal(f->error.text,
                        "encoding heartbeat_request version 2: group_instance_id: is set, but this version has no such field");
    must(f, wire_append(&heartbeat_request_message, 3, &heartbeat, &f->first, &f->error));

    struct join_group_request join;
    join_group_request_init(&join);
    join.rebalance_timeout_ms = 5;
    must(f, wire_append(&join_group_request_message, 0, &join, &f->first, &f->error));
}

static void a_field_that_a_version_lacks_has_its_default_after_decoding(void **state)
{
    struct fixture *f = *state;
    struct join_group_request join;
    join_group_request_init(&join);
    must(f, wire_append(&join_group_request_message, 0, &join, &f->first, &f->error));
    struct byte_reader reader = byte_reader_of(buffer_bytes(&f->first));
    memset(&join, 0x5a, sizeof join);
    must(f, wire_decode(&join_group_request_message, 0, &reader, NULL, &f->arena, &join, &f->error));
    assert_int_equal(join.rebalance_timeout_ms, -1);
    assert_true(mill_is_null(join.group_instance_id));
    assert_non_null(join.member_id.data);
    assert_int_equal(join.member_id.len, 0);
}

static void a_version_that_does_not_exist_is_refused(void **state)
{
    struct fixture *f = *state;
    struct produce_request request;
    produce_request_init(&request);
    struct byte_reader reader = byte_reader_of(mill_string("................"));
    assert_int_equal(wire_append(&produce_request_message, 2, &request, &f->first, &f->error), MILL_EUNSUPPORTED);
    assert_int_equal(wire_append(&produce_request_message, 14, &request, &f->first, NULL), MILL_EUNSUPPORTED);
    assert_int_equal(wire_decode(&produce_request_message, 2, &reader, NULL, &f->arena, &request, &f->error), MILL_EUNSUPPORTED);
}

static void a_string_too_long_for_its_length_field_is_refused_where_it_is_one(void **state)
{
    struct fixture *f = *state;
    struct offset_commit_request request;
    offset_commit_request_init(&request);
    uint8_t *text = arena_calloc(&f->arena, 1, 40000);
    request.group_id = mill_bytes_of(text, 32768);
    assert_int_equal(wire_append(&offset_commit_request_message, 7, &request, &f->first, &f->error), MILL_ETOOLARGE);
    must(f, wire_append(&offset_commit_request_message, 8, &request, &f->first, &f->error));
    request.group_id.len = 32767;
    must(f, wire_append(&offset_commit_request_message, 7, &request, &f->first, &f->error));
}

/* ---- tagged fields --------------------------------------------------------------------------------------------------------- */

static void unknown_tagged_fields_are_skipped(void **state)
{
    struct fixture *f = *state;
    static const uint8_t tags[] = { 2, 0xa8, 0x46, 3, 'a', 'b', 'c', 0xa9, 0x46, 0 };
    FOR_EACH_MESSAGE_AND_VERSION(message, version)
    {
        if (!message_is_flexible(message, version))
            continue;
        clear(f);
        void *value = new_value(f, message);
        must(f, wire_append(message, version, value, &f->first, &f->error));
        assert_int_equal(f->first.data[f->first.len - 1], 0);
        f->first.len--;
        buffer_append(&f->first, tags, sizeof tags);

        void *again;
        size_t left;
        must(f, decode(f, message, version, buffer_bytes(&f->first), &again, &left));
        assert_int_equal(left, 0);
        must(f, wire_append(message, version, again, &f->second, &f->error));
        assert_int_equal(f->second.len, f->first.len - sizeof tags + 1);
    }
}

static void tags_out_of_order_twice_or_of_another_size_than_announced_are_corrupt(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *bytes;
        size_t len;
        int code;
    } cases[] = {
        { "\x02\x05\x00\x04\x00", 5, MILL_ECORRUPT },
        { "\x02\x05\x00\x05\x00", 5, MILL_ECORRUPT },
        { "\x01\x05\x09x", 4, MILL_ETRUNCATED },
        { "\x01\x00\x02\x00x", 5, MILL_ECORRUPT },
        { "\x91\x4e", 2, MILL_ETOOLARGE },
        { "\x90\x4e", 2, MILL_ETRUNCATED },
        { "\xff\xff\xff\xff\x7f", 5, MILL_ETRUNCATED },
        { "\x00", 1, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *value;
        size_t left;
        mill_bytes bytes = unreadable_page_put(&f->page, (const uint8_t *)cases[i].bytes, cases[i].len);
        assert_int_equal(decode(f, &begin_transaction_record_message, 0, bytes, &value, &left), cases[i].code);
    }
}

/* ---- hostile bytes --------------------------------------------------------------------------------------------------------- */

static void every_message_cut_at_every_length_ends_too_early_and_reads_nothing_beyond(void **state)
{
    struct fixture *f = *state;
    FOR_EACH_MESSAGE_AND_VERSION(message, version)
    {
        clear(f);
        void *value = new_value(f, message);
        must(f, wire_random(message, version, &f->prng, &f->arena, value));
        must(f, wire_append(message, version, value, &f->first, &f->error));
        for (size_t len = 0; len < f->first.len; len++) {
            void *cut;
            size_t left;
            int code = decode(f, message, version, unreadable_page_put(&f->page, f->first.data, len), &cut, &left);
            assert_int_equal(code, MILL_ETRUNCATED);
        }
    }
}

static void any_byte_changed_to_anything_never_reads_beyond_and_takes_bounded_memory(void **state)
{
    struct fixture *f = *state;
    static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
    FOR_EACH_MESSAGE_AND_VERSION(message, version)
    {
        clear(f);
        void *value = new_value(f, message);
        must(f, wire_random(message, version, &f->prng, &f->arena, value));
        must(f, wire_append(message, version, value, &f->first, &f->error));
        if (f->first.len == 0)
            continue;
        struct arena arena;
        arena_init(&arena, 4096, 1024 * 1024);
        void *changed = arena_calloc(&f->arena, 1, message->layout->size + 1);
        for (size_t i = 0; i < f->first.len; i++) {
            for (size_t v = 0; v < sizeof values; v++) {
                uint8_t kept = f->first.data[i];
                f->first.data[i] = values[v];
                mill_bytes bytes = unreadable_page_put(&f->page, f->first.data, f->first.len);
                f->first.data[i] = kept;
                struct byte_reader reader = byte_reader_of(bytes);
                wire_decode(message, version, &reader, NULL, &arena, changed, NULL);
                arena_clear(&arena);
            }
        }
        arena_release(&arena);
    }
}

static void a_count_that_the_remaining_bytes_cannot_hold_is_refused_before_allocating(void **state)
{
    struct fixture *f = *state;
    struct arena small;
    arena_init(&small, 4096, 4096);
    struct produce_request request;
    /* no transactional id, acks, time-out, then a million topics of at least 6 bytes in 12 bytes */
    static const uint8_t bytes[] = { 0xff, 0xff, 0, 1, 0, 0, 0, 1, 0x00, 0x0f, 0x42, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    struct byte_reader reader = byte_reader_of(unreadable_page_put(&f->page, bytes, sizeof bytes));
    mem_fail_at(1, 1);
    int code = wire_decode(&produce_request_message, 3, &reader, NULL, &small, &request, &f->error);
    mem_fail_at(0, 0);
    assert_int_equal(code, MILL_ETRUNCATED);
    assert_string_equal(f->error.text,
                        "decoding produce_request version 3: produce_request.topic_data, near byte 12: data ends too early");
    arena_release(&small);
}

static void a_count_above_the_cap_is_refused_even_when_the_bytes_are_there(void **state)
{
    struct fixture *f = *state;
    /* partition id and topic id, then one tagged field, number 0 (isr): a compact array of a million and one */
    size_t array_bytes = 4 * (size_t)(WIRE_ARRAY_MAX + 1);
    uint8_t *zeros = calloc(1, array_bytes);
    assert_non_null(zeros);
    buffer_append(&f->first, zeros, 4 + 16);
    buffer_append_unsigned_varint(&f->first, 1);
    buffer_append_unsigned_varint(&f->first, 0);
    buffer_append_unsigned_varint(&f->first, 3 + array_bytes);
    buffer_append_unsigned_varint(&f->first, WIRE_ARRAY_MAX + 2);
    buffer_append(&f->first, zeros, array_bytes);

    struct partition_change_record record;
    struct byte_reader reader = byte_reader_of(buffer_bytes(&f->first));
    int code = wire_decode(&partition_change_record_message, 0, &reader, NULL, &f->arena, &record, &f->error);
    assert_int_equal(code, MILL_ETOOLARGE);
    free(zeros);
}

static void the_arenas_maximum_bounds_what_small_bytes_can_become(void **state)
{
    struct fixture *f = *state;
    struct arena small;
    arena_init(&small, 4096, 64 * 1024);
    uint8_t *bytes = calloc(1, 100000);
    assert_non_null(bytes);
    /* version 9: a compact array of 30,000 topics, all zero bytes: 4 bytes each become a struct each */
    bytes[0] = 0xb1;
    bytes[1] = 0xea;
    bytes[2] = 0x01;
    memset(bytes + 3, 1, 99997);
    struct metadata_request request;
    struct byte_reader reader = byte_reader_of(mill_bytes_of(bytes, 100000));
    assert_int_equal(wire_decode(&metadata_request_message, 9, &reader, NULL, &small, &request, &f->error), MILL_ENOMEM);
    arena_release(&small);
    free(bytes);
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------- */

/* Encodes and decodes once; true when no allocation failed on the way. */
static bool round_trip_without_memory_trouble(const struct wire_message *message, int version, const void *value)
{
    struct arena arena;
    struct buffer out;
    struct wire_frame frame;
    arena_init(&arena, 256, ARENA_MAX);
    buffer_init(&out, ARENA_MAX);
    int code = wire_append(message, version, value, &out, NULL);
    if (!code)
        code = wire_encode(message, version, value, 4, &arena, &frame, NULL);
    void *again = code ? NULL : arena_alloc(&arena, message->layout->size);
    if (!code && !again)
        code = MILL_ENOMEM;
    if (!code) {
        struct byte_reader reader = byte_reader_of(buffer_bytes(&out));
        code = wire_decode(message, version, &reader, NULL, &arena, again, NULL);
    }
    arena_release(&arena);
    buffer_release(&out);
    assert_true(code == 0 || code == MILL_ENOMEM);
    return code == 0;
}

static void every_failed_allocation_is_answered_with_enomem(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < all_message_count(); i++) {
        const struct wire_message *message = all_message(i);
        clear(f);
        void *value = new_value(f, message);
        must(f, wire_random(message, message->version_max, &f->prng, &f->arena, value));
        uint64_t nth = 1;
        for (bool done = false; !done; nth++) {
            mem_fail_at(nth, 0);
            done = round_trip_without_memory_trouble(message, message->version_max, value);
            mem_fail_at(0, 0);
        }
        assert_true(nth > 1);
    }
}

/* ---- text ------------------------------------------------------------------------------------------------------------------ */

static void text_shows_the_fields_of_the_version_escapes_strings_and_cuts_arrays(void **state)
{
    struct fixture *f = *state;
    struct metadata_request request;
    metadata_request_init(&request);
    request.topics.items = metadata_request_topic_array(&f->arena, 3);
    request.topics.count = 3;
    request.topics.items[0].name = mill_string("a\"b\n");
    wire_print(&metadata_request_message, 4, &request, 2, &f->first);
    buffer_append_u8(&f->first, 0);
    assert_string_equal((const char *)f->first.data,
                        "{topics=[{name=\"a\\\"b\\x0a\"}, {name=\"\"}, 1 more], allow_auto_topic_creation=true}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(messages_from_kafkas_own_encoder_say_the_same_here_and_go_back_byte_for_byte),
        TEST(every_version_of_every_message_has_its_golden_bytes),
        TEST(a_random_message_of_every_version_survives_encoding_and_its_size_is_exact),
        TEST(a_frame_refers_to_record_bytes_and_says_what_append_says),
        TEST(a_message_that_owns_its_bytes_outlives_those_that_it_was_made_from),
        TEST(records_go_out_from_where_they_lie_and_come_in_as_views_of_the_frame),
        TEST(each_nullable_field_alone_can_be_null_in_every_version_that_allows_it),
        TEST(null_where_a_version_knows_none_is_refused_in_both_directions),
        TEST(a_field_that_a_version_lacks_refuses_unless_it_may_be_ignored),
        TEST(a_field_that_a_version_lacks_has_its_default_after_decoding),
        TEST(a_version_that_does_not_exist_is_refused),
        TEST(a_string_too_long_for_its_length_field_is_refused_where_it_is_one),
        TEST(unknown_tagged_fields_are_skipped),
        TEST(tags_out_of_order_twice_or_of_another_size_than_announced_are_corrupt),
        TEST(every_message_cut_at_every_length_ends_too_early_and_reads_nothing_beyond),
        TEST(any_byte_changed_to_anything_never_reads_beyond_and_takes_bounded_memory),
        TEST(a_count_that_the_remaining_bytes_cannot_hold_is_refused_before_allocating),
        TEST(a_count_above_the_cap_is_refused_even_when_the_bytes_are_there),
        TEST(the_arenas_maximum_bounds_what_small_bytes_can_become),
        TEST(every_failed_allocation_is_answered_with_enomem),
        TEST(text_shows_the_fields_of_the_version_escapes_strings_and_cuts_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
