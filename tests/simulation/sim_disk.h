/*
 * A disk in memory that can lose what was not synced.
 *
 * It keeps two states: what a running process sees, and what is on the platter. disk_sync carries a file's changed 512-byte
 * sectors and its size over, disk_sync_directory a directory's entries. A power cut keeps of the rest what chance decides:
 *
 *  - each unsynced sector is old or new (zeros where there was nothing), the size lies anywhere between old and new;
 *  - each unsynced create, rename or remove has happened or not, a rename wholly or not at all, and none without those before it
 *    that touch the same names.
 *
 * After a failed sync about half of the file's unsynced sectors are on the platter and the others never will be, as on Linux; the
 * file refuses further writes and syncs, as uv_disk's do. Locks are within the disk.
 *
 * Uses plain malloc, so that mem_fail_at counts only the code under test; out of memory aborts. Any thread. Paths hang below one
 * root, which exists; leading slashes do not matter.
 */
#ifndef SIMULATION_SIM_DISK_H
#define SIMULATION_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "io/io.h"

struct sim_disk;

/* The seed decides what a failed write or sync leaves behind, and random faults. */
struct sim_disk *sim_disk_new(uint64_t seed);
void sim_disk_free(struct sim_disk *sim); /* with the files and locks that a killed process had open; others are closed before */

/* The disk to hand to the code under test; lives as long as `sim`. */
struct disk *sim_disk_disk(struct sim_disk *sim);

/* ---- what is left afterwards: new disks without open files or locks; the old one goes on ----------------------------------- */

/* As a process that starts after a power cut finds it. Another seed, another outcome; image it again for as many as you like. */
struct sim_disk *sim_disk_after_power_cut(const struct sim_disk *sim, uint64_t seed);

/* As a process that starts after a kill -9 finds it: every completed call has happened, unsynced things are still unsynced. */
struct sim_disk *sim_disk_after_kill(const struct sim_disk *sim);

/* ---- faults ---------------------------------------------------------------------------------------------------------------- */

enum sim_disk_call {
    SIM_DISK_OPEN = 1 << 0,
    SIM_DISK_READ = 1 << 1,
    SIM_DISK_WRITE = 1 << 2,
    SIM_DISK_SYNC = 1 << 3,
    SIM_DISK_TRUNCATE = 1 << 4,
    SIM_DISK_SIZE = 1 << 5,
    SIM_DISK_RENAME = 1 << 6,
    SIM_DISK_REMOVE = 1 << 7,
    SIM_DISK_MAKE_DIRECTORY = 1 << 8,
    SIM_DISK_SYNC_DIRECTORY = 1 << 9,
    SIM_DISK_LIST = 1 << 10,
    SIM_DISK_STAT = 1 << 11,
    SIM_DISK_LOCK = 1 << 12,
    SIM_DISK_FREE_SPACE = 1 << 13,
    SIM_DISK_CHANGES = SIM_DISK_OPEN | SIM_DISK_WRITE | SIM_DISK_SYNC | SIM_DISK_TRUNCATE | SIM_DISK_RENAME | SIM_DISK_REMOVE |
                       SIM_DISK_MAKE_DIRECTORY | SIM_DISK_SYNC_DIRECTORY,
    SIM_DISK_ANY = (1 << 14) - 1,
};

/*
 * The nth call from now (1 is the next) of those kinds fails with `code`, and every one after it when `sticky`. A write that
 * fails leaves a part of its bytes. 0 switches it off; UINT64_MAX counts and fails none. Returns the number of calls of those
 * kinds since it was last set.
 */
uint64_t sim_disk_fail_at(struct sim_disk *sim, unsigned kinds, uint64_t nth, int code, bool sticky);

/* Each call of those kinds fails with `code` by chance; 0 switches it off. */
void sim_disk_fail_by_chance(struct sim_disk *sim, unsigned kinds, double probability, int code);

/* Writes that would take all files together above this fail with MILL_EDISKFULL after filling the rest. Default: no limit. */
void sim_disk_set_capacity(struct sim_disk *sim, int64_t bytes);

/* Flips one bit of a file, in what is seen and on the platter. False: there is no such file or bit. */
bool sim_disk_flip(struct sim_disk *sim, const char *path, int64_t bit);

/* ---- watching -------------------------------------------------------------------------------------------------------------- */

/* Called before each call of those kinds, which is the place to take images. NULL ends it. */
void sim_disk_watch(struct sim_disk *sim, unsigned kinds, void (*before)(void *ctx, enum sim_disk_call call, const char *path),
                    void *ctx);

/* How many bytes were forgotten (disk_forget), and how many reads went past the page cache, which is not simulated. */
void sim_disk_cache_counts(const struct sim_disk *sim, int64_t *bytes_forgotten, int64_t *reads_past_cache);

/* Where modified_ms comes from; without one it is 0. */
void sim_disk_set_clock(struct sim_disk *sim, int64_t (*wall_ms)(void *ctx), void *ctx);

/* Also hands what enters the trace to `note`, such as a world's; images keep it. */
void sim_disk_set_note(struct sim_disk *sim, void (*note)(void *ctx, const void *data, size_t len), void *ctx);

/* The same number for every handle of one file, as long as one is open; renames do not change it. */
int sim_disk_file_number(const struct disk_file *file);

/* A hash of every call so far with its arguments, its bytes and its outcome. */
uint64_t sim_disk_trace(const struct sim_disk *sim);

#endif
