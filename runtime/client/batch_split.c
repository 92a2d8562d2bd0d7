/*
 * A batch that its topic does not take (max.message.bytes) as two, of half the records each.
 *
 * The broker has appended nothing of it, and the numbers of its records stay what they are: the halves are one after the other in
 * the sequence, as in the partition's queue, so that nothing behind them is numbered anew, in a transaction or outside of one.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "client/producer_internal.h"
#include "record/batch_reader.h"

/* The next `count` records of the reader as a batch of their own. */
static int encode(const struct producer *producer, struct batch_reader *reader, struct batch_writer *writer, struct batch *half,
                  size_t *bytes)
{
    struct arena headers;
    arena_init(&headers, 1 << 10, (size_t)producer->options.request_bytes_max * 2 + (64 << 10));
    int code = 0;
    for (int32_t i = 0; i < half->record_count && code == 0; i++) {
        struct batch_record record;
        int read = batch_reader_next(reader, &record);
        mill_assert(read == 1); /* our own writer wrote it */
        code = batch_record_load_headers(&record, &headers);
        if (code == 0)
            code = batch_writer_append(writer, &record.record);
        arena_clear(&headers);
    }
    arena_release(&headers);
    *bytes = batch_writer_size(writer);
    if (code == 0)
        code = producer_encode(producer, writer, half->producer_id, half->producer_epoch, half->sequence, &half->bytes);
    return code;
}

static int encode_both(const struct producer *producer, mill_bytes whole, struct batch *first, struct batch *second,
                       size_t *bytes)
{
    size_t bytes_of_second;
    struct batch_reader reader;
    struct batch_writer writer;
    size_t bytes_max = (size_t)producer->options.request_bytes_max;
    batch_reader_init(&reader, bytes_max);
    batch_writer_init(&writer, bytes_max, bytes_max);
    int code = batch_reader_open(&reader, whole, false);
    mill_assert(code == 0 || code == MILL_ENOMEM);
    if (code == 0)
        code = encode(producer, &reader, &writer, first, bytes);
    if (code == 0)
        code = encode(producer, &reader, &writer, second, &bytes_of_second);
    batch_writer_release(&writer);
    batch_reader_release(&reader);
    return code;
}

int batch_split(struct producer *producer, struct batch *whole, struct batch **behind, size_t *bytes)
{
    struct batch *second = mem_alloc(sizeof *second);
    if (second == NULL)
        return MILL_ENOMEM;
    struct batch first = *whole;
    first.record_count = whole->record_count / 2;
    first.attempts = 0;
    first.bytes = NULL;
    *second = first;
    second->record_count = whole->record_count - first.record_count;
    second->number = whole->number + (uint64_t)first.record_count;
    second->sequence = sequence_after(whole->sequence, first.record_count);
    int code = encode_both(producer, mill_bytes_of(whole->bytes->data, whole->bytes->len), &first, second, bytes);
    if (code < 0) {
        shared_buffer_drop(first.bytes);
        mem_free(second);
        return code;
    }
    producer->buffered_bytes += first.bytes->capacity + second->bytes->capacity;
    producer->buffered_bytes -= whole->bytes->capacity;
    shared_buffer_drop(whole->bytes);
    whole->bytes = first.bytes;
    whole->record_count = first.record_count;
    whole->attempts = 0;
    list_init(&second->link);
    list_push_back(whole->age.next, &second->age); /* right behind it */
    *behind = second;
    return 0;
}
