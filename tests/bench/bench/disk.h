/* What the disk gives to one writer that syncs: the other half of the calibration, for whatever is acknowledged. */
#ifndef BENCH_DISK_H
#define BENCH_DISK_H

#include <stddef.h>

/*
 * Appends `total_bytes` in pieces of 1 MiB to a new file in `directory`, fdatasync after each, and removes it. Returns bytes a
 * second, or 0 with a message when the directory cannot be written.
 */
double disk_append_and_sync(const char *directory, size_t total_bytes);

/* The same as a part of the reference machine's 0.93 GB/s. */
double disk_speed(double bytes_per_second);

#endif
