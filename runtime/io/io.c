/*
 * Dispatch through the vtables, and what is the same for every disk: trees, whole files, atomic replacement.
 *
 * A file, lock, stream or listener begins with a pointer to its ops, so that the wrappers need not know whose
 * it is.
 */
#include "io/io.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { PATH_BYTES_MAX = 4096 };

static const struct disk_ops *disk_ops_of(const void *object)
{
    return *(const struct disk_ops *const *)object;
}

static const struct loop_ops *loop_ops_of(const void *object)
{
    return *(const struct loop_ops *const *)object;
}

/* ---- disk ------------------------------------------------------------------------------------------------------------------ */

int disk_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **file)
{
    return disk->ops->open(disk, path, flags, file);
}

void disk_close(struct disk_file *file)
{
    if (file)
        disk_ops_of(file)->close(file);
}

ssize_t disk_read(struct disk_file *file, void *into, size_t len, int64_t offset)
{
    return disk_ops_of(file)->read(file, into, len, offset);
}

int disk_write(struct disk_file *file, const struct io_vector *vectors, size_t count, int64_t offset)
{
    return disk_ops_of(file)->write(file, vectors, count, offset);
}

int disk_sync(struct disk_file *file)
{
    return disk_ops_of(file)->sync(file);
}

void disk_forget(struct disk_file *file, int64_t offset, int64_t len)
{
    if (len > 0)
        disk_ops_of(file)->forget(file, offset, len);
}

ssize_t disk_read_past_cache(struct disk_file *file, void *into, size_t len, int64_t offset)
{
    return disk_ops_of(file)->read_past_cache(file, into, len, offset);
}

int disk_truncate(struct disk_file *file, int64_t size)
{
    return disk_ops_of(file)->truncate(file, size);
}

int disk_size(struct disk_file *file, int64_t *size)
{
    return disk_ops_of(file)->size(file, size);
}

int disk_set_modified(struct disk_file *file, int64_t modified_ms)
{
    return disk_ops_of(file)->set_modified(file, modified_ms);
}

int disk_rename(struct disk *disk, const char *from, const char *to)
{
    return disk->ops->rename(disk, from, to);
}

int disk_remove(struct disk *disk, const char *path)
{
    return disk->ops->remove(disk, path);
}

int disk_make_directory(struct disk *disk, const char *path)
{
    return disk->ops->make_directory(disk, path);
}

int disk_sync_directory(struct disk *disk, const char *path)
{
    return disk->ops->sync_directory(disk, path);
}

int disk_list(struct disk *disk, const char *path, int (*each)(void *ctx, const struct disk_entry *entry), void *ctx)
{
    return disk->ops->list(disk, path, each, ctx);
}

int disk_stat(struct disk *disk, const char *path, struct disk_entry *entry)
{
    return disk->ops->stat(disk, path, entry);
}

int disk_lock(struct disk *disk, const char *path, struct disk_lock **lock)
{
    return disk->ops->lock(disk, path, lock);
}

void disk_unlock(struct disk_lock *lock)
{
    if (lock)
        disk_ops_of(lock)->unlock(lock);
}

int disk_free_space(struct disk *disk, const char *path, int64_t *bytes)
{
    return disk->ops->free_space(disk, path, bytes);
}

/* The directory that `path` is an entry of. */
static int parent_of(const char *path, char parent[PATH_BYTES_MAX])
{
    size_t len = strlen(path);
    if (len >= PATH_BYTES_MAX)
        return MILL_EINVALID;
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len == 0)
        return snprintf(parent, PATH_BYTES_MAX, ".") < 0 ? MILL_EINVALID : 0;
    memcpy(parent, path, len);
    parent[len] = '\0';
    return 0;
}

int disk_make_directories(struct disk *disk, const char *path)
{
    struct disk_entry entry;
    int code = disk_stat(disk, path, &entry);
    if (code == 0)
        return entry.is_directory ? 0 : MILL_EEXISTS;
    if (code != MILL_ENOTFOUND)
        return code;

    char parent[PATH_BYTES_MAX];
    code = parent_of(path, parent);
    if (code == 0 && strcmp(parent, path) != 0)
        code = disk_make_directories(disk, parent);
    if (code == 0)
        code = disk_make_directory(disk, path);
    if (code == 0)
        code = disk_sync_directory(disk, parent);
    return code;
}

/* One name of a directory, remembered, because a directory is not changed while it is listed. */
struct tree_entry {
    struct tree_entry *next;
    bool is_directory;
    char path[];
};

struct tree_listing {
    const char *path;
    struct tree_entry *entries;
};

static int remember_entry(void *ctx, const struct disk_entry *entry)
{
    struct tree_listing *listing = ctx;
    size_t bytes = strlen(listing->path) + 1 + strlen(entry->name) + 1;
    struct tree_entry *remembered = mem_alloc(sizeof *remembered + bytes);
    if (!remembered)
        return MILL_ENOMEM;
    snprintf(remembered->path, bytes, "%s/%s", listing->path, entry->name);
    remembered->is_directory = entry->is_directory;
    remembered->next = listing->entries;
    listing->entries = remembered;
    return 0;
}

