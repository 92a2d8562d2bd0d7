/*
 * How many different members each key has had, exactly. The store keeps every member and reports the size of the set after each
 * record, also when it did not grow: a crash may have come between the member's changelog record and the result. Its changelog
 * has the members alone, so that no record of it relies on another.
 */
#include "aggregate/aggregate.h"

struct count_distinct {
    const struct count_distinct_argument *argument;
    mill_store *store;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct count_distinct *count = self;
    count->argument = argument;
    return result_open(context, count->argument->store, &count->store);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct count_distinct *count = self;
    const struct count_distinct_argument *argument = count->argument;
    if (result_drops(context, record))
        return 0;
    result_cause(count->store, record);
    mill_bytes member = argument->member == NULL ? record->value : mill_null();
    int code = argument->member == NULL ? 0 : argument->member(record, &member, context, argument->ctx);
    if (code < 0)
        return code;
    if (mill_is_null(member)) {
        mill_context_drop(context, "null-member");
        return 0;
    }
    bool added;
    mill_set_size size;
    code = mill_set_add(count->store, record->key, 0, member, record->timestamp_ms, &added, &size);
    return code < 0 ? code : 0;
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    const struct count_distinct *distinct = self;
    if (distinct->argument->member != NULL)
        return; /* the user's function runs once for each record, in its turn */
    for (size_t i = 0; i < count; i++)
        if (!mill_is_null(records[i]->key) && !mill_is_null(records[i]->value))
            mill_set_prefetch(distinct->store, records[i]->key, 0, records[i]->value);
}

const mill_processor_type count_distinct_type = {
    .name = "count-distinct", .self_bytes = sizeof(struct count_distinct), .init = init, .process = process, .prepare = prepare
};
