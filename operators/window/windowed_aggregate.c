/* Folds the values of each key and window into an aggregate: count, reduce and aggregate. A null aggregate deletes it. */
#include "window/windowed.h"

struct windowed_aggregate {
    struct windowed windowed;
    const struct fold *fold;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct windowed_aggregate *aggregate = self;
    const struct windowed_aggregate_argument *given = argument;
    aggregate->fold = &given->fold;
    int code = windowed_open(context, &aggregate->windowed, &given->base);
    aggregate->windowed.children.show = given->fold.type->show;
    return code;
}

static int update(mill_context *context, void *self, const mill_record *record, int64_t start_ms)
{
    struct windowed_aggregate *aggregate = self;
    mill_store *store = aggregate->windowed.store;
    mill_bytes value;
    int64_t timestamp_ms;
    int found = mill_window_fetch(store, record->key, start_ms, &value, &timestamp_ms);
    if (found < 0)
        return found;
    uint8_t room[FOLD_ROOM_BYTES];
    int code = found ? 0 : fold_begin(aggregate->fold, context, &value);
    mill_bytes initial = found ? mill_null() : value;
    if (code >= 0)
        code = fold_add(aggregate->fold, context, record->key, record->value, room, &value);
    if (code < 0)
        return code;
    int64_t latest_ms = found ? result_later(timestamp_ms, record->timestamp_ms) : record->timestamp_ms;
    if (!aggregate->windowed.on_close.on)
        latest_ms = result_begin(&aggregate->windowed.children, store, initial, value, latest_ms, record->timestamp_ms);
    code = mill_window_put(store, record->key, start_ms, value, latest_ms);
    return code == 0 ? windowed_forward_refused(&aggregate->windowed, record->key, value, start_ms, latest_ms) : code;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    return windowed_walk(context, self, record, update);
}

const mill_processor_type windowed_aggregate_type = { .name = "windowed-aggregate",
                                                      .self_bytes = sizeof(struct windowed_aggregate),
                                                      .init = init,
                                                      .process = process,
                                                      .prepare = windowed_prepare };
