/* Binary search over 12-byte entries; see the header for what an entry means. */
#include "log/time_index.h"

#include "base/assert.h"
#include "base/bytes.h"

static struct time_index_entry entry_at(const struct time_index *index, size_t i)
{
    const uint8_t *bytes = index->entries + i * TIME_INDEX_ENTRY_BYTES;
    return (struct time_index_entry){ .timestamp_ms = (int64_t)read_u64_be(bytes),
                                      .offset = index->base_offset + read_u32_be(bytes + 8) };
}

static size_t count_until_time(const struct time_index *index, int64_t timestamp_ms)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(index, middle).timestamp_ms <= timestamp_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int time_index_init(struct time_index *index, int64_t base_offset, uint8_t *entries, size_t count, size_t capacity,
                    int64_t next_offset)
{
    mill_assert(count <= capacity);
    *index = (struct time_index){ .base_offset = base_offset, .entries = entries, .count = count, .capacity = capacity };

    for (size_t i = 1; i < count; i++) {
        struct time_index_entry before = entry_at(index, i - 1);
        struct time_index_entry entry = entry_at(index, i);
        if (entry.timestamp_ms <= before.timestamp_ms || entry.offset <= before.offset)
            return MILL_ECORRUPT;
    }
    if (count > 0 && entry_at(index, count - 1).offset >= next_offset)
        return MILL_ECORRUPT;
    return 0;
}

bool time_index_append(struct time_index *index, int64_t timestamp_ms, int64_t last_offset)
{
    struct time_index_entry last;
    if (time_index_last(index, &last) && timestamp_ms <= last.timestamp_ms)
        return true;
    int64_t relative = last_offset - index->base_offset;
    if (index->count == index->capacity || relative > INT32_MAX)
        return false;
    /* The entries may have come from disk, the offset from a batch: where they disagree the index is not to be trusted. */
    if (relative < 0 || (index->count > 0 && last_offset <= last.offset))
        return false;

    uint8_t *entry = index->entries + index->count * TIME_INDEX_ENTRY_BYTES;
    write_u64_be(entry, (uint64_t)timestamp_ms);
    write_u32_be(entry + 8, (uint32_t)relative);
    index->count++;
    return true;
}

bool time_index_lookup(const struct time_index *index, int64_t timestamp_ms, struct time_index_entry *entry)
{
    size_t until = count_until_time(index, timestamp_ms);
    if (until == 0)
        return false;
    *entry = entry_at(index, until - 1);
    return true;
}

bool time_index_last(const struct time_index *index, struct time_index_entry *entry)
{
    if (index->count == 0)
        return false;
    *entry = entry_at(index, index->count - 1);
    return true;
}

void time_index_truncate(struct time_index *index, int64_t offset)
{
    while (index->count > 0 && entry_at(index, index->count - 1).offset >= offset)
        index->count--;
}
