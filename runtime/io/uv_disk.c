/*
 * The real disk, by direct system calls: libuv's file functions are these calls with a request around them.
 *
 * The first failed sync of a file is final: afterwards the kernel may have marked the dirty pages clean, so a second fdatasync
 * would lie. It answers MILL_EIO from then on, as does every write.
 */
#include "io/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"

enum { VECTORS_MAX = 1024, FOLIO_BYTES_MAX = 2 << 20 };
enum { NOT_OPENED = -1, NOT_POSSIBLE = -2 }; /* as direct_fd */

struct disk_file {
    const struct disk_ops *ops;
    int fd;
    atomic_int direct_fd;    /* past the page cache; opened by the first reader that wants it */
    atomic_bool sync_failed; /* a sync runs on a worker beside the owner's writes */
};

struct disk_lock {
    const struct disk_ops *ops;
    int fd;
};

static const struct disk_ops uv_disk_ops;

static int answer(long result)
{
    return result < 0 ? error_from_errno(errno) : 0;
}

static int open_retrying(const char *path, int flags)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC, 0644);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* ---- files ----------------------------------------------------------------------------------------------------------------- */

static int posix_flags(unsigned flags)
{
    return (flags & DISK_WRITE ? O_RDWR : O_RDONLY) | (flags & DISK_CREATE ? O_CREAT : 0) |
           (flags & DISK_TRUNCATE ? O_TRUNC : 0) | (flags & DISK_EXCLUSIVE ? O_EXCL : 0);
}

static int file_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **file)
{
    mill_assert((flags & DISK_WRITE) || !(flags & (DISK_CREATE | DISK_TRUNCATE)));
    struct disk_file *opened = mem_alloc(sizeof *opened);
    if (!opened)
        return MILL_ENOMEM;
    opened->ops = &uv_disk_ops;
    atomic_init(&opened->sync_failed, false);
    atomic_init(&opened->direct_fd, NOT_OPENED);
    opened->fd = open_retrying(path, posix_flags(flags));
    if (opened->fd < 0) {
        int code = error_from_errno(errno);
        mem_free(opened);
        return code;
    }
    *file = opened;
    return 0;
}

static void file_close(struct disk_file *file)
{
    if (file->direct_fd >= 0)
        close(file->direct_fd);
    close(file->fd);
    mem_free(file);
}

static ssize_t read_from(int fd, void *into, size_t len, int64_t offset)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = pread(fd, (char *)into + done, len - done, offset + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_from_errno(errno);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static ssize_t file_read(struct disk_file *file, void *into, size_t len, int64_t offset)
{
    return read_from(file->fd, into, len, offset);
}

/* A second descriptor, since the first one's writes go through the page cache. Of several readers at once one keeps its own. */
static int direct_fd(struct disk_file *file)
{
    int fd = file->direct_fd;
    if (fd != NOT_OPENED)
        return fd;
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file->fd);
    int opened = open_retrying(path, O_RDONLY | O_DIRECT);
    int kept = opened < 0 ? NOT_POSSIBLE : opened;
    if (atomic_compare_exchange_strong(&file->direct_fd, &fd, kept))
        return kept;
    if (opened >= 0)
        close(opened);
    return fd;
}

static bool is_aligned(const void *into, size_t len, int64_t offset)
{
    return ((uintptr_t)into | len | (uint64_t)offset) % DISK_BLOCK_BYTES == 0;
}

/* cachestat(2), of Linux 6.5 and later: has the same number on every architecture, and mostly no name in the C library yet. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
struct cachestat_range {
    uint64_t offset, len;
};
struct cachestat_answer {
    uint64_t cached, dirty, writeback, evicted, recently_evicted; /* pages */
};

/* Whether the page cache holds it all: then its copy is the cheapest. Elsewhere than on such a kernel: as if not. */
static bool is_cached(const struct disk_file *file, size_t len, int64_t offset)
{
    struct cachestat_range range = { (uint64_t)offset, len };
    struct cachestat_answer answer = { 0 };
    long page = sysconf(_SC_PAGESIZE);
    return syscall(SYS_cachestat, file->fd, &range, &answer, 0) == 0 && answer.cached * (uint64_t)page >= len;
}

/* What a file system does not support shows when it is opened, or at a read. */
static ssize_t file_read_past_cache(struct disk_file *file, void *into, size_t len, int64_t offset)
{
    if (is_cached(file, len, offset))
        return read_from(file->fd, into, len, offset);
    int fd = is_aligned(into, len, offset) ? direct_fd(file) : NOT_POSSIBLE;
    ssize_t got = fd < 0 ? -1 : pread(fd, into, len, offset);
    /* A short read ends with the file, or goes on unaligned: the rest, mostly nothing, is read the ordinary way. */
    size_t done = got < 0 ? 0 : (size_t)got;
    if (done == len)
        return got;
    ssize_t rest = read_from(file->fd, (char *)into + done, len - done, offset + (int64_t)done);
    return rest < 0 ? rest : (ssize_t)done + rest;
}

/* Drops `done` bytes from the front of the vectors; returns how many vectors are wholly done. */
static size_t advance(struct iovec *vectors, size_t count, size_t done)
{
    size_t whole = 0;
    while (whole < count && done >= vectors[whole].iov_len)
        done -= vectors[whole++].iov_len;
    if (whole < count) {
        vectors[whole].iov_base = (char *)vectors[whole].iov_base + done;
        vectors[whole].iov_len -= done;
    }
    return whole;
}

