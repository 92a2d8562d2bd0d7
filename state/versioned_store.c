/*
 * A versioned store: each key's records over time, laid out by key and the time until which a record was valid.
 *
 *      key | valid to 8   ->  the value, with the time from which it was valid as its timestamp; the latest: valid to INT64_MAX
 *
 * So what was valid at t is the first entry with valid to > t, if it was valid from t on; an entry expires with its segment when
 * no lookup can want it, and the latest never does. A tombstone leaves a gap: it needs no entry where a version ends at its time.
 * Where none does, a *mark* says that something happened then (valid from = valid to, no value), because a record that comes
 * later with an earlier time is valid until that time.
 *
 * A record writes at most two entries, the new one first: taking it back, when the second fails, needs no memory.
 */
#include "base/assert.h"
#include "state/layout.h"
#include "state/typed_store.h"

static const int64_t FOREVER = INT64_MAX;

struct version {
    int64_t from_ms; /* equal to `to_ms`: a mark */
    int64_t to_ms;
    mill_bytes value;
};

struct plan {
    struct version added;   /* a new entry; to_ms -1: none */
    struct version changed; /* an entry that is there; to_ms -1: none; value null: to be deleted */
};

/* ---- entries --------------------------------------------------------------------------------------------------------------- */

/* The entry that is valid to `to_ms`. 1, 0, error. */
static int get_entry(struct typed_store *store, mill_bytes key, int64_t to_ms, struct version *version)
{
    *version = (struct version){ -1, to_ms, mill_null() };
    return typed_store_get_element(store, key, to_ms, 0, &version->value, &version->from_ms);
}

/* The first entry of the past with valid to > `time_ms`, marks too. 1, 0, error. */
static int next_entry(struct typed_store *store, mill_bytes key, int64_t time_ms, struct version *version)
{
    mill_store_iterator *iterator;
    mill_store_entry entry;
    *version = (struct version){ -1, -1, mill_null() };
    if (time_ms >= store->cache.stream_time_ms)
        return 0;
    struct time_range range = { key, time_ms + 1, FOREVER - 1, INT64_MAX, MILL_FORWARD };
    int found = typed_store_iterate_time(store, &range, &iterator);
    if (found == 0) {
        found = mill_store_iterator_next(iterator, &entry);
        if (found > 0)
            *version = (struct version){ entry.timestamp_ms, entry.window_start_ms, entry.value };
        mill_store_iterator_close(iterator);
    }
    return found;
}

static int put_entry(struct typed_store *store, mill_bytes key, const struct version *version)
{
    mill_bytes element = typed_store_element(store, key, version->to_ms, 0);
    if (mill_is_null(element))
        return MILL_ENOMEM;
    int64_t segment_ms = layout_segment_end(store->cache.segment_ms, version->to_ms);
    return cache_put(&store->cache, segment_ms, element, version->value, version->from_ms, 0, NULL);
}

/* ---- what a record changes ------------------------------------------------------------------------------------------------- */

static struct version mark_at(int64_t time_ms)
{
    return (struct version){ time_ms, time_ms, mill_bytes_of("", 0) };
}

/* Plans a mark unless a version ends at `time_ms`, or nothing earlier can come. */
static int plan_mark(struct typed_store *store, mill_bytes key, int64_t time_ms, struct plan *plan)
{
    struct version ends;
    if (cache_expired(&store->cache, time_ms))
        return 0;
    int found = get_entry(store, key, time_ms, &ends);
    if (found == 0)
        plan->added = mark_at(time_ms);
    return found < 0 ? found : 0;
}

/* Later than all that is known, or as late: the record is the latest one. */
static int plan_latest(struct typed_store *store, mill_bytes key, const struct version *record, const struct version *latest,
                       struct plan *plan)
{
    plan->changed = (struct version){ record->from_ms, FOREVER, record->value };
    if (latest->from_ms < 0) { /* there is none to change */
        if (mill_is_null(record->value)) {
            plan->changed.to_ms = -1;
            return plan_mark(store, key, record->from_ms, plan);
        }
        return 0;
    }
    if (record->from_ms > latest->from_ms) {
        if (!cache_expired(&store->cache, record->from_ms))
            plan->added = (struct version){ latest->from_ms, record->from_ms, latest->value };
        return 0;
    }
    /* Kafka Streams deletes it without a trace: what comes later with an earlier time is then the latest. */
    return mill_is_null(record->value) && !store->as_kafka ? plan_mark(store, key, record->from_ms, plan) : 0;
}

