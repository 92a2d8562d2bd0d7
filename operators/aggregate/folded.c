/* Folds the values of each key, without windows, where what goes on is not what is kept: distinct members. */
#include "aggregate/aggregate.h"
#include "aggregate/fold.h"

struct folded {
    const struct fold *fold;
    mill_store *store;
    struct result_children children;
};

static int init(mill_context *context, void *self, const void *argument)
{
    struct folded *folded = self;
    const struct folded_argument *given = argument;
    folded->fold = &given->fold;
    int code = result_children_open(context, NULL, &folded->children);
    folded->children.show = given->fold.type->show;
    return code < 0 ? code : result_open_for(context, given->store, &folded->children, &folded->store);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    struct folded *folded = self;
    if (result_drops(context, record))
        return 0;
    result_cause(folded->store, record);
    mill_bytes aggregate;
    int64_t timestamp_ms;
    int found = mill_key_value_get(folded->store, record->key, &aggregate, &timestamp_ms);
    if (found < 0)
        return found;
    uint8_t room[FOLD_ROOM_BYTES];
    int code = found ? 0 : fold_begin(folded->fold, context, &aggregate);
    if (code >= 0)
        code = fold_add(folded->fold, context, record->key, record->value, room, &aggregate);
    if (code < 0)
        return code;
    int64_t latest_ms = found ? result_later(timestamp_ms, record->timestamp_ms) : record->timestamp_ms;
    return mill_key_value_put(folded->store, record->key, aggregate, latest_ms);
}

const mill_processor_type folded_type = {
    .name = "folded", .self_bytes = sizeof(struct folded), .init = init, .process = process
};
