/*
 * An offset per partition, in one text file of the data directory: recovery points, log starts, where compaction goes on.
 *
 *      0                   the file's version
 *      2                   how many lines follow
 *      access-log 0 1042   topic, partition, offset
 *      access-log 1 1017
 *
 * Replaced as a whole, durably. Offsets only ever make work shorter or the log start later, so a missing file is an empty one.
 */
#ifndef LOG_OFFSET_CHECKPOINT_H
#define LOG_OFFSET_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/hash_map.h"
#include "millstream/error.h"

#define RECOVERY_POINT_FILE "recovery-point-offset-checkpoint"
#define LOG_START_FILE      "log-start-offset-checkpoint"
#define FIRST_DIRTY_FILE    "cleaner-offset-checkpoint"
#define TOPIC_ID_FILE       "topic-id-checkpoint" /* ours alone: which topic the offsets of a name belong to */

enum { OFFSET_CHECKPOINT_ENTRIES_MAX = 1 << 20 };

/* Keys are "<topic>-<partition>", as directories are named; values own their entry. */
struct offset_checkpoint {
    struct hash_map entries;
    bool changed; /* not, or not yet, as its file says: set here, cleared by who writes that */
};

void offset_checkpoint_init(struct offset_checkpoint *checkpoint);
void offset_checkpoint_release(struct offset_checkpoint *checkpoint);

/* 0 or MILL_ENOMEM. */
MILL_MUST_USE int offset_checkpoint_put(struct offset_checkpoint *checkpoint, mill_bytes directory_name, int64_t offset);
void offset_checkpoint_remove(struct offset_checkpoint *checkpoint, mill_bytes directory_name);

/* `otherwise` when there is none. */
int64_t offset_checkpoint_get(const struct offset_checkpoint *checkpoint, mill_bytes directory_name, int64_t otherwise);

/* Appends the file's text; text->failed says when there is no memory. */
void offset_checkpoint_encode(const struct offset_checkpoint *checkpoint, struct buffer *text);

/* Fills an empty checkpoint. MILL_ECORRUPT, which leaves it empty; MILL_ENOMEM. */
MILL_MUST_USE int offset_checkpoint_decode(struct offset_checkpoint *checkpoint, mill_bytes text);

#endif
