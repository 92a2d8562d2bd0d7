/* The timestamp extractors that come with the library; the default one, which fails, needs no function (see record queue). */
#include "topology/topology.h"

int64_t mill_extract_log_and_skip(void *ctx, const mill_record *record, int64_t partition_time_ms)
{
    (void)ctx;
    (void)partition_time_ms;
    return record->timestamp_ms;
}

int64_t mill_extract_partition_time(void *ctx, const mill_record *record, int64_t partition_time_ms)
{
    (void)ctx;
    return record->timestamp_ms >= 0 ? record->timestamp_ms : partition_time_ms;
}

/* Code here has no clock: the task's queue knows this function by its address and uses its own wall time instead. */
int64_t mill_extract_wall_clock(void *ctx, const mill_record *record, int64_t partition_time_ms)
{
    (void)ctx;
    (void)partition_time_ms;
    return record->timestamp_ms;
}
