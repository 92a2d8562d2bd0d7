/*
 * Names and whole-file writes, shared by the files of this room.
 *
 * A segment's files are named by its base offset, twenty digits: `00000000000000001042.log`. Paths live in fixed buffers;
 * log_path_fits is asked once, when a directory is opened, and everything that this room appends to it fits.
 */
#ifndef LOG_LOG_FILES_H
#define LOG_LOG_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "io/io.h"

enum {
    LOG_PATH_BYTES = 4096,
    LOG_NAME_BYTES = 512, /* what this room appends to a data directory at most, with room to spare */
    SMALL_FILE_BYTES_MAX = 64 << 20
};

#define SUFFIX_LOG        ".log"
#define SUFFIX_INDEX      ".index"
#define SUFFIX_TIME_INDEX ".timeindex"
#define SUFFIX_TXN_INDEX  ".txnindex"
#define SUFFIX_SNAPSHOT   ".snapshot"
#define SUFFIX_DELETED    ".deleted"
#define SUFFIX_CLEANED    ".cleaned" /* not yet what its name says: removed at open, by Kafka too */
#define SUFFIX_SWAP       ".swap"    /* takes the place of the files that it was made of: see swap_files.h */
#define SUFFIX_DAMAGED    ".damaged"

/* May files be named in this directory? */
bool log_path_fits(const char *directory);

void log_path(char path[LOG_PATH_BYTES], const char *directory, const char *name);

/* "<directory>/%020d<suffix>", suffix being one of the above, or two of them. */
void log_segment_path(char path[LOG_PATH_BYTES], const char *directory, int64_t offset, const char *suffix);

/* The same with `behind` after it: "", or a suffix like SUFFIX_DELETED. */
void log_segment_path_with(char path[LOG_PATH_BYTES], const char *directory, int64_t offset, const char *suffix,
                           const char *behind);

/* Of what recovery takes out: `number` 0 has none behind the name, the others tell apart what was taken out at one offset. */
void log_damaged_path(char path[LOG_PATH_BYTES], const char *directory, int64_t offset, int number);

/* Is `name` twenty digits and exactly `suffix`? */
bool log_parse_name(const char *name, const char *suffix, int64_t *offset);

bool log_has_suffix(const char *name, const char *suffix);

/* Writes a whole file in place, without syncing: for files that are only hints. */
MILL_MUST_USE int log_write_file(struct disk *disk, const char *path, const void *data, size_t len);

/* Syncs one file, if it is there. */
MILL_MUST_USE int log_sync_file(struct disk *disk, const char *directory, int64_t offset, const char *suffix);

#endif