int disk_remove_tree(struct disk *disk, const char *path)
{
    struct tree_listing listing = { .path = path };
    int code = disk_list(disk, path, remember_entry, &listing);
    while (listing.entries) {
        struct tree_entry *entry = listing.entries;
        listing.entries = entry->next;
        if (code == 0)
            code = entry->is_directory ? disk_remove_tree(disk, entry->path) : disk_remove(disk, entry->path);
        mem_free(entry);
    }
    return code < 0 ? code : disk_remove(disk, path);
}

int disk_read_file(struct disk *disk, const char *path, size_t bytes_max, char **data, size_t *len)
{
    *data = NULL;
    struct disk_file *file;
    int code = disk_open(disk, path, DISK_READ, &file);
    if (code < 0)
        return code;
    int64_t size = 0;
    char *bytes = NULL;
    code = disk_size(file, &size);
    if (code == 0 && (uint64_t)size > bytes_max)
        code = MILL_ETOOLARGE;
    if (code == 0 && !(bytes = mem_alloc((size_t)size + 1)))
        code = MILL_ENOMEM;
    ssize_t got = code == 0 ? disk_read(file, bytes, (size_t)size, 0) : code;
    disk_close(file);
    if (got < 0) {
        mem_free(bytes);
        return (int)got;
    }
    bytes[got] = '\0';
    *data = bytes;
    *len = (size_t)got;
    return 0;
}

static int write_new_file(struct disk *disk, const char *path, const void *data, size_t len)
{
    struct disk_file *file;
    int code = disk_open(disk, path, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &file);
    if (code < 0)
        return code;
    struct io_vector vector = { data, len };
    code = disk_write(file, &vector, 1, 0);
    if (code == 0)
        code = disk_sync(file);
    disk_close(file);
    return code;
}

int disk_replace_file(struct disk *disk, const char *path, const void *data, size_t len)
{
    char parent[PATH_BYTES_MAX], temporary[PATH_BYTES_MAX];
    int code = parent_of(path, parent);
    if (code < 0 || snprintf(temporary, sizeof temporary, "%s.tmp", path) >= (int)sizeof temporary)
        return MILL_EINVALID;
    code = write_new_file(disk, temporary, data, len);
    if (code == 0)
        code = disk_rename(disk, temporary, path);
    return code < 0 ? code : disk_sync_directory(disk, parent);
}

/* ---- loop ------------------------------------------------------------------------------------------------------------------ */

struct io_time loop_now(struct loop *loop)
{
    return loop->ops->now(loop);
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_us)
{
    int64_t now_us = loop_now(loop).monotonic_us;
    loop->ops->timer_set(loop, timer, at_us > now_us ? at_us : now_us);
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
    loop->ops->timer_cancel(loop, timer);
}

int loop_wakeup_open(struct loop *loop, struct loop_wakeup *wakeup)
{
    return loop->ops->wakeup_open(loop, wakeup);
}

void loop_wakeup_close(struct loop_wakeup *wakeup)
{
    wakeup->loop->ops->wakeup_close(wakeup);
}

void loop_wakeup_signal(struct loop_wakeup *wakeup)
{
    wakeup->loop->ops->wakeup_signal(wakeup);
}

void loop_work_submit(struct loop *loop, enum work_class class, struct work_item *item)
{
    loop->ops->work_submit(loop, class, item);
}

int loop_run(struct loop *loop, const bool *until)
{
    return loop->ops->run(loop, until);
}

void loop_stop(struct loop *loop)
{
    loop->ops->stop(loop);
}

int loop_random(struct loop *loop, void *into, size_t len)
{
    return loop->ops->random(loop, into, len);
}

/* ---- network --------------------------------------------------------------------------------------------------------------- */

void io_write_host_port(char text[IO_HOST_PORT_BYTES], const char *host, int port)
{
    snprintf(text, IO_HOST_PORT_BYTES, strchr(host, ':') ? "[%.255s]:%d" : "%.255s:%d", host, port);
}

int net_listen(struct loop *loop, const char *host, int port, const struct net_listener_events *events, void *ctx,
               struct net_listener **listener)
{
    return loop->ops->listen(loop, host, port, events, ctx, listener);
}

int net_listener_port(struct net_listener *listener)
{
    return loop_ops_of(listener)->listener_port(listener);
}

void net_listener_close(struct net_listener *listener)
{
    loop_ops_of(listener)->listener_close(listener);
}

int net_connect(struct loop *loop, const char *host, int port, void (*connected)(void *ctx, int code, struct io_time now),
                const struct net_stream_events *events, void *ctx, struct net_stream **stream)
{
    return loop->ops->connect(loop, host, port, connected, events, ctx, stream);
}

int net_start(struct net_stream *stream, const struct net_stream_events *events, void *ctx)
{
    return loop_ops_of(stream)->start(stream, events, ctx);
}

void net_read_pause(struct net_stream *stream, bool paused)
{
    loop_ops_of(stream)->read_pause(stream, paused);
}

int net_write(struct net_stream *stream, const struct io_vector *vectors, size_t count, void *write_ctx)
{
    return loop_ops_of(stream)->write(stream, vectors, count, write_ctx);
}

size_t net_write_queued(struct net_stream *stream)
{
    return loop_ops_of(stream)->write_queued(stream);
}

void net_close(struct net_stream *stream)
{
    loop_ops_of(stream)->close(stream);
}

void net_peer_address(struct net_stream *stream, char text[IO_ADDRESS_BYTES])
{
    loop_ops_of(stream)->peer_address(stream, text);
}