/* Does a version begin at `time_ms`? */
static int begins_at(struct typed_store *store, mill_bytes key, int64_t time_ms, const struct version *latest)
{
    struct version next;
    if (latest->from_ms == time_ms)
        return 1;
    int found = next_entry(store, key, time_ms, &next);
    return found <= 0 ? found : next.from_ms == time_ms;
}

/* Within a version of the past: it is cut at the record's time, or replaced. */
static int plan_within(struct typed_store *store, mill_bytes key, const struct version *record, const struct version *past,
                       const struct version *latest, struct plan *plan)
{
    plan->changed = (struct version){ record->from_ms, past->to_ms, record->value };
    if (record->from_ms > past->from_ms && !cache_expired(&store->cache, record->from_ms))
        plan->added = (struct version){ past->from_ms, record->from_ms, past->value };
    if (!mill_is_null(record->value))
        return 0;
    int begins = begins_at(store, key, past->to_ms, latest);
    if (begins < 0)
        return begins;
    if (!begins || store->as_kafka)
        plan->changed = mark_at(past->to_ms);
    return record->from_ms > past->from_ms ? 0 : plan_mark(store, key, record->from_ms, plan);
}

/* A tombstone in a gap. Kafka Streams keeps it as a version: its end stays when what begins there is gone without a trace. */
static int plan_gap(struct typed_store *store, mill_bytes key, const struct version *record, struct plan *plan)
{
    struct version ends;
    int found = store->as_kafka ? get_entry(store, key, record->to_ms, &ends) : 1;
    if (found == 0)
        plan->changed = mark_at(record->to_ms);
    return found < 0 ? found : plan_mark(store, key, record->from_ms, plan);
}

/* The plan, and in record->to_ms until when the record is valid. */
static int make_plan(struct typed_store *store, mill_bytes key, struct version *record, struct plan *plan)
{
    struct version latest;
    struct version past;
    plan->added.to_ms = plan->changed.to_ms = -1;
    record->to_ms = FOREVER;
    int found = get_entry(store, key, FOREVER, &latest);
    if (found < 0)
        return found;
    if (found == 0)
        latest.from_ms = -1;
    if (found > 0 && record->from_ms >= latest.from_ms)
        return plan_latest(store, key, record, &latest, plan);
    int earlier = next_entry(store, key, record->from_ms, &past);
    if (earlier < 0)
        return earlier;
    if (earlier == 0 && found == 0)
        return plan_latest(store, key, record, &latest, plan);
    if (earlier > 0 && past.from_ms <= record->from_ms) {
        record->to_ms = past.to_ms;
        return plan_within(store, key, record, &past, &latest, plan);
    }
    record->to_ms = earlier > 0 ? past.from_ms : latest.from_ms; /* in a gap */
    if (mill_is_null(record->value))
        return plan_gap(store, key, record, plan);
    plan->changed = *record;
    return 0;
}

/*
 * Views of the plan stay good: an entry does not move, and the first write changes none that the second reads.
 */
static int carry_out(struct typed_store *store, mill_bytes key, const struct plan *plan)
{
    bool adds = plan->added.to_ms >= 0;
    int code = adds ? put_entry(store, key, &plan->added) : 0;
    if (code < 0 || plan->changed.to_ms < 0)
        return code;
    code = put_entry(store, key, &plan->changed);
    if (code < 0 && adds) {
        struct version nothing = { plan->added.from_ms, plan->added.to_ms, mill_null() };
        int taken_back = put_entry(store, key, &nothing);
        mill_assert(taken_back == 0);
    }
    return code;
}

