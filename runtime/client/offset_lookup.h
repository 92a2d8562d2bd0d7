/*
 * ListOffsets over many partitions at once: the first offset, the end, or the first record at or after a time.
 *
 * Requests are grouped by leader; retriable errors (moved leaders, lost connections) are retried with a refresh of metadata until
 * default_api_timeout_ms. Thread: that of the client's loop.
 */
#ifndef CLIENT_OFFSET_LOOKUP_H
#define CLIENT_OFFSET_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"

enum { OFFSET_AT_END = -1, OFFSET_AT_START = -2, OFFSET_AT_MAX_TIMESTAMP = -3 };

struct offset_query {
    struct client_topic *topic;
    int32_t partition;
    int64_t timestamp_ms; /* or one of OFFSET_AT_* */
    /* The answer: */
    int64_t offset;       /* -1: no record at or after that time */
    int64_t found_ms;     /* timestamp of the record found; -1 when there is none */
    int32_t leader_epoch; /* -1 unknown */
    int code;             /* 0 or MILL_E*: ETIMEOUT, ENOTFOUND, EACCESS, EBROKER */
};

struct offset_lookup;

/*
 * Copies `queries`; calls `done` once, with the answers in the same order, valid for the call; `code` is 0 or that of the first
 * query that failed. With `read_committed` the end is the last stable offset. NULL: no memory, and no call. `done` is never
 * called before this returns.
 */
struct offset_lookup *
offset_lookup_start(struct client *client, const struct offset_query *queries, size_t count, bool read_committed,
                    void (*done)(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now), void *ctx);
void offset_lookup_cancel(struct offset_lookup *lookup); /* before `done` only: no call any more, the lookup is freed */

#endif
