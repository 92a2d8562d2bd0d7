/*
 * Two streams within a window: each record of one with those of the other whose time is near its own.
 *
 *      left  -> windowed (keeps it) -> this join  --\
 *                                                    merge ->
 *      right -> windowed (keeps it) -> other join --/
 *
 * A windowed node pushes its record to its join first, which looks in the other side's store, and keeps it afterwards; so a pair
 * comes out once, by whichever came last. A join on an outer side that finds nothing puts the record into the store of unmatched
 * records, which both joins share, until its window and grace are over; then it goes on with nothing on the other side. What
 * closes it is time as both joins see it: the largest timestamp that reached either.
 *
 * By default a record of an outer side is emitted without a partner exactly once, and only if none comes before its close; one
 * that comes later finds it closed. Under mill.compat=kafka it is as in Kafka Streams 4.3:
 *
 *  - a record whose window is over on arrival goes on without a partner at once, even within the grace, and may be joined later
 *    all the same (KAFKA-19536);
 *  - whether anything is closed is asked by the bounds of the side whose record asks, and of the last entry looked at, which can
 *    be late with windows whose bounds differ, and with left joins;
 *  - a partner as old as the whole window and grace together is out of reach, which with neither window nor grace is every one;
 *  - where a bound is negative, what lies before 1970 counts as 1970, and may meet what is of that very moment;
 *  - a result without a partner has the headers of the record that set it free. By default it has none.
 *
 * A record without a partner for which the joiner fails is gone; what counts as failed is the record that set it free.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/saturate.h"
#include "compat.h"
#include "join/join.h"
#include "window/kept_time.h"

/* ---- what both joins of a task share --------------------------------------------------------------------------------------- */

struct join_shared {
    struct list link;
    const mill_store *unmatched; /* of this task: tells tasks apart */
    unsigned holders;
    int64_t stream_time_ms;
    int64_t oldest_ms; /* nothing unmatched is older; INT64_MAX: there is nothing */
    int64_t next_emit_ms;
};

/* Tasks of several threads open and close at once; for the lists of all joins. */
static pthread_mutex_t shared_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct join_shared *find(struct stream_join_windows *join, const mill_store *unmatched)
{
    list_for_each (node, &join->shared) {
        struct join_shared *shared = list_entry(node, struct join_shared, link);
        if (shared->unmatched == unmatched)
            return shared;
    }
    return NULL;
}

/* The one of this task, made by the first of its joins. NULL: no memory. */
static struct join_shared *hold(struct stream_join_windows *join, const mill_store *unmatched)
{
    pthread_mutex_lock(&shared_mutex);
    struct join_shared *shared = find(join, unmatched);
    if (shared == NULL) {
        shared = mem_calloc(1, sizeof *shared);
        if (shared != NULL) {
            *shared = (struct join_shared){ .unmatched = unmatched, .stream_time_ms = -1, .oldest_ms = INT64_MAX };
            list_push_back(&join->shared, &shared->link);
        }
    }
    if (shared != NULL)
        shared->holders++;
    pthread_mutex_unlock(&shared_mutex);
    return shared;
}

static void let_go(struct stream_join_windows *join, struct join_shared *shared)
{
    pthread_mutex_lock(&shared_mutex);
    bool last = --shared->holders == 0;
    if (last)
        list_remove(&shared->link);
    pthread_mutex_unlock(&shared_mutex);
    if (last)
        mem_free(shared);
}

/* ---- keeping --------------------------------------------------------------------------------------------------------------- */

struct windowed_side {
    mill_store *store;
};

static int init_windowed(mill_context *context, void *self, const void *argument)
{
    const char *store = ((const struct windowed_side_argument *)argument)->store;
    return node_store_open(context, store, &((struct windowed_side *)self)->store);
}

static int keep(mill_context *context, void *self, const mill_record *record)
{
    mill_store *store = ((struct windowed_side *)self)->store;
    if (record->timestamp_ms < 0) {
        mill_context_drop(context, "negative-timestamp");
        return 0;
    }
    int code = mill_forward(context, record);
    if (code < 0 || mill_is_null(record->key))
        return code;
    /* One that has expired was joined all the same: it is not kept, but neither was it skipped. */
    if (record->timestamp_ms <= mill_window_stream_time_ms(store) - store->builder->retention_ms)
        return 0;
    code = mill_join_put(store, record->key, record->timestamp_ms, record->value);
    return code < 0 ? code : 0;
}

