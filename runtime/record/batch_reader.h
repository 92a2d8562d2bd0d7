/*
 * Reads the records of one batch.
 *
 *     struct batch_reader reader;
 *     batch_reader_init(&reader, 64 << 20);
 *     for each batch:
 *         code = batch_reader_open(&reader, batch, true);
 *         while ((count = batch_reader_fill(&reader, records, capacity)) > 0)
 *             ...
 *     batch_reader_release(&reader);
 *
 * Records are views: of an uncompressed batch into the bytes given to open; of a compressed one into a buffer that the reader
 * owns and overwrites at the next open (`batch_reader_owns_records`). No copy and no allocation per record. Every size, offset
 * and count is checked; a record that is wrong ends the reading with an error, after those before it.
 *
 * Thread: the owner's.
 */
#ifndef RECORD_BATCH_READER_H
#define RECORD_BATCH_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "millstream/record.h"
#include "record/batch.h"
#include "record/compression.h"

/*
 * A record as it lies in a batch. record.header_count is set, record.headers is NULL until one of the two functions below has
 * parsed them: most records have none, and most operators do not look.
 */
struct batch_record {
    mill_record record;
    int64_t offset;
    mill_bytes headers; /* as encoded, already checked */
};

struct batch_reader {
    struct batch_header header; /* of the open batch: read it, for instance to skip a control batch */
    struct byte_reader in;
    int32_t records_left;
    int32_t offset_delta_last; /* -1 before the first record */
    struct buffer unpacked;
    struct unpacker unpacker;
};

/* `unpacked_bytes_max` bounds what one compressed batch may become. Takes no memory yet. */
void batch_reader_init(struct batch_reader *reader, size_t unpacked_bytes_max);
void batch_reader_release(struct batch_reader *reader);

/*
 * Starts on `batch`, exactly one batch, whose bytes stay valid and unchanged while its records are used. `check_crc` false skips
 * the checksum for bytes that this process has already checked; nothing else is taken on trust.
 * Returns 0; an error of batch.h; MILL_ECORRUPT or MILL_ETOOLARGE when it does not unpack; MILL_ENOMEM. After an error the reader
 * is at its end and open may be called again.
 */
MILL_MUST_USE int batch_reader_open(struct batch_reader *reader, mill_bytes batch, bool check_crc);

/*
 * The next records, at most `max` (not 0), in offset order. Returns how many; 0 at the end of the batch; MILL_ECORRUPT when the
 * next record is wrong, or bytes are left behind the last one. Keys, values and headers live as said at the top.
 */
MILL_MUST_USE int batch_reader_fill(struct batch_reader *reader, struct batch_record *records, size_t max);

/* One record: 1, 0 at the end, or MILL_ECORRUPT. */
MILL_MUST_USE int batch_reader_next(struct batch_reader *reader, struct batch_record *record);

/* Passes over the records before `offset`: a fetch answers with the whole batch that holds it. Returns 0 or MILL_ECORRUPT. */
MILL_MUST_USE int batch_reader_skip_to(struct batch_reader *reader, int64_t offset);

/* True when the open batch's records lie in the reader's own buffer, valid until its next open or release. */
bool batch_reader_owns_records(const struct batch_reader *reader);

/* Parses the headers into `headers`, which has room for record.header_count, and points the record at them. */
void batch_record_parse_headers(struct batch_record *record, mill_header *headers);

/* The same with room from `arena`; no room is taken when there are no headers. Returns 0 or MILL_ENOMEM. */
MILL_MUST_USE int batch_record_load_headers(struct batch_record *record, struct arena *arena);

/* What the broker learns from walking the records of a produced batch. */
struct batch_summary {
    int64_t min_timestamp_ms;
    int64_t max_timestamp_ms; /* may differ from the header's, which the producer wrote: see batch_restamp_time */
    int32_t null_keys;        /* records without a key: a compacted topic refuses them */
};

/*
 * May a producer send this batch? All of batch_check, and Kafka's rules for clients: at least one record, offsets 0, 1, 2, ...,
 * all records well-formed, no control batch, no delete horizon, no log-append time, sequence and epoch not negative where there
 * is a producer id. `reader` is scratch, for compressed batches; it is left at its end. Returns 0 with reader->header and
 * `summary`; an error of batch.h; MILL_ETOOLARGE when it unpacks to more than the reader allows; MILL_ENOMEM.
 */
MILL_MUST_USE int batch_check_produced(struct batch_reader *reader, mill_bytes batch, struct batch_summary *summary);

#endif
