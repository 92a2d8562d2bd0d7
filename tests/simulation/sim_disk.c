/*
 * Inodes by number; each file holds its seen and its synced bytes, each directory its seen and its synced entries. Changes of
 * entries that are not synced yet wait in one list, in order, each as the one or two bindings that it sets.
 */
#include "simulation/sim_disk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/list.h"
#include "base/prng.h"

enum { SECTOR_BYTES = 512, NAME_BYTES = 256, NOTHING = -1, ROOT = 0 };

/* One name of one directory means `inode` (NOTHING: it is gone). */
struct binding {
    int directory;
    int inode;
    char name[NAME_BYTES];
};

struct entry_list {
    struct binding *entries;
    size_t count, capacity;
};

struct change {
    struct binding bindings[2];
    int count;
    bool kept; /* scratch */
};

struct inode {
    bool used, is_directory, locked;
    int handles;
    int64_t modified_ms;
    /* A directory's. */
    struct entry_list seen, synced;
    /* A file's: both arrays have `capacity` bytes, zero behind their size; `dirty` has a byte per sector. */
    uint8_t *bytes, *synced_bytes, *dirty;
    size_t size, synced_size, capacity;
};

struct sim_disk {
    struct disk disk; /* first: a struct disk * is one of these */
    pthread_mutex_t mutex;
    struct prng prng;
    uint64_t trace;
    struct inode *inodes;
    int inode_count;
    struct list files, locks; /* open */
    struct change *changes;
    size_t change_count, change_capacity;
    int64_t bytes_used, bytes_capacity;
    int64_t bytes_forgotten, reads_past_cache; /* what disk_forget and disk_read_past_cache were told */

    unsigned fail_kinds, chance_kinds, watch_kinds;
    uint64_t fail_nth, fail_calls;
    int fail_code, chance_code;
    bool fail_sticky;
    double chance;
    void (*watch)(void *ctx, enum sim_disk_call call, const char *path);
    void *watch_ctx;
    int64_t (*wall_ms)(void *ctx);
    void *wall_ctx;
    void (*note)(void *ctx, const void *data, size_t len);
    void *note_ctx;
};

struct disk_file {
    const struct disk_ops *ops;
    struct sim_disk *sim;
    struct list link;
    int inode;
    bool writable, sync_failed;
    char path[512];
};

struct disk_lock {
    const struct disk_ops *ops;
    struct sim_disk *sim;
    struct list link;
    int inode;
};

static const struct disk_ops sim_disk_ops;

static void *must(void *block)
{
    if (!block)
        abort();
    return block;
}

static struct sim_disk *of_disk(struct disk *disk)
{
    return (struct sim_disk *)(void *)disk;
}

/* ---- entries --------------------------------------------------------------------------------------------------------------- */

static struct binding *find_entry(const struct entry_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->entries[i].name, name) == 0)
            return &list->entries[i];
    return NULL;
}

static void set_entry(struct entry_list *list, const struct binding *binding)
{
    struct binding *entry = find_entry(list, binding->name);
    if (binding->inode == NOTHING) {
        if (entry) /* order is kept: listing is the same from run to run */
            memmove(entry, entry + 1, (size_t)(list->entries + --list->count - entry) * sizeof *entry);
        return;
    }
    if (!entry) {
        if (list->count == list->capacity) {
            list->capacity = list->capacity * 2 + 4;
            list->entries = must(realloc(list->entries, list->capacity * sizeof *list->entries));
        }
        entry = &list->entries[list->count++];
    }
    *entry = *binding;
}

static void copy_entries(struct entry_list *to, const struct entry_list *from)
{
    free(to->entries);
    *to = (struct entry_list){ .count = from->count, .capacity = from->count };
    if (from->count == 0)
        return;
    to->entries = must(malloc(from->count * sizeof *to->entries));
    memcpy(to->entries, from->entries, from->count * sizeof *to->entries);
}

static struct binding binding_of(int directory, const char *name, int inode)
{
    struct binding binding = { .directory = directory, .inode = inode };
    snprintf(binding.name, sizeof binding.name, "%s", name);
    return binding;
}

/* Makes a change seen, and remembers it until it is synced. */
static void change_entries(struct sim_disk *sim, const struct binding *bindings, int count)
{
    if (sim->change_count == sim->change_capacity) {
        sim->change_capacity = sim->change_capacity * 2 + 16;
        sim->changes = must(realloc(sim->changes, sim->change_capacity * sizeof *sim->changes));
    }
    struct change *change = &sim->changes[sim->change_count++];
    change->count = count;
    for (int i = 0; i < count; i++) {
        change->bindings[i] = bindings[i];
        set_entry(&sim->inodes[bindings[i].directory].seen, &bindings[i]);
    }
}

