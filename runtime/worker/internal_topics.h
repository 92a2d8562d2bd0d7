/*
 * The topics of a topology on the broker, made sure of before tasks are given out.
 *
 * The group's leader does this at every rebalance, and a thread beside the embedded broker before it joins: describes the topics,
 * works out how many partitions the internal ones need and creates those that are missing, with Kafka Streams' settings.
 * Repartition and changelog topics that exist with another number of partitions are an error, since keys would change places.
 *
 * Source topics are the user's. On the embedded broker a missing one is created with its default settings; on another broker it
 * is waited for, with a message that says which and how to create it, as one that is created later must not be missed.
 *
 * Thread: the client's loop.
 */
#ifndef WORKER_INTERNAL_TOPICS_H
#define WORKER_INTERNAL_TOPICS_H

#include "base/config.h"
#include "client/admin.h"
#include "client/client.h"
#include "topology/topology.h"

struct internal_topics;

/* A topic of the broker that a source reads by its pattern. */
struct matched_topic {
    const struct topology_topic *pattern;
    const char *name;
    int32_t partitions;
};

struct matched_topics {
    struct matched_topic *at; /* ordered by name */
    size_t count;
};

/*
 * Which of all topics of the broker match, into `arena`; names are those of `topics`. 0; MILL_ENOMEM; MILL_EINVALID, with the
 * reason in `error`: one matches two patterns, or a pattern that takes part in a join matches topics of different sizes.
 */
int matched_topics_find(const mill_topology *topology, const char *application_id, const struct admin_topic *topics, size_t count,
                        struct arena *arena, struct matched_topics *matched, struct error_text *error);

/*
 * `counts[i]` belongs to topology->topics.at[i], as topology_resolve_partitions leaves them; valid for the call, as is `matched`.
 * On an error `text` says what to do. The operation is gone when `done` has returned.
 */
typedef void internal_topics_done(void *ctx, int code, const char *text, const int32_t *counts,
                                  const struct matched_topics *matched, struct io_time now);

/* `topology` is built; all arguments outlive the operation. NULL: no memory, no call. */
struct internal_topics *internal_topics_start(struct client *client, const mill_topology *topology, const struct config *config,
                                              bool create_sources, internal_topics_done *done, void *ctx);
void internal_topics_cancel(struct internal_topics *operation); /* NULL is a no-op */

/*
 * How long a compacted topic remembers what was deleted: delete.retention.ms as far as our own settings say. They are those of
 * the store of a changelog (`topic`; NULL: one of the user's), topic.*, the embedded broker's log.cleaner.*; else Kafka's
 * default, a day. What was set on another broker by hand is not known.
 */
int64_t internal_topics_delete_retention_ms(const struct config *config, const struct topology_topic *topic);

#endif
