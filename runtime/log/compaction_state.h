/*
 * What a compaction is made of, for compaction_copy.c (the worker's half) and compaction_exchange.c (the loop's half). Nobody
 * else includes this.
 *
 *      MAP -> COPY -> COPIED -> RENAMED -> REPLACED -> COPY (the next group) ... -> end
 *              |                                        ^
 *              '-> UNCHANGED ---------------------------'
 *
 * Between two states either run or step works, never both.
 */
#ifndef LOG_COMPACTION_STATE_H
#define LOG_COMPACTION_STATE_H

#include "log/batch_filter.h"
#include "log/batch_scan.h"
#include "log/compaction.h"
#include "log/segment.h"

enum compaction_phase {
    COMPACTION_MAP,       /* run: fills the map */
    COMPACTION_MAPPED,    /* step: the first group */
    COMPACTION_COPY,      /* run: filters the group's batches into the new files, syncs them */
    COMPACTION_COPIED,    /* step: renames them to .swap */
    COMPACTION_UNCHANGED, /* step: nothing goes from its one segment, or there is nothing in it; removes them */
    COMPACTION_RENAMED,   /* run: syncs the directory: from here on a crash finishes the exchange */
    COMPACTION_COMMITTED, /* step: puts the new segment into the log, renames the old ones to .deleted */
    COMPACTION_REPLACED,  /* run: syncs the directory: the old ones will not come back */
    COMPACTION_RETIRED    /* step: drops .swap from the names */
};

/* A segment as it was at the beginning. */
struct compaction_source {
    int64_t base_offset;
    int64_t end_offset;
    uint32_t bytes;
    int64_t first_append_ms;
    int64_t last_append_ms;
};

struct compaction {
    /* The beginning's. */
    struct disk *disk;
    char *path;
    struct log_config config;
    uint32_t generation;
    int64_t now_ms;
    int64_t first_dirty;
    int64_t end_offset; /* of the cleanable part; once mapped, of what the map knows */
    struct compaction_source *sources;
    size_t source_count;
    struct kept_producer *producers;
    struct aborted_txn *aborted;
    size_t aborted_count;

    enum compaction_phase phase;
    int code; /* of the last run */
    struct offset_map map;
    struct txn_filter txns;
    struct batch_filter filter;
    size_t at;                    /* the source that is being read */
    struct segment_files *source; /* its open file; NULL before its first batch */
    struct batch_scan scan;
    struct buffer batch;

    /* The group that is being written. */
    size_t group_first;
    size_t group_count;
    struct segment_files *files; /* its log, open for writing; held */
    struct segment_index index;
    struct segment_progress progress;
    uint32_t bytes;
    bool changed;
    struct aborted_txn *kept; /* aborted transactions whose markers stay, and still end something */
    size_t kept_count;
    struct error_text error;
};

/* Closes the group's new files and forgets them; they stay on disk. */
void compaction_forget_group(struct compaction *compaction);

#endif
