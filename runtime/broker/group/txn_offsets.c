/* One list: as many entries as transactions that commit offsets are open, which is about the number of stream threads. */
#include "broker/group/txn_offsets.h"

#include "base/alloc.h"
#include "base/trace.h"
#include "broker/internal.h"

enum { RETRY_US = 100 * 1000, SUPERSEDED = -1 };

static void free_txn(struct group_txn *txn)
{
    list_remove(&txn->link);
    group_offsets_release(&txn->offsets);
    mem_free(txn);
}

static struct group_txn *find_open(const struct txn_offsets *txns, const struct classic_group *group, int64_t producer_id)
{
    list_for_each (node, &txns->open) {
        struct group_txn *txn = list_entry(node, struct group_txn, link);
        if (txn->group == group && txn->producer_id == producer_id && !txn->committed)
            return txn;
    }
    return NULL;
}

int txn_offsets_put_plain(struct txn_offsets *txns, struct classic_group *group, mill_bytes topic,
                          const struct committed_offset *committed)
{
    struct committed_offset ordered = *committed;
    ordered.order = ++txns->order;
    return group_offsets_put(&group->offsets, topic, &ordered);
}

int txn_offsets_put(struct txn_offsets *txns, struct classic_group *group, int64_t producer_id, mill_bytes topic,
                    const struct committed_offset *committed)
{
    struct group_txn *txn = find_open(txns, group, producer_id);
    bool is_new = !txn;
    if (is_new) {
        txn = mem_calloc(1, sizeof *txn);
        if (!txn)
            return MILL_ENOMEM;
        txn->group = group;
        txn->producer_id = producer_id;
        group_offsets_init(&txn->offsets);
        list_push_back(&txns->open, &txn->link);
    }
    struct committed_offset ordered = *committed;
    ordered.order = ++txns->order;
    int code = group_offsets_put(&txn->offsets, topic, &ordered);
    if (code != 0 && is_new)
        free_txn(txn);
    return code;
}

/* Has a later record of the log the say? */
static bool is_superseded(const struct group_offsets *offsets, mill_bytes topic, const struct committed_offset *committed)
{
    const struct committed_offset *present = group_offsets_get(offsets, topic, committed->partition);
    return committed->offset == SUPERSEDED || (present && present->order > committed->order);
}

/* Moves what is left of it to the group. 0, or MILL_ENOMEM, after which it is called again. */
static int settle(struct group_txn *txn)
{
    const struct metadata *metadata = &txn->group->coordinator->broker->metadata;
    size_t at = 0;
    for (const struct offset_topic *topic; (topic = group_offsets_next(&txn->offsets, &at)) != NULL;) {
        bool exists = metadata_topic(metadata, topic->name) != NULL;
        for (size_t i = 0; exists && i < topic->count; i++) {
            const struct committed_offset *committed = &topic->partitions[i];
            if (is_superseded(&txn->group->offsets, topic->name, committed))
                continue;
            int code = group_offsets_put(&txn->group->offsets, topic->name, committed);
            if (code != 0)
                return code;
        }
    }
    return 0;
}

static void settle_or_retry(struct txn_offsets *txns, struct group_txn *txn, struct io_time now)
{
    txn->committed = true;
    if (settle(txn) == 0)
        free_txn(txn);
    else
        loop_timer_set(txns->coordinator->broker->loop, &txns->retry, now.monotonic_us + RETRY_US);
}

static void settle_again(struct loop_timer *timer, struct io_time now)
{
    struct txn_offsets *txns = timer->ctx;
    list_for_each_safe (node, &txns->open) {
        struct group_txn *txn = list_entry(node, struct group_txn, link);
        if (txn->committed)
            settle_or_retry(txns, txn, now);
    }
}

void txn_offsets_end(struct txn_offsets *txns, int32_t partition, int64_t producer_id, bool committed, struct io_time now)
{
    list_for_each_safe (node, &txns->open) {
        struct group_txn *txn = list_entry(node, struct group_txn, link);
        struct classic_group *group = txn->group;
        if (txn->producer_id != producer_id || group->partition != partition || txn->committed)
            continue;
        if (committed)
            settle_or_retry(txns, txn, now);
        else
            free_txn(txn);
        coordinator_let_go_if_idle(txns->coordinator, group);
    }
}

void txn_offsets_supersede(struct txn_offsets *txns, const struct classic_group *group, mill_bytes topic, int32_t partition)
{
    list_for_each (node, &txns->open) {
        struct group_txn *txn = list_entry(node, struct group_txn, link);
        struct committed_offset *committed = txn->group == group ? group_offsets_find(&txn->offsets, topic, partition) : NULL;
        if (committed)
            committed->offset = SUPERSEDED;
    }
}

bool txn_offsets_pend(const struct txn_offsets *txns, const struct classic_group *group, mill_bytes topic, int32_t partition)
{
    list_for_each (node, &txns->open) {
        const struct group_txn *txn = list_entry(node, struct group_txn, link);
        if (txn->group == group && group_offsets_get(&txn->offsets, topic, partition))
            return true;
    }
    return false;
}

bool txn_offsets_has_group(const struct txn_offsets *txns, const struct classic_group *group)
{
    list_for_each (node, &txns->open)
        if (list_entry(node, struct group_txn, link)->group == group)
            return true;
    return false;
}

void txn_offsets_drop_group(struct txn_offsets *txns, const struct classic_group *group)
{
    list_for_each_safe (node, &txns->open) {
        struct group_txn *txn = list_entry(node, struct group_txn, link);
        if (txn->group == group)
            free_txn(txn);
    }
}

void txn_offsets_init(struct txn_offsets *txns, struct coordinator *coordinator)
{
    *txns = (struct txn_offsets){ .coordinator = coordinator };
    list_init(&txns->open);
    txns->retry = (struct loop_timer){ .fire = settle_again, .ctx = txns };
}

void txn_offsets_release(struct txn_offsets *txns)
{
    loop_timer_cancel(txns->coordinator->broker->loop, &txns->retry);
    list_for_each_safe (node, &txns->open)
        free_txn(list_entry(node, struct group_txn, link));
}