int versioned_store_put(struct typed_store *store, mill_bytes key, mill_bytes value, int64_t timestamp_ms, int64_t *valid_to_ms)
{
    struct cache *cache = &store->cache;
    if (timestamp_ms < cache->stream_time_ms - cache->retention_ms)
        return 0;
    struct version record = { timestamp_ms, FOREVER, value };
    struct plan plan;
    int64_t time_before_ms = cache->stream_time_ms;
    if (timestamp_ms > time_before_ms)
        cache->stream_time_ms = timestamp_ms;
    int code = make_plan(store, key, &record, &plan);
    if (code == 0)
        code = carry_out(store, key, &plan);
    if (code < 0)
        cache->stream_time_ms = time_before_ms;
    *valid_to_ms = record.to_ms;
    return code < 0 ? code : 1;
}

/* ---- calls ----------------------------------------------------------------------------------------------------------------- */

int mill_versioned_put(mill_store *handle, mill_bytes key, mill_bytes value, int64_t timestamp_ms, int64_t *valid_to_ms)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_VERSIONED);
    int64_t ignored;
    if (store == NULL || mill_is_null(key) || timestamp_ms < 0 || timestamp_ms == INT64_MAX)
        return MILL_EINVALID;
    int stored = versioned_store_put(store, key, value, timestamp_ms, valid_to_ms ? valid_to_ms : &ignored);
    if (stored == 0 && store->dropped != NULL)
        store->dropped(store->drop_ctx, "expired-version");
    if (stored <= 0 || store->changelog == NULL)
        return stored;
    mill_record logged = { .key = key, .value = value, .timestamp_ms = timestamp_ms };
    int code = store->changelog->append(store->changelog, &logged);
    return code < 0 ? code : 1;
}

static int show(const struct version *found, mill_version *version)
{
    *version = (mill_version){ .value = found->value, .timestamp_ms = found->from_ms, .valid_to_ms = found->to_ms };
    return 1;
}

int mill_versioned_get(mill_store *handle, mill_bytes key, mill_version *version)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_VERSIONED);
    *version = (mill_version){ .timestamp_ms = -1 };
    if (store == NULL || mill_is_null(key))
        return MILL_EINVALID;
    struct version latest;
    int found = get_entry(store, key, FOREVER, &latest);
    return found <= 0 ? found : show(&latest, version);
}

int mill_versioned_get_as_of(mill_store *handle, mill_bytes key, int64_t as_of_ms, mill_version *version)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_VERSIONED);
    *version = (mill_version){ .timestamp_ms = -1 };
    if (store == NULL || mill_is_null(key))
        return MILL_EINVALID;
    struct version found;
    int code = get_entry(store, key, FOREVER, &found);
    if (code < 0)
        return code;
    if (code > 0 && found.from_ms <= as_of_ms)
        return show(&found, version);
    if (as_of_ms < 0 || as_of_ms < store->cache.stream_time_ms - store->cache.retention_ms)
        return 0;
    code = next_entry(store, key, as_of_ms, &found);
    bool valid = code > 0 && found.from_ms <= as_of_ms; /* a mark begins where it ends, behind it */
    return code < 0 ? code : valid ? show(&found, version) : 0;
}

int mill_versioned_next(mill_store *handle, mill_bytes key, int64_t after_ms, mill_version *version)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_VERSIONED);
    *version = (mill_version){ .timestamp_ms = -1 };
    if (store == NULL || mill_is_null(key))
        return MILL_EINVALID;
    struct version found;
    int code;
    while ((code = next_entry(store, key, after_ms < 0 ? -1 : after_ms, &found)) > 0) {
        if (found.from_ms < found.to_ms)
            return show(&found, version);
        after_ms = found.to_ms; /* a mark */
    }
    if (code == 0)
        code = get_entry(store, key, FOREVER, &found);
    return code <= 0 ? code : show(&found, version);
}

void mill_versioned_prefetch(mill_store *handle, mill_bytes key)
{
    struct typed_store *store = typed_store_of(handle, MILL_STORE_VERSIONED);
    if (store != NULL && !mill_is_null(key))
        timeline_prefetch(&store->cache.timeline, key);
}
