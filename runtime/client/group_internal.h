/* What group_member.c (membership) and group_offsets.c (committed offsets) share. */
#ifndef CLIENT_GROUP_INTERNAL_H
#define CLIENT_GROUP_INTERNAL_H

#include "client/group_member.h"

enum { MEMBER_ID_BYTES = 512 };

struct group_member {
    struct client *client;
    struct group_options options;
    const char *protocol_type;
    const char *const *protocols;
    const struct group_member_events *events;
    void *ctx;
    int join_lane; /* JoinGroup and SyncGroup are parked by the broker: they have a connection of their own */

    enum group_member_state state;
    char member_id[MEMBER_ID_BYTES]; /* "": none yet */
    int32_t generation;              /* -1: not a member */
    bool is_leader;
    bool has_assignment; /* `assigned` was called, `lost` was not */
    bool prepare_due;    /* PREPARING: `prepare` is to be called */
    bool rejoin_wanted;  /* when STABLE is reached */
    const char *reason;  /* of the next join; NULL */
    char protocol[256];  /* chosen by the group */

    struct call join_call; /* JoinGroup, then SyncGroup */
    struct call heartbeat_call;
    struct call leave_call;
    struct loop_timer step_timer; /* the next step of joining: prepare, join after a back-off */
    struct loop_timer heartbeat_timer;
    int attempts;
    int64_t inconsistent_until_us; /* INCONSISTENT_GROUP_PROTOCOL is borne till then; 0: none yet */

    struct arena leading; /* peers and assignments */
    struct group_peer *peers;
    size_t peer_count;
    mill_bytes *assignments;

    void (*left)(void *ctx);
    void *left_ctx;

    struct list operations; /* commits first come, first served; fetches at once */
};

/* The coordinator does not know us as what we are: UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION. */
void group_member_lost(struct group_member *member, struct io_time now);
void group_member_failed(struct group_member *member, int code, struct io_time now, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