static bool touch_the_same_name(const struct change *a, const struct change *b)
{
    for (int i = 0; i < a->count; i++)
        for (int j = 0; j < b->count; j++)
            if (a->bindings[i].directory == b->bindings[j].directory && strcmp(a->bindings[i].name, b->bindings[j].name) == 0)
                return true;
    return false;
}

/* Applies the kept changes in order to the synced entries and drops them from the list. */
static void sync_kept_changes(struct sim_disk *sim)
{
    size_t left = 0;
    for (size_t i = 0; i < sim->change_count; i++) {
        struct change *change = &sim->changes[i];
        for (int j = 0; change->kept && j < change->count; j++)
            set_entry(&sim->inodes[change->bindings[j].directory].synced, &change->bindings[j]);
        if (!change->kept)
            sim->changes[left++] = *change;
    }
    sim->change_count = left;
}

/* ---- inodes ---------------------------------------------------------------------------------------------------------------- */

static void empty_inode(struct inode *inode)
{
    free(inode->seen.entries);
    free(inode->synced.entries);
    free(inode->bytes);
    free(inode->synced_bytes);
    free(inode->dirty);
    *inode = (struct inode){ 0 };
}

static int new_inode(struct sim_disk *sim, bool is_directory)
{
    int number = 0;
    while (number < sim->inode_count && sim->inodes[number].used)
        number++;
    if (number == sim->inode_count) {
        sim->inodes = must(realloc(sim->inodes, (size_t)++sim->inode_count * sizeof *sim->inodes));
        sim->inodes[number] = (struct inode){ 0 };
    }
    sim->inodes[number].used = true;
    sim->inodes[number].is_directory = is_directory;
    sim->inodes[number].modified_ms = sim->wall_ms ? sim->wall_ms(sim->wall_ctx) : 0;
    return number;
}

static void mark(const struct entry_list *list, bool *reached)
{
    for (size_t i = 0; i < list->count; i++)
        reached[list->entries[i].inode] = true;
}

/* Frees inodes that neither an entry, seen or synced, nor a pending change nor a handle leads to. */
static void collect(struct sim_disk *sim)
{
    bool *reached = must(calloc((size_t)sim->inode_count, sizeof *reached));
    reached[ROOT] = true;
    for (int i = 0; i < sim->inode_count; i++) {
        mark(&sim->inodes[i].seen, reached);
        mark(&sim->inodes[i].synced, reached);
        reached[i] |= sim->inodes[i].handles > 0 || sim->inodes[i].locked;
    }
    for (size_t i = 0; i < sim->change_count; i++)
        for (int j = 0; j < sim->changes[i].count; j++) {
            reached[sim->changes[i].bindings[j].directory] = true;
            if (sim->changes[i].bindings[j].inode != NOTHING)
                reached[sim->changes[i].bindings[j].inode] = true;
        }
    for (int i = 0; i < sim->inode_count; i++)
        if (sim->inodes[i].used && !reached[i]) {
            sim->bytes_used -= (int64_t)sim->inodes[i].size;
            empty_inode(&sim->inodes[i]);
        }
    free(reached);
}

static void reserve_bytes(struct inode *inode, size_t size)
{
    if (size <= inode->capacity)
        return;
    size_t capacity = inode->capacity ? inode->capacity : 4096;
    while (capacity < size)
        capacity *= 2;
    inode->bytes = must(realloc(inode->bytes, capacity));
    inode->synced_bytes = must(realloc(inode->synced_bytes, capacity));
    inode->dirty = must(realloc(inode->dirty, capacity / SECTOR_BYTES));
    memset(inode->bytes + inode->capacity, 0, capacity - inode->capacity);
    memset(inode->synced_bytes + inode->capacity, 0, capacity - inode->capacity);
    memset(inode->dirty + inode->capacity / SECTOR_BYTES, 0, (capacity - inode->capacity) / SECTOR_BYTES);
    inode->capacity = capacity;
}

static void mark_dirty(struct inode *inode, size_t from, size_t to)
{
    for (size_t sector = from / SECTOR_BYTES; sector * SECTOR_BYTES < to; sector++)
        inode->dirty[sector] = 1;
}

