/*
 * A fresh directory for one test, removed with all below it.
 */
#ifndef SUPPORT_TEMP_DIR_H
#define SUPPORT_TEMP_DIR_H

#include <stddef.h>

struct temp_dir {
    char path[256];
};

/* Made below $TMPDIR, else /tmp. Fails the test when it cannot be. */
void temp_dir_init(struct temp_dir *dir);
void temp_dir_release(struct temp_dir *dir);

/* "<dir>/<name>" in a static ring of eight: valid until the eighth call from now. */
const char *temp_dir_path(const struct temp_dir *dir, const char *name);

#endif
