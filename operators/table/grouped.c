/*
 * The aggregates of a table's groups: what leaves is subtracted, then what comes is added, in one update.
 *
 * Rules (Kafka Streams'): nothing is subtracted where there is no aggregate. The timestamp is the latest that went into it; one
 * that begins (anew) has that of its row.
 */
#include "aggregate/aggregate.h"
#include "millstream/serde.h"
#include "table/change.h"
#include "table/rows.h"
#include "table/table.h"

struct grouped {
    const struct table_grouped_argument *argument;
    mill_store *store;
    struct result_start start;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct grouped *grouped = self;
    grouped->argument = argument;
    return result_open_with_start(context, grouped->argument->store, &grouped->start, &grouped->store);
}

enum { ROOM_BYTES = 8 };

static int count(mill_context *context, int64_t more, uint8_t room[ROOM_BYTES], mill_bytes *aggregate)
{
    int64_t number;
    int code = result_read_count(context, *aggregate, &number);
    if (code >= 0)
        *aggregate = mill_int64_write(room, number + more);
    return code;
}

static int subtract(mill_context *context, const struct table_grouped_argument *argument, mill_bytes key, mill_bytes value,
                    uint8_t room[ROOM_BYTES], mill_bytes *aggregate)
{
    if (argument->kind == TABLE_GROUPED_COUNT)
        return count(context, -1, room, aggregate);
    if (argument->kind == TABLE_GROUPED_REDUCE)
        return argument->subtract_value(aggregate, value, context, argument->ctx);
    return argument->subtractor(key, value, aggregate, context, argument->ctx);
}

static int add(mill_context *context, const struct table_grouped_argument *argument, mill_bytes key, mill_bytes value,
               uint8_t room[ROOM_BYTES], mill_bytes *aggregate)
{
    if (argument->kind == TABLE_GROUPED_COUNT)
        return count(context, 1, room, aggregate);
    if (argument->kind == TABLE_GROUPED_REDUCE && mill_is_null(*aggregate)) {
        *aggregate = value;
        return 0;
    }
    if (argument->kind == TABLE_GROUPED_REDUCE)
        return argument->add_value(aggregate, value, context, argument->ctx);
    int code = mill_is_null(*aggregate) ? argument->initializer(aggregate, context, argument->ctx) : 0;
    return code < 0 ? code : argument->adder(key, value, aggregate, context, argument->ctx);
}

/* A reduced value that begins has the time of its row; else old and new count, the later one. */
static bool begins_anew(const struct table_grouped_argument *argument, mill_bytes aggregate)
{
    return argument->kind == TABLE_GROUPED_REDUCE && mill_is_null(aggregate);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct grouped *grouped = self;
    const struct table_grouped_argument *argument = grouped->argument;
    mill_bytes come;
    mill_bytes leave;
    if (mill_is_null(record->key) || !change_read(record->value, &come, &leave))
        return mill_context_error(context, MILL_ECORRUPT, "%s: a record of its repartition topic is no change of a table",
                                  mill_context_node_name(context));
    mill_bytes aggregate;
    int64_t stored_ms;
    int found = rows_get(grouped->store, record->key, &aggregate, &stored_ms);
    if (found < 0)
        return found;
    int64_t later_ms = found ? result_later(stored_ms, record->timestamp_ms) : record->timestamp_ms;
    int64_t timestamp_ms = record->timestamp_ms;
    uint8_t room[2][ROOM_BYTES];
    int code = 0;
    if (!mill_is_null(leave) && found) {
        code = subtract(context, argument, record->key, leave, room[0], &aggregate);
        timestamp_ms = later_ms;
    }
    if (code >= 0 && !mill_is_null(come)) {
        timestamp_ms = begins_anew(argument, aggregate) ? timestamp_ms : later_ms;
        code = add(context, argument, record->key, come, room[1], &aggregate);
    }
    mill_record update = { .key = record->key, .value = aggregate, .timestamp_ms = timestamp_ms };
    return code < 0 ? code : result_put(&grouped->start, grouped->store, &update, record, mill_null());
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t number)
{
    mill_store *store = ((struct grouped *)self)->store;
    for (size_t i = 0; i < number; i++)
        if (!mill_is_null(records[i]->key))
            mill_key_value_prefetch(store, records[i]->key);
}

const mill_processor_type table_grouped_type = {
    .name = "table-grouped", .self_bytes = sizeof(struct grouped), .init = init, .process = process, .prepare = prepare
};