static void resize(struct sim_disk *sim, struct inode *inode, size_t size)
{
    size_t old = inode->size;
    reserve_bytes(inode, size);
    if (size < old)
        memset(inode->bytes + size, 0, old - size);
    mark_dirty(inode, size < old ? size : old, size < old ? old : size);
    inode->size = size;
    sim->bytes_used += (int64_t)size - (int64_t)old;
    inode->modified_ms = sim->wall_ms ? sim->wall_ms(sim->wall_ctx) : 0;
}

static void sync_sector(struct inode *inode, size_t sector)
{
    memcpy(inode->synced_bytes + sector * SECTOR_BYTES, inode->bytes + sector * SECTOR_BYTES, SECTOR_BYTES);
}

/* ---- paths ----------------------------------------------------------------------------------------------------------------- */

/* Cuts the next component off; false and "" at the end. */
static bool next_component(const char **path, char name[NAME_BYTES])
{
    do {
        while (**path == '/')
            (*path)++;
        size_t len = strcspn(*path, "/");
        name[0] = '\0';
        if (len == 0)
            return false;
        snprintf(name, NAME_BYTES, "%.*s", (int)len, *path);
        *path += len;
    } while (strcmp(name, ".") == 0);
    return true;
}

/* Finds the directory that holds the last component, and that component's name ("" for the root itself). */
static int find_parent(struct sim_disk *sim, const char *path, int *directory, char name[NAME_BYTES])
{
    char next[NAME_BYTES];
    *directory = ROOT;
    if (!next_component(&path, name))
        return 0;
    while (next_component(&path, next)) {
        struct binding *entry = find_entry(&sim->inodes[*directory].seen, name);
        if (!entry || !sim->inodes[entry->inode].is_directory)
            return MILL_ENOTFOUND;
        *directory = entry->inode;
        memcpy(name, next, NAME_BYTES);
    }
    return 0;
}

/* The inode of a path, or MILL_ENOTFOUND. */
static int find_inode(struct sim_disk *sim, const char *path)
{
    int directory;
    char name[NAME_BYTES];
    if (find_parent(sim, path, &directory, name) < 0)
        return MILL_ENOTFOUND;
    if (name[0] == '\0')
        return ROOT;
    struct binding *entry = find_entry(&sim->inodes[directory].seen, name);
    return entry ? entry->inode : MILL_ENOTFOUND;
}

/* ---- each call begins and ends here ---------------------------------------------------------------------------------------- */

static void fold(struct sim_disk *sim, const void *data, size_t len)
{
    sim->trace = (sim->trace ^ crc32c((uint32_t)sim->trace, data, len)) * 0x9e3779b97f4a7c15;
    if (sim->note)
        sim->note(sim->note_ctx, data, len);
}

/* Locks, and decides whether the call fails. Ended by end_call, also when it fails. */
static int begin_call(struct sim_disk *sim, enum sim_disk_call call, const char *path)
{
    if (sim->watch && (sim->watch_kinds & call))
        sim->watch(sim->watch_ctx, call, path);
    pthread_mutex_lock(&sim->mutex);
    fold(sim, &call, sizeof call);
    fold(sim, path, strlen(path));
    if ((sim->fail_kinds & call) && sim->fail_nth != 0) {
        sim->fail_calls++;
        if (sim->fail_calls == sim->fail_nth || (sim->fail_calls > sim->fail_nth && sim->fail_sticky))
            return sim->fail_code;
    }
    if ((sim->chance_kinds & call) && sim->chance > 0 && prng_chance(&sim->prng, sim->chance))
        return sim->chance_code;
    return 0;
}

static int end_call(struct sim_disk *sim, int code)
{
    fold(sim, &code, sizeof code);
    pthread_mutex_unlock(&sim->mutex);
    return code;
}

/* ---- files ----------------------------------------------------------------------------------------------------------------- */

static int find_or_create(struct sim_disk *sim, const char *path, unsigned flags)
{
    int directory;
    char name[NAME_BYTES];
    if (find_parent(sim, path, &directory, name) < 0)
        return MILL_ENOTFOUND;
    struct binding *entry = find_entry(&sim->inodes[directory].seen, name);
    if (name[0] == '\0' || (entry && sim->inodes[entry->inode].is_directory))
        return flags & DISK_WRITE ? MILL_EIO : MILL_ENOTFOUND;
    if (entry)
        return flags & DISK_EXCLUSIVE ? MILL_EEXISTS : entry->inode;
    if (!(flags & DISK_CREATE))
        return MILL_ENOTFOUND;
    int number = new_inode(sim, false);
    struct binding binding = binding_of(directory, name, number);
    change_entries(sim, &binding, 1);
    return number;
}

