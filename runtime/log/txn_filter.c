#include "log/txn_filter.h"

#include "base/alloc.h"
#include "record/control.h"

struct aborted_walk {
    struct aborted_txn txn;
    bool has_batches;
};

static mill_bytes key_of(const int64_t *producer_id)
{
    return mill_bytes_of(producer_id, sizeof *producer_id);
}

void txn_filter_init(struct txn_filter *filter, const struct aborted_txn *aborted, size_t aborted_count)
{
    *filter = (struct txn_filter){ .aborted = aborted, .aborted_count = aborted_count };
    hash_map_init(&filter->aborts);
    hash_map_init(&filter->commits);
}

void txn_filter_release(struct txn_filter *filter)
{
    size_t at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&filter->aborts, &at)) != NULL;)
        mem_free(entry->value);
    hash_map_release(&filter->aborts);
    hash_map_release(&filter->commits);
}

static int begin_abort(struct txn_filter *filter, const struct aborted_txn *txn)
{
    struct aborted_walk *walk = hash_map_get(&filter->aborts, key_of(&txn->producer_id));
    if (walk) { /* a producer is in one at a time: of the one before the walk has not met the marker */
        *walk = (struct aborted_walk){ *txn, false };
        return 0;
    }
    walk = mem_alloc(sizeof *walk);
    if (!walk)
        return MILL_ENOMEM;
    *walk = (struct aborted_walk){ *txn, false };
    int code = hash_map_put(&filter->aborts, key_of(&txn->producer_id), walk, NULL);
    if (code < 0)
        mem_free(walk);
    return code;
}

/*
 * Aborted transactions that begin at or before `offset` are what the walk is in from now on, but for those that have ended before
 * it: a walk may begin behind their markers, and compaction may have taken their batches.
 */
static int move_to(struct txn_filter *filter, int64_t offset)
{
    int code = 0;
    for (; filter->next < filter->aborted_count && code == 0; filter->next++) {
        const struct aborted_txn *txn = &filter->aborted[filter->next];
        if (txn->first_offset > offset)
            break;
        if (txn->last_offset >= offset)
            code = begin_abort(filter, txn);
    }
    return code;
}

int txn_filter_meet_batch(struct txn_filter *filter, const struct batch_header *header)
{
    int code = move_to(filter, batch_last_offset(header));
    if (code < 0 || !batch_is_transactional(header))
        return code;
    struct aborted_walk *walk = hash_map_get(&filter->aborts, key_of(&header->producer_id));
    if (walk) {
        walk->has_batches = true;
        return 1;
    }
    return hash_map_put(&filter->commits, key_of(&header->producer_id), filter, NULL);
}

static int end_abort(struct txn_filter *filter, const struct batch_header *header, struct aborted_txn *kept)
{
    struct aborted_walk *walk = hash_map_remove(&filter->aborts, key_of(&header->producer_id));
    bool needed = walk && walk->has_batches;
    if (needed)
        *kept = walk->txn;
    mem_free(walk);
    return needed ? 0 : 1;
}

int txn_filter_meet_marker(struct txn_filter *filter, const struct batch_header *header, int type, struct aborted_txn *kept)
{
    kept->producer_id = -1;
    int code = move_to(filter, batch_last_offset(header));
    if (code < 0)
        return code;
    if (type == CONTROL_ABORT)
        return end_abort(filter, header, kept);
    if (type == CONTROL_COMMIT)
        return hash_map_remove(&filter->commits, key_of(&header->producer_id)) ? 0 : 1;
    return type < 0 ? 1 : 0; /* one without its record was ended long ago; others are not ours to remove */
}
