/*
 * The one door to the heap.
 *
 * Every allocation of the library goes through here, so that a test can fail the nth. All return NULL when there is no memory;
 * callers answer with MILL_ENOMEM. Size 0 gives a valid block. Any thread.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size);
void *mem_calloc(size_t count, size_t size); /* zeroed; NULL when the product overflows */
void *mem_realloc(void *old, size_t size);   /* on NULL the old block stays valid */
char *mem_strdup(const char *text);
void mem_free(void *block); /* NULL is a no-op */

/* A hint for a block that is visited at random: large pages, where the system has them, save most of the address translation. */
void mem_prefer_huge_pages(void *block, size_t size);

/*
 * For tests: the nth call from now (1 is the next) fails, and every one after it when `sticky`. 0 switches it off, and counting
 * with it; UINT64_MAX counts and fails none. Process-wide; returns the number of calls counted since it was last set.
 */
uint64_t mem_fail_at(uint64_t nth, int sticky);

#endif
