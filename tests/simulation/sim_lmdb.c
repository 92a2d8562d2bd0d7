/*
 * The __wrap_ functions that LMDB's object calls instead of the system's (see CMakeLists.txt).
 *
 * Each open file of a simulated disk is a real descriptor of a memory file and a handle of the sim_disk. Descriptors of one file
 * share the memory, opened anew through /proc so that each has its own position and flags.
 */
#include "simulation/sim_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"

enum { MOUNTS_MAX = 8, FILES_MAX = 1024, VECTORS_MAX = 1024, MAPPINGS_MAX = 1024 };

struct mount {
    char prefix[256];
    struct sim_disk *sim;
};

struct open_file {
    int fd; /* 0: free */
    bool writes_through;
    struct sim_disk *sim;
    struct disk_file *file;
};

struct mapping {
    void *address; /* NULL: free */
    size_t len;
    struct sim_disk *sim;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the tables */
static struct mount mounts[MOUNTS_MAX];
static struct open_file files[FILES_MAX];
static struct mapping mappings[MAPPINGS_MAX];

/* Called by LMDB's object alone, by these names. */
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_writev(int fd, const struct iovec *vectors, int count);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t offset);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
void *__wrap_mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *address, size_t len, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *address, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);
void __wrap_free(void *block);

/* ---- tables ---------------------------------------------------------------------------------------------------------------- */

void sim_lmdb_mount(const char *prefix, struct sim_disk *sim)
{
    pthread_mutex_lock(&mutex);
    int at = 0;
    while (at < MOUNTS_MAX && !(mounts[at].sim && strcmp(mounts[at].prefix, prefix) == 0))
        at++;
    for (int i = 0; at == MOUNTS_MAX && i < MOUNTS_MAX; i++)
        if (!mounts[i].sim)
            at = i;
    mill_assert(at < MOUNTS_MAX);
    snprintf(mounts[at].prefix, sizeof mounts[at].prefix, "%s", prefix);
    mounts[at].sim = sim;
    pthread_mutex_unlock(&mutex);
}

static struct sim_disk *disk_of(const char *path)
{
    struct sim_disk *sim = NULL;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < MOUNTS_MAX; i++)
        if (mounts[i].sim && strncmp(path, mounts[i].prefix, strlen(mounts[i].prefix)) == 0)
            sim = mounts[i].sim;
    pthread_mutex_unlock(&mutex);
    return sim;
}

/* A free slot for fd 0. */
static struct open_file *find_file(int fd)
{
    struct open_file *found = NULL;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < FILES_MAX && !found; i++)
        if (files[i].fd == fd)
            found = &files[i];
    pthread_mutex_unlock(&mutex);
    return found;
}

int sim_lmdb_open_files(void)
{
    int count = 0;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < FILES_MAX; i++)
        count += files[i].fd > 0;
    pthread_mutex_unlock(&mutex);
    return count;
}

void sim_lmdb_abandon(struct sim_disk *sim)
{
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < FILES_MAX; i++) {
        if (files[i].fd <= 0 || files[i].sim != sim)
            continue;
        close(files[i].fd);
        disk_close(files[i].file);
        files[i] = (struct open_file){ .fd = 0 };
    }
    for (int i = 0; i < MAPPINGS_MAX; i++) {
        if (!mappings[i].address || mappings[i].sim != sim)
            continue;
        munmap(mappings[i].address, mappings[i].len);
        mappings[i] = (struct mapping){ 0 };
    }
    pthread_mutex_unlock(&mutex);
}

static int fail_with(int code)
{
    errno = code == MILL_EDISKFULL   ? ENOSPC
            : code == MILL_ENOMEM    ? ENOMEM
            : code == MILL_ENOTFOUND ? ENOENT
            : code == MILL_EEXISTS   ? EEXIST
            : code == MILL_EACCESS   ? EACCES
                                     : EIO;
    return -1;
}

/* ---- opening and closing --------------------------------------------------------------------------------------------------- */

/* Copies [from, to) of the simulated file into the memory file. */
static void refresh(struct disk_file *file, int fd, int64_t from, int64_t to)
{
    char block[16384];
    while (from < to) {
        size_t wanted = to - from < (int64_t)sizeof block ? (size_t)(to - from) : sizeof block;
        ssize_t got = disk_read(file, block, wanted, from);
        if (got <= 0 || pwrite(fd, block, (size_t)got, from) != got)
            return;
        from += got;
    }
}

/* A descriptor of the memory file of `file`: that of another handle opened anew, or a fresh one with the file's bytes. */
static int open_memory(struct sim_disk *sim, struct disk_file *file, int flags)
{
    char path[64];
    const struct open_file *other = NULL;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < FILES_MAX && !other; i++)
        if (files[i].fd > 0 && files[i].sim == sim && sim_disk_file_number(files[i].file) == sim_disk_file_number(file))
            other = &files[i];
    pthread_mutex_unlock(&mutex);
    int64_t size = 0;
    int first = other ? -1 : memfd_create("sim_lmdb", MFD_CLOEXEC);
    if (!other && (first < 0 || disk_size(file, &size) < 0 || ftruncate(first, size) < 0)) {
        if (first >= 0)
            close(first);
        return fail_with(MILL_EIO);
    }
    if (!other)
        refresh(file, first, 0, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", other ? other->fd : first);
    int fd = open(path, flags & ~(O_CREAT | O_EXCL | O_DSYNC | O_SYNC));
    if (!other)
        close(first);
    return fd;
}

