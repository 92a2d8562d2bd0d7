/*
 * Syncs in rounds, which databases call group commit: one sync for all that was appended before it.
 *
 * A round syncs every log that is dirty when it starts, in parallel, on the sync workers. Appends go on meanwhile and make the
 * next round, which starts when the last sync of this one has come back; so under load a sync covers as many batches as
 * arrive while the disk works, and an idle broker syncs at once (at the end of the turn, so that all requests of one turn share
 * it). Each partition's high watermark moves as soon as its own sync is back.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_SYNC_ROUNDS_H
#define BROKER_SYNC_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "broker/turn.h"
#include "io/io.h"

struct broker;
struct partition;

struct sync_rounds {
    struct broker *broker;
    struct list dirty;   /* partitions, for the next round */
    struct list starved; /* whose sync could not begin for want of memory: tried again a little later */
    struct loop_timer retry;
    size_t running; /* syncs of this round that are not back */
    struct turn_task start;
};

void sync_rounds_init(struct sync_rounds *rounds, struct broker *broker);

/* `partition` has something to sync: it is in the next round. */
void sync_rounds_add(struct sync_rounds *rounds, struct partition *partition);

bool sync_rounds_idle(const struct sync_rounds *rounds);

/* The broker goes: nothing is tried again. A partition that has gone meanwhile may have left the timer armed. */
void sync_rounds_close(struct sync_rounds *rounds);

#endif
