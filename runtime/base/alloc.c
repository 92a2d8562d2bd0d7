/*
 * The shim over malloc with a fault switch for tests.
 *
 * Switched off it costs one relaxed load of a line that nobody writes. Armed, calls are counted over all threads and the nth
 * fails, so that a sweep n = 1, 2, ... walks through every failure path of what it runs.
 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static atomic_bool armed;
static atomic_bool fails_on;
static _Atomic uint64_t failing_call;
static _Atomic uint64_t calls;

static bool fails_now(void)
{
    if (__builtin_expect(!atomic_load_explicit(&armed, memory_order_relaxed), 1))
        return false;
    uint64_t call = atomic_fetch_add(&calls, 1) + 1;
    uint64_t nth = atomic_load(&failing_call);
    return call == nth || (call > nth && atomic_load(&fails_on));
}

uint64_t mem_fail_at(uint64_t nth, int sticky)
{
    atomic_store(&armed, false);
    uint64_t made = atomic_exchange(&calls, 0);
    atomic_store(&failing_call, nth);
    atomic_store(&fails_on, sticky != 0);
    atomic_store(&armed, nth != 0);
    return made;
}

void *mem_alloc(size_t size)
{
    return fails_now() ? NULL : malloc(size ? size : 1);
}

void *mem_calloc(size_t count, size_t size)
{
    if (fails_now() || (size != 0 && count > PTRDIFF_MAX / size))
        return NULL;
    return count == 0 || size == 0 ? calloc(1, 1) : calloc(count, size);
}

void *mem_realloc(void *old, size_t size)
{
    return fails_now() ? NULL : realloc(old, size ? size : 1);
}

char *mem_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = mem_alloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

void mem_free(void *block)
{
    free(block);
}

void mem_prefer_huge_pages(void *block, size_t size)
{
    static const uintptr_t huge = (uintptr_t)2 << 20;
    uintptr_t first = ((uintptr_t)block + huge - 1) & ~(huge - 1);
    uintptr_t end = ((uintptr_t)block + size) & ~(huge - 1);
    if (end > first)
        (void)madvise((void *)first, end - first, MADV_HUGEPAGE); /* where it is refused, small pages do */
}
