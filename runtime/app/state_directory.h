/*
 * Where an application keeps what must survive: `<state.dir>/<application.id>/`.
 *
 *     .lock              held while the application runs: a second copy must not share it
 *     process-id         16 bytes as hexadecimal: the same process to the group after a restart, so that tasks come back to it
 *     <task>/            one folder a task, the state room's
 * and `<state.dir>/broker/`, the log of the embedded broker, which all applications with this state.dir share.
 *
 * Thread: the caller's.
 */
#ifndef APP_STATE_DIRECTORY_H
#define APP_STATE_DIRECTORY_H

#include "base/config.h"
#include "io/io.h"
#include "worker/assignor.h"

enum { STATE_PATH_BYTES = 4096 };

struct state_directory {
    struct disk *disk;
    struct disk_lock *lock;
    char root[STATE_PATH_BYTES];        /* state.dir */
    char application[STATE_PATH_BYTES]; /* root/application.id */
    char broker[STATE_PATH_BYTES];      /* root/broker */
    uint8_t process_id[PROCESS_ID_BYTES];
};

/* `state.dir` if set, else below $XDG_STATE_HOME, the home directory or, for root, /var/lib. MILL_ETOOLARGE. */
int state_directory_root(const struct config *config, char root[STATE_PATH_BYTES], struct error_text *error);

/* Makes, locks and reads it. `random` gives bytes for a new process id. MILL_ELOCKED with the text that says who to ask for. */
int state_directory_open(struct state_directory *directory, struct disk *disk, const struct config *config,
                         int (*random)(void *into, size_t len), struct error_text *error);
void state_directory_close(struct state_directory *directory);

#endif