static int file_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **file)
{
    struct sim_disk *sim = of_disk(disk);
    int code = begin_call(sim, SIM_DISK_OPEN, path);
    int number = code < 0 ? code : find_or_create(sim, path, flags);
    if (number < 0)
        return end_call(sim, number);
    struct disk_file *opened = must(calloc(1, sizeof *opened));
    *opened = (struct disk_file){ .ops = &sim_disk_ops, .sim = sim, .inode = number, .writable = flags & DISK_WRITE };
    list_push_back(&sim->files, &opened->link);
    snprintf(opened->path, sizeof opened->path, "%s", path);
    sim->inodes[number].handles++;
    if (flags & DISK_TRUNCATE)
        resize(sim, &sim->inodes[number], 0);
    *file = opened;
    return end_call(sim, 0);
}

static void file_close(struct disk_file *file)
{
    pthread_mutex_lock(&file->sim->mutex);
    file->sim->inodes[file->inode].handles--;
    list_remove(&file->link);
    pthread_mutex_unlock(&file->sim->mutex);
    free(file);
}

static ssize_t file_read(struct disk_file *file, void *into, size_t len, int64_t offset)
{
    int code = begin_call(file->sim, SIM_DISK_READ, file->path);
    struct inode *inode = &file->sim->inodes[file->inode];
    size_t got = 0;
    if (code == 0 && (uint64_t)offset < inode->size) {
        got = inode->size - (size_t)offset < len ? inode->size - (size_t)offset : len;
        memcpy(into, inode->bytes + offset, got);
    }
    end_call(file->sim, code);
    return code < 0 ? code : (ssize_t)got;
}

static void put_bytes(struct sim_disk *sim, struct inode *inode, const void *data, size_t len, size_t at)
{
    if (len == 0)
        return;
    if (at + len > inode->size)
        resize(sim, inode, at + len);
    memcpy(inode->bytes + at, data, len);
    mark_dirty(inode, at, at + len);
    inode->modified_ms = sim->wall_ms ? sim->wall_ms(sim->wall_ctx) : 0;
    fold(sim, data, len);
}

/* How many of `len` bytes at `at` find room. */
static size_t room_for(const struct sim_disk *sim, const struct inode *inode, size_t at, size_t len)
{
    size_t end = at + len;
    int64_t more = end > inode->size ? (int64_t)(end - inode->size) : 0;
    int64_t room = sim->bytes_capacity - sim->bytes_used;
    if (sim->bytes_capacity == 0 || more <= room)
        return len;
    size_t missing = (size_t)(more - (room > 0 ? room : 0));
    return missing < len ? len - missing : 0;
}

static int file_write(struct disk_file *file, const struct io_vector *vectors, size_t count, int64_t offset)
{
    struct sim_disk *sim = file->sim;
    int code = begin_call(sim, SIM_DISK_WRITE, file->path);
    if (!file->writable)
        return end_call(sim, MILL_EIO);
    if (file->sync_failed)
        return end_call(sim, MILL_EIO);
    fold(sim, &offset, sizeof offset);
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += vectors[i].len;

    size_t left = code < 0 ? (size_t)prng_below(&sim->prng, total + 1) : total; /* what fails has written a part */
    struct inode *inode = &sim->inodes[file->inode];
    size_t at = (size_t)offset;
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t len = vectors[i].len < left ? vectors[i].len : left;
        size_t fits = room_for(sim, inode, at, len);
        put_bytes(sim, inode, vectors[i].data, fits, at);
        if (fits < len)
            return end_call(sim, MILL_EDISKFULL);
        at += len;
        left -= len;
    }
    return end_call(sim, code);
}

static int file_sync(struct disk_file *file)
{
    struct sim_disk *sim = file->sim;
    int code = begin_call(sim, SIM_DISK_SYNC, file->path);
    if (file->sync_failed)
        return end_call(sim, MILL_EIO);
    file->sync_failed = code < 0;
    struct inode *inode = &sim->inodes[file->inode];
    for (size_t sector = 0; sector < inode->capacity / SECTOR_BYTES; sector++) {
        if (inode->dirty[sector] && (code == 0 || prng_chance(&sim->prng, 0.5)))
            sync_sector(inode, sector);
        inode->dirty[sector] = 0;
    }
    if (code == 0 || prng_chance(&sim->prng, 0.5))
        inode->synced_size = inode->size;
    return end_call(sim, code);
}

