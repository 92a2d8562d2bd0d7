/* The table of open logs, and the shared files. */
#include "log/log_directory.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/trace.h"
#include "log/compaction.h"
#include "log/log_checkpoint.h"
#include "log/log_files.h"
#include "log/offset_checkpoint.h"
#include "log/partition_log_state.h"
#include "log/text_reader.h"

#define LOCK_FILE     ".lock"
#define CLEAN_FILE    ".kafka_cleanshutdown"
#define DELETE_SUFFIX "-delete"

enum {
    OPEN_FILES_DEFAULT = 256,
    TOPIC_CHARS_MAX = 249,
    PARTITION_NAME_BYTES = TOPIC_CHARS_MAX + 16,
    CHECKPOINT_LOGS_PER_STEP = 16
};

struct log_directory {
    struct disk *disk;
    char *path;
    struct disk_lock *lock;
    struct meta_properties identity;
    bool was_clean;
    struct open_files open_files;
    struct hash_map logs; /* directory name -> struct partition_log */
    /* As read at open, for logs that are opened later, and as last noted for those that are open. */
    struct offset_checkpoint recovery_points;
    struct offset_checkpoint log_starts;
    struct offset_checkpoint first_dirty; /* of logs that were ever compacted */
    struct offset_checkpoint topic_ids;   /* whose offsets these are: a number made of the topic's id */
    bool has_topic_ids;                   /* false: Kafka wrote the other two */
};

/* ---- names ----------------------------------------------------------------------------------------------------------------- */

