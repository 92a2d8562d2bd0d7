/*
 * The forms of keys. Numbers are big-endian, so that bytes sort as numbers do; window starts are never negative.
 *
 *      changelog, key-value     key
 *      changelog, window        key | start 8 | sequence 4, always 0              Kafka Streams' WindowKeySchema
 *      changelog, set           element | start 8 | sequence 4, always 0          one per member
 *      listener, window and set key | start 8                                     Kafka's TimeWindowedSerializer
 *      LMDB, key-value          key
 *      LMDB, window             start 8 | key
 *      LMDB, set                start 8 | element
 *
 *      element, a member        length of key 4 | key | 0 | member
 *      element, the size        length of key 4 | key | 1
 *
 * The elements of one set are neighbours in LMDB, its size last. A changelog value is the bare value, the record's timestamp is
 * its own; a set's member has an empty value.
 */
#ifndef STATE_KEY_SCHEMA_H
#define STATE_KEY_SCHEMA_H

#include "base/buffer.h"
#include "base/bytes.h"

enum { WINDOW_START_BYTES = 8, WINDOW_SEQUENCE_BYTES = 4, WINDOW_SUFFIX_BYTES = WINDOW_START_BYTES + WINDOW_SEQUENCE_BYTES };

/* Each replaces what `into` holds and returns a view of it; null and into->failed without memory. */
mill_bytes key_schema_changelog_window(struct buffer *into, mill_bytes key, int64_t start_ms);
mill_bytes key_schema_windowed(struct buffer *into, mill_bytes key, int64_t start_ms);
mill_bytes key_schema_stored_window(struct buffer *into, int64_t start_ms, mill_bytes key);
mill_bytes key_schema_member(struct buffer *into, mill_bytes key, mill_bytes member);
mill_bytes key_schema_size(struct buffer *into, mill_bytes key);

/* Cuts a changelog key of a window or set store; false when it is not one. */
bool key_schema_parse_changelog_window(mill_bytes changelog_key, mill_bytes *key, int64_t *start_ms);

/* Cuts an element; false when it is not one. `member` is null for a size. */
bool key_schema_parse_element(mill_bytes element, mill_bytes *key, mill_bytes *member);

#endif
