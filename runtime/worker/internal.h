/* The inside of a stream thread: shared by the files that README.md lists. */
#ifndef WORKER_INTERNAL_H
#define WORKER_INTERNAL_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/queue.h"
#include "client/admin.h"
#include "client/client.h"
#include "client/consumer.h"
#include "client/group_member.h"
#include "client/offset_lookup.h"
#include "client/producer.h"
#include "task/streams_config.h"
#include "task/task.h"
#include "worker/drops.h"
#include "worker/internal_topics.h"
#include "worker/queries.h"
#include "worker/stream_thread.h"
#include "worker/subscription.h"

/* A topic that tasks of this thread write to. */
struct output_topic {
    struct task_topic base; /* first */
    struct producer *producer;
    struct list link;
    struct producer_topic *producer_topic;
    char name[TOPIC_NAME_MAX + 1];
};

/*
 *      OPENING (again in a while: another thread has the lock) -> WAITS_FOR_TOPICS -> FETCHING_OFFSETS -> LOOKING_UP
 *              (-> WAITS_FOR_STABLE -> LOOKING_UP) -> RESTORES (-> OPENING: a changelog was cut meanwhile) -> RUNS
 *         any -> CLOSING (waits for what is under way) -> gone
 */
enum assigned_task_state {
    ASSIGNED_OPENING,
    ASSIGNED_WAITS_FOR_TOPICS, /* metadata of all its topics */
    ASSIGNED_FETCHING_OFFSETS, /* committed ones */
    ASSIGNED_LOOKING_UP,       /* starts and ends of changelogs */
    ASSIGNED_WAITS_FOR_STABLE, /* exactly once: a changelog still has an open transaction of its last owner */
    ASSIGNED_RESTORES,
    ASSIGNED_RUNS,
    ASSIGNED_CLOSING
};

struct assigned_task {
    struct list link;
    struct stream_thread *thread;
    struct task *task;
    struct task_name name;
    enum assigned_task_state state;
    bool wanted;                  /* scratch of a new assignment */
    bool changelog_lost;          /* while restoring: a changelog no longer has what comes next, and all begins anew */
    bool in_commit;               /* ran when the commit that is going on began */
    int pending;                  /* answers that will still come */
    struct offset_lookup *lookup; /* of the changelogs, while it is under way */
    int64_t retry_at_us;
    struct consumer_partition **partitions; /* by input; NULL before it is read */
    struct consumer_partition **changelogs; /* by store; NULL when not being restored */
    int64_t *start_offsets;                 /* by input: committed, or where reading began; -1 before */
    int64_t *start_times;                   /* by input: the partition time committed with it */
    struct offset_query *stable;            /* exactly once: starts and last stable offsets of the changelogs, while looked up */
    int64_t look_up_at_us;
    int64_t stable_wait_us; /* since when the changelogs have not been stable; 0: not waiting */
    int64_t topic_wait_us;  /* since when a topic that it reads or writes is missing; 0: none is */
    int64_t progress_told_us;
    struct work_item flush;
    int flush_code;
    bool flushing;
    bool close_clean;
    struct task_source *sources; /* what it reads; one block with the names */
    size_t source_count;
};

enum commit_step {
    COMMIT_NONE,
    COMMIT_FLUSHING_CACHES,
    COMMIT_ACKNOWLEDGING, /* producer_flush is under way */
    COMMIT_OFFSETS,       /* group_member_commit is under way; exactly once: the group is added, the offsets are committed */
    COMMIT_TRANSACTION,   /* exactly once: the transaction is committed */
    COMMIT_ABORTING       /* exactly once: the transaction is aborted, then all goes back to the last commit */
};

struct stream_thread {
    struct stream_thread_options options;
    struct stream_thread_events events;
    void *ctx;
    enum stream_thread_state state;
    struct error_text error;
    const char *application_id;
    char client_id[256];
    char instance_id[256];

    struct config clients; /* of client_option_table: what the client's parts were told */
    struct client *client;
    struct consumer *consumer;
    struct consumer *restorer;
    bool has_restored; /* in this turn: the tasks behind wait for the next one */
    struct producer *producer;
    struct group_member *member;
    struct metadata_listener metadata;
    struct internal_topics *internal_topics; /* leader only, during a rebalance */
    struct list outputs;