/* Kafka's rule for topic names, which makes them file names: letters, digits, '.', '_' and '-', but neither "." nor "..". */
static bool is_topic_name(const char *topic)
{
    size_t len = strspn(topic, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return len > 0 && len <= TOPIC_CHARS_MAX && topic[len] == '\0' && strcmp(topic, ".") != 0 && strcmp(topic, "..") != 0;
}

static bool format_name(char name[PARTITION_NAME_BYTES], const char *topic, int32_t partition)
{
    if (!is_topic_name(topic) || partition < 0)
        return false;
    snprintf(name, PARTITION_NAME_BYTES, "%s-%d", topic, (int)partition);
    return true;
}

/* The opposite: false for a name that is no partition's, one that waits to be removed among them. */
static bool parse_name(const char *name, char topic[PARTITION_NAME_BYTES], int32_t *partition)
{
    const char *dash = strrchr(name, '-');
    if (!dash || (size_t)(dash - name) >= PARTITION_NAME_BYTES)
        return false;
    struct text_reader words = text_reader_of(mill_string(dash + 1));
    *partition = (int32_t)text_reader_number(&words, 0, INT32_MAX);
    if (words.failed || !text_reader_at_end(&words))
        return false;
    memcpy(topic, name, (size_t)(dash - name));
    topic[dash - name] = '\0';
    return is_topic_name(topic);
}

static void shared_path(char path[LOG_PATH_BYTES], const struct log_directory *directory, const char *name)
{
    log_path(path, directory->path, name);
}

/* What tells a topic from an earlier one of the same name. */
static int64_t id_number(const uint8_t topic_id[TOPIC_ID_BYTES])
{
    return (int64_t)((read_u64_be(topic_id) ^ read_u64_be(topic_id + 8)) & INT64_MAX);
}

/* ---- shared files ---------------------------------------------------------------------------------------------------------- */

static int settle_identity(struct log_directory *directory, const struct meta_properties *wanted, struct error_text *error)
{
    int code = meta_properties_read(directory->disk, directory->path, &directory->identity, error);
    if (code == MILL_ENOTFOUND) {
        directory->identity = *wanted;
        code = meta_properties_write(directory->disk, directory->path, wanted);
        return code < 0
                   ? error_set(error, code, "%s/meta.properties cannot be written: %s", directory->path, mill_error_text(code))
                   : 0;
    }
    if (code < 0 || wanted->cluster_id[0] == '\0')
        return code;
    if (strcmp(directory->identity.cluster_id, wanted->cluster_id) != 0 || directory->identity.node_id != wanted->node_id)
        return error_set(error, MILL_EINVALID, "%s belongs to node %d of cluster %s, not to node %d of %s; use another directory",
                         directory->path, (int)directory->identity.node_id, directory->identity.cluster_id, (int)wanted->node_id,
                         wanted->cluster_id);
    return 0;
}

/* 1 when it is there. One that is missing or not readable is an empty one: there is more to recover, nothing to lose. */
static int read_checkpoint(struct log_directory *directory, const char *name, struct offset_checkpoint *checkpoint,
                           struct error_text *error)
{
    char path[LOG_PATH_BYTES];
    shared_path(path, directory, name);
    char *text;
    size_t len;
    int code = disk_read_file(directory->disk, path, SMALL_FILE_BYTES_MAX, &text, &len);
    if (code == MILL_ENOTFOUND)
        return 0;
    if (code < 0)
        return error_set(error, code, "%s cannot be read: %s", path, mill_error_text(code));
    code = offset_checkpoint_decode(checkpoint, mill_bytes_of(text, len));
    mem_free(text);
    if (code == MILL_ECORRUPT) {
        trace_warn("log", "%s is not readable; it counts as empty", path);
        return 0;
    }
    return code < 0 ? error_set(error, code, "%s: %s", path, mill_error_text(code)) : 1;
}

static int read_checkpoints(struct log_directory *directory, struct error_text *error)
{
    int code = read_checkpoint(directory, RECOVERY_POINT_FILE, &directory->recovery_points, error);
    if (code >= 0)
        code = read_checkpoint(directory, LOG_START_FILE, &directory->log_starts, error);
    if (code >= 0)
        code = read_checkpoint(directory, FIRST_DIRTY_FILE, &directory->first_dirty, error);
    if (code >= 0)
        code = read_checkpoint(directory, TOPIC_ID_FILE, &directory->topic_ids, error);
    directory->has_topic_ids = code == 1;
    return code < 0 ? code : 0;
}

/* From here on a crash is unclean, and that has to be on disk before anything is appended. */
static int take_clean_mark(struct log_directory *directory, struct error_text *error)
{
    char path[LOG_PATH_BYTES];
    shared_path(path, directory, CLEAN_FILE);
    int code = disk_remove(directory->disk, path);
    if (code == MILL_ENOTFOUND)
        return 0;
    if (code == 0)
        code = disk_sync_directory(directory->disk, directory->path);
    if (code < 0)
        return error_set(error, code, "%s cannot be removed: %s", path, mill_error_text(code));
    directory->was_clean = true;
    return 0;
}

static int write_clean_mark(struct log_directory *directory)
{
    static const char text[] = "{\"version\":0,\"brokerEpoch\":-1}";
    char path[LOG_PATH_BYTES];
    shared_path(path, directory, CLEAN_FILE);
    return disk_replace_file(directory->disk, path, text, sizeof text - 1);
}

/* ---- open ------------------------------------------------------------------------------------------------------------------ */

struct doomed {
    char name[LOG_NAME_BYTES];
};

static int find_doomed(void *ctx, const struct disk_entry *entry)
{
    struct doomed *doomed = ctx;
    if (!entry->is_directory || !log_has_suffix(entry->name, DELETE_SUFFIX) || strlen(entry->name) >= sizeof doomed->name)
        return 0;
    memcpy(doomed->name, entry->name, strlen(entry->name) + 1);
    return 1;
}

/* Logs whose removal a crash has cut short. */
static int remove_doomed(struct log_directory *directory, struct error_text *error)
{
    struct doomed doomed;
    int code;
    while ((code = disk_list(directory->disk, directory->path, find_doomed, &doomed)) == 1) {
        char path[LOG_PATH_BYTES];
        shared_path(path, directory, doomed.name);
        code = disk_remove_tree(directory->disk, path);
        if (code < 0)
            return error_set(error, code, "%s cannot be removed: %s", path, mill_error_text(code));
    }
    return code < 0 ? error_set(error, code, "%s cannot be listed: %s", directory->path, mill_error_text(code)) : 0;
}

static int take_lock(struct log_directory *directory, struct error_text *error)
{
    char path[LOG_PATH_BYTES];
    shared_path(path, directory, LOCK_FILE);
    int code = disk_lock(directory->disk, path, &directory->lock);
    if (code == MILL_ELOCKED)
        return error_set(error, code, "%s is in use by another broker; stop that one, or use another directory", directory->path);
    return code < 0 ? error_set(error, code, "%s cannot be locked: %s", path, mill_error_text(code)) : 0;
}

static void free_directory(struct log_directory *directory)
{
    if (directory->lock)
        disk_unlock(directory->lock);
    hash_map_release(&directory->logs);
    offset_checkpoint_release(&directory->recovery_points);
    offset_checkpoint_release(&directory->log_starts);
    offset_checkpoint_release(&directory->first_dirty);
    offset_checkpoint_release(&directory->topic_ids);
    mem_free(directory->path);
    mem_free(directory);
}

static int open_shared(struct log_directory *directory, const struct meta_properties *identity, struct error_text *error)
{
    int code = disk_make_directories(directory->disk, directory->path);
    if (code < 0)
        return error_set(error, code, "%s cannot be made: %s", directory->path, mill_error_text(code));
    code = take_lock(directory, error);
    if (code == 0)
        code = settle_identity(directory, identity, error);
    if (code == 0)
        code = read_checkpoints(directory, error);
    if (code == 0)
        code = remove_doomed(directory, error);
    if (code == 0)
        code = take_clean_mark(directory, error);
    return code;
}

int log_directory_open(const struct log_directory_options *options, struct log_directory **opened, struct error_text *error)
{
    if (strlen(options->path) + PARTITION_NAME_BYTES + 2 * LOG_NAME_BYTES > LOG_PATH_BYTES)
        return error_set(error, MILL_ETOOLARGE, "%.64s...: a data directory's path may have %d characters", options->path,
                         LOG_PATH_BYTES - PARTITION_NAME_BYTES - 2 * LOG_NAME_BYTES);
    struct log_directory *directory = mem_calloc(1, sizeof *directory);
    if (!directory)
        return error_set(error, MILL_ENOMEM, "%s: no memory for a data directory", options->path);
    directory->disk = options->disk;
    hash_map_init(&directory->logs);
    offset_checkpoint_init(&directory->recovery_points);
    offset_checkpoint_init(&directory->log_starts);
    offset_checkpoint_init(&directory->first_dirty);
    offset_checkpoint_init(&directory->topic_ids);
    open_files_init(&directory->open_files, options->open_files_max ? options->open_files_max : OPEN_FILES_DEFAULT);
    directory->path = mem_strdup(options->path);
    int code = directory->path ? open_shared(directory, &options->identity, error)
                               : error_set(error, MILL_ENOMEM, "%s: no memory for a data directory", options->path);
    if (code < 0) {
        free_directory(directory);
        return code;
    }
    *opened = directory;
    return 0;
}

const struct meta_properties *log_directory_identity(const struct log_directory *directory)
{
    return &directory->identity;
}

const char *log_directory_path(const struct log_directory *directory)
{
    return directory->path;
}

bool log_directory_was_clean(const struct log_directory *directory)
{
    return directory->was_clean;
}

/* ---- logs ------------------------------------------------------------------------------------------------------------------ */

struct walk {
    int (*each)(void *ctx, const char *topic, int32_t partition);
    void *ctx;
};

static int visit(void *ctx, const struct disk_entry *entry)
{
    const struct walk *walk = ctx;
    char topic[PARTITION_NAME_BYTES];
    int32_t partition;
    if (!entry->is_directory || !parse_name(entry->name, topic, &partition))
        return 0;
    return walk->each(walk->ctx, topic, partition);
}

int log_directory_each(struct log_directory *directory, int (*each)(void *ctx, const char *topic, int32_t partition), void *ctx)
{
    struct walk walk = { each, ctx };
    return disk_list(directory->disk, directory->path, visit, &walk);
}

/* A topic that was removed and made again starts from nothing, even if a crash came before the next checkpoint. */
static bool offsets_are_of(const struct log_directory *directory, const char *name, const uint8_t topic_id[TOPIC_ID_BYTES])
{
    return !directory->has_topic_ids ||
           offset_checkpoint_get(&directory->topic_ids, mill_string(name), -1) == id_number(topic_id);
}

bool log_directory_has_log(struct log_directory *directory, const char *topic, int32_t partition,
                           const uint8_t topic_id[TOPIC_ID_BYTES])
{
    char name[PARTITION_NAME_BYTES];
    if (!format_name(name, topic, partition))
        return false;
    char path[LOG_PATH_BYTES];
    shared_path(path, directory, name);
    struct disk_entry entry;
    if (disk_stat(directory->disk, path, &entry) == 0 && entry.is_directory)
        return true;
    return offsets_are_of(directory, name, topic_id) &&
           offset_checkpoint_get(&directory->recovery_points, mill_string(name), 0) > 0;
}

int log_directory_open_log(struct log_directory *directory, const char *topic, int32_t partition,
                           const uint8_t topic_id[TOPIC_ID_BYTES], const struct log_config *config, struct io_time now,
                           struct partition_log **log, struct error_text *error)
{
    char name[PARTITION_NAME_BYTES];
    if (!format_name(name, topic, partition))
        return error_set(error, MILL_EINVALID, "%.249s: not a topic name", topic);
    char path[LOG_PATH_BYTES];
    shared_path(path, directory, name);
    mill_assert(!hash_map_get(&directory->logs, mill_string(name)));
    bool known = offsets_are_of(directory, name, topic_id);
    struct partition_log_options options = {
        .disk = directory->disk,
        .path = path,
        .config = *config,
        .clean = directory->was_clean,
        .recovery_point = known ? offset_checkpoint_get(&directory->recovery_points, mill_string(name), 0) : 0,
        .log_start = known ? offset_checkpoint_get(&directory->log_starts, mill_string(name), -1) : -1,
        .first_dirty = known ? offset_checkpoint_get(&directory->first_dirty, mill_string(name), 0) : 0,
        .open_files = &directory->open_files,
        .now = now,
    };
    memcpy(options.topic_id, topic_id, TOPIC_ID_BYTES);
    int code = partition_log_open(&options, log, error);
    if (code < 0)
        return code;
    code = hash_map_put(&directory->logs, mill_string(name), *log, NULL);
    if (code < 0) {
        partition_log_close(*log, false, NULL);
        return error_set(error, code, "%s: no memory for a log", name);
    }
    return 0;
}

static void forget(struct log_directory *directory, const char *name)
{
    hash_map_remove(&directory->logs, mill_string(name));
    offset_checkpoint_remove(&directory->recovery_points, mill_string(name));
    offset_checkpoint_remove(&directory->log_starts, mill_string(name));
    offset_checkpoint_remove(&directory->first_dirty, mill_string(name));
    offset_checkpoint_remove(&directory->topic_ids, mill_string(name));
}

/*
 * "<topic>-<partition>.<32 hex digits>-delete", the topic's name cut so that the whole is at most 255 characters, as Kafka cuts
 * it.
 */
static void format_doomed_name(char doomed[LOG_NAME_BYTES], const char *name, const uint8_t random[16])
{
    char hex[33];
    for (int i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", random[i]);
    const char *dash = strrchr(name, '-');
    int tail_len = (int)strlen(dash) + 1 + 32 + (int)strlen(DELETE_SUFFIX);
    int topic_len = (int)(dash - name) < 255 - tail_len ? (int)(dash - name) : 255 - tail_len;
    snprintf(doomed, LOG_NAME_BYTES, "%.*s%s.%s%s", topic_len, name, dash, hex, DELETE_SUFFIX);
}

int log_directory_remove_log(struct log_directory *directory, struct partition_log *log, const uint8_t random[16],
                             struct log_removal *removal, struct error_text *error)
{
    char name[PARTITION_NAME_BYTES];
    char doomed[LOG_NAME_BYTES];
    char from[LOG_PATH_BYTES];
    char to[LOG_PATH_BYTES];
    snprintf(name, sizeof name, "%s", partition_log_name(log));
    format_doomed_name(doomed, name, random);
    shared_path(from, directory, name);
    shared_path(to, directory, doomed);
    forget(directory, name);
    partition_log_close(log, false, error);
    *removal = (struct log_removal){ .disk = directory->disk };
    int code = disk_rename(directory->disk, from, to);
    if (code < 0)
        return error_set(error, code, "%s cannot be renamed for removal: %s", from, mill_error_text(code));
    removal->path = mem_strdup(to);
    return removal->path ? 0 : error_set(error, MILL_ENOMEM, "%s is removed at the next start: no memory now", to);
}

void log_removal_run(struct log_removal *removal)
{
    removal->code = disk_remove_tree(removal->disk, removal->path);
}

void log_removal_release(struct log_removal *removal)
{
    mem_free(removal->path);
    removal->path = NULL;
}

/* ---- checkpoints ----------------------------------------------------------------------------------------------------------- */

static int note_offsets(struct log_directory *directory, struct partition_log *log)
{
    mill_bytes name = mill_string(partition_log_name(log));
    int code = offset_checkpoint_put(&directory->recovery_points, name, log_recovery_point(log));
    if (code == 0)
        code = offset_checkpoint_put(&directory->log_starts, name, partition_log_start_offset(log));
    int64_t first_dirty = partition_log_first_dirty_offset(log);
    if (code == 0 && first_dirty > 0)
        code = offset_checkpoint_put(&directory->first_dirty, name, first_dirty);
    else if (code == 0)
        offset_checkpoint_remove(&directory->first_dirty, name);
    if (code == 0)
        code = offset_checkpoint_put(&directory->topic_ids, name, id_number(partition_log_topic_id(log)));
    return code;
}

static int set_offsets(struct log_directory *directory, struct log_checkpoint *checkpoint)
{
    return log_checkpoint_set_offsets(checkpoint,
                                      &(struct log_checkpoint_offsets){ .recovery_points = &directory->recovery_points,
                                                                        .log_starts = &directory->log_starts,
                                                                        .first_dirty = &directory->first_dirty,
                                                                        .topic_ids = &directory->topic_ids });
}

static void set_changed(struct log_directory *directory, bool changed)
{
    directory->recovery_points.changed = changed;
    directory->log_starts.changed = changed;
    directory->first_dirty.changed = changed;
    directory->topic_ids.changed = changed;
}

struct log_checkpoint *log_directory_checkpoint_begin(struct log_directory *directory)
{
    struct log_checkpoint *checkpoint = log_checkpoint_new(directory->disk, directory->path, hash_map_count(&directory->logs));
    size_t at = 0;
    for (const struct hash_map_entry *entry; checkpoint && (entry = hash_map_next(&directory->logs, &at)) != NULL;) {
        struct partition_log *log = entry->value;
        list_push_back(log_checkpoint_waiting(checkpoint), &log->checkpoint_link);
    }
    return checkpoint;
}

/* Each costs writes of index entries, so that they are added a few at a time. */
static int add_some(struct log_checkpoint *checkpoint)
{
    struct list *waiting = log_checkpoint_waiting(checkpoint);
    int code = 0;
    for (int i = 0; i < CHECKPOINT_LOGS_PER_STEP && code == 0 && !list_empty(waiting); i++)
        code = log_checkpoint_add(checkpoint, list_entry(list_pop_front(waiting), struct partition_log, checkpoint_link));
    if (code < 0)
        return code;
    if (!list_empty(waiting))
        return LOG_CHECKPOINT_ADDS;
    log_checkpoint_set_parts(checkpoint);
    return log_checkpoint_part_at(checkpoint, 0) ? LOG_CHECKPOINT_RUNS : 0;
}

/* Another topic has the name by now: what was written for the log is not this one's. */
static void take_back(struct partition_log *log, const struct log_checkpoint_part *part)
{
    char path[LOG_PATH_BYTES];
    log_segment_path(path, part->path, part->end, SUFFIX_SNAPSHOT);
    (void)disk_remove(log->disk, path);
    log->epochs.changed = true;
}

/* Its recovery point stays where it is, and the next checkpoint tries again. Told when it begins. */
static void fail_part(struct partition_log *log, const struct log_checkpoint_part *part)
{
    if (part->epochs.len > 0)
        log->epochs.changed = true;
    if (!log->checkpoint_failed)
        trace_error(log->name,
                    "what a checkpoint needs could not be written into %s: %s. Until it can, a crash has more to scan, and what "
                    "retention gives up behind offset %lld stays on disk; check the disk and the directory's permissions",
                    part->path, mill_error_text(part->code), (long long)log_recovery_point(log));
    log->checkpoint_failed = true;
}

static void end_part(struct partition_log *log, struct log_checkpoint_part *part)
{
    if (memcmp(partition_log_topic_id(log), part->topic_id, TOPIC_ID_BYTES) != 0) {
        take_back(log, part);
        return;
    }
    if (part->code != 0) {
        fail_part(log, part);
        return;
    }
    log->checkpoint_failed = false;
    log->checkpoint_end = part->end;
    if (part->synced) {
        log->txn_index_unsynced = false;
        log->checkpoint_synced_bytes = part->appended_bytes;
    }
    if (part->producers.len > 0)
        log_note_snapshot(log, part->end, log_recovery_point(log), part->synced, part->obsolete);
}

static struct partition_log *log_of(const struct log_directory *directory, const struct log_checkpoint_part *part)
{
    return part->path ? hash_map_get(&directory->logs, mill_string(strrchr(part->path, '/') + 1)) : NULL;
}

static int end_parts(struct log_directory *directory, struct log_checkpoint *checkpoint)
{
    struct log_checkpoint_part *part;
    for (size_t i = 0; (part = log_checkpoint_part_at(checkpoint, i)) != NULL; i++) {
        struct partition_log *log = log_of(directory, part);
        if (log)
            end_part(log, part);
    }
    int code = 0;
    size_t at = 0;
    for (const struct hash_map_entry *entry; code == 0 && (entry = hash_map_next(&directory->logs, &at)) != NULL;)
        code = note_offsets(directory, entry->value);
    if (code == 0)
        code = set_offsets(directory, checkpoint);
    if (code >= 0)
        set_changed(directory, false); /* what changes while they are written is written with the next ones */
    return code;
}

/* The offsets are those of end_parts: nothing else changes what is noted of an open log. */
static void note_written(struct log_directory *directory)
{
    directory->has_topic_ids = true;
    size_t at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&directory->logs, &at)) != NULL;)
        partition_log_checkpointed(entry->value, offset_checkpoint_get(&directory->recovery_points, entry->key, 0),
                                   offset_checkpoint_get(&directory->log_starts, entry->key, 0));
}

