/*
 * A region of batches from a stranger: walked, checked and read as broker and consumer do.
 *
 * The CRC would stop nearly every mutation at the door, so each batch is also read without it, and its copy is sealed and then
 * checked as a produced one. Records that are read are written again, and the two must be equal.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "fuzz/fuzz.h"
#include "record/batch_reader.h"
#include "record/batch_writer.h"

enum { UNPACKED_BYTES_MAX = 1 << 20, RECORDS = 16, HEADERS_MAX = 64 };

static void touch(const struct batch_record *record)
{
    const mill_record *fields = &record->record;
    fuzz_touch(fields->key.data, fields->key.len);
    fuzz_touch(fields->value.data, fields->value.len);
    for (size_t i = 0; i < fields->header_count && fields->headers; i++) {
        fuzz_touch(fields->headers[i].key.data, fields->headers[i].key.len);
        fuzz_touch(fields->headers[i].value.data, fields->headers[i].value.len);
    }
}

/* Reads the open batch to its end. Returns how it ended; all its records went to `writer`. */
static int read_records(struct batch_reader *reader, struct batch_writer *writer)
{
    struct batch_record records[RECORDS];
    mill_header headers[HEADERS_MAX];
    int64_t offset_last = reader->header.base_offset - 1;
    int64_t total = 0;
    int count;
    while ((count = batch_reader_fill(reader, records, RECORDS)) > 0) {
        for (int i = 0; i < count; i++) {
            mill_assert(records[i].offset > offset_last);
            mill_assert(records[i].offset <= batch_last_offset(&reader->header));
            offset_last = records[i].offset;
            if (records[i].record.header_count <= HEADERS_MAX)
                batch_record_parse_headers(&records[i], headers);
            else
                records[i].record.header_count = 0;
            touch(&records[i]);
            int code = batch_writer_append_at(writer, &records[i].record, (int32_t)(offset_last - reader->header.base_offset));
            mill_assert(code == 0);
        }
        total += count;
    }
    mill_assert(total <= reader->header.record_count);
    return count;
}

/* A copy that is read again must hold as many records. */
static void read_copy(struct batch_reader *reader, struct batch_writer *writer)
{
    mill_bytes copy;
    struct batch_record record;
    const struct batch_options options = BATCH_OPTIONS_PLAIN;
    int code = batch_writer_finish(writer, &options, &copy);
    mill_assert(code == 0);
    code = batch_reader_open(reader, copy, true);
    mill_assert(code == 0);
    int32_t count = 0;
    while ((code = batch_reader_next(reader, &record)) > 0)
        count++;
    mill_assert(code == 0);
    mill_assert(count == writer->record_count);
}

static void check_sealed_copy(struct batch_reader *reader, mill_bytes batch)
{
    uint8_t *copy = mem_alloc(batch.len);
    mill_assert(copy != NULL);
    memcpy(copy, batch.data, batch.len);
    batch_seal(copy, batch.len);
    struct batch_summary summary;
    if (batch_check_produced(reader, mill_bytes_of(copy, batch.len), &summary) == 0)
        mill_assert(summary.min_timestamp_ms <= summary.max_timestamp_ms);
    mem_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct batch_reader reader;
    struct batch_writer writer;
    batch_reader_init(&reader, UNPACKED_BYTES_MAX);
    batch_writer_init(&writer, 1 << 28, 1 << 28);
    mill_bytes region = mill_bytes_of(data, len);
    mill_bytes batch;
    struct batch_header header;
    while (batch_next(&region, &batch, &header) == 1) {
        batch_writer_clear(&writer);
        if (batch_reader_open(&reader, batch, false) == 0 && read_records(&reader, &writer) == 0 && writer.record_count > 0)
            read_copy(&reader, &writer);
        if (batch_reader_open(&reader, batch, false) == 0)
            (void)!batch_reader_skip_to(&reader, header.base_offset + ((int64_t)header.last_offset_delta + 2) / 2);
        check_sealed_copy(&reader, batch);
    }
    batch_writer_release(&writer);
    batch_reader_release(&reader);
    return 0;
}
