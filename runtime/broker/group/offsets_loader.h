/*
 * Reads `__consumer_offsets` into groups when the broker starts: one partition after the other, a slice of a turn at a time.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_GROUP_OFFSETS_LOADER_H
#define BROKER_GROUP_OFFSETS_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "io/io.h"

struct coordinator;
struct offsets_loader;

/* Sets coordinator->loader when there is something to read, and NULL again when all of it is. MILL_ENOMEM. */
int offsets_loader_start(struct coordinator *coordinator, struct io_time now);

/* The broker closes: it ends, at once or when the read that it waits for is back. */
void offsets_loader_stop(struct coordinator *coordinator);

/* Nothing will call it back any more. NULL is a no-op. */
void offsets_loader_free(struct offsets_loader *loader);

bool offsets_loader_has(const struct offsets_loader *loader, int32_t partition);

#endif