static void prefetch(mill_store *store, const mill_record *const *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!mill_is_null(records[i]->key))
            mill_join_prefetch(store, records[i]->key);
}

static void prepare_windowed(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    prefetch(((struct windowed_side *)self)->store, records, count);
}

const mill_processor_type windowed_side_type = { .name = "join-window",
                                                 .self_bytes = sizeof(struct windowed_side),
                                                 .init = init_windowed,
                                                 .process = keep,
                                                 .prepare = prepare_windowed,
                                                 .passes_on = true };

/* ---- joining --------------------------------------------------------------------------------------------------------------- */

struct stream_join {
    const struct stream_join_argument *argument;
    struct stream_join_windows *join;
    mill_store *other;
    mill_store *unmatched;      /* NULL: an inner join */
    struct join_shared *shared; /* with it */
    bool compat;
    bool is_outer; /* the side of this node */
    mill_join_side side;
    int64_t before_ms; /* how far back its partners may lie, and how far ahead */
    int64_t after_ms;
    int64_t emit_interval_ms;
};

static bool outer(const struct stream_join_windows *join, mill_join_side side)
{
    return side == MILL_JOIN_LEFT ? join->left_is_outer : join->right_is_outer;
}

/* How long after its own time a record of this side may have partners. */
static int64_t ahead_ms(const struct stream_join_windows *join, mill_join_side side)
{
    return side == MILL_JOIN_LEFT ? join->windows.after_ms : join->windows.before_ms;
}

static bool is_closed(const struct stream_join *self, mill_join_side side, int64_t timestamp_ms)
{
    int64_t wait_ms = ahead_ms(self->join, side) + self->join->windows.grace_ms;
    return saturated_sum(timestamp_ms, wait_ms) < self->shared->stream_time_ms;
}

/* After a restart: what is unmatched waits on. */
static int recover(struct stream_join *self)
{
    mill_store_iterator *iterator;
    mill_unmatched first;
    int found = mill_key_value_all(self->unmatched, MILL_FORWARD, &iterator);
    if (found >= 0)
        found = mill_unmatched_next(iterator, &first);
    if (found > 0 && first.timestamp_ms < self->shared->oldest_ms)
        self->shared->oldest_ms = first.timestamp_ms;
    mill_store_iterator_close(iterator);
    return found < 0 ? found : 0;
}

static int64_t emit_interval(const mill_context *context)
{
    const char *text = mill_context_property(context, "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__");
    return text == NULL ? MILL_SECONDS(1) : strtoll(text, NULL, 10);
}

static int init(mill_context *context, void *memory, const void *argument)
{
    struct stream_join *self = memory;
    self->argument = argument;
    self->join = self->argument->join;
    self->compat = compat_is_kafka(context);
    self->side = self->argument->side;
    self->is_outer = outer(self->join, self->side);
    bool left = self->side == MILL_JOIN_LEFT;
    self->before_ms = left ? self->join->windows.before_ms : self->join->windows.after_ms;
    self->after_ms = ahead_ms(self->join, self->side);
    self->emit_interval_ms = emit_interval(context);
    int code = node_store_open(context, self->argument->other_store, &self->other);
    if (code < 0 || self->join->unmatched_store == NULL)
        return code;
    code = node_store_open(context, self->join->unmatched_store, &self->unmatched);
    if (code < 0)
        return code;
    self->shared = hold(self->join, self->unmatched);
    code = self->shared == NULL ? MILL_ENOMEM : 0;
    if (code == 0 && self->shared->holders == 1)
        code = keep_time(context, self->join->unmatched_store, &self->shared->stream_time_ms);
    return code < 0 ? code : recover(self);
}

static void close_join(mill_context *context, void *memory)
{
    struct stream_join *self = memory;
    if (self->shared != NULL)
        let_go(self->join, self->shared);
}

/* The result of a record of this or the other side with what it met. */
static int join_pair(mill_context *context, struct stream_join *self, const mill_record *record, mill_bytes own, mill_bytes other,
                     int64_t timestamp_ms)
{
    bool left = self->side == MILL_JOIN_LEFT;
    return join_forward(context, self->join->joiner, self->join->ctx, record, left ? own : other, left ? other : own,
                        timestamp_ms);
}

/* ---- what found no partner ------------------------------------------------------------------------------------------------- */

