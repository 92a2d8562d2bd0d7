/*
 * What the operations of administration have in common: one request at a time, steps, retries, the first error.
 *
 * An operation is a struct that begins with `struct admin_operation`; its `step` sends the next request, or finishes. Answers
 * lead to another step, to admin_retry, or to the end. `finish` (the operation's own) tells the owner; then it is freed.
 */
#ifndef CLIENT_ADMIN_INTERNAL_H
#define CLIENT_ADMIN_INTERNAL_H

#include "client/admin.h"

enum { ADMIN_ARENA_BYTES_MAX = 256 << 20 };

struct admin_operation {
    struct client *client;
    struct call call;
    struct loop_timer timer;
    struct metadata_listener listener; /* linked while the operation waits for metadata */
    bool awaits_metadata;              /* till then the timer is the deadline's */
    struct offset_lookup *lookup;
    struct arena arena; /* inputs and results */
    int64_t deadline_us;
    int attempts;
    int code; /* the first error */
    struct error_text error;
    void (*step)(struct admin_operation *operation, struct io_time now);
    void (*finish)(struct admin_operation *operation, struct io_time now); /* calls the owner, frees nothing */
    void *ctx;                                                             /* the owner's */
};

/* `size` bytes that begin with an operation, zeroed otherwise; the first step comes in the next turn of the loop. */
void *admin_new(struct client *client, size_t size, void (*step)(struct admin_operation *operation, struct io_time now),
                void (*finish)(struct admin_operation *operation, struct io_time now), void *ctx);

/*
 * Sends operation->call, whose api_key, fill and done are set; `done` gets the operation as ctx. Waits no longer than the
 * operation.
 */
void admin_send(struct admin_operation *operation, struct route route);

/* The step once more, in the next turn. */
void admin_step_again(struct admin_operation *operation);

/* Tells the owner and frees the operation. */
void admin_finish(struct admin_operation *operation, struct io_time now);
void admin_fail(struct admin_operation *operation, int code, struct io_time now, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Keeps the first error and its text. */
void admin_note(struct admin_operation *operation, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The step again after a back-off and fresh metadata; fails with `code` when the time is over. */
void admin_retry(struct admin_operation *operation, int code, const char *text, struct io_time now);

/* For a call without an answer: retries, or fails when that is no use. */
void admin_unanswered(struct admin_operation *operation, const struct answer *answer, struct io_time now);

/* The step again when metadata has come. */
void admin_await_metadata(struct admin_operation *operation);

/* "NAME: text; the broker says: message" in the arena. */
const char *admin_error_text(struct admin_operation *operation, int16_t error, mill_bytes message);

/* A NUL-terminated copy in the arena, "" for null or when there is no memory. */
const char *admin_string(struct admin_operation *operation, mill_bytes text);

#endif
