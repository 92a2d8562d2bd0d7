#include "worker/drops.h"

#include <stdio.h>
#include <string.h>

static struct drop_sum *find(struct thread_drops *drops, const char *reason)
{
    size_t count = atomic_load_explicit(&drops->count, memory_order_relaxed);
    for (size_t i = 0; i < count; i++)
        if (strncmp(drops->at[i].reason, reason, MILL_DROP_REASON_BYTES - 1) == 0)
            return &drops->at[i];
    if (count == MILL_DROP_REASONS_MAX)
        return &drops->at[count - 1];
    snprintf(drops->at[count].reason, MILL_DROP_REASON_BYTES, "%s", reason);
    atomic_store_explicit(&drops->count, count + 1, memory_order_release);
    return &drops->at[count];
}

void drops_begin(struct thread_drops *drops)
{
    size_t count = atomic_load_explicit(&drops->count, memory_order_relaxed);
    for (size_t i = 0; i < count; i++)
        drops->at[i].sum = drops->at[i].kept;
}

void drops_add(struct thread_drops *drops, const char *reason, long long count)
{
    find(drops, reason)->sum += count;
}

void drops_keep(struct thread_drops *drops, const char *reason, long long count)
{
    find(drops, reason)->kept += count;
}

void drops_publish(struct thread_drops *drops)
{
    size_t count = atomic_load_explicit(&drops->count, memory_order_relaxed);
    for (size_t i = 0; i < count; i++)
        atomic_store_explicit(&drops->at[i].shown, drops->at[i].sum, memory_order_relaxed);
}

size_t drops_merge(mill_drops *into, size_t count, const mill_drops *more)
{
    size_t i = 0;
    while (i < count && strcmp(into[i].reason, more->reason) != 0)
        i++;
    if (i == MILL_DROP_REASONS_MAX)
        i--;
    else if (i == count)
        into[count++] = (mill_drops){ .records = 0 };
    if (into[i].reason[0] == '\0')
        memcpy(into[i].reason, more->reason, MILL_DROP_REASON_BYTES);
    into[i].records += more->records;
    return count;
}

size_t drops_read(const struct thread_drops *drops, mill_drops *into, size_t count)
{
    size_t own = atomic_load_explicit(&drops->count, memory_order_acquire);
    for (size_t i = 0; i < own; i++) {
        mill_drops more = { .records = atomic_load_explicit(&drops->at[i].shown, memory_order_relaxed) };
        memcpy(more.reason, drops->at[i].reason, MILL_DROP_REASON_BYTES);
        if (more.records > 0)
            count = drops_merge(into, count, &more);
    }
    return count;
}
