#include "log/page_cache.h"

#include "log/partition_log_state.h"

/* One call for as much at least: it costs microseconds by itself. */
enum { FORGET_BYTES = 4 << 20 };

void page_cache_plan(struct partition_log *log, struct log_sync *sync)
{
    struct page_cache *cache = &log->page_cache;
    int64_t surplus = cache->bytes - log->config.page_cache_bytes;
    if (log->config.page_cache_bytes < 0 || surplus < FORGET_BYTES)
        return;
    size_t at = log_find_segment(log, cache->base_offset);
    struct segment *segment = log->segments[at];
    int64_t left = segment->bytes - segment->forgotten;
    int64_t len = surplus < left ? surplus : left;
    if (len > 0 && segment->files) {
        segment_files_hold(segment->files);
        sync->forget = segment->files;
        sync->forget_offset = segment->forgotten;
        sync->forget_len = len;
    }
    segment->forgotten += (uint32_t)len;
    cache->bytes -= len;
    cache->base_offset = segment->base_offset;
    if (len == left && at + 1 < log->segment_count)
        cache->base_offset = log->segments[at + 1]->base_offset;
    else if (len == left)
        cache->bytes = 0; /* the log was cut meanwhile */
}

int64_t page_cache_forgotten(const struct partition_log *log, const struct segment *segment)
{
    if (log->config.page_cache_bytes < 0)
        return 0;
    return segment->base_offset < log->page_cache.base_offset ? segment->bytes : segment->forgotten;
}
