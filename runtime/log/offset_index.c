/* Binary search over 8-byte entries; see the header for what an entry means. */
#include "log/offset_index.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "millstream/error.h"

static int64_t entry_offset(const struct offset_index *index, size_t i)
{
    return index->base_offset + read_u32_be(index->entries + i * OFFSET_INDEX_ENTRY_BYTES);
}

static uint32_t entry_position(const struct offset_index *index, size_t i)
{
    return read_u32_be(index->entries + i * OFFSET_INDEX_ENTRY_BYTES + 4);
}

/* How many entries lie at or before `offset`. */
static size_t count_until(const struct offset_index *index, int64_t offset)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_offset(index, middle) <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int offset_index_init(struct offset_index *index, int64_t base_offset, uint8_t *entries, size_t count, size_t capacity,
                      uint32_t log_bytes)
{
    mill_assert(count <= capacity);
    *index = (struct offset_index){ .base_offset = base_offset, .entries = entries, .count = count, .capacity = capacity };

    for (size_t i = 1; i < count; i++)
        if (entry_offset(index, i) <= entry_offset(index, i - 1) || entry_position(index, i) <= entry_position(index, i - 1))
            return MILL_ECORRUPT;
    if (count > 0 && entry_position(index, count - 1) >= log_bytes)
        return MILL_ECORRUPT;
    return 0;
}

bool offset_index_append(struct offset_index *index, int64_t last_offset, uint32_t position)
{
    int64_t relative = last_offset - index->base_offset;
    if (index->count == index->capacity || relative > INT32_MAX)
        return false;
    /* The log hands offsets and positions out itself: a step back is our bug, not bad input. */
    mill_assert(relative >= 0);
    mill_assert(index->count == 0 || last_offset > entry_offset(index, index->count - 1));

    uint8_t *entry = index->entries + index->count * OFFSET_INDEX_ENTRY_BYTES;
    write_u32_be(entry, (uint32_t)relative);
    write_u32_be(entry + 4, position);
    index->count++;
    return true;
}

uint32_t offset_index_lookup(const struct offset_index *index, int64_t offset)
{
    size_t until = count_until(index, offset);
    return until == 0 ? 0 : entry_position(index, until - 1);
}

struct offset_index_entry offset_index_find(const struct offset_index *index, int64_t offset)
{
    size_t until = count_until(index, offset);
    if (until == 0)
        return (struct offset_index_entry){ 0 };
    return (struct offset_index_entry){ entry_position(index, until - 1), entry_offset(index, until - 1) + 1 };
}

uint32_t offset_index_position_before(const struct offset_index *index, uint32_t position)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_position(index, middle) <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? 0 : entry_position(index, low - 1);
}

void offset_index_truncate(struct offset_index *index, int64_t offset)
{
    index->count = count_until(index, offset - 1);
}
