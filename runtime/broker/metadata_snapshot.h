/*
 * Snapshots of `__cluster_metadata`: the image as a file, so that a start replays what came after it and not the whole history.
 *
 *      __cluster_metadata-0/00000000000000000042-0000000000.checkpoint        the image as of offset 42, epoch 0
 *
 * Kafka's name and format (KIP-630): record batches from offset 0 on; a control batch with the snapshot's header record first,
 * the records that make the image, a control batch with its footer record last. Kafka's dump tool reads it.
 *
 * One is written when metadata.log.max.record.bytes.between.snapshots have come since the last, or anything at all has and
 * metadata.log.max.snapshot.interval.ms are over. The two newest are kept, and the log begins where the older of them ends: when
 * the newest is damaged a start falls back on the one before, and the log has what that one lacks.
 *
 * Thread: the broker's loop; the file is written by a worker.
 */
#ifndef BROKER_METADATA_SNAPSHOT_H
#define BROKER_METADATA_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "io/io.h"

struct metadata;

struct metadata_snapshot {
    struct metadata *metadata;
    int64_t newest; /* the offsets of the two newest; -1: none */
    int64_t before_newest;
    int64_t written_us; /* monotonic, of the newest or of the start */
    bool running;
    struct buffer bytes; /* of the one that is being written, as are the next three */
    int64_t offset;
    int code;
    struct work_item work;
};

void metadata_snapshot_init(struct metadata_snapshot *snapshot, struct metadata *metadata);
void metadata_snapshot_release(struct metadata_snapshot *snapshot);

/*
 * Applies the newest valid snapshot that does not lie behind the log's end, and sets `*offset` to where replaying goes on: the
 * log's start when there is none. MILL_ECORRUPT when the log does not begin at 0 and no snapshot tells what was before; other
 * errors as the disk gives them or the records bring. The broker's error text says more.
 */
int metadata_snapshot_load(struct metadata_snapshot *snapshot, int64_t *offset, struct io_time now);

/* Begins to write one if it is due. Every few minutes. */
void metadata_snapshot_look(struct metadata_snapshot *snapshot, struct io_time now);

#endif