static int file_write(struct disk_file *file, const struct io_vector *vectors, size_t count, int64_t offset)
{
    mill_assert(count <= VECTORS_MAX);
    if (file->sync_failed)
        return MILL_EIO;
    struct iovec left[VECTORS_MAX];
    for (size_t i = 0; i < count; i++)
        left[i] = (struct iovec){ (void *)vectors[i].data, vectors[i].len };

    size_t at = advance(left, count, 0);
    while (at < count) {
        ssize_t done = pwritev(file->fd, left + at, (int)(count - at), offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_from_errno(errno);
        if (done == 0)
            return MILL_EIO;
        offset += done;
        at += advance(left + at, count - at, (size_t)done);
    }
    return 0;
}

static int file_sync(struct disk_file *file)
{
    if (file->sync_failed)
        return MILL_EIO;
    int code = answer(fdatasync(file->fd));
    if (code < 0)
        file->sync_failed = true;
    return code;
}

/*
 * The kernel keeps a file in folios of up to 2 MiB and lets go only of those that lie wholly within the range: each range begins
 * earlier, so that those at the edges go with the next one.
 */
static void file_forget(struct disk_file *file, int64_t offset, int64_t len)
{
    int64_t before = offset < FOLIO_BYTES_MAX ? offset : FOLIO_BYTES_MAX;
    (void)!posix_fadvise(file->fd, offset - before, len + before, POSIX_FADV_DONTNEED);
}

static int file_set_modified(struct disk_file *file, int64_t modified_ms)
{
    struct timespec time = { .tv_sec = modified_ms / 1000, .tv_nsec = modified_ms % 1000 * 1000000 };
    return answer(futimens(file->fd, (struct timespec[]){ time, time }));
}

static int file_truncate(struct disk_file *file, int64_t size)
{
    int result;
    do
        result = ftruncate(file->fd, size);
    while (result < 0 && errno == EINTR);
    return answer(result);
}

static int file_size(struct disk_file *file, int64_t *size)
{
    struct stat status;
    if (fstat(file->fd, &status) < 0)
        return error_from_errno(errno);
    *size = status.st_size;
    return 0;
}

/* ---- directories ----------------------------------------------------------------------------------------------------------- */

static int entry_rename(struct disk *disk, const char *from, const char *to)
{
    return answer(rename(from, to));
}

static int entry_remove(struct disk *disk, const char *path)
{
    return answer(remove(path));
}

static int directory_make(struct disk *disk, const char *path)
{
    if (mkdir(path, 0755) == 0)
        return 0;
    struct stat status;
    int number = errno;
    if (number == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return 0;
    return error_from_errno(number);
}

static int directory_sync(struct disk *disk, const char *path)
{
    int fd = open_retrying(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return error_from_errno(errno);
    int code = answer(fsync(fd));
    close(fd);
    return code;
}

static struct disk_entry entry_of(const char *name, const struct stat *status)
{
    return (struct disk_entry){
        .name = name,
        .is_directory = S_ISDIR(status->st_mode),
        .size = status->st_size,
        .modified_ms = (int64_t)status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000,
    };
}

static int list_one(DIR *directory, const char *name, int (*each)(void *ctx, const struct disk_entry *entry), void *ctx)
{
    struct stat status;
    if (fstatat(dirfd(directory), name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_from_errno(errno); /* removed since */
    struct disk_entry entry = entry_of(name, &status);
    return each(ctx, &entry);
}

static int directory_list(struct disk *disk, const char *path, int (*each)(void *ctx, const struct disk_entry *entry), void *ctx)
{
    DIR *directory = opendir(path);
    if (!directory)
        return error_from_errno(errno);
    int code = 0;
    while (code == 0) {
        errno = 0;
        struct dirent *found = readdir(directory);
        if (!found) {
            code = error_from_errno(errno);
            break;
        }
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
            code = list_one(directory, found->d_name, each, ctx);
    }
    closedir(directory);
    return code;
}

static int entry_stat(struct disk *disk, const char *path, struct disk_entry *entry)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return error_from_errno(errno);
    *entry = entry_of(path, &status);
    return 0;
}

/* ---- the rest -------------------------------------------------------------------------------------------------------------- */

static int lock_take(struct disk *disk, const char *path, struct disk_lock **lock)
{
    struct disk_lock *taken = mem_alloc(sizeof *taken);
    if (!taken)
        return MILL_ENOMEM;
    *taken = (struct disk_lock){ .ops = &uv_disk_ops, .fd = open_retrying(path, O_RDWR | O_CREAT) };
    if (taken->fd < 0 || flock(taken->fd, LOCK_EX | LOCK_NB) < 0) {
        int code = errno == EWOULDBLOCK ? MILL_ELOCKED : error_from_errno(errno);
        if (taken->fd >= 0)
            close(taken->fd);
        mem_free(taken);
        return code;
    }
    *lock = taken;
    return 0;
}

static void lock_give(struct disk_lock *lock)
{
    close(lock->fd);
    mem_free(lock);
}

static int free_space(struct disk *disk, const char *path, int64_t *bytes)
{
    struct statvfs status;
    if (statvfs(path, &status) < 0)
        return error_from_errno(errno);
    *bytes = (int64_t)status.f_bavail * (int64_t)status.f_frsize;
    return 0;
}

static const struct disk_ops uv_disk_ops = {
    .open = file_open,
    .close = file_close,
    .read = file_read,
    .write = file_write,
    .read_past_cache = file_read_past_cache,
    .sync = file_sync,
    .forget = file_forget,
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

struct disk *uv_disk(void)
{
    static struct disk disk = { .ops = &uv_disk_ops };
    return &disk;
}
