/*
 * An update of a grouped table on its way through a repartition topic, in Kafka Streams' form (ChangedSerializer), so that either
 * side of the topic may be a JVM's:
 *
 *      | old value ...                                              | 0 |     a row leaves
 *      | new value ...                                              | 1 |     a row comes
 *      | bytes of new value (zigzag varint) | new ... | old ...     | 2 |     a row changes
 *      as 0, 1 and 2 with a byte (0 or 1) before the last           | 3, 4, 5 | "is the latest", which some releases write
 */
#ifndef TABLE_CHANGE_H
#define TABLE_CHANGE_H

#include "millstream/processor.h"

/* `*bytes` lives as long as the record. One of the values is not null. 0 or MILL_ENOMEM. */
MILL_MUST_USE int change_write(mill_context *context, mill_bytes new_value, mill_bytes old_value, mill_bytes *bytes);

/* Views of `bytes`. False: they are no change. */
bool change_read(mill_bytes bytes, mill_bytes *new_value, mill_bytes *old_value);

#endif
