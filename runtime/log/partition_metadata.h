/*
 * `partition.metadata`: the id of the topic whose partition lies in a directory (KIP-516).
 *
 *      version: 0
 *      topic_id: <22 characters of URL-safe base64>
 *
 * Written once, when the directory is made, and not synced: the broker's metadata knows the id as well, and after a power cut
 * a file that is missing, empty or torn is written again. A file that names another topic is never overwritten.
 */
#ifndef LOG_PARTITION_METADATA_H
#define LOG_PARTITION_METADATA_H

#include <stdint.h>

#include "io/io.h"
#include "log/uuid_text.h"

/*
 * MILL_ENOTFOUND: there is none, or an empty one; MILL_ECORRUPT: not such a file; MILL_EUNSUPPORTED: a newer version; an I/O
 * error.
 */
MILL_MUST_USE int partition_metadata_read(struct disk *disk, const char *directory, uint8_t topic_id[UUID_BYTES]);

MILL_MUST_USE int partition_metadata_write(struct disk *disk, const char *directory, const uint8_t topic_id[UUID_BYTES]);

#endif
