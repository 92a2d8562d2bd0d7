/*
 * Administration: topics, their configuration, offsets, groups.
 *
 * Each function starts one operation, retried within default_api_timeout_ms where that is harmless, and calls back once, never
 * before it returns. Inputs are copied. NULL: no memory, and no call. admin_cancel ends an operation without its call.
 *
 * Results are valid for the callback. `code` is 0 or the first error; `text` says what, where and what to do.
 *
 * Thread: that of the client's loop.
 */
#ifndef CLIENT_ADMIN_H
#define CLIENT_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/offset_lookup.h"

struct admin_operation;
void admin_cancel(struct admin_operation *operation);

/* ---- topics ---------------------------------------------------------------------------------------------------------------- */

struct admin_config {
    const char *name;
    const char *value; /* NULL: null */
};

struct admin_new_topic {
    const char *name;
    int32_t partitions;         /* -1: the broker's default */
    int16_t replication_factor; /* -1: the broker's default */
    const struct admin_config *configs;
    size_t config_count;
};

struct admin_topic_result {
    const char *name;
    int code; /* 0, MILL_EEXISTS, ENOTFOUND, EINVALID, EACCESS, EBROKER */
    const char *text;
};

typedef void admin_topics_cb(void *ctx, int code, const char *text, const struct admin_topic_result *results, size_t count,
                             struct io_time now);

/* Answers when the partitions can be written and their leaders are in this client's metadata. */
struct admin_operation *admin_create_topics(struct client *client, const struct admin_new_topic *topics, size_t count,
                                            bool validate_only, admin_topics_cb *done, void *ctx);
struct admin_operation *admin_delete_topics(struct client *client, const char *const *names, size_t count, admin_topics_cb *done,
                                            void *ctx);

struct admin_partition {
    int32_t index;
    int32_t leader;
    int32_t leader_epoch;
    const int32_t *replicas;
    int32_t replica_count;
    const int32_t *in_sync;
    int32_t in_sync_count;
};

struct admin_topic {
    const char *name;
    struct wire_uuid id;
    bool internal;
    int code;                                 /* MILL_ENOTFOUND: no such topic */
    const struct admin_partition *partitions; /* ordered by index */
    int32_t partition_count;
};

/* Describes the named topics, or all when `names` is NULL, ordered by name. Creates none. */
struct admin_operation *admin_describe_topics(struct client *client, const char *const *names, size_t count,
                                              void (*done)(void *ctx, int code, const char *text,
                                                           const struct admin_topic *topics, size_t count, struct io_time now),
                                              void *ctx);

struct admin_config_entry {
    const char *name;
    const char *value; /* NULL: null, or a secret */
    bool is_default;
    bool read_only;
    bool sensitive;
};

enum admin_resource { ADMIN_TOPIC = 2, ADMIN_BROKER = 4 };

/* All configuration of a topic (its name) or broker (its id in decimal). */
struct admin_operation *admin_describe_configs(struct client *client, enum admin_resource kind, const char *name,
                                               void (*done)(void *ctx, int code, const char *text,
                                                            const struct admin_config_entry *entries, size_t count,
                                                            struct io_time now),
                                               void *ctx);

/* Moves the start of each partition up to `offset` (-1: its high watermark); the answer's `offset` is the new start. */
struct admin_operation *admin_delete_records(struct client *client, const struct offset_query *before, size_t count,
                                             void (*done)(void *ctx, int code, const char *text,
                                                          const struct offset_query *results, size_t count, struct io_time now),
                                             void *ctx);

/* ---- groups ---------------------------------------------------------------------------------------------------------------- */

struct admin_group_listing {
    const char *group_id;
    const char *protocol_type;
    const char *state; /* "" from brokers that do not tell */
};

/* All groups of all brokers, ordered by id. */
struct admin_operation *admin_list_groups(struct client *client,
                                          void (*done)(void *ctx, int code, const char *text,
                                                       const struct admin_group_listing *groups, size_t count,
                                                       struct io_time now),
                                          void *ctx);

struct admin_group_member {
    const char *member_id;
    const char *group_instance_id; /* NULL: dynamic */
    const char *client_id;
    const char *host;
    mill_bytes metadata;
    mill_bytes assignment;
};

struct admin_group_offset {
    const char *topic;
    int32_t partition;
    int64_t committed; /* -1: none */
    int64_t log_start; /* -1: unknown, as the next two */
    int64_t log_end;
    int64_t lag;
    const char *metadata;
};

struct admin_group {
    const char *group_id;
    const char *state;
    const char *protocol_type;
    const char *protocol;
    const struct admin_group_member *members;
    size_t member_count;
    const struct admin_group_offset *offsets; /* every committed partition, ordered by topic and partition */
    size_t offset_count;
};

/* A group with its members, committed offsets and lag. MILL_ENOTFOUND: there is no such group. `group` is NULL on an error. */
struct admin_operation *admin_describe_group(struct client *client, const char *group_id,
                                             void (*done)(void *ctx, int code, const char *text, const struct admin_group *group,
                                                          struct io_time now),
                                             void *ctx);

#endif
