/* What task.c, commit.c, restore.c and processor_context.c share: the inside of a task. Nothing else includes this. */
#ifndef TASK_TASK_INTERNAL_H
#define TASK_TASK_INTERNAL_H

#include "base/arena.h"
#include "task/offset_metadata.h"
#include "task/partition_group.h"
#include "task/processor_context.h"
#include "task/punctuation.h"
#include "task/sink.h"
#include "task/task.h"

enum {
    TASK_ID_BYTES = 24,
    DROP_REASONS_MAX = OFFSET_METADATA_COUNTS_MAX,
    /* records whose cache lines are asked for at once: about what a core can have in flight */
    PREPARE_BLOCK = 16,
    RECORD_MEMORY_BYTES_MAX = 64 << 20, /* what operators may allocate for one source record */
};

enum task_state { TASK_CREATED, TASK_RESTORING, TASK_RUNNING };

struct task {
    enum task_state state;
    char id[TASK_ID_BYTES];
    struct task_options options;
    struct arena memory; /* everything that lives as long as the task */
    struct error_text error;

    mill_context *contexts; /* by subtopology.nodes */
    size_t context_count;
    struct task_input *inputs;
    size_t input_count;
    struct partition_group ready; /* inputs that have a head, when there are several */
    bool *offered;                /* by input: it is in `ready` */
    struct task_store *stores;
    size_t store_count;
    mill_task_state **task_states; /* one for each type in use */
    const mill_task_state_type **task_state_types;
    size_t task_state_count;
    size_t *store_state;                /* by store: the index of its task state */
    mill_changelog_position *positions; /* scratch of freeze, one a store */

    struct punctuation punctuation;
    struct arena record_memory;       /* cleared after each source record */
    const struct task_input *current; /* whose record is being processed; NULL in punctuation and flush */
    int64_t current_offset;
    int64_t idle_since_us; /* monotonic, by `idle_known_us`: since when the inputs have had nothing that the task has not read */
    int64_t idle_known_us;
    int64_t stream_time_ms;
    int64_t committed_stream_time_ms;
    struct io_time now;
    int64_t wall_offset_ms; /* wall time minus the monotonic clock when opened: punctuation does not jump with the wall clock */
    bool commit_requested;
    bool commit_needed;
    int64_t processed;
    struct drop_count drops[DROP_REASONS_MAX]; /* reasons are static by contract of mill_context_drop, or lie in `memory` */
    struct drop_count committed_drops[DROP_REASONS_MAX];              /* what they were at the last commit */
    struct remembered_number remembered[OFFSET_METADATA_NUMBERS_MAX]; /* names lie in `memory` */
    size_t remembered_count;
    bool resumes;               /* positions were committed before, and what is remembered goes with them */
    const mill_context *failed; /* the node whose callback failed first */
    bool judged;                /* a failure ends the record, whatever the operators above make of it */
    int64_t punctuation_time_ms;
    struct task_topic *dead_letters; /* errors.dead.letter.queue.topic.name, or NULL */
};

/* Wall time that only goes forward. */
static inline int64_t task_wall_ms(const struct task *task)
{
    return task->now.monotonic_us / 1000 + task->wall_offset_ms;
}

void task_count_drop(struct task *task, const char *reason, int64_t count);

/* Prefixes `text` with the operator and record of the failure. */
void task_describe_failure(const struct task *task, int code, struct error_text *text);

/* Prefixes the error with the task, the node and the record; returns `code`. */
int task_fail(struct task *task, int code);

int64_t task_acknowledged_end(const struct task_store *store); /* -1 without a changelog, too */

/* global.c: a store, made by `make`, that keeps how far `input` was read. */
int task_keep_position(struct task *task, struct task_input *input,
                       struct task_store *(*make)(struct task *task, const struct topology_store *definition));

/* restore.c: why what a store has up to `position` does not count; NULL: it does. */
const char *task_distrust(const mill_changelog_position *position, const struct changelog_facts *facts, int64_t wall_ms);

/* The names of what is remembered of stores and by mill_context_keep begin with these, apart from those that users choose. */
#define TASK_STORE_TIME "time."
#define TASK_KEPT       "at."

/* prefix | name, in the arena. NULL: no memory. */
const char *task_prefixed_name(struct arena *arena, const char *prefix, const char *name);

/* False: nothing under that name. */
bool task_remembered(struct task *task, const char *name, int64_t *number);
/* What has that name, made with no number when it is new. NULL with 0: there is no room for more; NULL with MILL_ENOMEM. */
int task_remember(struct task *task, const char *name, struct remembered_number **remembered);

int task_init_processors(struct task *task);
void task_close_processors(struct task *task);

#endif
