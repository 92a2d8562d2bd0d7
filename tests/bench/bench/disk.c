/* Append, sync, again. */
#include "bench/disk.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/report.h"

#define REFERENCE_BYTES_PER_SECOND 0.93e9

enum { PIECE_BYTES = 1 << 20 };

static bool append_and_sync(int file, size_t total_bytes)
{
    static char piece[PIECE_BYTES];
    memset(piece, 'x', sizeof piece);
    for (size_t done = 0; done < total_bytes; done += PIECE_BYTES)
        if (write(file, piece, PIECE_BYTES) != PIECE_BYTES || fdatasync(file) != 0)
            return false;
    return true;
}

double disk_append_and_sync(const char *directory, size_t total_bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/bench-disk-%ld", directory, (long)getpid());
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (file < 0) {
        perror(path);
        return 0;
    }
    double start = bench_seconds();
    bool written = append_and_sync(file, total_bytes);
    double elapsed = bench_seconds() - start;
    if (!written)
        perror(path);
    close(file);
    unlink(path);
    return written ? (double)total_bytes / elapsed : 0;
}

double disk_speed(double bytes_per_second)
{
    return bytes_per_second / REFERENCE_BYTES_PER_SECOND;
}
