/*
 * A task: one partition of one sub-topology, its operators and its stores.
 *
 * The unit that a stream thread runs, moves and restores. It takes runs of record batches for its source partitions, pushes the
 * records one by one through the nodes, and hands what sinks and changelogs write to a `struct task_output`. It never waits and
 * does no I/O but through its task state (store.h).
 *
 *                task_open           task_restored
 *      CREATED ------------> RESTORING -------------> RUNNING --task_close--> (gone)
 *
 * A commit is several calls, between which the caller may do other things but must not call task_process:
 *
 *      task_flush_caches (until 0) -> all its output acknowledged -> task_freeze -> offsets committed -> task_committed
 *                                                                        or, if the commit failed -> task_roll_back
 *      then, when task_flush_due: task_flush on a worker thread -> task_flushed, while processing goes on
 *
 * A task of mill_topology.globals is one of its own kind: it reads every partition of its topics, which are the changelogs of its
 * stores, and keeps how far it has come beside them (task_global_plan); it never restores and commits nothing to the group.
 *
 * Thread: the stream thread that owns it, but for task_flush.
 */
#ifndef TASK_TASK_H
#define TASK_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "io/io.h"
#include "millstream/processor.h"
#include "millstream/store.h"
#include "task/record_queue.h"
#include "topology/topology.h"

struct task;

/* ---- where records go ------------------------------------------------------------------------------------------------------ */

/* A topic to write to. Embedded in the output's own struct; lives as long as the output. */
struct task_topic {
    const struct task_output_ops *ops;
    const char *name;        /* on the broker */
    int32_t partition_count; /* known and above 0 before a task that writes to it runs */
};

struct task_output_ops {
    /* Appends a copy of the record. 0, or why not: the task fails then, since room was there before the source record. */
    int (*send)(struct task_topic *topic, int32_t partition, const mill_record *record);
    /* The offset behind the last acknowledged record sent to this partition, by whatever task; -1 when none was sent. */
    int64_t (*acknowledged_end)(struct task_topic *topic, int32_t partition);
};

/* ---- making and closing ---------------------------------------------------------------------------------------------------- */

/* A topic that a task reads; of a pattern one that matches. */
struct task_source {
    const struct topology_topic *topic;
    const char *name; /* on the broker */
};

struct task_options {
    const mill_topology *topology; /* built; outlives the task, as does the next */
    const struct subtopology *subtopology;
    int32_t partition;
    const char *application_id;  /* strings live as long as the task */
    const char *state_directory; /* of the application; the task's own is `<state_directory>/<id>` */
    struct disk *disk;           /* for the stores; NULL when none of them keeps anything on disk */
    mill_state_memory memory;    /* task_set_memory */
    int64_t max_task_idle_ms;    /* max.task.idle.ms: -1 never wait */
    /* A setting of the application; NULL: not set. The string lives as long as the task. */
    const char *(*property)(void *ctx, const char *name);
    void *property_ctx;
    /* Global stores, as this thread reads them; NULL: the topology has none, or the task is that of the global stores. */
    mill_store *(*global_store)(void *ctx, const char *name);
    void *global_store_ctx;
    /* For the task of the global stores: how many partitions its topics have, by mill_topology.topics; NULL: one each. */
    const int32_t *partition_counts;
    /* As above: hears of each update of a store before anyone can read it. 0 or why not; NULL: nobody wants to know. */
    int (*updated)(void *ctx, const struct topology_store *store, const mill_record *update);
    void *updated_ctx;
    /*
     * Those that have a partition of the task's number, in the order of the sub-topology's source topics; copied. NULL: all of
     * them, each with one partition (or `partition_counts`), and those of a pattern as one topic of the pattern's own name.
     */
    const struct task_source *sources;
    size_t source_count;
    /* The topic as an output, made on first use; NULL: no memory. Called in task_new. */
    struct task_topic *(*output)(void *ctx, const struct topology_topic *topic);
    void *output_ctx;
};

