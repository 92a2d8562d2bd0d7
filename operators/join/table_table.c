/*
 * A table with a table by primary key, as three nodes: each side takes the updates of its table and looks the other one up; what
 * they find out is merged, and kept if the result has a store.
 *
 *                        other absent             other there
 *      inner             nothing                  row, or deletion
 *      left,  this side  row with null, deletion  row, or deletion
 *      left,  other side nothing                  row, with null if this update deletes
 *      outer             row with null, deletion  row, with null if this update deletes
 *
 * A deletion goes on whether or not there was a result before, but for one: where the other side is absent, an update from
 * nothing to nothing is silent. The timestamp is the later one of both rows.
 */
#include "join/join.h"

struct side {
    const struct table_join_side *argument;
    struct table_reader *other;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct side *side = self;
    side->argument = argument;
    int code = table_reader_open(context, side->argument->other, &side->other);
    if (code >= 0)
        table_reader_read_forwarded(side->other);
    return code;
}

/* The joiner's `left` is the table that the join was called on, whichever side asks. */
static int join(mill_context *context, const struct table_join_side *side, mill_bytes key, mill_bytes mine, mill_bytes other,
                mill_bytes *result)
{
    const struct table_join_argument *argument = side->join;
    bool mine_may_be_absent = argument->kind == TABLE_JOIN_OUTER || (argument->kind == TABLE_JOIN_LEFT && side->is_other);
    *result = mill_null();
    if (mill_is_null(mine) && (mill_is_null(other) || !mine_may_be_absent))
        return 0;
    mill_bytes left = side->is_other ? other : mine;
    mill_bytes right = side->is_other ? mine : other;
    return argument->joiner(key, left, right, result, context, argument->ctx);
}

static bool is_silent(const struct table_join_side *side, const mill_record *record)
{
    bool other_may_be_absent = side->join->kind == TABLE_JOIN_OUTER || (side->join->kind == TABLE_JOIN_LEFT && !side->is_other);
    return !other_may_be_absent || (mill_is_null(record->value) && mill_is_null(record->old_value));
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct side *side = self;
    if (mill_is_null(record->key)) {
        mill_context_drop(context, "null-key");
        return 0;
    }
    if (side->argument->is_versioned && record->is_outdated) {
        mill_context_drop(context, "outdated");
        return 0;
    }
    mill_bytes other;
    int64_t other_timestamp_ms;
    int found = table_reader_get(side->other, record->key, &other, &other_timestamp_ms);
    if (found < 0 || (!found && is_silent(side->argument, record)))
        return found;

    mill_record update = *record;
    if (found && other_timestamp_ms > update.timestamp_ms)
        update.timestamp_ms = other_timestamp_ms;
    int code = join(context, side->argument, record->key, record->value, other, &update.value);
    update.old_value = mill_null();
    if (code >= 0 && side->argument->join->base.sends_old_values)
        code = join(context, side->argument, record->key, record->old_value, other, &update.old_value);
    return code < 0 ? code : mill_forward(context, &update);
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    struct table_reader *other = ((struct side *)self)->other;
    for (size_t i = 0; i < count; i++)
        if (!mill_is_null(records[i]->key))
            table_reader_prefetch(other, records[i]->key);
}

static void close(mill_context *context, void *self)
{
    table_reader_close(((struct side *)self)->other);
}

const mill_processor_type table_join_side_type = { .name = "table-join-side",
                                                   .self_bytes = sizeof(struct side),
                                                   .init = init,
                                                   .process = process,
                                                   .prepare = prepare,
                                                   .close = close };

/* ---- where both sides meet ----------------------------------------------------------------------------------------------- */

static int init_merge(mill_context *context, void *self, const void *argument)
{
    struct table_output *output = self;
    int code = table_output_open(context, argument, output);
    output->knows_old_values = true; /* joined from the old rows, whatever the store has of them */
    return code;
}

static int merge(mill_context *context, void *self, const mill_record *record)
{
    mill_record update = *record;
    if (!((struct table_output *)self)->sends_old_values)
        update.old_value = mill_null();
    return table_output_send(self, &update);
}

const mill_processor_type table_join_merge_type = {
    .name = "table-join-merge", .self_bytes = sizeof(struct table_output), .init = init_merge, .process = merge
};

/* ---- reading a joined table ---------------------------------------------------------------------------------------------- */

/* As table_reader_get, with the later of `*timestamp_ms` and the row's. */
static int read_row(struct table_reader *reader, mill_bytes key, mill_bytes *value, int64_t *timestamp_ms)
{
    int64_t own_ms;
    int found = table_reader_get(reader, key, value, &own_ms);
    if (found > 0 && own_ms > *timestamp_ms)
        *timestamp_ms = own_ms;
    return found;
}

static int view(struct table_reader *reader, mill_bytes key, int64_t as_of_ms, mill_bytes *value, int64_t *timestamp_ms)
{
    const struct table_join_argument *argument = reader->view->argument;
    mill_bytes left;
    mill_bytes right;
    *value = mill_null();
    *timestamp_ms = -1;
    int found_left = read_row(reader->parents[0], key, &left, timestamp_ms);
    if (found_left < 0 || (!found_left && argument->kind != TABLE_JOIN_OUTER))
        return found_left;
    int found_right = read_row(reader->parents[1], key, &right, timestamp_ms);
    if (found_right < 0 || (!found_right && (argument->kind == TABLE_JOIN_INNER || !found_left)))
        return found_right;
    int code = argument->joiner(key, left, right, value, reader->context, argument->ctx);
    return code < 0 ? code : !mill_is_null(*value);
}

const struct table_view_type table_join_view_type = { .name = "table-join", .get = view };
