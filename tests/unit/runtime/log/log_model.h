/*
 * What a log should hold, as an array of batches, and a checker that says where a log differs. It does not assert, so that it can
 * be shown to reject planted faults first.
 */
#ifndef TESTS_LOG_MODEL_H
#define TESTS_LOG_MODEL_H

#include "log_fixture.h"

enum { MODEL_BATCHES_MAX = 4096 };

struct model_batch {
    int64_t base_offset;
    int64_t next_offset;
    int64_t first_timestamp_ms; /* of the first record; each next one is a millisecond younger */
    size_t len;
    uint8_t *bytes; /* as they should be read: stamped */
};

struct log_model {
    struct model_batch batches[MODEL_BATCHES_MAX];
    size_t count;
    int64_t start;
    int64_t end;
};

static inline void model_init(struct log_model *model)
{
    model->count = 0;
    model->start = 0;
    model->end = 0;
}

static inline void model_release(struct log_model *model)
{
    while (model->count > 0)
        free(model->batches[--model->count].bytes);
}

static inline void model_append(struct log_model *model, struct slice batch, int count, int64_t timestamp_ms)
{
    struct model_batch *added = &model->batches[model->count++];
    assert_true(model->count <= MODEL_BATCHES_MAX);
    *added = (struct model_batch){ model->end, model->end + count, timestamp_ms, batch.bytes.len, malloc(batch.bytes.len) };
    memcpy(added->bytes, batch.bytes.data, batch.bytes.len);
    batch_stamp(added->bytes, added->base_offset, 0);
    model->end = added->next_offset;
}

/* The batch that holds the offset, or the first one behind it; model->count when there is none. */
static inline size_t model_find(const struct log_model *model, int64_t offset)
{
    size_t at = 0;
    while (at < model->count && model->batches[at].next_offset <= offset)
        at++;
    return at;
}

/* Appends the same batch to both. */
static inline void append_to_both(struct log_fixture *f, struct log_model *model, struct batch_shape shape)
{
    struct slice batch = make_batch(shape);
    struct append_result result;
    int code = partition_log_append(f->log, &batch, 1, APPEND_CLIENT, 0, f->now, &result);
    if (code != 0)
        fail_msg("append: %s", partition_log_error(f->log));
    assert_int_equal(result.outcome, APPEND_DONE);
    assert_int_equal(result.base_offset, model->end);
    model_append(model, batch, shape.count, shape.timestamp_ms);
    shared_buffer_drop(batch.buffer);
}

/*
 * Reads the log from its start to its end. Everything below `acked` must be there; what lies above may be missing, but what is
 * there must be what was appended. Returns NULL, or what is wrong.
 */
static inline const char *model_check(struct log_fixture *f, const struct log_model *model, int64_t acked, size_t bytes_max)
{
    static uint8_t bytes[1 << 20];
    int64_t offset = partition_log_start_offset(f->log);
    int64_t end = partition_log_end_offset(f->log);
    if (offset > model->start && acked > model->start)
        return "the log start has moved";
    if (end < acked)
        return "the acknowledged tail is lost";
    if (end > model->end)
        return "the log is longer than what was appended";
    size_t at = model_find(model, offset);
    while (offset < end) {
        struct read_answer answer = fixture_read(f, offset, INT64_MAX, bytes_max, true, bytes);
        if (answer.code != 0)
            return "a read failed";
        if (answer.bytes == 0 && offset < acked)
            return "the acknowledged tail is lost";
        if (answer.bytes == 0)
            return NULL; /* the last segment is an empty one behind a gap */
        for (size_t taken = 0; taken < answer.bytes; at++) {
            struct batch_header header;
            if (batch_header_decode(mill_bytes_of(bytes + taken, answer.bytes - taken), &header) != 0)
                return "what was read is no batch";
            while (at < model->count && model->batches[at].base_offset < header.base_offset) {
                if (model->batches[at].base_offset < acked && model->batches[at].next_offset > model->start)
                    return "an acknowledged batch is lost";
                at++;
            }
            const struct model_batch *expected = &model->batches[at];
            if (at == model->count || expected->base_offset != header.base_offset || expected->len != header.size)
                return "a batch is at the wrong place";
            if (memcmp(expected->bytes, bytes + taken, expected->len) != 0)
                return "a batch has other bytes";
            taken += header.size;
        }
        if (answer.next_offset <= offset)
            return "a read does not move on";
        offset = answer.next_offset;
    }
    return NULL;
}

#endif