/* The source partitions that a task reads, in the order of its sub-topology's source topics (and, if global, partitions). */
struct task_input {
    const struct topology_topic *topic;
    struct record_queue queue;
    mill_context *source; /* the node that it feeds */
    mill_reset_policy source_reset;
    bool is_checked;         /* its source has a check */
    int64_t checked_offset;  /* the head that has passed it */
    int64_t lag;             /* records that the broker has and we do not, as last told; -1 unknown */
    int64_t told_until_us;   /* monotonic: until when `lag` counts as fresh; INT64_MAX: always */
    int64_t empty_since_us;  /* when it ran empty with nothing to come; 0 when it has records */
    struct task_store *kept; /* global: where the position in it is kept; NULL else */
    void *user;              /* the caller's */
};

/* A store of the task and its changelog. */
struct task_store {
    mill_changelog changelog; /* first: what the store writes to */
    struct task *task;
    const struct topology_store *definition;
    mill_store *store;
    struct task_topic *topic;        /* NULL: no changelog */
    const struct task_input *source; /* its changelog is the topic of this input; NULL: a topic of its own */
    struct task_input *input;        /* keeps the position in this input and nothing else; NULL: a store as any other */
    int32_t partition;
    const char *time_name; /* under which the store's stream time, plus one, is remembered; NULL: nothing expires in it */
    mill_changelog_position position; /* as of the last restore or freeze */
    int64_t acknowledged_before;      /* what `topic` said at the last restore or freeze: of this task only what comes since */
    int64_t restore_begin;            /* restoring: where it began, for progress */
    int64_t log_end;                  /* restoring: of the changelog when it was planned */
    int64_t next_offset;              /* restoring: to be read next; the caller's to advance by task_restore_run */
    bool restored;
    void *user; /* the caller's */
};

/*
 * Makes nodes and inputs; opens nothing. `topic_names` of inputs and outputs come from the application id. MILL_ENOMEM, or
 * MILL_ETOOLARGE for a name. `*task` is set only on success.
 */
int task_new(const struct task_options *options, struct task **task);

/* Opens the task state and its stores, which then can tell what they hold. Error text in task_error. */
int task_open(struct task *task, struct io_time now);

/*
 * `clean`: after a commit whose flush is done; else what is not on disk is dropped, as in a crash. Closes processors, then
 * stores. NULL is a no-op. Not while a task_flush runs.
 */
void task_free(struct task *task, bool clean);

const char *task_id(const struct task *task);    /* "0_3" */
const char *task_error(const struct task *task); /* what went wrong last; "" when nothing */

struct task_input *task_inputs(struct task *task, size_t *count);
struct task_store *task_stores(struct task *task, size_t *count);
mill_store *task_find_store(struct task *task, const char *name); /* NULL: none of that name */

/* ---- restoring ------------------------------------------------------------------------------------------------------------- */

/* What the broker says of a changelog partition. */
struct changelog_facts {
    uint8_t topic_id[16];
    int32_t leader_epoch;
    int64_t log_start;
    int64_t log_end; /* the last stable offset with read_committed */
    int64_t delete_retention_ms;
    bool transactional; /* written by transactions */
};

/*
 * Decides where the store's restore begins (store->next_offset) and tells the store: from its position if that is still true,
 * else from the start. store->restored at once when there is nothing to read. Once a store.
 */
int task_restore_plan(struct task *task, struct task_store *store, const struct changelog_facts *facts, struct io_time now);

/* Applies a run of batches and moves next_offset; drops its buffer. At log_end the store is put on disk and `restored`. */
int task_restore_run(struct task *task, struct task_store *store, const struct record_run *run, struct io_time now);

/* What the changelog has before `offset` and was not given to the store are no records: markers, aborted transactions. */
int task_restore_pass(struct task *task, struct task_store *store, int64_t offset, struct io_time now);

/*
 * The task of the global stores instead: where this input is to be read from, once for each. MILL_ECORRUPT: what the stores have
 * is no longer what the topic had there; the caller wipes the task and makes it anew.
 */
MILL_MUST_USE int task_global_plan(struct task *task, struct task_input *input, const struct changelog_facts *facts,
                                   struct io_time now, int64_t *offset);

/*
 * A view of one of its stores for another thread (store.h). Before anything is flushed. MILL_EUNSUPPORTED: its task state has
 * none.
 */
MILL_MUST_USE int task_open_view(struct task *task, struct task_store *store, size_t cache_bytes, mill_store_view **view);

