/*
 * LMDB on a simulated disk.
 *
 * A test that links sim_lmdb has the distribution's LMDB with its system calls and allocations wrapped:
 *
 *  - A path below a mounted prefix is a file of that sim_disk. LMDB maps a memory file that holds the same bytes; what it writes,
 *    truncates and syncs happens on the sim_disk too, which so knows what a power cut leaves and fails the nth call of LMDB as
 *    well as ours. An O_DSYNC write is a write and a sync. Other paths go to the real file system.
 *  - Allocations go through base/alloc.h: mem_fail_at counts and fails them.
 *
 * A life after a power cut: image the disk, free what ran on the old one, mount the image at the same prefix, open again. What
 * LMDB holds open stays with the disk on which it was opened, which must live until it is closed.
 *
 * LMDB's lock file is shared by all who have it open at that time, and empty for those who come after, as after a restart.
 */
#ifndef SIMULATION_SIM_LMDB_H
#define SIMULATION_SIM_LMDB_H

#include "simulation/sim_disk.h"

/*
 * Paths that begin with `prefix` are the same paths of `sim`. Replaces an earlier mount of that prefix; NULL removes it. At most
 * 8.
 */
void sim_lmdb_mount(const char *prefix, struct sim_disk *sim);

/* The process that had this disk was killed: its descriptors are closed and its mappings gone. None of it is touched again. */
void sim_lmdb_abandon(struct sim_disk *sim);

/* Files that LMDB holds open on simulated disks. */
int sim_lmdb_open_files(void);

#endif
