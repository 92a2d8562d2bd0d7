/*
 * What is committed beside an offset: the partition's time, so that late records stay late after a restart.
 *
 * Kafka Streams' own text, so that either goes on where the other stopped: base64 of a version byte 2 and the time as 8 bytes
 * big-endian (what follows, its processors' metadata, is passed over).
 */
#ifndef TASK_OFFSET_METADATA_H
#define TASK_OFFSET_METADATA_H

#include <stdint.h>

#include "millstream/bytes.h"

enum { OFFSET_METADATA_BYTES = 13 }; /* base64 of 9 bytes, and a NUL */

void offset_metadata_encode(int64_t partition_time_ms, char text[OFFSET_METADATA_BYTES]);

/* The time, or -1 when the text is null, empty or not ours. */
int64_t offset_metadata_decode(mill_bytes text);

#endif
