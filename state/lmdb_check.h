/*
 * Looks at an LMDB file before LMDB does. LMDB maps the file and follows what it says: a file cut short is a SIGBUS, a flipped
 * bit a wrong answer or a crash. This reads it like any other bytes from a disk.
 *
 * lmdb_check_quick: is it as long as its meta pages say, and are these sound? Costs two page reads. lmdb_check_all: also every
 * page is where it says it is, reached exactly once (from a tree or the free list), its nodes lie within it, keys ascend within
 * their bounds, counts are right, and each entry of our databases fits its checksum.
 *
 * 0, MILL_ECORRUPT with what is wrong, MILL_ENOMEM, or an error of the disk. Blocks; any thread.
 */
#ifndef STATE_LMDB_CHECK_H
#define STATE_LMDB_CHECK_H

#include "base/error.h"
#include "io/io.h"

int lmdb_check_quick(struct disk *disk, const char *path, struct error_text *error);
int lmdb_check_all(struct disk *disk, const char *path, struct error_text *error);

#endif
