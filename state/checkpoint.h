/*
 * What a store on disk knows of itself: how far it goes in its changelog, its stream time, and the shape that its bytes have.
 *
 * Lives in the environment's meta database under the store's name, and moves with the last transaction of each flush (FORMAT.md).
 * A shape that the program no longer wants (another kind, other segments) makes the store void: it is emptied and built anew.
 */
#ifndef STATE_CHECKPOINT_H
#define STATE_CHECKPOINT_H

#include "millstream/store.h"
#include "state/lmdb_env.h"

struct checkpoint {
    mill_store_kind kind;
    int64_t segment_ms;
    int64_t stream_time_ms;
    uint32_t sequence; /* of the newest entry of a join store */
    mill_changelog_position position;
};

/* 1, 0 when there is none or it is of another shape, MILL_ECORRUPT. `kind` and `segment_ms` say what shape is wanted. */
int checkpoint_read(struct lmdb_env *env, const char *name, struct checkpoint *checkpoint);
int checkpoint_write(struct lmdb_writer *writer, const char *name, const struct checkpoint *checkpoint);

/* What is known of a store of which nothing is known. */
mill_changelog_position checkpoint_nowhere(void);

#endif
