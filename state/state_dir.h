/*
 * The directory of one task's state: who has it, and whether what is in it may be trusted.
 *
 *      .lock               held while the task is open
 *      data.mdb lock.mdb   LMDB's
 *      mark                how it was left: version, boot id, clean or not, synced or not
 *
 * The mark is rewritten at each open and each clean close. What an unclean end means depends on what ended: a process (nothing is
 * lost, whatever the mode) or the machine, which shows as another boot id.
 */
#ifndef STATE_STATE_DIR_H
#define STATE_STATE_DIR_H

#include "base/error.h"
#include "io/io.h"

enum { STATE_DIR_BOOT_BYTES = 64 };

struct state_dir {
    struct disk *disk;
    const char *path; /* lives as long as this */
    struct disk_lock *lock;
    char boot_id[STATE_DIR_BOOT_BYTES]; /* of the running system; "" when unknown */
};

enum state_verdict {
    STATE_NEW,     /* nothing there */
    STATE_KEEP,    /* a look at size and meta pages will do */
    STATE_CHECK,   /* every page and entry is to be checked */
    STATE_REBUILD, /* not to be trusted */
};

/* MILL_ELOCKED: another process has it. On error nothing is held. */
int state_dir_open(struct state_dir *dir, struct disk *disk, const char *path, struct error_text *error);
void state_dir_close(struct state_dir *dir);

enum state_verdict state_dir_judge(struct state_dir *dir);

enum state_end {
    STATE_END_UNCLEAN,
    STATE_END_CLEAN,
    STATE_END_BROKEN /* a write failed in a way after which nothing is known */
};
int state_dir_mark(struct state_dir *dir, enum state_end end, bool synced);

/* Removes LMDB's files. */
int state_dir_wipe(struct state_dir *dir);

/* Removes what processes now dead have left in LMDB's lock file. */
void state_dir_drop_stale_lock(struct state_dir *dir);

/* Sixteen bytes that nobody can guess, where the system has them; else bytes that differ by directory. */
void state_dir_random(struct state_dir *dir, uint8_t bytes[16]);

/* `<path>/<name>` into `text`; MILL_ETOOLARGE. */
enum { STATE_DIR_PATH_BYTES = 4200 };
int state_dir_path(const struct state_dir *dir, const char *name, char text[STATE_DIR_PATH_BYTES]);

#endif
