/*
 * A stream's records with the values that a table has at that moment. The table's side is no input here: its operator writes the
 * store, this one only reads it.
 */
#include "join/join.h"

int stream_table_open(mill_context *context, struct stream_table_join *join, const void *argument)
{
    join->argument = argument;
    return table_reader_open(context, join->argument->table, &join->table);
}

static int init(mill_context *context, void *self, const void *argument)
{
    return stream_table_open(context, self, argument);
}

/* What a versioned table had at the record's time, else what the table has. */
static int look_up(struct table_reader *table, const mill_record *record, mill_bytes *row)
{
    int64_t timestamp_ms;
    if (table_reader_is_versioned(table))
        return table_reader_get_as_of(table, record->key, record->timestamp_ms, row, &timestamp_ms);
    return table_reader_get(table, record->key, row, &timestamp_ms);
}

int stream_table_join_record(mill_context *context, struct stream_table_join *join, const mill_record *record)
{
    const struct stream_table_argument *argument = join->argument;
    mill_bytes row = mill_null();
    int found = mill_is_null(record->key) ? 0 : look_up(join->table, record, &row);
    if (found < 0 || (!found && !argument->left))
        return found;
    return join_forward(context, argument->joiner, argument->ctx, record, record->value, row, record->timestamp_ms);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct stream_table_join *join = self;
    return join_drops(context, record, record->key, join->argument->left) ? 0 : stream_table_join_record(context, join, record);
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    struct table_reader *table = ((struct stream_table_join *)self)->table;
    for (size_t i = 0; i < count; i++)
        if (!mill_is_null(records[i]->key))
            table_reader_prefetch(table, records[i]->key);
}

void stream_table_close(mill_context *context, void *self)
{
    table_reader_close(((struct stream_table_join *)self)->table);
}

const mill_processor_type stream_table_join_type = { .name = "stream-table-join",
                                                     .self_bytes = sizeof(struct stream_table_join),
                                                     .init = init,
                                                     .process = process,
                                                     .prepare = prepare,
                                                     .close = stream_table_close };
