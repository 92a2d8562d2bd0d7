#include "app/state_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

static int print_path(char path[STATE_PATH_BYTES], struct error_text *error, const char *format, const char *a, const char *b)
{
    if (snprintf(path, STATE_PATH_BYTES, format, a, b) < STATE_PATH_BYTES)
        return 0;
    return error_set(error, MILL_ETOOLARGE, "state.dir: the path %s... is too long", a);
}

int state_directory_root(const struct config *config, char root[STATE_PATH_BYTES], struct error_text *error)
{
    const char *set = config_get_set(config, "state.dir");
    if (set != NULL)
        return print_path(root, error, "%s%s", set, "");
    const char *xdg = getenv("XDG_STATE_HOME");
    if (xdg != NULL && xdg[0] == '/')
        return print_path(root, error, "%s/millstream%s", xdg, "");
    const char *home = getenv("HOME");
    if (geteuid() == 0 || home == NULL || home[0] != '/')
        return print_path(root, error, "%s%s", "/var/lib/millstream", "");
    return print_path(root, error, "%s/.local/state/millstream%s", home, "");
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_process_id(const char *text, size_t len, uint8_t id[PROCESS_ID_BYTES])
{
    if (len < 2 * PROCESS_ID_BYTES)
        return false;
    for (size_t i = 0; i < PROCESS_ID_BYTES; i++) {
        int high = digit(text[2 * i]);
        int low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        id[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int load_process_id(struct state_directory *directory, int (*random)(void *into, size_t len), struct error_text *error)
{
    char path[STATE_PATH_BYTES];
    int code = print_path(path, error, "%s/%s", directory->application, "process-id");
    if (code < 0)
        return code;
    char *text = NULL;
    size_t len = 0;
    code = disk_read_file(directory->disk, path, 4096, &text, &len);
    bool known = code == 0 && parse_process_id(text, len, directory->process_id);
    mem_free(text);
    if (known)
        return 0;
    /* Missing or damaged: a new one only costs that tasks are given out anew. */
    code = random(directory->process_id, PROCESS_ID_BYTES);
    char fresh[2 * PROCESS_ID_BYTES + 2];
    for (size_t i = 0; code == 0 && i < PROCESS_ID_BYTES; i++)
        snprintf(fresh + 2 * i, 3, "%02x", directory->process_id[i]);
    fresh[2 * PROCESS_ID_BYTES] = '\n';
    if (code == 0)
        code = disk_replace_file(directory->disk, path, fresh, 2 * PROCESS_ID_BYTES + 1);
    return code < 0 ? error_set(error, code, "%s cannot be written: %s", path, mill_error_text(code)) : 0;
}

static bool is_safe_name(const char *id)
{
    size_t len = strlen(id);
    for (size_t i = 0; i < len; i++)
        if (!((id[i] >= 'a' && id[i] <= 'z') || (id[i] >= 'A' && id[i] <= 'Z') || (id[i] >= '0' && id[i] <= '9') ||
              id[i] == '.' || id[i] == '_' || id[i] == '-'))
            return false;
    return len > 0 && len <= 200 && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
}

int state_directory_open(struct state_directory *directory, struct disk *disk, const struct config *config,
                         int (*random)(void *into, size_t len), struct error_text *error)
{
    *directory = (struct state_directory){ .disk = disk };
    const char *id = config_string(config, "application.id");
    if (id == NULL || !is_safe_name(id))
        return error_set(error, MILL_EINVALID,
                         "application.id '%s': it names topics and a directory, so use letters, digits, . _ and -", id ? id : "");
    int code = state_directory_root(config, directory->root, error);
    if (code == 0)
        code = print_path(directory->application, error, "%s/%s", directory->root, id);
    if (code == 0)
        code = print_path(directory->broker, error, "%s/%s", directory->root, "broker");
    if (code < 0)
        return code;
    char lock_path[STATE_PATH_BYTES];
    code = disk_make_directories(disk, directory->application);
    if (code < 0)
        return error_set(error, code, "state.dir: %s cannot be made: %s; set state.dir to a place that can be written",
                         directory->application, mill_error_text(code));
    code = print_path(lock_path, error, "%s/%s", directory->application, ".lock");
    if (code < 0)
        return code;
    code = disk_lock(disk, lock_path, &directory->lock);
    if (code == MILL_ELOCKED)
        return error_set(error, code, "%s is in use by another copy of this program", directory->application);
    if (code < 0)
        return error_set(error, code, "%s cannot be locked: %s", lock_path, mill_error_text(code));
    code = load_process_id(directory, random, error);
    if (code < 0)
        state_directory_close(directory);
    return code;
}

void state_directory_close(struct state_directory *directory)
{
    if (directory->lock != NULL)
        disk_unlock(directory->lock);
    directory->lock = NULL;
}
