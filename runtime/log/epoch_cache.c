/* A short sorted array: an entry per leader change, so linear steps from the end are what a lookup needs. */
#include "log/epoch_cache.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "log/text_reader.h"

void epoch_cache_init(struct epoch_cache *cache)
{
    *cache = (struct epoch_cache){ 0 };
}

void epoch_cache_release(struct epoch_cache *cache)
{
    mem_free(cache->entries);
    epoch_cache_init(cache);
}

int epoch_cache_reserve(struct epoch_cache *cache)
{
    if (cache->count < cache->capacity)
        return 0;
    size_t capacity = cache->capacity ? cache->capacity * 2 : 4;
    struct epoch_entry *grown = mem_realloc(cache->entries, capacity * sizeof *grown);
    if (!grown)
        return MILL_ENOMEM;
    cache->entries = grown;
    cache->capacity = capacity;
    return 0;
}

void epoch_cache_note(struct epoch_cache *cache, int32_t epoch, int64_t start_offset)
{
    while (epoch_cache_latest(cache) > epoch) {
        cache->count--;
        cache->changed = true;
    }
    if (epoch == epoch_cache_latest(cache))
        return;
    mill_assert(cache->count < cache->capacity);
    cache->entries[cache->count++] = (struct epoch_entry){ epoch, start_offset };
    cache->changed = true;
}

int32_t epoch_cache_latest(const struct epoch_cache *cache)
{
    return cache->count == 0 ? -1 : cache->entries[cache->count - 1].epoch;
}

int32_t epoch_cache_at(const struct epoch_cache *cache, int64_t offset, int64_t *until)
{
    *until = INT64_MAX;
    for (size_t i = cache->count; i > 0; i--) {
        const struct epoch_entry *entry = &cache->entries[i - 1];
        if (entry->start_offset <= offset)
            return entry->epoch;
        *until = entry->start_offset;
    }
    return -1;
}

bool epoch_cache_end(const struct epoch_cache *cache, int32_t epoch, int64_t log_end, int32_t *found_epoch, int64_t *end_offset)
{
    *found_epoch = -1;
    *end_offset = -1;
    int64_t end = log_end;
    for (size_t i = cache->count; i > 0; i--) {
        const struct epoch_entry *entry = &cache->entries[i - 1];
        if (entry->epoch <= epoch) {
            *found_epoch = entry->epoch;
            *end_offset = end;
            return true;
        }
        end = entry->start_offset;
    }
    return false;
}

void epoch_cache_truncate_end(struct epoch_cache *cache, int64_t end_offset)
{
    while (cache->count > 0 && cache->entries[cache->count - 1].start_offset >= end_offset) {
        cache->count--;
        cache->changed = true;
    }
}

void epoch_cache_truncate_start(struct epoch_cache *cache, int64_t start_offset)
{
    size_t gone = 0;
    while (gone + 1 < cache->count && cache->entries[gone + 1].start_offset <= start_offset)
        gone++;
    if (gone > 0) {
        memmove(cache->entries, cache->entries + gone, (cache->count - gone) * sizeof *cache->entries);
        cache->count -= gone;
        cache->changed = true;
    }
    if (cache->count > 0 && cache->entries[0].start_offset < start_offset) {
        cache->entries[0].start_offset = start_offset;
        cache->changed = true;
    }
}

void epoch_cache_encode(struct epoch_cache *cache, struct buffer *text)
{
    text_append(text, "0\n%zu\n", cache->count);
    for (size_t i = 0; i < cache->count; i++)
        text_append(text, "%d %lld\n", cache->entries[i].epoch, (long long)cache->entries[i].start_offset);
    cache->changed = false;
}

static int decode_entry(struct epoch_cache *cache, mill_bytes line)
{
    struct text_reader words = text_reader_of(line);
    int32_t epoch = (int32_t)text_reader_number(&words, 0, INT32_MAX);
    int64_t start = text_reader_number(&words, 0, INT64_MAX);
    if (words.failed || !text_reader_at_end(&words) || epoch <= epoch_cache_latest(cache))
        return MILL_ECORRUPT;
    if (cache->count > 0 && start <= cache->entries[cache->count - 1].start_offset)
        return MILL_ECORRUPT;
    if (epoch_cache_reserve(cache) < 0)
        return MILL_ENOMEM;
    epoch_cache_note(cache, epoch, start);
    return 0;
}

int epoch_cache_decode(struct epoch_cache *cache, mill_bytes text)
{
    mill_assert(cache->count == 0);
    struct text_reader lines = text_reader_of(text);
    int64_t version = text_reader_number_line(&lines, 0, 0);
    int64_t count = text_reader_number_line(&lines, 0, EPOCH_CACHE_ENTRIES_MAX);
    int code = lines.failed || version != 0 ? MILL_ECORRUPT : 0;
    mill_bytes line;
    while (code == 0 && count > 0 && text_reader_line(&lines, &line)) {
        code = decode_entry(cache, line);
        count--;
    }
    if (code == 0 && (count > 0 || !text_reader_at_end(&lines)))
        code = MILL_ECORRUPT;
    if (code < 0)
        cache->count = 0;
    cache->changed = false;
    return code;
}