/* A hint to a cache that is not there. */
static void file_forget(struct disk_file *file, int64_t offset, int64_t len)
{
    pthread_mutex_lock(&file->sim->mutex);
    mill_assert(offset >= 0 && len > 0 && (uint64_t)(offset + len) <= file->sim->inodes[file->inode].size);
    file->sim->bytes_forgotten += len;
    pthread_mutex_unlock(&file->sim->mutex);
}

static ssize_t file_read_past_cache(struct disk_file *file, void *into, size_t len, int64_t offset)
{
    mill_assert(((uintptr_t)into | len | (uint64_t)offset) % DISK_BLOCK_BYTES == 0);
    pthread_mutex_lock(&file->sim->mutex);
    file->sim->reads_past_cache++;
    pthread_mutex_unlock(&file->sim->mutex);
    return file_read(file, into, len, offset);
}

static int file_truncate(struct disk_file *file, int64_t size)
{
    struct sim_disk *sim = file->sim;
    int code = begin_call(sim, SIM_DISK_TRUNCATE, file->path);
    if (code == 0 && (!file->writable || size < 0))
        code = MILL_EINVALID;
    fold(sim, &size, sizeof size);
    if (code == 0)
        resize(sim, &sim->inodes[file->inode], (size_t)size);
    return end_call(sim, code);
}

static int file_set_modified(struct disk_file *file, int64_t modified_ms)
{
    file->sim->inodes[file->inode].modified_ms = modified_ms;
    return 0;
}

static int file_size(struct disk_file *file, int64_t *size)
{
    int code = begin_call(file->sim, SIM_DISK_SIZE, file->path);
    if (code == 0)
        *size = (int64_t)file->sim->inodes[file->inode].size;
    return end_call(file->sim, code);
}

/* ---- directories ----------------------------------------------------------------------------------------------------------- */

static int rename_found(struct sim_disk *sim, const char *from, const char *to)
{
    int from_directory, to_directory;
    char from_name[NAME_BYTES], to_name[NAME_BYTES];
    if (find_parent(sim, from, &from_directory, from_name) < 0 || find_parent(sim, to, &to_directory, to_name) < 0)
        return MILL_ENOTFOUND;
    struct binding *source = find_entry(&sim->inodes[from_directory].seen, from_name);
    struct binding *target = find_entry(&sim->inodes[to_directory].seen, to_name);
    if (!source || to_name[0] == '\0')
        return MILL_ENOTFOUND;
    if (target && target->inode == source->inode)
        return 0;
    if (target && sim->inodes[target->inode].is_directory && sim->inodes[target->inode].seen.count > 0)
        return MILL_EEXISTS;
    const struct binding bindings[] = { binding_of(from_directory, from_name, NOTHING),
                                        binding_of(to_directory, to_name, source->inode) };
    change_entries(sim, bindings, 2);
    return 0;
}

static int entry_rename(struct disk *disk, const char *from, const char *to)
{
    struct sim_disk *sim = of_disk(disk);
    int code = begin_call(sim, SIM_DISK_RENAME, from);
    fold(sim, to, strlen(to));
    return end_call(sim, code < 0 ? code : rename_found(sim, from, to));
}

static int entry_remove(struct disk *disk, const char *path)
{
    struct sim_disk *sim = of_disk(disk);
    int code = begin_call(sim, SIM_DISK_REMOVE, path);
    int directory;
    char name[NAME_BYTES];
    if (code == 0)
        code = find_parent(sim, path, &directory, name);
    struct binding *entry = code == 0 ? find_entry(&sim->inodes[directory].seen, name) : NULL;
    if (code == 0 && !entry)
        code = MILL_ENOTFOUND;
    if (code == 0 && sim->inodes[entry->inode].seen.count > 0)
        code = MILL_EEXISTS;
    if (code == 0) {
        struct binding binding = binding_of(directory, name, NOTHING);
        change_entries(sim, &binding, 1);
    }
    return end_call(sim, code);
}

static int directory_make(struct disk *disk, const char *path)
{
    struct sim_disk *sim = of_disk(disk);
    int code = begin_call(sim, SIM_DISK_MAKE_DIRECTORY, path);
    int directory;
    char name[NAME_BYTES];
    if (code == 0)
        code = find_parent(sim, path, &directory, name);
    if (code < 0 || name[0] == '\0')
        return end_call(sim, code);
    struct binding *entry = find_entry(&sim->inodes[directory].seen, name);
    if (entry)
        return end_call(sim, sim->inodes[entry->inode].is_directory ? 0 : MILL_EEXISTS);
    struct binding binding = binding_of(directory, name, new_inode(sim, true));
    change_entries(sim, &binding, 1);
    return end_call(sim, 0);
}