static int emit_unmatched(mill_context *context, struct stream_join *self, const mill_record *record, mill_unmatched *unmatched)
{
    mill_record alone = { .key = unmatched->key };
    if (self->compat) {
        alone.headers = record->headers;
        alone.header_count = record->header_count;
    }
    int failed = 0;
    int code;
    while ((code = mill_unmatched_value(&unmatched->values, &alone.value)) > 0) {
        bool left = unmatched->side == MILL_JOIN_LEFT;
        int joined = join_forward(context, self->join->joiner, self->join->ctx, &alone, left ? alone.value : mill_null(),
                                  left ? mill_null() : alone.value, unmatched->timestamp_ms);
        failed = failed < 0 ? failed : joined;
    }
    return failed < 0 ? failed : code;
}

/*
 * They go on, and out. They are out, too, if the joiner fails for one: else it would fail for that one with every record that
 * comes, and nothing behind it would ever go on.
 */
static int release(mill_context *context, struct stream_join *self, const mill_record *record, mill_unmatched *unmatched)
{
    int code = emit_unmatched(context, self, record, unmatched);
    int removed =
        mill_unmatched_remove(self->unmatched, unmatched->timestamp_ms, unmatched->side, unmatched->key, record->timestamp_ms);
    return code < 0 ? code : removed;
}

static bool has_several(const mill_unmatched *unmatched)
{
    mill_bytes values = unmatched->values;
    mill_bytes value;
    return mill_unmatched_value(&values, &value) > 0 && mill_unmatched_value(&values, &value) > 0;
}

/* Walks the unmatched records from the oldest on until those of both sides are open, and emits what is closed. */
static int emit_closed(mill_context *context, struct stream_join *self, const mill_record *record)
{
    struct join_shared *shared = self->shared;
    mill_store_iterator *iterator;
    int code = mill_key_value_all(self->unmatched, MILL_FORWARD, &iterator);
    if (code < 0)
        return code;
    /* A side that is not outer has nothing here: what is open of the other one is then the end, but not for Kafka Streams. */
    bool open[2] = { false, false };
    open[MILL_JOIN_LEFT] = !self->compat && !outer(self->join, MILL_JOIN_LEFT);
    open[MILL_JOIN_RIGHT] = !self->compat && !outer(self->join, MILL_JOIN_RIGHT);
    int64_t first_open_ms = INT64_MAX;
    int64_t last_ms = INT64_MAX;
    mill_unmatched unmatched;
    while ((code = mill_unmatched_next(iterator, &unmatched)) > 0) {
        last_ms = unmatched.timestamp_ms;
        if (open[MILL_JOIN_LEFT] && open[MILL_JOIN_RIGHT])
            break;
        if (!is_closed(self, unmatched.side, unmatched.timestamp_ms)) {
            open[unmatched.side] = true;
            if (first_open_ms == INT64_MAX)
                first_open_ms = unmatched.timestamp_ms;
            if (open[MILL_JOIN_LEFT] && open[MILL_JOIN_RIGHT] && has_several(&unmatched))
                break; /* in Kafka Streams each value is an entry: the next one is still of this time */
            continue;
        }
        code = release(context, self, record, &unmatched);
        if (code < 0)
            break;
    }
    mill_store_iterator_close(iterator);
    bool has_stopped = code < 0 && last_ms < first_open_ms; /* what is behind waits for the next look */
    shared->oldest_ms = self->compat || has_stopped ? last_ms : first_open_ms;
    return code < 0 ? code : 0;
}

/* True when there may be something to emit. A look costs an iterator over a store, hence the interval. */
static bool is_due(mill_context *context, struct stream_join *self)
{
    const struct stream_join_windows *join = self->join;
    struct join_shared *shared = self->shared;
    int64_t ahead = self->after_ms;
    if (!self->compat)
        ahead = join->windows.after_ms < join->windows.before_ms ? join->windows.after_ms : join->windows.before_ms;
    int64_t wait_ms = ahead + join->windows.grace_ms;
    /* Where nothing is unmatched Kafka Streams' sum overflows, so that it looks, and the interval begins. */
    bool nothing = shared->oldest_ms == INT64_MAX;
    if (nothing ? wait_ms <= 0 : saturated_sum(shared->oldest_ms, wait_ms) >= shared->stream_time_ms)
        return false;
    int64_t now_ms = mill_context_wall_time_ms(context);
    if (now_ms < shared->next_emit_ms)
        return false;
    shared->next_emit_ms = now_ms + self->emit_interval_ms;
    return !nothing;
}

