/*
 * Reads one of the broker's own topics into memory when the broker starts: one partition after the other, a slice of a turn at a
 * time, so that everything else goes on meanwhile.
 *
 * What is damaged is passed over with a trace. Up to its log end at the moment when the loader comes to it a partition is not
 * loaded; what is appended later is its owner's to know.
 *
 * Thread: the broker's loop.
 */
#ifndef BROKER_TOPIC_LOADER_H
#define BROKER_TOPIC_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "io/io.h"
#include "record/batch_reader.h"
#include "record/control.h"

struct broker;
struct topic_loader;

/*
 * What is read, in the order of the log; when memory failed, a batch perhaps twice. What they point to is valid during the call.
 */
struct topic_reader {
    /* 0, MILL_ENOMEM: to be tried again, or an error that is traced. `arena` is cleared before each record. */
    int (*record)(void *ctx, int32_t partition, const struct batch_header *header, const struct batch_record *record,
                  struct arena *arena, struct io_time now);
    void (*marker)(void *ctx, int32_t partition, const struct control_marker *marker, struct io_time now); /* may be NULL */
    void (*loaded)(void *ctx, int32_t partition, struct io_time now); /* topic_loader_has says so from here on; may be NULL */
    void (*finished)(void *ctx, struct io_time now);                  /* last: all is loaded; may be NULL */
    void *ctx;
};

/*
 * Begins when there is anything to read: `*slot` is the loader, and NULL again when all of it is read (then, without a call of
 * `finished`, also at once). `slot` stays valid as long. MILL_ENOMEM.
 */
int topic_loader_start(struct broker *broker, const char *topic, const struct topic_reader *reader, struct topic_loader **slot,
                       struct io_time now);

/* The broker closes: it ends, at once or when the read that it waits for is back. NULL is a no-op. */
void topic_loader_stop(struct topic_loader *loader);

/* Nothing will call it back any more. NULL is a no-op. */
void topic_loader_free(struct topic_loader *loader);

/* Is this partition loaded? Without a loader everything is. */
bool topic_loader_has(const struct topic_loader *loader, int32_t partition);

#endif
