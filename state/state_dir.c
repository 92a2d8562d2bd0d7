#include "state/state_dir.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "state/digest.h"

static const char MARK_FORMAT[] = "version=1\nboot=%s\nend=%s\nsynced=%d\n";
static const char *const END_NAMES[] = { "unclean", "clean", "broken" };

int state_dir_path(const struct state_dir *dir, const char *name, char text[STATE_DIR_PATH_BYTES])
{
    int len = snprintf(text, STATE_DIR_PATH_BYTES, "%s/%s", dir->path, name);
    return len < 0 || len >= STATE_DIR_PATH_BYTES ? MILL_ETOOLARGE : 0;
}

/* A line of a file that has no size, as those below /proc; "" when it cannot be read. */
static void read_line(struct disk *disk, const char *path, char *text, size_t capacity)
{
    struct disk_file *file;
    text[0] = '\0';
    if (disk_open(disk, path, DISK_READ, &file) < 0)
        return;
    ssize_t len = disk_read(file, text, capacity - 1, 0);
    disk_close(file);
    text[len > 0 ? len : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

int state_dir_open(struct state_dir *dir, struct disk *disk, const char *path, struct error_text *error)
{
    *dir = (struct state_dir){ .disk = disk, .path = path };
    char lock_path[STATE_DIR_PATH_BYTES];
    int code = state_dir_path(dir, ".lock", lock_path);
    if (code == 0)
        code = disk_lock(disk, lock_path, &dir->lock);
    if (code == MILL_ELOCKED)
        return error_set(error, code, "%s is in use by another process: give this one a state.dir of its own", path);
    if (code < 0)
        return error_set(error, code, "%s/.lock cannot be locked", path);
    read_line(disk, "/proc/sys/kernel/random/boot_id", dir->boot_id, sizeof dir->boot_id);
    return 0;
}

void state_dir_close(struct state_dir *dir)
{
    if (dir->lock != NULL)
        disk_unlock(dir->lock);
    dir->lock = NULL;
}

static bool exists(const struct state_dir *dir, const char *name)
{
    char path[STATE_DIR_PATH_BYTES];
    struct disk_entry entry;
    return state_dir_path(dir, name, path) == 0 && disk_stat(dir->disk, path, &entry) == 0;
}

static enum state_verdict judge_mark(const struct state_dir *dir, const char *mark)
{
    char boot[STATE_DIR_BOOT_BYTES] = "";
    char end[16] = "";
    int synced = 0;
    if (sscanf(mark, "version=1\nboot=%63[^\n]\nend=%15[a-z]\nsynced=%d\n", boot, end, &synced) != 3)
        return STATE_REBUILD;
    if (strcmp(end, END_NAMES[STATE_END_CLEAN]) == 0)
        return STATE_KEEP;
    if (strcmp(end, END_NAMES[STATE_END_UNCLEAN]) != 0)
        return STATE_REBUILD;
    bool same_boot = dir->boot_id[0] != '\0' && strcmp(boot, dir->boot_id) == 0;
    if (same_boot)
        return STATE_KEEP;
    return synced ? STATE_CHECK : STATE_REBUILD;
}

enum state_verdict state_dir_judge(struct state_dir *dir)
{
    if (!exists(dir, "data.mdb"))
        return STATE_NEW;
    char path[STATE_DIR_PATH_BYTES];
    char *mark;
    size_t len;
    if (state_dir_path(dir, "mark", path) < 0 || disk_read_file(dir->disk, path, 1024, &mark, &len) < 0)
        return STATE_REBUILD;
    enum state_verdict verdict = judge_mark(dir, mark);
    mem_free(mark);
    return verdict;
}

int state_dir_mark(struct state_dir *dir, enum state_end end, bool synced)
{
    char path[STATE_DIR_PATH_BYTES];
    char mark[256];
    int len = snprintf(mark, sizeof mark, MARK_FORMAT, dir->boot_id[0] ? dir->boot_id : "unknown", END_NAMES[end], synced);
    int code = state_dir_path(dir, "mark", path);
    return code < 0 ? code : disk_replace_file(dir->disk, path, mark, (size_t)len);
}

static int remove_file(struct state_dir *dir, const char *name)
{
    char path[STATE_DIR_PATH_BYTES];
    int code = state_dir_path(dir, name, path);
    if (code == 0)
        code = disk_remove(dir->disk, path);
    return code == MILL_ENOTFOUND ? 0 : code;
}

int state_dir_wipe(struct state_dir *dir)
{
    int data = remove_file(dir, "data.mdb");
    int lock = remove_file(dir, "lock.mdb");
    int synced = disk_sync_directory(dir->disk, dir->path);
    return data < 0 ? data : lock < 0 ? lock : synced;
}

void state_dir_drop_stale_lock(struct state_dir *dir)
{
    int code = remove_file(dir, "lock.mdb");
    (void)code; /* LMDB then makes do with it */
}

void state_dir_random(struct state_dir *dir, uint8_t bytes[16])
{
    char text[64];
    static const uint8_t salt[16] = "millstream-state";
    read_line(dir->disk, "/proc/sys/kernel/random/uuid", text, sizeof text);
    digest(salt, mill_string(text[0] != '\0' ? text : dir->path), bytes);
}
