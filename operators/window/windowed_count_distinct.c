/*
 * How many different members each key has had in each window, exactly. The member is made once a record, whatever the number of
 * windows.
 */
#include "window/windowed.h"

struct windowed_count_distinct {
    struct windowed windowed;
    const struct windowed_count_distinct_argument *argument;
    mill_bytes member; /* of the record at hand */
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct windowed_count_distinct *distinct = self;
    distinct->argument = argument;
    return windowed_open(context, &distinct->windowed, &distinct->argument->base);
}

static int update(mill_context *context, void *self, const mill_record *record, int64_t start_ms)
{
    struct windowed_count_distinct *distinct = self;
    bool added;
    mill_set_size size;
    return mill_set_add(distinct->windowed.store, record->key, start_ms, distinct->member, record->timestamp_ms, &added, &size);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct windowed_count_distinct *distinct = self;
    const struct windowed_count_distinct_argument *argument = distinct->argument;
    distinct->member = argument->member == NULL ? record->value : mill_null();
    int code = argument->member == NULL ? 0 : argument->member(record, &distinct->member, context, argument->ctx);
    if (code < 0)
        return code;
    if (!mill_is_null(distinct->member) || mill_is_null(record->key))
        return windowed_walk(context, &distinct->windowed, record, update);
    mill_context_drop(context, "null-member");
    return 0;
}

static void prepare(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    struct windowed_count_distinct *distinct = self;
    if (distinct->argument->member != NULL)
        return;                                         /* the user's function runs once for each record, in its turn */
    struct time_windows time = distinct->windowed.time; /* a copy: preparing moves no time */
    for (size_t i = 0; i < count; i++) {
        if (mill_is_null(records[i]->key) || mill_is_null(records[i]->value) ||
            !time_windows_hold(&time, records[i]->timestamp_ms))
            continue;
        struct window_walk walk = time_windows_begin(&time, records[i]->timestamp_ms);
        do
            mill_set_prefetch(distinct->windowed.store, records[i]->key, walk.start_ms, records[i]->value);
        while (walk_next(&walk));
    }
}

const mill_processor_type windowed_count_distinct_type = { .name = "windowed-count-distinct",
                                                           .self_bytes = sizeof(struct windowed_count_distinct),
                                                           .init = init,
                                                           .process = process,
                                                           .prepare = prepare };
