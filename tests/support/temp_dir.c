#include "support/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/io.h"
#include "support/cmocka_all.h"

void temp_dir_init(struct temp_dir *dir)
{
    const char *base = getenv("TMPDIR");
    snprintf(dir->path, sizeof dir->path, "%s/millstream-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(dir->path));
}

void temp_dir_release(struct temp_dir *dir)
{
    assert_int_equal(disk_remove_tree(uv_disk(), dir->path), 0);
}

const char *temp_dir_path(const struct temp_dir *dir, const char *name)
{
    static char ring[8][512];
    static unsigned next;
    char *path = ring[next++ % 8];
    snprintf(path, sizeof ring[0], "%s/%s", dir->path, name);
    return path;
}
