/* Naive on purpose: one set of users a minute, one map of counts. */
#include "bench/results.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/hash_map.h"
#include "millstream/serde.h"
#include "record/batch_reader.h"

enum { MINUTE_MS = 60000, SET_SLOTS = 1 << 22, KEY_DIGITS_AT = 5, FETCH_BYTES = 1 << 20 };

/* ---- expected -------------------------------------------------------------------------------------------------------------- */

uint64_t result_number(const uint8_t *digits, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number = number * 10 + (uint64_t)(digits[i] - '0');
    return number;
}

/* True when `member` (not 0) was not there. */
static bool add_to_set(uint64_t *set, uint64_t member)
{
    size_t at = (member * 0x9e3779b97f4a7c15u) >> 42;
    while (set[at] != 0 && set[at] != member)
        at = (at + 1) % SET_SLOTS;
    bool added = set[at] == 0;
    set[at] = member;
    return added;
}

static uint64_t key_number(const mill_record *record)
{
    return result_number(record->key.data + KEY_DIGITS_AT, RECORD_KEY_BYTES - KEY_DIGITS_AT);
}

static int64_t count_distinct(struct record_source *source)
{
    uint64_t *set = mem_alloc(SET_SLOTS * sizeof *set);
    mill_assert(set != NULL);
    int64_t minute = -1;
    int64_t distinct = 0;
    mill_record record;
    int32_t partition;
    while (record_source_record(source, &record, &partition)) {
        if (record.timestamp_ms / MINUTE_MS != minute)
            memset(set, 0, SET_SLOTS * sizeof *set);
        minute = record.timestamp_ms / MINUTE_MS;
        uint64_t key = key_number(&record);
        distinct += add_to_set(set, key * 1000000 + result_number(record.value.data + RESULT_USER_AT, RESULT_USER_DIGITS) + 1);
    }
    mem_free(set);
    return distinct;
}

/* How often each record meets one of its key, itself included: twice for each pair of different ones. */
static int64_t count_pairs(struct record_source *source)
{
    enum { RECENT = 64 }; /* records of a key within the time: far more than there are */
    int64_t(*recent)[RECENT] = mem_calloc(source->keys, sizeof *recent);
    uint32_t *seen = mem_calloc(source->keys, sizeof *seen);
    mill_assert(recent != NULL && seen != NULL);
    int64_t pairs = 0;
    mill_record record;
    int32_t partition;
    while (record_source_record(source, &record, &partition)) {
        uint64_t key = key_number(&record);
        uint32_t before = 0;
        while (before < seen[key] && recent[key][(seen[key] - before - 1) % RECENT] >= record.timestamp_ms - RESULT_JOIN_MS)
            before++;
        mill_assert(before < RECENT);
        pairs += 2 * before + 1;
        recent[key][seen[key]++ % RECENT] = record.timestamp_ms;
    }
    mem_free(recent);
    mem_free(seen);
    return pairs;
}

static int64_t sum_last_users(struct record_source *source)
{
    int64_t *users = mem_calloc(source->keys, sizeof *users);
    mill_assert(users != NULL);
    int64_t sum = 0;
    mill_record record;
    int32_t partition;
    while (record_source_record(source, &record, &partition)) {
        uint64_t key = key_number(&record);
        sum -= users[key];
        users[key] = (int64_t)result_number(record.value.data + RESULT_USER_AT, RESULT_USER_DIGITS);
        sum += users[key];
    }
    mem_free(users);
    return sum;
}

static int64_t count_kept(struct record_source *source, bool (*keep)(const mill_record *record, void *ctx))
{
    int64_t kept = 0;
    mill_record record;
    int32_t partition;
    while (record_source_record(source, &record, &partition))
        kept += keep(&record, NULL);
    return kept;
}

int64_t results_expected(struct record_source *source, enum result_kind kind, bool (*keep)(const mill_record *record, void *ctx))
{
    switch (kind) {
    case RESULT_RECORDS:
        return count_kept(source, keep);
    case RESULT_ALL:
    case RESULT_COUNTS:
        return source->count;
    case RESULT_PAIRS:
        return count_pairs(source);
    case RESULT_SUMS:
        return sum_last_users(source);
    default:
        return count_distinct(source);
    }
}

/* Of many sketches the errors of each add up to little. */
int64_t results_tolerance(enum result_kind kind, int64_t expected)
{
    return kind == RESULT_ABOUT_DISTINCT ? expected / 100 : 0;
}

/* ---- found ----------------------------------------------------------------------------------------------------------------- */

struct reading {
    enum result_kind kind;
    struct batch_reader reader;
    struct hash_map counts; /* of each windowed key the last one and 1, as the pointer's value */
    int64_t records;
};

static bool counts_records(enum result_kind kind)
{
    return kind == RESULT_RECORDS || kind == RESULT_ALL || kind == RESULT_PAIRS;
}

static void take_record(struct reading *reading, const mill_record *record)
{
    int64_t count = 0; /* a deletion's */
    reading->records++;
    if (counts_records(reading->kind))
        return;
    bool is_count = mill_is_null(record->value) || mill_int64_read(record->value, &count);
    mill_assert(is_count && count >= 0);
    int code = hash_map_put(&reading->counts, record->key, (void *)(intptr_t)(count + 1), NULL);
    mill_assert(code == 0);
}

static void take_batches(void *ctx, int32_t partition, mill_bytes batches)
{
    struct reading *reading = ctx;
    mill_bytes batch;
    struct batch_header header;
    struct batch_record record;
    while (batch_next(&batches, &batch, &header) == 1) {
        if (batch_is_control(&header))
            continue;
        int code = batch_reader_open(&reading->reader, batch, true);
        mill_assert(code == 0);
        while ((code = batch_reader_next(&reading->reader, &record)) == 1)
            take_record(reading, &record.record);
        mill_assert(code == 0);
    }
}

static int64_t sum_of(const struct hash_map *counts)
{
    int64_t sum = 0;
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(counts, &at)) != NULL)
        sum += (intptr_t)entry->value - 1;
    return sum;
}

int64_t results_found(struct load *load, const char *topic, int32_t partitions, enum result_kind kind)
{
    struct reading reading = { .kind = kind };
    batch_reader_init(&reading.reader, FETCH_BYTES * 64);
    hash_map_init(&reading.counts);
    load_fetch(load, topic, partitions, FETCH_BYTES, take_batches, &reading);
    int64_t found = counts_records(kind) ? reading.records : sum_of(&reading.counts);
    hash_map_release(&reading.counts);
    batch_reader_release(&reading.reader);
    return found;
}
