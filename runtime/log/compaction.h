/*
 * Compaction of one log: of each key only the newest record stays. Offsets never change, they get gaps.
 *
 *      clean                    | dirty                  | not cleanable
 *      +-----------+------------+-----------+------------+------------+
 *      | segment   | segment    | segment   | segment    | active ... |
 *      +-----------+------------+-----------+------------+------------+
 *                               ^ first dirty offset      ^ stable offset, min.compaction.lag.ms, or the active segment
 *
 *      1. The newest offset of each key in the dirty part goes into a map bounded by memory (offset_map.h). When it is full, the
 *         rest stays dirty for the next time.
 *      2. From the front on, neighbouring segments that fit into one are rewritten together (batch_filter.h), into
 *         `.log.cleaned` and its indexes.
 *      3. Each group takes the place of its segments: compaction_exchange.c has the order that survives a crash at every step.
 *
 * begin (loop), then run (WORK_BACKGROUND) and step (loop) in turn until step says that it is over. One run reads about
 * COMPACTION_RUN_BYTES, so that others come to the worker too; a step renames a few files. Readers, appends and syncs go on; the
 * front of the log is not dropped meanwhile. A run touches only what the compaction holds, so it may outlive its log.
 */
#ifndef LOG_COMPACTION_H
#define LOG_COMPACTION_H

#include "log/partition_log.h"

enum { COMPACTION_RUN_BYTES = 8 << 20 };

struct compaction;

/* How dirty a log is. */
struct compaction_need {
    double dirty_ratio; /* dirty bytes / (clean + dirty) */
    bool is_due;        /* above min.cleanable.dirty.ratio, or max.compaction.lag.ms has come */
    bool may_be_due;    /* something is dirty that time alone will make due */
};

/*
 * Looks at sizes and ages; reads a few bytes of a segment at most. `stable_offset`: at and behind it no record is looked at (the
 * last stable offset). A log whose policy has no `compact` needs nothing, nor one that has just proved uncleanable.
 */
void partition_log_compaction_need(struct partition_log *log, int64_t stable_offset, struct io_time now,
                                   struct compaction_need *need);

/*
 * Has a segment rolled that nobody has looked at? One comparison, for every append: only then can a log have become due, as long
 * as the last look found nothing that `may_be_due`.
 */
bool partition_log_compaction_wants_look(const struct partition_log *log);

/* Below it the log is clean; 0: it never was compacted. The data directory keeps it in cleaner-offset-checkpoint. */
int64_t partition_log_first_dirty_offset(const struct partition_log *log);

/*
 * Takes what is cleanable now. 0 with `compaction`; MILL_EAGAIN: nothing is, or one is under way; MILL_ENOMEM.
 * `map_bytes_max` is log.cleaner.dedupe.buffer.size.
 */
MILL_MUST_USE int partition_log_compaction_begin(struct partition_log *log, int64_t stable_offset, size_t map_bytes_max,
                                                 struct io_time now, struct compaction **compaction);

/* Any thread; blocks. */
void compaction_run(struct compaction *compaction);

/*
 * Loop: puts in place what run has finished. 1: run again; 0: it is over, and freed; an error (partition_log_error): given up,
 * and freed, with the log as it was, or compacted up to somewhere. After MILL_ECORRUPT (a damaged batch, or a map too small for
 * one) the log counts as uncleanable until it is opened again.
 */
MILL_MUST_USE int partition_log_compaction_step(struct partition_log *log, struct compaction *compaction, struct io_time now);

/* Frees one that is not running, when its log is gone, or is to be closed. */
void compaction_release(struct compaction *compaction);

#endif
