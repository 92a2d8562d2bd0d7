/* Naive on purpose: one set of users a minute, one map of counts. */
#include "bench/results.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/hash_map.h"
#include "millstream/serde.h"
#include "record/batch_reader.h"

enum { MINUTE_MS = 60000, SET_SLOTS = 1 << 22, KEY_DIGITS_AT = 5, USER_DIGITS_AT = 1, USER_DIGITS = 6, FETCH_BYTES = 1 << 20 };

/* ---- expected -------------------------------------------------------------------------------------------------------------- */

static uint64_t number_at(const uint8_t *digits, size_t count)
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
        uint64_t key = number_at(record.key.data + KEY_DIGITS_AT, RECORD_KEY_BYTES - KEY_DIGITS_AT);
        distinct += add_to_set(set, key * 1000000 + number_at(record.value.data + USER_DIGITS_AT, USER_DIGITS) + 1);
    }
    mem_free(set);
    return distinct;
}

int64_t results_expected(struct record_source *source, enum result_kind kind, bool (*keep)(const mill_record *record, void *ctx))
{
    if (kind == RESULT_COUNTS)
        return source->count;
    if (kind == RESULT_DISTINCT)
        return count_distinct(source);
    int64_t kept = 0;
    mill_record record;
    int32_t partition;
    while (record_source_record(source, &record, &partition))
        kept += keep(&record, NULL);
    return kept;
}

/* ---- found ----------------------------------------------------------------------------------------------------------------- */

struct reading {
    enum result_kind kind;
    struct batch_reader reader;
    struct hash_map counts; /* of each windowed key the last one, as the pointer's value */
    int64_t records;
};

static void take_record(struct reading *reading, const mill_record *record)
{
    int64_t count;
    reading->records++;
    if (reading->kind == RESULT_RECORDS)
        return;
    bool is_count = mill_int64_read(record->value, &count);
    mill_assert(is_count && count > 0);
    int code = hash_map_put(&reading->counts, record->key, (void *)(intptr_t)count, NULL);
    mill_assert(code == 0);
}

static void take_batches(void *ctx, int32_t partition, mill_bytes batches)
{
    struct reading *reading = ctx;
    mill_bytes batch;
    struct batch_header header;
    struct batch_record record;
    while (batch_next(&batches, &batch, &header) == 1) {
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
        sum += (intptr_t)entry->value;
    return sum;
}

int64_t results_found(struct load *load, const char *topic, int32_t partitions, enum result_kind kind)
{
    struct reading reading = { .kind = kind };
    batch_reader_init(&reading.reader, FETCH_BYTES * 64);
    hash_map_init(&reading.counts);
    load_fetch(load, topic, partitions, FETCH_BYTES, take_batches, &reading);
    int64_t found = kind == RESULT_RECORDS ? reading.records : sum_of(&reading.counts);
    hash_map_release(&reading.counts);
    batch_reader_release(&reading.reader);
    return found;
}
