#include "state/header_notes.h"

#include "base/alloc.h"
#include "base/bytes.h"

static const uint32_t NO_BYTES = UINT32_MAX; /* as a length: null */

void header_notes_init(struct header_notes *notes)
{
    *notes = (struct header_notes){ 0 };
    buffer_init(&notes->key, SIZE_MAX / 2);
    buffer_init(&notes->note, SIZE_MAX / 2);
    buffer_init(&notes->taken, SIZE_MAX / 2);
}

void header_notes_clear(struct header_notes *notes)
{
    table_free(notes->table);
    notes->table = NULL;
}

void header_notes_release(struct header_notes *notes)
{
    header_notes_clear(notes);
    buffer_release(&notes->key);
    buffer_release(&notes->note);
    buffer_release(&notes->taken);
    mem_free(notes->headers);
}

/* The note and the key that it lies under. NULL: there is none, or `*under` is null for want of memory. */
static struct entry *find(struct header_notes *notes, int64_t start_ms, mill_bytes key, mill_bytes *under)
{
    buffer_clear(&notes->key);
    buffer_append(&notes->key, key.data, key.len);
    buffer_append_u64(&notes->key, (uint64_t)start_ms);
    *under = notes->key.failed ? mill_null() : buffer_bytes(&notes->key);
    bool traced;
    return notes->table == NULL || mill_is_null(*under) ? NULL : table_find(notes->table, *under, table_hash(*under), &traced);
}

static void append_length(struct buffer *note, mill_bytes bytes)
{
    buffer_append_u32(note, mill_is_null(bytes) ? NO_BYTES : (uint32_t)bytes.len);
}

static mill_bytes write_note(struct buffer *note, const mill_header *headers, size_t count)
{
    buffer_clear(note);
    for (size_t i = 0; i < count; i++) {
        append_length(note, headers[i].key);
        append_length(note, headers[i].value);
        buffer_append(note, headers[i].key.data, headers[i].key.len);
        buffer_append(note, headers[i].value.data, headers[i].value.len);
    }
    return note->failed ? mill_null() : buffer_bytes(note);
}

static bool keep(void *ctx, const struct entry *entry)
{
    return false;
}

int header_notes_put(struct header_notes *notes, int64_t start_ms, mill_bytes key, const mill_header *headers, size_t count)
{
    mill_bytes under;
    struct entry *entry = find(notes, start_ms, key, &under);
    if (mill_is_null(under))
        return MILL_ENOMEM;
    if (count == 0) {
        if (entry != NULL)
            table_remove(notes->table, entry);
        return 0;
    }
    mill_bytes note = write_note(&notes->note, headers, count);
    if (notes->table == NULL)
        notes->table = table_new(0);
    if (mill_is_null(note) || notes->table == NULL)
        return MILL_ENOMEM;
    bool is_new = entry == NULL;
    if (is_new)
        entry = table_add(notes->table, under, table_hash(under), note.len, keep, NULL);
    if (entry == NULL)
        return MILL_ENOMEM;
    if (table_set_value(notes->table, entry, note))
        return 0;
    if (is_new)
        table_remove(notes->table, entry);
    return MILL_ENOMEM;
}

static bool add_header(struct header_notes *notes, size_t count, mill_header header)
{
    if (count == notes->header_capacity) {
        size_t capacity = count == 0 ? 4 : count * 2;
        mill_header *larger = mem_realloc(notes->headers, capacity * sizeof *larger);
        if (larger == NULL)
            return false;
        notes->headers = larger;
        notes->header_capacity = capacity;
    }
    notes->headers[count] = header;
    return true;
}

static mill_bytes read_part(struct byte_reader *reader, uint32_t len)
{
    return len == NO_BYTES ? mill_null() : mill_bytes_of(byte_reader_take(reader, len), len);
}

int header_notes_take(struct header_notes *notes, int64_t start_ms, mill_bytes key, const mill_header **headers)
{
    mill_bytes under;
    struct entry *entry = find(notes, start_ms, key, &under);
    *headers = NULL;
    if (entry == NULL)
        return mill_is_null(under) ? MILL_ENOMEM : 0;
    mill_bytes note = entry_value(entry);
    buffer_clear(&notes->taken);
    buffer_append(&notes->taken, note.data, note.len);
    if (notes->taken.failed)
        return MILL_ENOMEM;
    table_remove(notes->table, entry);
    struct byte_reader reader = byte_reader_of(buffer_bytes(&notes->taken));
    int count = 0;
    while (byte_reader_left(&reader) > 0) {
        uint32_t key_len = byte_reader_u32(&reader);
        uint32_t value_len = byte_reader_u32(&reader);
        mill_header header;
        header.key = read_part(&reader, key_len);
        header.value = read_part(&reader, value_len);
        if (!add_header(notes, (size_t)count, header))
            return MILL_ENOMEM;
        count++;
    }
    *headers = notes->headers;
    return count;
}
