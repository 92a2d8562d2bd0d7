/*
 * How much of a log's end stays in the kernel's page cache.
 *
 * A log is written once and mostly read once, soon. Left alone the kernel keeps all of it, until stores, other programs and the
 * log itself fight for the memory; and on a virtual machine each page that is new to the guest costs several times what is copied
 * into it, where one that was just given back is warm. So of what is synced the newest `page_cache_bytes` stay and the rest is
 * given back, in steps, by the thread that syncs; and what has been given back is read past the page cache.
 *
 * A rough count and never more than a hint: after a restart older segments count as given back, and retention may make the
 * share smaller than it should be.
 *
 * Thread: the loop that owns the log.
 */
#ifndef LOG_PAGE_CACHE_H
#define LOG_PAGE_CACHE_H

#include <stdint.h>

struct log_sync;
struct partition_log;
struct segment;

struct page_cache {
    int64_t bytes;       /* appended and not given back */
    int64_t base_offset; /* of the segment that is given back next; those before it are gone */
};

/* Adds to a sync round what it shall give back. Costs a comparison in most rounds. */
void page_cache_plan(struct partition_log *log, struct log_sync *sync);

/* The bytes at the segment's start that have been given back. */
int64_t page_cache_forgotten(const struct partition_log *log, const struct segment *segment);

#endif