    struct loop_wakeup global_news;

    struct queue *asked;        /* of struct store_query, from other threads */
    struct list queries;        /* of them, those being answered */
    struct list tasks;          /* struct assigned_task */
    struct loop_timer turn;     /* the next turn; everything that happens sets it to now */
    int64_t missing_told_us;    /* when a missing topic was last spoken of; 0: never */
    bool open_transaction_told; /* that tasks wait for the transaction of another member */
    bool join_after_commit;
    int64_t stop_told_by_us; /* KIP-671: this thread asks all to stop, and stops by then whoever answers; 0: it does not */
    bool stop_asked;         /* the group has been asked to rebalance for that */
    bool stop_told;          /* `stopped` was called */
    bool left;
    int64_t closing_since_us;
    int64_t close_by_us;  /* when closing: what the broker has not answered by then is given up */
    int64_t connected_us; /* when closing: when a broker was last seen connected */
    bool waiting_told;

    bool exactly_once;
    char transactional_id[256]; /* exactly once */
    bool owns_transactions;     /* exactly once: the transactional id is ours, whoever had it before is fenced */
    bool last_aborted;          /* exactly once, after a failure: nothing is left open */
    struct arena committing;    /* exactly once: the offsets that the transaction commits, with their metadata */
    struct group_offset *offsets;
    size_t offset_count;
    enum commit_step commit;
    bool offsets_owed; /* the last commit could not tell the group its offsets */
    int64_t commit_due_us;
    int64_t purge_due_us;
    int64_t commit_interval_us;
    struct mill_state_memory memory;      /* this thread's part of what is configured */
    struct mill_state_memory task_memory; /* that of each of its tasks with stores in it */
    size_t unflushed_bytes_max;           /* half of it may be uncommitted, half frozen */
    struct admin_operation *purge;
    struct admin_operation *holders; /* who is in the group in our place */
    int64_t held_ms;                 /* how long that is waited for */
    unsigned records_since_memory_check;
    int64_t reset_duration_ms; /* auto.offset.reset=by_duration:...; 0: another one */
    bool loss_excused;         /* since the last acknowledgement of all */

    /* Sources by pattern (patterns.c). */
    struct arena matching;
    const char **matches; /* the topics that this member reads by them in this generation, in `matching` */
    size_t match_count;
    bool gone_told;               /* that one of them is gone: the group is asked for a new generation */
    struct buffer led_by;         /* leader: the topics that match, as this generation was given out; to be compared */
    struct loop_timer look_timer; /* leader: when to look again */
    struct admin_operation *look;

    /* Leader: what assign() was called with, until the internal topics are sure. */
    struct arena leading;
    struct assignor_member *members;
    size_t member_count;

    /* For stream_thread_progress; written by this thread only. */
    atomic_llong processed;
    atomic_llong lag;
    atomic_llong commits;
    atomic_int tasks_running;
    atomic_int tasks_restoring;
    long long processed_by_closed; /* tasks that are gone */
    struct thread_drops drops;
};

enum { LOCK_RETRY_US = 20000 };

/* Does a turn as soon as the loop comes round. */
void thread_wake(struct stream_thread *thread);
void thread_wake_at(struct stream_thread *thread, int64_t at_us); /* or earlier */
void thread_move(struct stream_thread *thread, enum stream_thread_state to);
void thread_fail(struct stream_thread *thread, int code, const char *text);
void thread_stopped(struct stream_thread *thread, const char *text); /* the application is to stop (KIP-671) */

