/*
 * Bytes placed so that reading one beyond their end is a fault: for testing decoders at every length.
 *
 *     struct unreadable_page page = unreadable_page_new(1 << 16);
 *     for (size_t len = 0; len <= whole.len; len++)
 *         decode(unreadable_page_put(&page, whole.data, len));
 *     unreadable_page_free(&page);
 */
#ifndef SUPPORT_UNREADABLE_PAGE_H
#define SUPPORT_UNREADABLE_PAGE_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "millstream/bytes.h"

struct unreadable_page {
    uint8_t *mapping;
    size_t readable;
    size_t mapped;
};

static inline struct unreadable_page unreadable_page_new(size_t bytes_max)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t readable = (bytes_max + page - 1) / page * page;
    uint8_t *mapping = mmap(NULL, readable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mill_assert(mapping != MAP_FAILED);
    mill_assert(mprotect(mapping + readable, page, PROT_NONE) == 0);
    return (struct unreadable_page){ mapping, readable, readable + page };
}

/* A copy of the bytes that ends where reading ends; never null. Overwrites the one before. */
static inline mill_bytes unreadable_page_put(struct unreadable_page *page, const void *data, size_t len)
{
    mill_assert(len <= page->readable);
    uint8_t *at = page->mapping + page->readable - len;
    if (len > 0)
        memcpy(at, data, len);
    return mill_bytes_of(at, len);
}

static inline void unreadable_page_free(struct unreadable_page *page)
{
    munmap(page->mapping, page->mapped);
}

#endif