/* Then only retention makes room. A kill before the next checkpoint has what it takes told as a lost front. */
static void note_full_disk(struct log_directory *directory)
{
    size_t at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&directory->logs, &at)) != NULL;) {
        struct partition_log *log = entry->value;
        partition_log_checkpointed(log, log->checkpointed, INT64_MAX);
    }
}

/* What was taken was not written after all. */
static void give_up(struct log_directory *directory, const struct log_checkpoint *checkpoint)
{
    struct log_checkpoint_part *part;
    set_changed(directory, true);
    for (size_t i = 0; (part = log_checkpoint_part_at(checkpoint, i)) != NULL; i++) {
        struct partition_log *log = log_of(directory, part);
        if (log && part->epochs.len > 0)
            log->epochs.changed = true;
    }
}

int log_directory_checkpoint_step(struct log_directory *directory, struct log_checkpoint *checkpoint)
{
    enum log_checkpoint_phase phase = log_checkpoint_phase_of(checkpoint);
    int code = log_checkpoint_code(checkpoint);
    if (code == 0 && phase == CHECKPOINT_ADDS)
        code = add_some(checkpoint); /* 0: there is nothing to be written of any log */
    if (code == 0 && phase != CHECKPOINT_WRITES_OFFSETS)
        code = end_parts(directory, checkpoint);
    if (code == 0)
        note_written(directory);
    if (code > 0)
        return code;
    if (code == MILL_EDISKFULL)
        note_full_disk(directory);
    if (code < 0)
        give_up(directory, checkpoint);
    log_checkpoint_free(checkpoint);
    return code;
}

