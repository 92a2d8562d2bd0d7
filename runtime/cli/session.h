/*
 * What a command that talks to a broker needs: a loop, a client, and Ctrl-C.
 *
 *     struct session session;
 *     int code = session_open(&session, cli);
 *     if (code == CLI_OK) {
 *         start something that ends with session_finish(&session, ...);
 *         code = session_run(&session);
 *     }
 *     return session_close(&session, code);
 *
 * The first SIGINT or SIGTERM calls `interrupted`, or finishes with 128 + the signal's number where that is NULL; the second
 * ends the program at once. Thread: the main one; the loop runs in session_run.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "base/config.h"
#include "cli/cli.h"
#include "cli/signals.h"
#include "client/client.h"
#include "io/io.h"

struct session {
    const struct cli *cli;
    struct config config; /* of client_option_table, from --bootstrap-server and -X */
    struct client_options options;
    struct work_threads *work;
    struct loop *loop;
    struct client *client;
    struct admin_operation *operation; /* under way, so that it is cancelled with the session; NULL once it has answered */
    struct offset_lookup *lookup;      /* as well */
    struct signals signals;
    void (*interrupted)(void *ctx, struct io_time now);
    void *ctx;
    bool finished;
    int code; /* CLI_*, once finished */
};

/*
 * Administration is given up after five seconds, unless -X default.api.timeout.ms says otherwise. CLI_OK, or what went wrong,
 * which was told. `defaults` (name, value, ..., NULL; or NULL) are below what the user set.
 */
int session_open(struct session *session, const struct cli *cli, const char *const *defaults);

/* What -X takes in every command with a session, with the defaults that they have there. */
const struct config_table *session_properties(void);

/* The same for a command with `defaults` of its own, as session_open takes them; `properties` outlives the table. */
enum { SESSION_PROPERTIES_MAX = 256 };

struct session_properties {
    struct config_key keys[SESSION_PROPERTIES_MAX];
    struct config_table table;
};

void session_describe(struct session_properties *properties, const char *const *defaults);

/* Runs the loop until session_finish; returns its code. */
int session_run(struct session *session);

/* Once; later calls change nothing. */
void session_finish(struct session *session, int code);

/* Tells an error of the client or the broker and finishes with its exit code. `text` may be "". */
void session_fail(struct session *session, int code, const char *text);

/* Ends everything; what was built on the client has been freed. Returns `code`. */
int session_close(struct session *session, int code);

#endif