static int open_simulated(struct sim_disk *sim, const char *path, int flags)
{
    struct open_file *slot = find_file(0);
    mill_assert(slot != NULL);
    bool writes = (flags & O_ACCMODE) != O_RDONLY;
    unsigned disk_flags = (writes ? DISK_WRITE : DISK_READ) | (flags & O_CREAT ? DISK_CREATE : 0) |
                          (flags & O_TRUNC ? DISK_TRUNCATE : 0) | (flags & O_EXCL ? DISK_EXCLUSIVE : 0);
    struct disk_file *file;
    int code = disk_open(sim_disk_disk(sim), path, disk_flags, &file);
    if (code < 0)
        return fail_with(code);
    int fd = open_memory(sim, file, flags);
    if (fd < 0) {
        int number = errno;
        disk_close(file);
        errno = number;
        return -1;
    }
    pthread_mutex_lock(&mutex);
    *slot = (struct open_file){ .fd = fd, .writes_through = (flags & (O_DSYNC | O_SYNC)) != 0, .sim = sim, .file = file };
    pthread_mutex_unlock(&mutex);
    return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    struct sim_disk *sim = disk_of(path);
    return sim ? open_simulated(sim, path, flags) : open(path, flags, mode);
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return __wrap_open(path, flags, mode);
}

int __wrap_close(int fd)
{
    struct open_file *open_file = find_file(fd);
    if (open_file) {
        pthread_mutex_lock(&mutex);
        disk_close(open_file->file);
        *open_file = (struct open_file){ 0 };
        pthread_mutex_unlock(&mutex);
    }
    return close(fd);
}

/* ---- writing and syncing --------------------------------------------------------------------------------------------------- */

/* Writes to the simulated file; what it holds then, also after a failure, the memory file holds too. */
static ssize_t write_vectors(struct open_file *open_file, const struct iovec *vectors, int count, int64_t offset)
{
    mill_assert(count <= VECTORS_MAX);
    struct io_vector copies[VECTORS_MAX];
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        copies[i] = (struct io_vector){ vectors[i].iov_base, vectors[i].iov_len };
        total += vectors[i].iov_len;
    }
    int code = disk_write(open_file->file, copies, (size_t)count, offset);
    if (code < 0) {
        refresh(open_file->file, open_file->fd, offset, offset + (int64_t)total);
        return fail_with(code);
    }
    if (pwritev(open_file->fd, vectors, count, offset) != (ssize_t)total)
        return fail_with(MILL_EIO);
    if (open_file->writes_through && (code = disk_sync(open_file->file)) < 0)
        return fail_with(code);
    return (ssize_t)total;
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t offset)
{
    struct open_file *open_file = find_file(fd);
    if (!open_file)
        return pwrite(fd, data, len, offset);
    return write_vectors(open_file, &(struct iovec){ (void *)data, len }, 1, offset);
}

ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t offset)
{
    return __wrap_pwrite(fd, data, len, offset);
}

ssize_t __wrap_writev(int fd, const struct iovec *vectors, int count)
{
    struct open_file *open_file = find_file(fd);
    if (!open_file)
        return writev(fd, vectors, count);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t written = write_vectors(open_file, vectors, count, at);
    if (written > 0)
        lseek(fd, at + written, SEEK_SET);
    return written;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    struct open_file *open_file = find_file(fd);
    return open_file ? __wrap_writev(fd, &(struct iovec){ (void *)data, len }, 1) : write(fd, data, len);
}

int __wrap_ftruncate(int fd, off_t size)
{
    struct open_file *open_file = find_file(fd);
    int code = open_file ? disk_truncate(open_file->file, size) : 0;
    return code < 0 ? fail_with(code) : ftruncate(fd, size);
}

int __wrap_ftruncate64(int fd, off_t size)
{
    return __wrap_ftruncate(fd, size);
}

int __wrap_fdatasync(int fd)
{
    struct open_file *open_file = find_file(fd);
    if (!open_file)
        return fdatasync(fd);
    int code = disk_sync(open_file->file);
    return code < 0 ? fail_with(code) : 0;
}

int __wrap_fsync(int fd)
{
    return find_file(fd) ? __wrap_fdatasync(fd) : fsync(fd);
}

/* ---- mappings -------------------------------------------------------------------------------------------------------------- */

static struct mapping *find_mapping(const void *address)
{
    struct mapping *found = NULL;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < MAPPINGS_MAX && !found; i++)
        if (mappings[i].address == address)
            found = &mappings[i];
    pthread_mutex_unlock(&mutex);
    return found;
}

void *__wrap_mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
    void *mapped = mmap(address, len, protection, flags, fd, offset);
    struct open_file *open_file = fd > 0 ? find_file(fd) : NULL;
    if (mapped == MAP_FAILED || !open_file)
        return mapped;
    struct mapping *slot = find_mapping(NULL);
    mill_assert(slot != NULL);
    *slot = (struct mapping){ mapped, len, open_file->sim };
    return mapped;
}

void *__wrap_mmap64(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
    return __wrap_mmap(address, len, protection, flags, fd, offset);
}

int __wrap_munmap(void *address, size_t len)
{
    struct mapping *mapping = find_mapping(address);
    if (mapping)
        *mapping = (struct mapping){ 0 };
    return munmap(address, len);
}

/* ---- allocations ----------------------------------------------------------------------------------------------------------- */

void *__wrap_malloc(size_t size)
{
    return mem_alloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return mem_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return mem_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return mem_strdup(text);
}

int __wrap_posix_memalign(void **block, size_t alignment, size_t size)
{
    void *counted = mem_alloc(1); /* base/alloc.h has no aligned blocks: this one counts and fails in its place */
    if (!counted)
        return ENOMEM;
    mem_free(counted);
    return posix_memalign(block, alignment, size);
}

void __wrap_free(void *block)
{
    mem_free(block);
}
