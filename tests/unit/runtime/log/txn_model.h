/*
 * What a log should know about its transactions, worked out anew from a list of all that was appended; a checker that says where
 * a log differs. It does not assert, so that it can be shown to reject planted faults first.
 */
#ifndef TESTS_LOG_TXN_MODEL_H
#define TESTS_LOG_TXN_MODEL_H

#include "log_fixture.h"

#include "log/txn_index.h"

enum { TXN_OPS_MAX = 4096, TXN_PRODUCERS_MAX = 16 };

enum txn_op_kind { TXN_OP_DATA, TXN_OP_COMMIT, TXN_OP_ABORT, TXN_OP_PLAIN };

/* A batch, each with one record: its place in the list is its offset. */
struct txn_op {
    enum txn_op_kind kind;
    int64_t producer_id;
};

struct txn_model {
    struct txn_op ops[TXN_OPS_MAX];
    int64_t end;
};

static inline void txn_model_note(struct txn_model *model, enum txn_op_kind kind, int64_t producer_id)
{
    assert_true(model->end < TXN_OPS_MAX);
    model->ops[model->end++] = (struct txn_op){ kind, producer_id };
}

struct model_txn {
    int64_t producer_id;
    int64_t first;
    int64_t last_data;
    int64_t marker; /* INT64_MAX: open */
    bool aborted;
};

/* The transactions of [0, end), in the order of their beginnings. */
static inline size_t txn_model_list(const struct txn_model *model, int64_t end, struct model_txn *txns)
{
    size_t count = 0;
    for (int64_t at = 0; at < end && at < model->end; at++) {
        const struct txn_op *op = &model->ops[at];
        if (op->kind == TXN_OP_PLAIN)
            continue;
        struct model_txn *open = NULL;
        for (size_t i = 0; i < count; i++)
            if (txns[i].producer_id == op->producer_id && txns[i].marker == INT64_MAX)
                open = &txns[i];
        if (op->kind != TXN_OP_DATA) {
            if (open) {
                open->marker = at;
                open->aborted = op->kind == TXN_OP_ABORT;
            }
        } else if (open) {
            open->last_data = at;
        } else {
            txns[count++] = (struct model_txn){ op->producer_id, at, at, INT64_MAX, false };
        }
    }
    return count;
}

/* From where on a transaction is open, or its marker not below `high_watermark`. */
static inline int64_t txn_model_stable(const struct model_txn *txns, size_t count, int64_t start, int64_t high_watermark)
{
    int64_t stable = high_watermark;
    for (size_t i = 0; i < count; i++)
        if (txns[i].marker >= high_watermark && txns[i].first < stable)
            stable = txns[i].first;
    return stable > start ? stable : start;
}

static inline const struct model_txn *find_marker(const struct model_txn *txns, size_t count, const struct aborted_txn *found)
{
    for (size_t i = 0; i < count; i++)
        if (txns[i].marker == found->last_offset && txns[i].producer_id == found->producer_id && txns[i].aborted)
            return &txns[i];
    return NULL;
}

static inline bool has_data(const struct txn_model *model, const struct model_txn *txn, int64_t from, int64_t below)
{
    for (int64_t at = from > txn->first ? from : txn->first; at < below && at <= txn->last_data; at++)
        if (model->ops[at].kind == TXN_OP_DATA && model->ops[at].producer_id == txn->producer_id)
            return true;
    return false;
}

/* The list for a read of [from, below): all that have data there, none that was not aborted, each beginning where it did. */
static inline const char *check_aborted(struct partition_log *log, const struct txn_model *model, const struct model_txn *txns,
                                        size_t count, int64_t from, int64_t below)
{
    size_t wanted = 0;
    size_t got = 0;
    size_t at = 0;
    int64_t start = partition_log_start_offset(log);
    for (size_t i = 0; i < count; i++)
        wanted += txns[i].aborted && has_data(model, &txns[i], from, below);
    for (const struct aborted_txn *found; (found = partition_log_next_aborted(log, from, below, &at)) != NULL;) {
        const struct model_txn *txn = find_marker(txns, count, found);
        if (!txn)
            return "what is listed was not aborted";
        if (txn->first < start ? found->first_offset > txn->last_data : found->first_offset != txn->first)
            return "an aborted transaction begins elsewhere";
        got += has_data(model, txn, from, below);
    }
    return got == wanted ? NULL : "an aborted transaction is not listed";
}

static inline const char *txn_model_check(struct partition_log *log, const struct txn_model *model)
{
    static struct model_txn txns[TXN_OPS_MAX];
    int64_t start = partition_log_start_offset(log);
    int64_t end = partition_log_end_offset(log);
    if (end > model->end)
        return "the log is longer than what was appended";
    size_t count = txn_model_list(model, end, txns);
    int64_t stable = partition_log_last_stable_offset(log);
    int64_t wanted = txn_model_stable(txns, count, start, partition_log_high_watermark(log));
    /* Of a transaction whose beginning is deleted the log may know the beginning of what is left only. */
    if (stable != wanted && !(wanted == start && stable >= start))
        return "the last stable offset lies elsewhere";
    const char *wrong = check_aborted(log, model, txns, count, start, end);
    for (int64_t from = start; from < end && !wrong; from += 1 + (end - start) / 13)
        wrong = check_aborted(log, model, txns, count, from, from + 1 + (end - from) / 3);
    return wrong;
}

#endif
