#include "state/header_notes.h"

#include "base/alloc.h"

void header_notes_init(struct header_notes *notes)
{
    hash_map_init(&notes->notes);
    buffer_init(&notes->key, SIZE_MAX / 2);
}

void header_notes_clear(struct header_notes *notes)
{
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&notes->notes, &at)) != NULL)
        mem_free(entry->value);
    hash_map_release(&notes->notes);
    hash_map_init(&notes->notes);
}

void header_notes_release(struct header_notes *notes)
{
    header_notes_clear(notes);
    hash_map_release(&notes->notes);
    buffer_release(&notes->key);
}

static mill_bytes note_key(struct header_notes *notes, int64_t start_ms, mill_bytes key)
{
    buffer_clear(&notes->key);
    buffer_append(&notes->key, key.data, key.len);
    buffer_append_u64(&notes->key, (uint64_t)start_ms);
    return notes->key.failed ? mill_null() : buffer_bytes(&notes->key);
}

static mill_bytes copy_bytes(uint8_t **at, mill_bytes bytes)
{
    if (mill_is_null(bytes))
        return mill_null();
    uint8_t *copy = *at;
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    *at += bytes.len;
    return mill_bytes_of(copy, bytes.len);
}

static struct header_note *new_note(const mill_header *headers, size_t count)
{
    size_t bytes = sizeof(struct header_note) + count * sizeof *headers;
    for (size_t i = 0; i < count; i++)
        bytes += headers[i].key.len + headers[i].value.len;
    struct header_note *note = mem_alloc(bytes + 1); /* the last may be empty, and is still within */
    if (note == NULL)
        return NULL;
    note->count = count;
    uint8_t *at = (uint8_t *)&note->headers[count];
    for (size_t i = 0; i < count; i++) {
        note->headers[i].key = copy_bytes(&at, headers[i].key);
        note->headers[i].value = copy_bytes(&at, headers[i].value);
    }
    return note;
}

int header_notes_put(struct header_notes *notes, int64_t start_ms, mill_bytes key, const mill_header *headers, size_t count)
{
    mill_bytes under = note_key(notes, start_ms, key);
    if (mill_is_null(under))
        return MILL_ENOMEM;
    if (count == 0) {
        mem_free(hash_map_remove(&notes->notes, under));
        return 0;
    }
    struct header_note *note = new_note(headers, count);
    void *old = NULL;
    if (note == NULL || hash_map_put(&notes->notes, under, note, &old) < 0) {
        mem_free(note);
        return MILL_ENOMEM;
    }
    mem_free(old);
    return 0;
}

struct header_note *header_notes_take(struct header_notes *notes, int64_t start_ms, mill_bytes key)
{
    mill_bytes under = note_key(notes, start_ms, key);
    return mill_is_null(under) ? NULL : hash_map_remove(&notes->notes, under);
}