/* Keeps every change in the directory, and what came before it on the same names. */
static void keep_changes_of(struct sim_disk *sim, int directory)
{
    for (size_t i = sim->change_count; i-- > 0;) {
        struct change *change = &sim->changes[i];
        change->kept = false;
        for (int j = 0; j < change->count; j++)
            change->kept |= change->bindings[j].directory == directory;
        for (size_t later = i + 1; later < sim->change_count && !change->kept; later++)
            change->kept = sim->changes[later].kept && touch_the_same_name(change, &sim->changes[later]);
    }
}

static int directory_sync(struct disk *disk, const char *path)
{
    struct sim_disk *sim = of_disk(disk);
    int code = begin_call(sim, SIM_DISK_SYNC_DIRECTORY, path);
    int number = code < 0 ? code : find_inode(sim, path);
    if (number >= 0 && !sim->inodes[number].is_directory)
        number = MILL_ENOTFOUND;
    if (number < 0)
        return end_call(sim, number);
    keep_changes_of(sim, number);
    sync_kept_changes(sim);
    collect(sim);
    return end_call(sim, 0);
}

static struct disk_entry entry_of(const char *name, const struct inode *inode)
{
    return (struct disk_entry){
        .name = name, .is_directory = inode->is_directory, .size = (int64_t)inode->size, .modified_ms = inode->modified_ms
    };
}

static int directory_list(struct disk *disk, const char *path, int (*each)(void *ctx, const struct disk_entry *entry), void *ctx)
{
    struct sim_disk *sim = of_disk(disk);
    int code = begin_call(sim, SIM_DISK_LIST, path);
    int number = code < 0 ? code : find_inode(sim, path);
    if (number >= 0 && !sim->inodes[number].is_directory)
        number = MILL_ENOTFOUND;
    if (number < 0)
        return end_call(sim, number);

    /* A copy, and the callbacks unlocked: they may change the directory. */
    struct entry_list list = { 0 };
    copy_entries(&list, &sim->inodes[number].seen);
    struct inode *inodes = must(calloc(list.count + 1, sizeof *inodes));
    for (size_t i = 0; i < list.count; i++)
        inodes[i] = sim->inodes[list.entries[i].inode];
    end_call(sim, 0);
    for (size_t i = 0; i < list.count && code == 0; i++) {
        struct disk_entry entry = entry_of(list.entries[i].name, &inodes[i]);
        code = each(ctx, &entry);
    }
    free(inodes);
    free(list.entries);
    return code;
}

static int entry_stat(struct disk *disk, const char *path, struct disk_entry *entry)
{
    struct sim_disk *sim = of_disk(disk);
    int code = begin_call(sim, SIM_DISK_STAT, path);
    int number = code < 0 ? code : find_inode(sim, path);
    if (number >= 0)
        *entry = entry_of(path, &sim->inodes[number]);
    return end_call(sim, number < 0 ? number : 0);
}

/* ---- the rest -------------------------------------------------------------------------------------------------------------- */

static int lock_take(struct disk *disk, const char *path, struct disk_lock **lock)
{
    struct sim_disk *sim = of_disk(disk);
    int code = begin_call(sim, SIM_DISK_LOCK, path);
    int number = code < 0 ? code : find_or_create(sim, path, DISK_WRITE | DISK_CREATE);
    if (number >= 0 && sim->inodes[number].locked)
        number = MILL_ELOCKED;
    if (number < 0)
        return end_call(sim, number);
    sim->inodes[number].locked = true;
    struct disk_lock *taken = must(malloc(sizeof *taken));
    *taken = (struct disk_lock){ .ops = &sim_disk_ops, .sim = sim, .inode = number };
    list_push_back(&sim->locks, &taken->link);
    *lock = taken;
    return end_call(sim, 0);
}

static void lock_give(struct disk_lock *lock)
{
    pthread_mutex_lock(&lock->sim->mutex);
    lock->sim->inodes[lock->inode].locked = false;
    list_remove(&lock->link);
    pthread_mutex_unlock(&lock->sim->mutex);
    free(lock);
}

