/*
 * What is committed beside an offset: the partition's time, so that late records stay late after a restart, and how many
 * records the task has dropped by then and why, so that the counts survive too and any process that asks for the group's
 * offsets can show them.
 *
 * Kafka Streams' own text, so that either goes on where the other stopped: base64 of
 *
 *     | 2 (1) | time (8) | and, unless there are none: count of entries (4) | { name length (4) | name | number (8) } ... |
 *
 * all big-endian. The entries are its processors' metadata; how many records were dropped stands among them as
 * "dropped.<reason>".
 */
#ifndef TASK_OFFSET_METADATA_H
#define TASK_OFFSET_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"

enum {
    OFFSET_METADATA_COUNTS_MAX = 16,
    OFFSET_METADATA_NAME_BYTES = 32, /* of a name with its prefix; longer ones are left out */
    OFFSET_METADATA_NUMBERS_MAX = 64,
    OFFSET_METADATA_RAW_BYTES = 3069,                                   /* 4,092 characters of the 4,096 that a broker takes */
    OFFSET_METADATA_BYTES = (OFFSET_METADATA_RAW_BYTES + 2) / 3 * 4 + 1 /* base64, and a NUL */
};

struct drop_count {
    const char *reason; /* lives as long as what holds the count */
    int64_t count;
};

/* What a processor, or the task itself, remembers under a name. */
struct remembered_number {
    const char *name;    /* lives as long as what holds the number */
    int64_t number;      /* negative: none */
    const int64_t *kept; /* a processor's, told at each commit; NULL: by mill_context_remember */
    int64_t committed;   /* what it was at the last commit */
    bool is_committed;   /* false: it was not there then */
    bool is_claimed;     /* somebody of this program asked for it */
};

/* At most OFFSET_METADATA_COUNTS_MAX of `drops`, then as many of `numbers`, but negative ones, as the broker takes. */
void offset_metadata_encode(int64_t partition_time_ms, const struct drop_count *drops, size_t drop_count,
                            const struct remembered_number *numbers, size_t number_count, char text[OFFSET_METADATA_BYTES]);

/* The time, or -1 when the text is null, empty or not ours. */
int64_t offset_metadata_decode(mill_bytes text);

/* Calls back for each reason of dropping in the text; none when it is not ours. `reason` is valid for the call. */
void offset_metadata_drops(mill_bytes text, void (*each)(void *ctx, mill_bytes reason, int64_t count), void *ctx);

/* The same for each of the other entries, which processors remember. */
void offset_metadata_numbers(mill_bytes text, void (*each)(void *ctx, mill_bytes name, int64_t number), void *ctx);

#endif
