/*
 * A run of updates in the order in which they were appended: what a commit froze, on its way to the disk.
 *
 * Appending copies; nothing is ever changed or removed, so that a run is read by another thread once it was handed over.
 */
#ifndef STATE_RUN_H
#define STATE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "millstream/bytes.h"

struct run_update {
    int64_t start_ms;
    int64_t timestamp_ms;
    mill_bytes key;
    mill_bytes value; /* null: deleted */
};

struct run_block {
    struct run_block *next;
    size_t used;
    size_t capacity;
    uint8_t bytes[];
};

struct run {
    struct run_block *first;
    struct run_block *last;
    uint64_t count;
    size_t bytes; /* of memory */
};

void run_init(struct run *run);
void run_release(struct run *run);

/* false: no memory, nothing changed. */
bool run_append(struct run *run, const struct run_update *update);

/* Walks in order: start with zeroed `at`. The views live as long as the run. false at the end. */
struct run_at {
    const struct run_block *block;
    size_t offset;
    bool begun;
};
bool run_next(const struct run *run, struct run_at *at, struct run_update *update);

#endif
