#include "task/partition_group.h"

#include "base/assert.h"

void partition_group_offer(struct partition_group *group, size_t partition, int64_t time_ms)
{
    struct partition_entry entry = { time_ms, partition };
    size_t at = group->count++;
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (entry.time_ms >= group->entries[parent].time_ms)
            break;
        group->entries[at] = group->entries[parent];
        at = parent;
    }
    group->entries[at] = entry;
}

size_t partition_group_poll(struct partition_group *group)
{
    mill_assert(group->count > 0);
    size_t polled = group->entries[0].partition;
    size_t count = --group->count;
    struct partition_entry last = group->entries[count];
    size_t at = 0;
    while (at < count / 2) {
        size_t child = 2 * at + 1;
        if (child + 1 < count && group->entries[child].time_ms > group->entries[child + 1].time_ms)
            child++;
        if (last.time_ms <= group->entries[child].time_ms)
            break;
        group->entries[at] = group->entries[child];
        at = child;
    }
    if (count > 0)
        group->entries[at] = last;
    return polled;
}