void log_directory_checkpoint_cancel(struct log_directory *directory, struct log_checkpoint *checkpoint)
{
    give_up(directory, checkpoint);
    log_checkpoint_free(checkpoint);
}

/* ---- close ----------------------------------------------------------------------------------------------------------------- */

static int close_logs(struct log_directory *directory, bool clean, struct error_text *error)
{
    int failed = 0;
    size_t at = 0;
    for (const struct hash_map_entry *entry; (entry = hash_map_next(&directory->logs, &at)) != NULL;) {
        struct partition_log *log = entry->value;
        int64_t end = partition_log_end_offset(log);
        mill_bytes name = entry->key;
        int code = note_offsets(directory, log);
        if (code == 0)
            code = partition_log_close(log, clean, error);
        else
            partition_log_close(log, false, error);
        if (code == 0 && clean)
            code = offset_checkpoint_put(&directory->recovery_points, name, end);
        failed = code < 0 ? code : failed;
    }
    return failed;
}

static int write_shared(struct log_directory *directory)
{
    struct log_checkpoint *checkpoint = log_checkpoint_new(directory->disk, directory->path, 0);
    if (!checkpoint)
        return MILL_ENOMEM;
    int code = set_offsets(directory, checkpoint);
    if (code > 0) {
        log_checkpoint_run(checkpoint);
        code = log_checkpoint_code(checkpoint);
    }
    log_checkpoint_free(checkpoint);
    return code;
}

int log_directory_close(struct log_directory *directory, bool clean, struct error_text *error)
{
    int code = close_logs(directory, clean, error);
    if (code == 0 && clean) {
        code = write_shared(directory);
        if (code == 0)
            code = write_clean_mark(directory);
        if (code < 0)
            error_set(error, code, "%s: the next start recovers the logs: %s", directory->path, mill_error_text(code));
    }
    free_directory(directory);
    return code;
}