#define for_each_task(assigned, thread)                                                                                   \
    for (struct list *assigned##_node = (thread)->tasks.next, *assigned##_next = assigned##_node->next;                   \
         assigned##_node != &(thread)->tasks; assigned##_node = assigned##_next, assigned##_next = assigned##_node->next) \
        for (struct assigned_task *assigned = list_entry(assigned##_node, struct assigned_task, link); assigned != NULL;  \
             assigned = NULL)

/* membership.c */
extern const struct group_member_events membership_events;
extern const char *const membership_protocols[];
/*
 * Joins the group. With the broker inside, the topics are made before: the group's leader may be another process, for which a
 * missing source topic is the user's to create.
 */
void membership_start(struct stream_thread *thread);
void membership_release(struct stream_thread *thread); /* what it asks the broker for is no longer of interest */

/* patterns.c: topics that come and go. */
void patterns_init(struct stream_thread *thread);
void patterns_release(struct stream_thread *thread); /* stops looking */
/* Of a generation that this thread has given out: looks from now on whether it is still right. */
void patterns_led(struct stream_thread *thread, const struct matched_topics *matched);
/* What this member reads by pattern from now on; copied. 0 or MILL_ENOMEM. */
int patterns_assigned(struct stream_thread *thread, const struct assigned_partitions *partitions);
/* What one task reads of it, into `arena`: topics in the topology's order, those of a pattern by name. NULL: no memory. */
struct task_source *sources_of_task(struct stream_thread *thread, const struct assigned_partitions *partitions,
                                    struct task_name name, struct arena *arena, size_t *count);
/* The metadata has changed: when a topic of ours is gone, the group is told. */
void patterns_look_for_gone(struct stream_thread *thread);

/* task_start.c */
/* `sources` are copied. */
int assigned_task_new(struct stream_thread *thread, struct task_name name, const struct task_source *sources,
                      size_t source_count);
/* Towards RUNS, or to its end, after which it is gone. True when nothing is to be waited for: it runs, or is closing. */
bool assigned_task_step(struct assigned_task *assigned, struct io_time now);
void assigned_task_close(struct assigned_task *assigned, bool clean, struct io_time now);
void assigned_task_forget_lookup(struct assigned_task *assigned);                /* its answer is no longer waited for */
int64_t assigned_task_start(const struct assigned_task *assigned, size_t input); /* the committed offset, or where to begin */
void assigned_task_flush(struct assigned_task *assigned);                        /* starts one on a worker thread */
struct task_topic *thread_output(void *ctx, const struct topology_topic *topic);
extern const struct consumer_events restorer_events;

/* commit.c */
/* A task that began to run after the commit did waits for the next one; one that is being closed has lost its place. */
static inline bool commit_includes(const struct assigned_task *assigned)
{
    return assigned->in_commit && assigned->state == ASSIGNED_RUNS;
}
void commit_done(struct stream_thread *thread, struct io_time now);
/* All is committed at the broker: the stores may go to disk. */
void commit_succeeded(struct stream_thread *thread, struct io_time now);
bool commit_is_due(struct stream_thread *thread, struct io_time now);
void commit_begin(struct stream_thread *thread, struct io_time now);
void commit_continue(struct stream_thread *thread, struct io_time now);

/* exactly_once.c */
void transactions_begin(struct stream_thread *thread); /* takes over the transactional id; tasks are started after that */
/* The commit's last steps. `offsets` is copied. 0 or MILL_ENOMEM. */
int exactly_once_commit(struct stream_thread *thread, const struct group_offset *offsets, size_t count, struct io_time now);
bool commit_is_broken(const struct stream_thread *thread); /* what was sent since the last commit cannot be committed */
void commit_abort(struct stream_thread *thread, struct io_time now);
/*
 * After a failure nothing is committed any more: aborts what is open, so that nobody has to wait until it times out. True when
 * that has ended, cannot be done, or has taken too long.
 */
bool transaction_given_up(struct stream_thread *thread, struct io_time now);

/* commit.c, and what follows a commit */
void flush_if_due(struct stream_thread *thread, struct io_time now, bool closing);

/* memory.c */
void thread_memory_init(struct stream_thread *thread);  /* no task yet */
void thread_share_memory(struct stream_thread *thread); /* tasks have come or gone: those with stores have it in equal parts */
bool thread_wants_commit(struct stream_thread *thread); /* so much is uncommitted that a commit comes before the next record */
bool thread_wants_flush(struct stream_thread *thread);  /* so much is frozen that the next commit waits for a flush */

#endif
