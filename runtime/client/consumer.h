/*
 * The fetcher: whole record batches of assigned partitions, read ahead in the background.
 *
 * It gives out batches as they lie in the log, never records: a `struct fetched` is a run of whole batches in one
 * reference-counted buffer (in-process the broker's own hot tail, remote the received frame), to be walked by
 * record/batch_reader. What a partition holds unread counts against `partition_bytes_max`, and all of them against
 * `fetch_bytes_max`; a partition beyond that is not fetched until it is consumed.
 *
 *     LOOKING_UP --offset known--> FETCHING --out of range, policy--> LOOKING_UP          any --no way on--> FAILED,
 *     events.failed
 *
 * Control batches never come out. With read_committed neither do batches of aborted transactions.
 *
 * A log that was cut below our position (an unclean leader election, seen by the epoch of the last batch read) is reported by
 * a trace and reading goes on at the cut, as Kafka does when a reset policy is set; without one the partition fails.
 *
 * Thread: that of the client's loop.
 */
#ifndef CLIENT_CONSUMER_H
#define CLIENT_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shared_buffer.h"
#include "client/client.h"
#include "client/options.h"

struct consumer;

/* Where reading starts, beside real offsets. The first two are ListOffsets' own numbers. */
enum {
    CONSUMER_LATEST = -1,
    CONSUMER_EARLIEST = -2,
    CONSUMER_BY_POLICY = -1000, /* what offset_reset says; with NONE the partition fails with MILL_ENOTFOUND */
    CONSUMER_NOWHERE = -1001,   /* as with NONE, whatever offset_reset says */
};

/* The first record at or after this time (not negative), the end when there is none. */
static inline int64_t consumer_since(int64_t timestamp_ms)
{
    return INT64_MIN + timestamp_ms;
}

/* An assigned partition: the consumer's, valid until consumer_unassign. `topic`, `index` and `user` may be read. */
struct consumer_partition {
    struct client_topic *topic;
    int32_t index;
    void *user; /* the caller's */
};

/* A run of whole data batches of one partition. */
struct fetched {
    struct consumer_partition *partition;
    struct slice batches;   /* the receiver holds it, and gives it back by fetched_release */
    int64_t first_offset;   /* the first batch may begin before it: records below are to be skipped */
    int64_t next_offset;    /* behind the last batch, and behind what was left out after it: the new position */
    int64_t high_watermark; /* as of the response that brought it */
    int64_t log_start;
};

static inline void fetched_release(struct fetched *fetched)
{
    shared_buffer_drop(fetched->batches.buffer);
    fetched->batches = (struct slice){ { NULL, 0 }, NULL };
}

/* May call the consumer, but not consumer_free. Any slot may be NULL. */
struct consumer_events {
    /* consumer_next has something, after it had nothing; or a position has passed over what does not come out. */
    void (*ready)(void *ctx, struct io_time now);
    /*
     * The partition is not read until it is sought or unassigned. MILL_EOUTOFRANGE or MILL_ENOTFOUND (no offset, and the policy
     * is none), MILL_EACCESS, MILL_ECORRUPT, MILL_ETOOLARGE. A topic that is missing is waited for.
     */
    void (*failed)(void *ctx, struct consumer_partition *partition, int code, const char *text);
    /* A start that had to be looked up is known now. */
    void (*positioned)(void *ctx, struct consumer_partition *partition, int64_t offset);
};

/* `options` is copied (its rack string is not). NULL: no memory. */
struct consumer *consumer_new(struct client *client, const struct consumer_options *options, const struct consumer_events *events,
                              void *ctx);
void consumer_free(struct consumer *consumer); /* slices given out stay the receivers' */

/* Starts reading a partition, which is not assigned yet, at an offset or one of the CONSUMER_* starts. NULL: no memory. */
struct consumer_partition *consumer_assign(struct consumer *consumer, struct client_topic *topic, int32_t index, int64_t start);
void consumer_unassign(struct consumer_partition *partition); /* drops what is buffered for it */

/*
 * Says that more partitions will be assigned soon. A partition waits for its first fetch until the one that is out has been
 * answered, which is parked at the broker for as long as there is nothing: so meanwhile none is parked for long.
 */
void consumer_expect(struct consumer *consumer, bool more);

/* The next run of batches, partitions taking turns, none that is paused. False: there is nothing; `ready` will tell. */
bool consumer_next(struct consumer *consumer, struct fetched *fetched);

/* As consumer_next, of one partition, paused or not. */
bool consumer_next_of(struct consumer_partition *partition, struct fetched *fetched);

/* Paused: nothing of it is fetched or given out; what is buffered stays. */
void consumer_pause(struct consumer_partition *partition);
void consumer_resume(struct consumer_partition *partition);

void consumer_seek(struct consumer_partition *partition, int64_t start); /* drops what is buffered for it */

int64_t consumer_position(const struct consumer_partition *partition);       /* next offset to come out; -1 while looked up */
int64_t consumer_high_watermark(const struct consumer_partition *partition); /* last known; -1 unknown */
int64_t consumer_log_start(const struct consumer_partition *partition);      /* last known; -1 unknown */
/* End of what may be read (the last stable offset with read_committed) minus position; -1 while either is unknown. */
int64_t consumer_lag(const struct consumer_partition *partition);
/*
 * Monotonic: until when what the broker told last still counts: it answers a fetch that has nothing some two seconds earlier. 0:
 * it has records that an open transaction holds back.
 */
int64_t consumer_told_until_us(const struct consumer_partition *partition);
size_t consumer_buffered_bytes(const struct consumer *consumer);

#endif