/* An outer side's record met nobody. */
static int wait_or_go_alone(mill_context *context, struct stream_join *self, const mill_record *record)
{
    struct join_shared *shared = self->shared;
    bool over = self->compat ? join_partners_until(record->timestamp_ms, self->after_ms, true) < shared->stream_time_ms
                             : is_closed(self, self->side, record->timestamp_ms);
    if (over)
        return join_pair(context, self, record, record->value, mill_null(), record->timestamp_ms);
    if (record->timestamp_ms < shared->oldest_ms)
        shared->oldest_ms = record->timestamp_ms;
    return mill_unmatched_add(self->unmatched, record->timestamp_ms, self->side, record->key, record->value);
}

/* ---- a record -------------------------------------------------------------------------------------------------------------- */

static int64_t not_negative(int64_t time_ms)
{
    return time_ms > 0 ? time_ms : 0;
}

static int64_t fetch_from(const struct stream_join *self, const mill_record *record)
{
    int64_t from_ms = not_negative(saturated_sum(record->timestamp_ms, -self->before_ms));
    if (!self->compat)
        return from_ms;
    const struct mill_join_windows *windows = &self->join->windows;
    int64_t kept_from_ms = mill_window_stream_time_ms(self->other) - join_windows_retention(windows) + 1;
    return kept_from_ms > from_ms ? kept_from_ms : from_ms;
}

/* One partner: it is unmatched no more. 1: joined; 0: it is closed. */
static int meet(mill_context *context, struct stream_join *self, const mill_record *record, const mill_store_entry *partner)
{
    int64_t partner_ms = partner->window_start_ms;
    mill_join_side other_side = self->side == MILL_JOIN_LEFT ? MILL_JOIN_RIGHT : MILL_JOIN_LEFT;
    bool other_is_outer = outer(self->join, other_side);
    if (!self->compat && other_is_outer && is_closed(self, other_side, partner_ms))
        return 0;
    int64_t later_ms = partner_ms > record->timestamp_ms ? partner_ms : record->timestamp_ms;
    int code = join_pair(context, self, record, record->value, partner->value, later_ms);
    if (code >= 0 && other_is_outer && (self->compat || self->shared->oldest_ms <= partner_ms))
        code = mill_unmatched_remove(self->unmatched, partner_ms, other_side, record->key, record->timestamp_ms);
    return code < 0 ? code : 1;
}

/* Joins with all partners. Returns how many there were: 0, 1 for any, or an error. */
static int meet_all(mill_context *context, struct stream_join *self, const mill_record *record)
{
    mill_store_iterator *iterator;
    mill_store_entry partner;
    int64_t to_ms = join_partners_until(record->timestamp_ms, self->after_ms, self->compat);
    int code = mill_join_fetch(self->other, record->key, fetch_from(self, record), to_ms, MILL_FORWARD, &iterator);
    bool met = false;
    bool closed = false;
    while (code >= 0 && (code = mill_store_iterator_next(iterator, &partner)) > 0) {
        code = meet(context, self, record, &partner);
        met |= code > 0;
        closed |= code == 0;
    }
    mill_store_iterator_close(iterator);
    if (code >= 0 && closed && !met)
        mill_context_drop(context, "late");
    return code < 0 ? code : met;
}

static int process(mill_context *context, void *memory, const mill_record *record)
{
    struct stream_join *self = memory;
    struct join_shared *shared = self->shared;
    if (shared != NULL && record->timestamp_ms > shared->stream_time_ms)
        shared->stream_time_ms = record->timestamp_ms;
    if (self->is_outer && mill_is_null(record->key) && !mill_is_null(record->value))
        return join_pair(context, self, record, record->value, mill_null(), record->timestamp_ms);
    if (join_drops(context, record, record->key, false))
        return 0;
    if (shared != NULL && record->timestamp_ms == shared->stream_time_ms && is_due(context, self)) {
        int code = emit_closed(context, self, record);
        if (code < 0)
            return code;
    }
    int met = meet_all(context, self, record);
    return met == 0 && self->is_outer ? wait_or_go_alone(context, self, record) : met < 0 ? met : 0;
}

static void prepare_join(mill_context *context, void *self, const mill_record *const *records, size_t count)
{
    prefetch(((struct stream_join *)self)->other, records, count);
}

const mill_processor_type stream_join_type = { .name = "stream-join",
                                               .self_bytes = sizeof(struct stream_join),
                                               .init = init,
                                               .process = process,
                                               .prepare = prepare_join,
                                               .close = close_join };
