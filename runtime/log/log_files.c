/* Names of a log's files. */
#include "log/log_files.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { OFFSET_DIGITS = 20 };

bool log_path_fits(const char *directory)
{
    return strlen(directory) + LOG_NAME_BYTES <= LOG_PATH_BYTES;
}

void log_path(char path[LOG_PATH_BYTES], const char *directory, const char *name)
{
    int len = snprintf(path, LOG_PATH_BYTES, "%s/%s", directory, name);
    mill_assert(len > 0 && len < LOG_PATH_BYTES);
}

void log_segment_path(char path[LOG_PATH_BYTES], const char *directory, int64_t offset, const char *suffix)
{
    int len = snprintf(path, LOG_PATH_BYTES, "%s/%020lld%s", directory, (long long)offset, suffix);
    mill_assert(len > 0 && len < LOG_PATH_BYTES);
}

void log_segment_path_with(char path[LOG_PATH_BYTES], const char *directory, int64_t offset, const char *suffix,
                           const char *behind)
{
    int len = snprintf(path, LOG_PATH_BYTES, "%s/%020lld%s%s", directory, (long long)offset, suffix, behind);
    mill_assert(len > 0 && len < LOG_PATH_BYTES);
}

void log_damaged_path(char path[LOG_PATH_BYTES], const char *directory, int64_t offset, int number)
{
    char behind[16] = "";
    if (number > 0)
        snprintf(behind, sizeof behind, ".%d", number);
    log_segment_path_with(path, directory, offset, SUFFIX_DAMAGED, behind);
}

bool log_parse_name(const char *name, const char *suffix, int64_t *offset)
{
    int64_t value = 0;
    for (int i = 0; i < OFFSET_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, name[i] - '0', &value))
            return false;
    }
    *offset = value;
    return strcmp(name + OFFSET_DIGITS, suffix) == 0;
}

bool log_has_suffix(const char *name, const char *suffix)
{
    size_t name_len = strlen(name);
    size_t suffix_len = strlen(suffix);
    return name_len >= suffix_len && strcmp(name + name_len - suffix_len, suffix) == 0;
}

int log_write_file(struct disk *disk, const char *path, const void *data, size_t len)
{
    struct disk_file *file;
    int code = disk_open(disk, path, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &file);
    if (code < 0)
        return code;
    if (len > 0)
        code = disk_write(file, &(struct io_vector){ data, len }, 1, 0);
    disk_close(file);
    return code;
}

int log_sync_file(struct disk *disk, const char *directory, int64_t offset, const char *suffix)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(path, directory, offset, suffix);
    struct disk_file *file;
    int code = disk_open(disk, path, DISK_READ, &file);
    if (code < 0)
        return code == MILL_ENOTFOUND ? 0 : code;
    code = disk_sync(file);
    disk_close(file);
    return code;
}
