#include "log/swap_files.h"

#include "base/trace.h"
#include "log/batch_scan.h"
#include "log/log_files.h"

const char *const swap_suffixes[SWAP_SUFFIX_COUNT] = { SUFFIX_INDEX, SUFFIX_TIME_INDEX, SUFFIX_TXN_INDEX, SUFFIX_LOG };

struct search {
    const char *suffix;
    int64_t from;
    int64_t below;
    int64_t found; /* the lowest; INT64_MAX: none */
};

static int lowest(void *ctx, const struct disk_entry *entry)
{
    struct search *search = ctx;
    int64_t offset;
    if (log_parse_name(entry->name, search->suffix, &offset) && offset >= search->from && offset < search->below &&
        offset < search->found)
        search->found = offset;
    return 0;
}

static int find(struct disk *disk, const char *directory, const char *suffix, int64_t from, int64_t below, int64_t *found)
{
    struct search search = { suffix, from, below, INT64_MAX };
    int code = disk_list(disk, directory, lowest, &search);
    *found = search.found;
    return code;
}

static int remove_if_there(struct disk *disk, const char *directory, int64_t offset, const char *suffix, const char *behind)
{
    char path[LOG_PATH_BYTES];
    log_segment_path_with(path, directory, offset, suffix, behind);
    int code = disk_remove(disk, path);
    return code == MILL_ENOTFOUND ? 0 : code;
}

/* ---- which offsets it stands for ------------------------------------------------------------------------------------------- */

/* Behind its last intact batch; -1 when there is none. */
static int find_end(struct disk *disk, const char *directory, int64_t base_offset, int64_t *end)
{
    char path[LOG_PATH_BYTES];
    log_segment_path_with(path, directory, base_offset, SUFFIX_LOG, SUFFIX_SWAP);
    struct batch_scan scan = { .next_offset = base_offset, .below_offset = INT64_MAX, .leader_epoch = -1, .check = true };
    *end = -1;
    int code = disk_open(disk, path, DISK_READ, &scan.file);
    if (code < 0)
        return code;
    code = disk_size(scan.file, &scan.end);
    if (code == 0)
        code = batch_scan_init(&scan);
    while (code == 0 && (code = batch_scan_next(&scan)) != 0) {
        if (code == 1)
            *end = scan.next_offset;
        else if ((code != MILL_ECORRUPT && code != MILL_ETRUNCATED) || (code = batch_scan_resync(&scan)) <= 0)
            break;
        code = 0;
    }
    batch_scan_release(&scan);
    disk_close(scan.file);
    return code;
}

/* ---- the exchange ---------------------------------------------------------------------------------------------------------- */

/* The snapshot of the first one is the producers' state where the new segment begins, too. */
static int remove_original(struct disk *disk, const char *directory, int64_t offset, int64_t base_offset)
{
    int code = remove_if_there(disk, directory, offset, SUFFIX_INDEX, "");
    if (code == 0)
        code = remove_if_there(disk, directory, offset, SUFFIX_TIME_INDEX, "");
    if (code == 0)
        code = remove_if_there(disk, directory, offset, SUFFIX_TXN_INDEX, "");
    if (code == 0 && offset != base_offset)
        code = remove_if_there(disk, directory, offset, SUFFIX_SNAPSHOT, "");
    return code == 0 ? remove_if_there(disk, directory, offset, SUFFIX_LOG, "") : code;
}

static int take_place(struct disk *disk, const char *directory, int64_t base_offset, int64_t end)
{
    int64_t offset;
    /* After a kill -9 its own name may not be durable yet. */
    int code = disk_sync_directory(disk, directory);
    while (code == 0 && (code = find(disk, directory, SUFFIX_LOG, base_offset, end, &offset)) == 0 && offset != INT64_MAX) {
        code = remove_original(disk, directory, offset, base_offset);
        if (code < 0)
            return code;
    }
    if (code == 0)
        code = disk_sync_directory(disk, directory);
    char from[LOG_PATH_BYTES];
    char to[LOG_PATH_BYTES];
    for (int i = 0; i < SWAP_SUFFIX_COUNT && code == 0; i++) {
        log_segment_path_with(from, directory, base_offset, swap_suffixes[i], SUFFIX_SWAP);
        log_segment_path(to, directory, base_offset, swap_suffixes[i]);
        code = disk_rename(disk, from, to);
        code = code == MILL_ENOTFOUND ? 0 : code;
    }
    return code;
}

static int remove_swap(struct disk *disk, const char *directory, int64_t base_offset)
{
    int code = 0;
    for (int i = SWAP_SUFFIX_COUNT; i > 0 && code == 0; i--)
        code = remove_if_there(disk, directory, base_offset, swap_suffixes[i - 1], SUFFIX_SWAP);
    return code;
}

static int finish(struct disk *disk, const char *directory, const char *name, int64_t base_offset)
{
    int64_t end;
    int64_t original = INT64_MAX;
    int code = find_end(disk, directory, base_offset, &end);
    if (code == 0)
        code = find(disk, directory, SUFFIX_LOG, base_offset, base_offset + 1, &original);
    if (code < 0)
        return code;
    if (end < 0 && original == base_offset)
        return remove_swap(disk, directory, base_offset);
    trace_info(name, "segment %lld: its compaction, cut by a crash, is finished", (long long)base_offset);
    return take_place(disk, directory, base_offset, end < 0 ? base_offset + 1 : end);
}

int swap_files_finish(struct disk *disk, const char *directory, const char *name)
{
    int64_t base_offset;
    int code;
    while ((code = find(disk, directory, SUFFIX_LOG SUFFIX_SWAP, 0, INT64_MAX, &base_offset)) == 0 && base_offset != INT64_MAX) {
        code = finish(disk, directory, name, base_offset);
        if (code < 0)
            return code;
    }
    return code;
}
