/*
 * A key-value store as another thread than its owner's reads it: a cache of its own, above a reader of its own of the owner's
 * environment. What the owner writes comes by apply, long before it is on the disk; an entry may leave the cache once `flushed`
 * has said that the disk has it. In memory the cache is all there is.
 */
#ifndef STATE_STORE_VIEW_H
#define STATE_STORE_VIEW_H

#include "state/lmdb_store.h"
#include "millstream/store.h"

/* Over the owner's disk. On error the text is in `env->error`. The builder outlives the view. */
int store_view_open(const mill_store_builder *builder, struct lmdb_env *env, struct lmdb_store *disk, size_t cache_bytes,
                    mill_store_view **view);

/* In memory: a copy of all that `owner` has. The builder outlives the view. */
int store_view_copy(mill_store *owner, mill_store_view **view, struct error_text *error);

#endif
