/*
 * Headers that updates in a cache go on with at commit: those of the record that wrote last, as in Kafka Streams.
 *
 * Most records have none, so nothing is kept until one has; from then on until the next commit each write looks here. A note lies
 * in a table as entries of a cache do, so that nothing is allocated for a record whose key had headers before.
 */
#ifndef STATE_HEADER_NOTES_H
#define STATE_HEADER_NOTES_H

#include "base/buffer.h"
#include "millstream/error.h"
#include "millstream/record.h"
#include "state/table.h"

struct header_notes {
    struct table *table; /* key | start 8 -> of each header: length of key 4, of value 4, both; NULL: none yet */
    struct buffer key;
    struct buffer note;
    struct buffer taken; /* a note that was taken out */
    mill_header *headers;
    size_t header_capacity;
};

void header_notes_init(struct header_notes *notes);
void header_notes_release(struct header_notes *notes);
void header_notes_clear(struct header_notes *notes); /* gives its memory back, too */

static inline bool header_notes_any(const struct header_notes *notes)
{
    return notes->table != NULL && notes->table->count > 0;
}

/* Of the update of `key` in the window that begins at `start_ms`, in place of those before; none is as good. MILL_ENOMEM. */
MILL_MUST_USE int header_notes_put(struct header_notes *notes, int64_t start_ms, mill_bytes key, const mill_header *headers,
                                   size_t count);

/* Takes them out: `*headers` live until the next call. Their number, 0 for none, or MILL_ENOMEM. */
MILL_MUST_USE int header_notes_take(struct header_notes *notes, int64_t start_ms, mill_bytes key, const mill_header **headers);

#endif
