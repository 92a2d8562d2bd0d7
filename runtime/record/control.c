/*
 * The marker's record, behind its batch header:
 *
 *      length  attr  dt  do  key len  version  type  value len  version  coordinator epoch  headers
 *      1       1     1   1   1        2        2     1          2        4                  1
 */
#include "record/control.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/varint.h"
#include "record/batch_reader.h"

enum { KEY_BYTES = 4, VALUE_BYTES = 6, RECORD_BYTES = CONTROL_MARKER_BYTES - BATCH_HEADER_BYTES };

static void encode_record(const struct control_marker *marker, uint8_t *at)
{
    at = varint_write(at, RECORD_BYTES - 1);
    *at++ = 0; /* attributes */
    *at++ = 0; /* timestamp delta */
    *at++ = 0; /* offset delta */
    at = varint_write(at, KEY_BYTES);
    write_u16_be(at, 0);
    write_u16_be(at + 2, (uint16_t)marker->type);
    at = varint_write(at + KEY_BYTES, VALUE_BYTES);
    write_u16_be(at, 0);
    write_u32_be(at + 2, (uint32_t)marker->coordinator_epoch);
    at[VALUE_BYTES] = 0; /* headers */
}

void control_marker_encode(const struct control_marker *marker, uint8_t batch[CONTROL_MARKER_BYTES])
{
    mill_assert(marker->type == CONTROL_ABORT || marker->type == CONTROL_COMMIT);
    struct batch_header header = {
        .size = CONTROL_MARKER_BYTES,
        .leader_epoch = -1,
        .attributes = BATCH_TRANSACTIONAL | BATCH_CONTROL,
        .base_timestamp_ms = marker->timestamp_ms,
        .max_timestamp_ms = marker->timestamp_ms,
        .producer_id = marker->producer_id,
        .producer_epoch = marker->producer_epoch,
        .base_sequence = -1,
        .record_count = 1,
    };
    batch_header_encode(&header, batch);
    encode_record(marker, batch + BATCH_HEADER_BYTES);
    batch_seal(batch, CONTROL_MARKER_BYTES);
}

int control_record_type(const mill_record *record, int *type)
{
    struct byte_reader in = byte_reader_of(record->key);
    int16_t version = (int16_t)byte_reader_u16(&in);
    int16_t found = (int16_t)byte_reader_u16(&in);
    if (in.failed || version < 0)
        return MILL_ECORRUPT;
    *type = found;
    return 0;
}

int control_marker_epoch(const mill_record *record, int32_t *coordinator_epoch)
{
    struct byte_reader in = byte_reader_of(record->value);
    int16_t version = (int16_t)byte_reader_u16(&in);
    int32_t epoch = (int32_t)byte_reader_u32(&in);
    if (in.failed || version < 0)
        return MILL_ECORRUPT;
    *coordinator_epoch = epoch;
    return 0;
}

static int decode_marker(struct batch_reader *reader, mill_bytes batch, struct control_marker *marker)
{
    struct batch_record record;
    int type;
    int code = batch_reader_open(reader, batch, false);
    if (code == 0)
        code = batch_reader_next(reader, &record);
    if (code <= 0)
        return code;
    if (control_record_type(&record.record, &type) < 0)
        return MILL_ECORRUPT;
    if (type != CONTROL_ABORT && type != CONTROL_COMMIT)
        return 0;
    *marker = (struct control_marker){ .type = (enum control_type)type,
                                       .producer_id = reader->header.producer_id,
                                       .producer_epoch = reader->header.producer_epoch,
                                       .timestamp_ms = reader->header.max_timestamp_ms };
    return control_marker_epoch(&record.record, &marker->coordinator_epoch) < 0 ? MILL_ECORRUPT : 1;
}

int control_marker_decode(mill_bytes batch, struct control_marker *marker)
{
    struct batch_reader reader;
    batch_reader_init(&reader, CONTROL_MARKER_BYTES_MAX);
    int code = decode_marker(&reader, batch, marker);
    batch_reader_release(&reader);
    return code;
}
