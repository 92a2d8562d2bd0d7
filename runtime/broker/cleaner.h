/*
 * Compacts the logs of the broker's partitions: always the dirtiest one that is due, one at a time, in steps on a worker.
 *
 * Nothing is looked at while nothing can have become due. A segment that rolls in a log with cleanup.policy=compact has all of
 * them looked at within log.cleaner.backoff.ms; as long as one waits for time to pass, or for a transaction to end, they are
 * looked at again at that pace.
 *
 * A log whose compaction fails (a disk error, a full disk, no memory) is passed over for twice that time, and for twice as long
 * after each further failure, up to an hour or so: the others have their turn meanwhile.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_CLEANER_H
#define BROKER_CLEANER_H

#include <stdbool.h>

#include "io/io.h"

struct broker;
struct compaction;
struct partition;

struct cleaner {
    struct broker *broker;
    bool enabled; /* log.cleaner.enable */
    struct loop_timer look;
    struct partition *partition; /* held, while its log is being compacted */
    struct compaction *compaction;
    struct work_item work;
};

void cleaner_init(struct cleaner *cleaner, struct broker *broker);

/* The broker is open: logs that were left dirty are looked at soon. */
void cleaner_start(struct cleaner *cleaner, struct io_time now);

/* The log of this partition may have rolled, or its settings have changed: costs a comparison where it has not. */
void cleaner_note(struct cleaner *cleaner, const struct partition *partition, struct io_time now);

/* The broker closes: no more looking; a compaction under way ends with the step that a worker has. */
void cleaner_close(struct cleaner *cleaner);

#endif