static int free_space(struct disk *disk, const char *path, int64_t *bytes)
{
    struct sim_disk *sim = of_disk(disk);
    int code = begin_call(sim, SIM_DISK_FREE_SPACE, path);
    int number = code < 0 ? code : find_inode(sim, path);
    if (number < 0)
        return end_call(sim, number);
    *bytes = sim->bytes_capacity == 0 ? INT64_MAX - sim->bytes_used : sim->bytes_capacity - sim->bytes_used;
    return end_call(sim, 0);
}

static const struct disk_ops sim_disk_ops = {
    .open = file_open,
    .close = file_close,
    .read = file_read,
    .write = file_write,
    .sync = file_sync,
    .forget = file_forget,
    .read_past_cache = file_read_past_cache,
    .truncate = file_truncate,
    .size = file_size,
    .set_modified = file_set_modified,
    .rename = entry_rename,
    .remove = entry_remove,
    .make_directory = directory_make,
    .sync_directory = directory_sync,
    .list = directory_list,
    .stat = entry_stat,
    .lock = lock_take,
    .unlock = lock_give,
    .free_space = free_space,
};

void sim_disk_cache_counts(const struct sim_disk *sim, int64_t *bytes_forgotten, int64_t *reads_past_cache)
{
    *bytes_forgotten = sim->bytes_forgotten;
    *reads_past_cache = sim->reads_past_cache;
}

/* ---- images ---------------------------------------------------------------------------------------------------------------- */

static uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
    return len == 0 ? NULL : memcpy(must(malloc(len)), bytes, len);
}

struct sim_disk *sim_disk_after_kill(const struct sim_disk *sim)
{
    struct sim_disk *image = sim_disk_new(0);
    image->prng = sim->prng;
    image->wall_ms = sim->wall_ms;
    image->wall_ctx = sim->wall_ctx;
    image->note = sim->note;
    image->note_ctx = sim->note_ctx;
    image->bytes_capacity = sim->bytes_capacity;
    image->bytes_used = sim->bytes_used;
    image->change_count = image->change_capacity = sim->change_count;
    image->changes = (struct change *)(void *)copy_of((const uint8_t *)sim->changes, sim->change_count * sizeof *sim->changes);
    image->inode_count = sim->inode_count;
    image->inodes = must(realloc(image->inodes, (size_t)sim->inode_count * sizeof *image->inodes));
    for (int i = 0; i < sim->inode_count; i++) {
        const struct inode *from = &sim->inodes[i];
        struct inode *to = &image->inodes[i];
        *to = *from;
        to->handles = 0;
        to->locked = false;
        to->seen = to->synced = (struct entry_list){ 0 };
        copy_entries(&to->seen, &from->seen);
        copy_entries(&to->synced, &from->synced);
        to->bytes = copy_of(from->bytes, from->capacity);
        to->synced_bytes = copy_of(from->synced_bytes, from->capacity);
        to->dirty = copy_of(from->dirty, from->capacity / SECTOR_BYTES);
    }
    collect(image);
    return image;
}

/* A chance for this cut: all, none or some of what is unsynced is kept, because each alone finds other mistakes. */
static double chance_of_keeping(struct prng *prng)
{
    static const double chances[] = { 0, 0.1, 0.5, 0.9, 1 };
    return chances[prng_below(prng, sizeof chances / sizeof *chances)];
}

static void cut_entries(struct sim_disk *sim, struct prng *prng)
{
    const double chance = chance_of_keeping(prng);
    for (size_t i = 0; i < sim->change_count; i++) {
        sim->changes[i].kept = prng_chance(prng, chance);
        for (size_t before = 0; before < i && sim->changes[i].kept; before++)
            sim->changes[i].kept = sim->changes[before].kept || !touch_the_same_name(&sim->changes[before], &sim->changes[i]);
    }
    sync_kept_changes(sim);
    sim->change_count = 0;
    for (int i = 0; i < sim->inode_count; i++)
        copy_entries(&sim->inodes[i].seen, &sim->inodes[i].synced);
}

static void cut_file(struct inode *inode, struct prng *prng)
{
    const double chance = chance_of_keeping(prng);
    size_t low = inode->size < inode->synced_size ? inode->size : inode->synced_size;
    size_t high = inode->size + inode->synced_size - low;
    size_t size = prng_chance(prng, 0.4)   ? inode->synced_size
                  : prng_chance(prng, 0.5) ? inode->size
                                           : low + (size_t)prng_below(prng, high - low + 1);
    for (size_t sector = 0; sector < inode->capacity / SECTOR_BYTES; sector++) {
        if (inode->dirty[sector] && prng_chance(prng, chance))
            sync_sector(inode, sector);
        inode->dirty[sector] = 0;
    }
    if (inode->capacity > 0) {
        memset(inode->synced_bytes + size, 0, inode->capacity - size);
        memcpy(inode->bytes, inode->synced_bytes, inode->capacity);
    }
    inode->size = inode->synced_size = size;
}

