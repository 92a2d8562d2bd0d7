/*
 * What the buffer of a suppression keeps under a key, in the form that Kafka Streams gives its changelog (its version 3):
 *
 *    | timestamp 8 | offset 8 | topic | partition 4 | headers: count 4 { name | value } ... | prior | old | new | buffer time 8 |
 *
 * all big-endian. Names and values are a length (4) and bytes, length -1 being null; for `old` -2 means the same as prior.
 */
#ifndef SUPPRESS_BUFFERED_CHANGE_H
#define SUPPRESS_BUFFERED_CHANGE_H

#include "base/buffer.h"
#include "millstream/processor.h"

struct buffered_change {
    int64_t timestamp_ms; /* of the latest update, as are offset, topic, partition and headers */
    int64_t offset;
    mill_bytes topic;
    int32_t partition;
    const mill_header *headers;
    size_t header_count;
    mill_bytes prior;       /* the key's value before it was buffered */
    mill_bytes old_value;   /* before the latest update */
    mill_bytes new_value;   /* the latest */
    int64_t buffer_time_ms; /* its place in the order */
};

/* Replaces what `into` holds. MILL_ENOMEM. */
MILL_MUST_USE int buffered_change_encode(struct buffer *into, const struct buffered_change *change);

/*
 * Views of `bytes`; `headers` come from the context's memory. MILL_ECORRUPT for what is not of this form.
 */
MILL_MUST_USE int buffered_change_decode(mill_context *context, mill_bytes bytes, struct buffered_change *change);

/* How much of `max_bytes` it takes: Kafka Streams' estimate. */
size_t buffered_change_bytes(mill_bytes key, const struct buffered_change *change);

#endif
