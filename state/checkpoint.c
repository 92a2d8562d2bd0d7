/*
 * The bytes, big-endian:
 *
 *      version 2 | kind 2 | segment ms 8 | stream time 8 | topic id 16 | leader epoch 4 | offset 8 | marked at 8 | sequence 4
 */
#include "state/checkpoint.h"

#include "base/bytes.h"

enum { VERSION = 2, CHECKPOINT_BYTES = 2 + 2 + 8 + 8 + 16 + 4 + 8 + 8 + 4 };

mill_changelog_position checkpoint_nowhere(void)
{
    return (mill_changelog_position){ .leader_epoch = -1, .offset = -1, .marked_at_ms = -1 };
}

static mill_bytes key_of(struct buffer *buffer, const char *name)
{
    buffer_clear(buffer);
    buffer_append_u8(buffer, 'c');
    buffer_append(buffer, name, strlen(name));
    return buffer->failed ? mill_null() : buffer_bytes(buffer);
}

static bool decode(mill_bytes bytes, struct checkpoint *checkpoint)
{
    struct byte_reader reader = byte_reader_of(bytes);
    if (byte_reader_u16(&reader) != VERSION || byte_reader_u16(&reader) != (uint16_t)checkpoint->kind ||
        (int64_t)byte_reader_u64(&reader) != checkpoint->segment_ms)
        return false;
    checkpoint->stream_time_ms = (int64_t)byte_reader_u64(&reader);
    const uint8_t *topic_id = byte_reader_take(&reader, sizeof checkpoint->position.topic_id);
    if (topic_id != NULL)
        memcpy(checkpoint->position.topic_id, topic_id, sizeof checkpoint->position.topic_id);
    checkpoint->position.leader_epoch = (int32_t)byte_reader_u32(&reader);
    checkpoint->position.offset = (int64_t)byte_reader_u64(&reader);
    checkpoint->position.marked_at_ms = (int64_t)byte_reader_u64(&reader);
    checkpoint->sequence = byte_reader_u32(&reader);
    return !reader.failed && byte_reader_left(&reader) == 0;
}

int checkpoint_read(struct lmdb_env *env, const char *name, struct checkpoint *checkpoint)
{
    struct buffer buffer;
    buffer_init(&buffer, 1024);
    mill_bytes key = key_of(&buffer, name);
    mill_bytes value;
    int found = mill_is_null(key) ? MILL_ENOMEM : lmdb_env_meta_get(env, key, &value);
    buffer_release(&buffer);
    return found <= 0 ? found : decode(value, checkpoint);
}

int checkpoint_write(struct lmdb_writer *writer, const char *name, const struct checkpoint *checkpoint)
{
    uint8_t bytes[CHECKPOINT_BYTES];
    const mill_changelog_position *position = &checkpoint->position;
    write_u16_be(bytes, VERSION);
    write_u16_be(bytes + 2, (uint16_t)checkpoint->kind);
    write_u64_be(bytes + 4, (uint64_t)checkpoint->segment_ms);
    write_u64_be(bytes + 12, (uint64_t)checkpoint->stream_time_ms);
    memcpy(bytes + 20, position->topic_id, 16);
    write_u32_be(bytes + 36, (uint32_t)position->leader_epoch);
    write_u64_be(bytes + 40, (uint64_t)position->offset);
    write_u64_be(bytes + 48, (uint64_t)position->marked_at_ms);
    write_u32_be(bytes + 56, checkpoint->sequence);
    struct buffer buffer;
    buffer_init(&buffer, 1024);
    mill_bytes key = key_of(&buffer, name);
    int code = mill_is_null(key) ? MILL_ENOMEM : lmdb_writer_put_meta(writer, key, mill_bytes_of(bytes, sizeof bytes));
    buffer_release(&buffer);
    return code;
}
