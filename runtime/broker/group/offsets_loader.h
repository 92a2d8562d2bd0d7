/*
 * Reads `__consumer_offsets` into groups when the broker starts (topic_loader.h).
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_GROUP_OFFSETS_LOADER_H
#define BROKER_GROUP_OFFSETS_LOADER_H

#include "io/io.h"

struct coordinator;

/* Sets coordinator->loader when there is something to read, and NULL again when all of it is. MILL_ENOMEM. */
int offsets_loader_start(struct coordinator *coordinator, struct io_time now);

#endif