/* All stores restored: initialises the processors; RUNNING. */
int task_restored(struct task *task, struct io_time now);

/* ---- processing ------------------------------------------------------------------------------------------------------------ */

/*
 * Processes up to `max` records in the order of their times. Returns how many; fewer when inputs ran empty or `hold()` (may be
 * NULL) said so between two records; or an error, after which the task can only be freed or rolled back.
 */
int task_process(struct task *task, size_t max, bool (*hold)(void *ctx), void *ctx, struct io_time now);

/*
 * Lines up the inputs that have records now; of equal times, those lined up earlier are processed first. task_process does it for
 * all, in the order of its inputs; a caller who adds records in an order that counts calls this after each.
 */
int task_line_up(struct task *task, struct io_time now);

/*
 * The input's partition holds nothing for us before `offset` that was not given to it: when it has processed all, its position is
 * there, so that lag says 0 behind the marker of a transaction.
 */
void task_pass(struct task *task, struct task_input *input, int64_t offset);

/* When task_process could go on although an input is empty (max.task.idle.ms); INT64_MAX: only with more records. */
int64_t task_idle_until_us(const struct task *task);

/* Wall-clock punctuation that is due. Returns how many fired, or an error. Stream-time punctuation is part of task_process. */
int task_punctuate(struct task *task, struct io_time now);
int64_t task_next_punctuation_us(const struct task *task); /* INT64_MAX: none */

bool task_commit_requested(const struct task *task); /* by a processor, since the last commit */
size_t task_uncommitted_bytes(const struct task *task);
size_t task_frozen_bytes(const struct task *task);

/* What its stores may take from now on; between two records. */
void task_set_memory(struct task *task, const mill_state_memory *memory);

int64_t task_stream_time_ms(const struct task *task);
int64_t task_processed(const struct task *task);                   /* source records, ever */
int64_t task_dropped(const struct task *task, const char *reason); /* NULL: for any */
/* The i-th reason and its count, from 0 on; NULL: there are no more. Lives as long as the task. */
const struct drop_count *task_drop_at(const struct task *task, size_t i);

/* ---- committing ------------------------------------------------------------------------------------------------------------ */

/* True when anything was processed, passed over or punctuated since the last commit. */
bool task_commit_needed(const struct task *task);

/*
 * Forwards and logs dirty entries, stores in topological order, until `hold()` (may be NULL) says so between two of them.
 * 1: call again, 0: all clean, or an error: of a store, or of an operator below, and then nothing may be committed.
 */
int task_flush_caches(struct task *task, bool (*hold)(void *ctx), void *ctx, struct io_time now);

/* Freezes stores and positions; what the inputs' queues say is what the offsets to commit are (task_input_commit). */
int task_freeze(struct task *task, struct io_time now);

/*
 * The offset to commit for an input, -1 when nothing was ever read, and the metadata text for it (offset_metadata.h): that of
 * every input holds what the task's processors remember, as in Kafka Streams, and the first with an offset what was dropped.
 */
int64_t task_input_commit(const struct task *task, const struct task_input *input, char metadata[]);

/*
 * What the inputs' committed metadata say was dropped takes the place of what was counted, and likewise what processors remember:
 * first all is forgotten, then one input's text after the other is added. Of two numbers under a name the larger counts, since
 * either of ours or Kafka Streams may have left an older one at an input without news. Before task_restored.
 */
void task_forget_metadata(struct task *task);
void task_restore_metadata(struct task *task, mill_bytes metadata);

void task_committed(struct task *task);

/*
 * The commit failed, or the task shall go back: values, positions, stream time, counts of what was dropped, punctuation and
 * processors are as of the last commit. Inputs are empty; the caller seeks them (record_queue_seek) to the committed offsets and
 * reads again.
 */
int task_roll_back(struct task *task, struct io_time now);

bool task_flush_due(const struct task *task, struct io_time now, bool closing);
int task_flush(struct task *task); /* worker thread */
void task_flushed(struct task *task, int code);

/* Drops the task's stores on disk, to be restored in full. Only in CREATED after a failed open, or when closing. */
int task_wipe(struct task *task);

#endif
