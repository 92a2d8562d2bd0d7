/*
 * A stream joined with itself over one store: the pairs, and their order, are those that two stores give: the record with all
 * before it, then all before it with the record, among these the record with itself where its time puts it.
 */
#include "base/saturate.h"
#include "compat.h"
#include "join/join.h"

struct self_join {
    const struct self_join_argument *argument;
    mill_store *store;
    int64_t stream_time_ms;
    bool compat;
};

static int init(mill_context *context, void *memory, const void *argument)
{
    struct self_join *self = memory;
    self->argument = argument;
    self->compat = compat_is_kafka(context);
    int code = node_store_open(context, self->argument->store, &self->store);
    self->stream_time_ms = code < 0 ? -1 : mill_window_stream_time_ms(self->store);
    return code;
}

/* What one of the two walks over the store needs. */
struct walk {
    struct self_join *self;
    const mill_record *record;
    bool record_is_left;
    bool with_itself; /* the record itself comes among the others, before the first that is later */
};

static int join_pair(mill_context *context, const struct walk *walk, mill_bytes other, int64_t other_ms)
{
    const struct stream_join_windows *join = walk->self->argument->join;
    const mill_record *record = walk->record;
    int64_t later_ms = other_ms > record->timestamp_ms ? other_ms : record->timestamp_ms;
    return join_forward(context, join->joiner, join->ctx, record, walk->record_is_left ? record->value : other,
                        walk->record_is_left ? other : record->value, later_ms);
}

static int walk_store(mill_context *context, struct walk *walk, int64_t before_ms, int64_t after_ms)
{
    const mill_record *record = walk->record;
    int64_t from_ms = record->timestamp_ms > before_ms ? saturated_sum(record->timestamp_ms, -before_ms) : 0;
    int64_t to_ms = join_partners_until(record->timestamp_ms, after_ms, walk->self->compat);
    if (walk->self->compat) { /* as in stream_stream.c */
        int64_t kept_from_ms =
            mill_window_stream_time_ms(walk->self->store) - join_windows_retention(&walk->self->argument->join->windows) + 1;
        from_ms = kept_from_ms > from_ms ? kept_from_ms : from_ms;
    }
    mill_store_iterator *iterator;
    mill_store_entry other;
    int code = mill_join_fetch(walk->self->store, record->key, from_ms, to_ms, MILL_FORWARD, &iterator);
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &other)) > 0) {
        if (walk->with_itself && other.window_start_ms > record->timestamp_ms) {
            walk->with_itself = false;
            code = join_pair(context, walk, record->value, record->timestamp_ms);
        }
        if (code >= 0)
            code = join_pair(context, walk, other.value, other.window_start_ms);
    }
    mill_store_iterator_close(iterator);
    return code < 0 ? code : 0;
}

static int process(mill_context *context, void *memory, const mill_record *record)
{
    struct self_join *self = memory;
    const mill_join_windows *windows = &self->argument->join->windows;
    if (join_drops(context, record, record->key, false))
        return 0;
    if (record->timestamp_ms > self->stream_time_ms)
        self->stream_time_ms = record->timestamp_ms;
    struct walk as_left = { .self = self, .record = record, .record_is_left = true };
    int code = walk_store(context, &as_left, windows->before_ms, windows->after_ms);
    if (code < 0)
        return code;
    /* In two stores it would find itself only if its store had not let go of it at once. */
    int64_t expired_ms = self->stream_time_ms - self->store->builder->retention_ms + (self->compat ? 2 : 0);
    bool is_kept = record->timestamp_ms > expired_ms;
    struct walk as_right = { .self = self, .record = record, .with_itself = is_kept };
    code = walk_store(context, &as_right, windows->after_ms, windows->before_ms);
    if (code == 0 && as_right.with_itself)
        code = join_pair(context, &as_right, record->value, record->timestamp_ms);
    return code;
}

const mill_processor_type self_join_type = {
    .name = "self-join", .self_bytes = sizeof(struct self_join), .init = init, .process = process
};
