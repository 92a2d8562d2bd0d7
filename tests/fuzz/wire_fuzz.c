/*
 * Any bytes as a message. The first byte chooses: a whole request frame, as a server takes it; or, with the next two for message
 * and version, the body of any request, response or record. What decodes must encode, and then say the same for ever.
 */
#include <string.h>

#include "base/assert.h"
#include "fuzz/fuzz.h"
#include "unit/runtime/wire/all_messages.h"
#include "wire/message.h"

enum { ARENA_MAX = 32 << 20 };

static void print_and_forget(const struct wire_message *message, int version, const void *value)
{
    struct buffer text;
    buffer_init(&text, ARENA_MAX);
    wire_print(message, version, value, 4, &text);
    buffer_release(&text);
}

/* Encodes the value and decodes it again; returns the copy. */
static void *copy_of(const struct wire_message *message, int version, const void *value, struct arena *arena,
                     struct buffer *bytes)
{
    void *copy = arena_alloc(arena, message->layout->size + 1);
    mill_assert(copy);
    mill_assert(wire_append(message, version, value, bytes, NULL) == 0);
    struct byte_reader reader = byte_reader_of(buffer_bytes(bytes));
    mill_assert(wire_decode(message, version, &reader, NULL, arena, copy, NULL) == 0);
    mill_assert(byte_reader_left(&reader) == 0);
    return copy;
}

static void try_message(const struct wire_message *message, int version, const uint8_t *data, size_t len)
{
    struct arena arena;
    struct buffer first, second;
    arena_init(&arena, 4096, ARENA_MAX);
    buffer_init(&first, ARENA_MAX);
    buffer_init(&second, ARENA_MAX);
    struct byte_reader reader = byte_reader_of(mill_bytes_of(data, len));
    void *value = arena_alloc(&arena, message->layout->size + 1);
    mill_assert(value);
    if (wire_decode(message, version, &reader, NULL, &arena, value, NULL) == 0) {
        print_and_forget(message, version, value);
        void *copy = copy_of(message, version, value, &arena, &first);
        copy_of(message, version, copy, &arena, &second);
        mill_assert(first.len == second.len);
        mill_assert(first.len == 0 || memcmp(first.data, second.data, first.len) == 0);
    }
    buffer_release(&first);
    buffer_release(&second);
    arena_release(&arena);
}

static void try_request_frame(const uint8_t *data, size_t len)
{
    struct shared_buffer *frame = shared_buffer_new(len);
    mill_assert(frame);
    memcpy(frame->data, data, len);
    frame->len = (uint32_t)len;
    struct request *request;
    struct error_text error;
    if (request_decode(frame, ARENA_MAX, &request, &error) == 0)
        request_free(request);
    else
        shared_buffer_drop(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 3)
        return 0;
    if (data[0] == 'R') {
        try_request_frame(data + 1, len - 1);
        return 0;
    }
    const struct wire_message *message = all_message(data[1] % all_message_count());
    int versions = message->version_max - message->version_min + 1;
    try_message(message, message->version_min + data[2] % versions, data + 3, len - 3);
    return 0;
}