struct sim_disk *sim_disk_after_power_cut(const struct sim_disk *sim, uint64_t seed)
{
    struct sim_disk *image = sim_disk_after_kill(sim);
    struct prng prng;
    prng_init(&prng, seed);
    prng_init(&image->prng, seed);
    cut_entries(image, &prng);
    image->bytes_used = 0;
    for (int i = 0; i < image->inode_count; i++) {
        if (image->inodes[i].used && !image->inodes[i].is_directory)
            cut_file(&image->inodes[i], &prng);
        image->bytes_used += (int64_t)image->inodes[i].size;
    }
    collect(image);
    return image;
}

/* ---- lifetime and faults --------------------------------------------------------------------------------------------------- */

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *sim = must(calloc(1, sizeof *sim));
    sim->disk.ops = &sim_disk_ops;
    pthread_mutex_init(&sim->mutex, NULL);
    prng_init(&sim->prng, seed);
    list_init(&sim->files);
    list_init(&sim->locks);
    new_inode(sim, true);
    return sim;
}

void sim_disk_free(struct sim_disk *sim)
{
    if (!sim)
        return;
    for (int i = 0; i < sim->inode_count; i++)
        empty_inode(&sim->inodes[i]);
    struct list *link;
    while ((link = list_pop_front(&sim->files)))
        free(list_entry(link, struct disk_file, link));
    while ((link = list_pop_front(&sim->locks)))
        free(list_entry(link, struct disk_lock, link));
    free(sim->inodes);
    free(sim->changes);
    pthread_mutex_destroy(&sim->mutex);
    free(sim);
}

struct disk *sim_disk_disk(struct sim_disk *sim)
{
    return &sim->disk;
}

uint64_t sim_disk_fail_at(struct sim_disk *sim, unsigned kinds, uint64_t nth, int code, bool sticky)
{
    pthread_mutex_lock(&sim->mutex);
    uint64_t calls = sim->fail_calls;
    sim->fail_calls = 0;
    sim->fail_kinds = kinds;
    sim->fail_nth = nth;
    sim->fail_code = code;
    sim->fail_sticky = sticky;
    pthread_mutex_unlock(&sim->mutex);
    return calls;
}

void sim_disk_fail_by_chance(struct sim_disk *sim, unsigned kinds, double probability, int code)
{
    pthread_mutex_lock(&sim->mutex);
    sim->chance_kinds = kinds;
    sim->chance = probability;
    sim->chance_code = code;
    pthread_mutex_unlock(&sim->mutex);
}

void sim_disk_set_capacity(struct sim_disk *sim, int64_t bytes)
{
    sim->bytes_capacity = bytes;
}

bool sim_disk_flip(struct sim_disk *sim, const char *path, int64_t bit)
{
    pthread_mutex_lock(&sim->mutex);
    int number = find_inode(sim, path);
    struct inode *inode = number < 0 ? NULL : &sim->inodes[number];
    bool found = inode && bit >= 0 && (size_t)bit / 8 < inode->size;
    if (found) {
        inode->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        inode->synced_bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    pthread_mutex_unlock(&sim->mutex);
    return found;
}

void sim_disk_watch(struct sim_disk *sim, unsigned kinds, void (*before)(void *ctx, enum sim_disk_call call, const char *path),
                    void *ctx)
{
    sim->watch_kinds = kinds;
    sim->watch = before;
    sim->watch_ctx = ctx;
}

void sim_disk_set_clock(struct sim_disk *sim, int64_t (*wall_ms)(void *ctx), void *ctx)
{
    sim->wall_ms = wall_ms;
    sim->wall_ctx = ctx;
}

void sim_disk_set_note(struct sim_disk *sim, void (*note)(void *ctx, const void *data, size_t len), void *ctx)
{
    sim->note = note;
    sim->note_ctx = ctx;
}

int sim_disk_file_number(const struct disk_file *file)
{
    return file->inode;
}

uint64_t sim_disk_trace(const struct sim_disk *sim)
{
    return sim->trace;
}
