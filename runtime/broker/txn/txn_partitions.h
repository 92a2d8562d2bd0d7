/*
 * The partitions of one transaction: per topic a sorted run of numbers.
 *
 * Owns what it stores. Thread: its owner's.
 */
#ifndef BROKER_TXN_TXN_PARTITIONS_H
#define BROKER_TXN_TXN_PARTITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"
#include "millstream/error.h"

/* A partition by name, as whoever asks has it. */
struct txn_target {
    mill_bytes topic;
    int32_t partition;
};

struct txn_topic {
    mill_bytes name; /* owned */
    int32_t *partitions;
    int32_t count;
    int32_t capacity;
};

struct txn_partitions {
    struct txn_topic *topics; /* in the order of their first partitions */
    size_t count;
    size_t capacity;
};

void txn_partitions_release(struct txn_partitions *partitions); /* empty, and usable again */
bool txn_partitions_has(const struct txn_partitions *partitions, mill_bytes topic, int32_t partition);

/* Nothing when it is there. 0 or MILL_ENOMEM. */
MILL_MUST_USE int txn_partitions_add(struct txn_partitions *partitions, mill_bytes topic, int32_t partition);

/* `copy` is empty. 0, or MILL_ENOMEM, which leaves it empty. */
MILL_MUST_USE int txn_partitions_copy(struct txn_partitions *copy, const struct txn_partitions *partitions);

#endif
