/*
 * Headers that updates in a cache go on with at commit: those of the record that wrote last, as in Kafka Streams.
 *
 * Most records have none, so nothing is kept until one has; from then on until the next commit each write looks here.
 */
#ifndef STATE_HEADER_NOTES_H
#define STATE_HEADER_NOTES_H

#include "base/buffer.h"
#include "base/hash_map.h"
#include "millstream/error.h"
#include "millstream/record.h"

struct header_notes {
    struct hash_map notes; /* key | start 8 -> struct header_note */
    struct buffer key;
};

/* The headers of one update in one block of memory. */
struct header_note {
    size_t count;
    mill_header headers[];
};

void header_notes_init(struct header_notes *notes);
void header_notes_release(struct header_notes *notes);
void header_notes_clear(struct header_notes *notes);

static inline bool header_notes_any(const struct header_notes *notes)
{
    return hash_map_count(&notes->notes) > 0;
}

/* Of the update of `key` in the window that begins at `start_ms`, in place of those before; none is as good. MILL_ENOMEM. */
MILL_MUST_USE int header_notes_put(struct header_notes *notes, int64_t start_ms, mill_bytes key, const mill_header *headers,
                                   size_t count);

/* Takes them out: the caller's to free with mem_free, or NULL. Without memory for the look-up NULL, too. */
struct header_note *header_notes_take(struct header_notes *notes, int64_t start_ms, mill_bytes key);

#endif
