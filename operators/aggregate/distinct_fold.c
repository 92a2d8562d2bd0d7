/*
 * Distinct members as an aggregate, so that they can be counted in windows of every kind: about, by a sketch, or exactly, by the
 * members themselves. What goes on is their number.
 *
 *     set      count (8) | { length (4) | member } ...       in the order of arrival; all big-endian
 *     sketch   see sketch.h
 *
 * A set is searched from its beginning and written whole with each new member: it is meant for what one visitor does in a
 * session, not for all visitors of a site.
 */
#include "aggregate/fold.h"

#include "aggregate/sketch.h"
#include "base/bytes.h"
#include "millstream/serde.h"
#include "table/view.h"

static int fail_corrupt(mill_context *context, const char *what)
{
    return mill_context_error(context, MILL_ECORRUPT, "%s: what it keeps is no %s: was the store another operator's?",
                              mill_context_node_name(context), what);
}

/* ---- about ----------------------------------------------------------------------------------------------------------------- */

static int add_to_sketch(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes value,
                         uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    if (!sketch_check(*aggregate))
        return fail_corrupt(context, "sketch");
    uint8_t *larger = mill_context_alloc(context, SKETCH_BYTES_MAX);
    if (larger == NULL)
        return MILL_ENOMEM;
    *aggregate = sketch_add(*aggregate, value, larger);
    return 0;
}

static int unite_sketches(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes other,
                          uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    if (!sketch_check(*aggregate) || !sketch_check(other))
        return fail_corrupt(context, "sketch");
    uint8_t *larger = mill_context_alloc(context, SKETCH_BYTES_MAX);
    if (larger == NULL)
        return MILL_ENOMEM;
    *aggregate = sketch_unite(*aggregate, other, larger);
    return 0;
}

static int show_sketch(mill_context *context, mill_bytes aggregate, uint8_t room[FOLD_ROOM_BYTES], mill_bytes *result)
{
    if (!sketch_check(aggregate))
        return fail_corrupt(context, "sketch");
    *result = mill_int64_write(room, sketch_estimate(aggregate));
    return 0;
}

const struct fold_type fold_sketch = { .add = add_to_sketch, .merge = unite_sketches, .show = show_sketch };

/* ---- exactly --------------------------------------------------------------------------------------------------------------- */

enum { COUNT_BYTES = 8, LENGTH_BYTES = 4 };

/* The next member; null at the end, and where the set is broken: reader->failed. */
static mill_bytes next_member(struct byte_reader *reader)
{
    if (byte_reader_left(reader) == 0)
        return mill_null();
    uint32_t len = byte_reader_u32(reader);
    const uint8_t *data = byte_reader_take(reader, len);
    return data == NULL ? mill_null() : mill_bytes_of(data, len);
}

static struct byte_reader open_set(mill_bytes set, uint64_t *count)
{
    struct byte_reader reader = byte_reader_of(set);
    *count = mill_is_null(set) ? 0 : byte_reader_u64(&reader);
    return reader;
}

static int add_to_set(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes value,
                      uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    uint64_t count;
    struct byte_reader reader = open_set(*aggregate, &count);
    for (mill_bytes member = next_member(&reader); !mill_is_null(member); member = next_member(&reader))
        if (mill_bytes_equal(member, value))
            return 0;
    if (reader.failed)
        return fail_corrupt(context, "set");
    size_t before = mill_is_null(*aggregate) ? COUNT_BYTES : aggregate->len;
    uint8_t *larger = mill_context_alloc(context, before + LENGTH_BYTES + value.len);
    if (larger == NULL)
        return MILL_ENOMEM;
    if (!mill_is_null(*aggregate))
        memcpy(larger, aggregate->data, before);
    write_u64_be(larger, count + 1);
    write_u32_be(larger + before, (uint32_t)value.len);
    if (value.len > 0)
        memcpy(larger + before + LENGTH_BYTES, value.data, value.len);
    *aggregate = mill_bytes_of(larger, before + LENGTH_BYTES + value.len);
    return 0;
}

static int unite_sets(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes other,
                      uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    if (mill_is_null(*aggregate)) {
        *aggregate = other;
        return 0;
    }
    uint64_t count;
    struct byte_reader reader = open_set(other, &count);
    int code = 0;
    for (mill_bytes member = next_member(&reader); code >= 0 && !mill_is_null(member); member = next_member(&reader))
        code = add_to_set(fold, context, key, member, room, aggregate);
    return code >= 0 && reader.failed ? fail_corrupt(context, "set") : code;
}

static int show_set(mill_context *context, mill_bytes aggregate, uint8_t room[FOLD_ROOM_BYTES], mill_bytes *result)
{
    uint64_t count;
    struct byte_reader reader = open_set(aggregate, &count);
    if (reader.failed)
        return fail_corrupt(context, "set");
    *result = mill_int64_write(room, (int64_t)count);
    return 0;
}

const struct fold_type fold_set = { .add = add_to_set, .merge = unite_sets, .show = show_set };

/* ---- members, before they are folded --------------------------------------------------------------------------------------- */

struct member_node {
    const struct fold_member *member;
};

static int init_member(mill_context *context, void *self, const void *argument)
{
    ((struct member_node *)self)->member = argument;
    return 0;
}

static int process_member(mill_context *context, void *self, const mill_record *record)
{
    const struct fold_member *member = ((struct member_node *)self)->member;
    mill_record made = *record;
    if (member->mapper != NULL) {
        made.value = mill_null();
        int code = member->mapper(record, &made.value, context, member->ctx);
        if (code < 0)
            return code;
    }
    if (!mill_is_null(made.value) || mill_is_null(record->key))
        return mill_forward(context, &made);
    mill_context_drop(context, "null-member");
    return 0;
}

const mill_processor_type fold_member_type = {
    .name = "member", .self_bytes = sizeof(struct member_node), .init = init_member, .process = process_member
};

/* ---- the table of the numbers ---------------------------------------------------------------------------------------------- */

static int view_number(struct table_reader *reader, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    const struct fold *fold = reader->view->argument;
    struct table_reader *stored = reader->parents[0];
    int found = stored->view->type->get(stored, key, as_of_ms, value, timestamp_ms);
    if (found <= 0)
        return found;
    int code = fold->type->show(reader->context, *value, reader->self, value);
    return code < 0 ? code : 1;
}

const struct table_view_type fold_view_type = { .name = "fold", .self_bytes = FOLD_ROOM_BYTES, .get = view_number };
