/* One window over the file; everything else asks it for bytes at a position. */
#include "log/batch_scan.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

enum {
    SECTOR_BYTES = 512,      /* what a disk writes whole */
    AT_MAGIC = 16,           /* behind offset, length and epoch */
    HEADER_START_BYTES = 17, /* up to the magic, which is never zero */
    LAST_ZEROS_MIN = 8       /* a record may end with a zero or two, hardly with eight */
};

int batch_scan_init(struct batch_scan *scan)
{
    scan->window_bytes = scan->check ? BATCH_SCAN_WINDOW : BATCH_SCAN_WINDOW_SMALL;
    scan->window_at = 0;
    scan->window_len = 0;
    scan->window = mem_alloc(scan->window_bytes);
    return scan->window ? 0 : MILL_ENOMEM;
}

void batch_scan_release(struct batch_scan *scan)
{
    mem_free(scan->window);
    scan->window = NULL;
}

/* ---- the window ------------------------------------------------------------------------------------------------------------ */

/* Bytes from `position` on that are in the window, read anew unless `wanted` of them are there. Fewer only at the end. */
static int view(struct batch_scan *scan, int64_t position, size_t wanted, mill_bytes *bytes)
{
    mill_assert(wanted <= scan->window_bytes);
    int64_t left = scan->end - position;
    if (left <= 0) {
        *bytes = mill_bytes_of(scan->window, 0);
        return 0;
    }
    if ((int64_t)wanted > left)
        wanted = (size_t)left;
    int64_t skip = position - scan->window_at;
    if (skip < 0 || skip + (int64_t)wanted > (int64_t)scan->window_len) {
        size_t len = left < (int64_t)scan->window_bytes ? (size_t)left : scan->window_bytes;
        scan->window_len = 0;
        ssize_t got = disk_read(scan->file, scan->window, len, position);
        if (got < 0)
            return (int)got;
        scan->window_at = position;
        scan->window_len = (size_t)got;
        skip = 0;
    }
    *bytes = mill_bytes_of(scan->window + skip, scan->window_len - (size_t)skip);
    return 0;
}

static int sum(struct batch_scan *scan, int64_t position, int64_t end, uint32_t *crc)
{
    *crc = 0;
    while (position < end) {
        mill_bytes bytes;
        int code = view(scan, position, 1, &bytes);
        if (code < 0)
            return code;
        if (bytes.len == 0)
            return MILL_ETRUNCATED;
        size_t len = (int64_t)bytes.len < end - position ? bytes.len : (size_t)(end - position);
        *crc = crc32c(*crc, bytes.data, len);
        position += (int64_t)len;
    }
    return 0;
}

/* ---- the walk -------------------------------------------------------------------------------------------------------------- */

static int decode_header(struct batch_scan *scan, int64_t position, struct batch_header *header)
{
    mill_bytes bytes;
    int code = view(scan, position, BATCH_HEADER_BYTES, &bytes);
    if (code == 0)
        code = batch_header_decode(bytes, header);
    return code == MILL_EUNSUPPORTED ? MILL_ECORRUPT : code;
}

int batch_scan_header(struct batch_scan *scan, struct batch_header *header)
{
    return decode_header(scan, scan->position, header);
}

/* The header at `position`, if it is one and the batch lies within the end. */
static int read_header(struct batch_scan *scan, int64_t position, struct batch_header *header)
{
    int code = decode_header(scan, position, header);
    if (code < 0)
        return code;
    return header->size > scan->end - position ? MILL_ETRUNCATED : 0;
}

static bool fits_its_place(const struct batch_scan *scan, const struct batch_header *header)
{
    if (header->base_offset < scan->next_offset || (scan->dense && header->base_offset != scan->next_offset))
        return false;
    return batch_next_offset(header) <= scan->below_offset && header->leader_epoch >= scan->leader_epoch;
}

static bool is_wrong_place(int code)
{
    return code == MILL_ECORRUPT || code == MILL_ETRUNCATED;
}

/*
 * No CRC covers the leader epoch. One that rises and falls again behind this very batch was never a leader's: the batches
 * around it say which one is wrong.
 */
static int check_epoch(struct batch_scan *scan, int64_t position, const struct batch_header *header)
{
    if (header->leader_epoch == scan->leader_epoch)
        return 0;
    struct batch_header behind = *header;
    for (int i = 0; i < 2; i++) {
        position += behind.size;
        int64_t next_offset = batch_next_offset(&behind);
        int code = read_header(scan, position, &behind);
        if (code < 0)
            return is_wrong_place(code) ? 0 : code;
        if (behind.base_offset < next_offset || behind.leader_epoch >= header->leader_epoch ||
            behind.leader_epoch < scan->leader_epoch)
            return 0;
        if (scan->leader_epoch >= 0 && behind.leader_epoch == scan->leader_epoch)
            return MILL_ECORRUPT;
    }
    return MILL_ECORRUPT;
}

int batch_scan_check_sum(struct batch_scan *scan, int64_t position, const struct batch_header *header)
{
    uint32_t crc;
    int code = sum(scan, position + BATCH_CHECKED_FROM, position + header->size, &crc);
    if (code < 0)
        return code;
    return crc == header->crc ? 0 : MILL_ECORRUPT;
}

int batch_scan_next(struct batch_scan *scan)
{
    if (scan->position >= scan->end)
        return 0;
    struct batch_header header;
    int code = read_header(scan, scan->position, &header);
    if (code < 0)
        return code;
    if (!fits_its_place(scan, &header))
        return MILL_ECORRUPT;
    if (scan->first_next_offset != 0 && scan->first_next_offset != batch_next_offset(&header))
        return MILL_ECORRUPT;
    if (scan->check)
        code = batch_scan_check_sum(scan, scan->position, &header);
    if (code == 0)
        code = check_epoch(scan, scan->position, &header);
    if (code < 0)
        return code;

    scan->header = header;
    scan->first_next_offset = 0;
    scan->batch_position = scan->position;
    scan->position += header.size;
    scan->next_offset = batch_next_offset(&header);
    scan->leader_epoch = header.leader_epoch;
    return 1;
}

/* ---- behind a wrong batch -------------------------------------------------------------------------------------------------- */

/*
 * Is there an intact batch at `position` that may follow the wrong one, with a base offset in [min, max]? Then the scan stands
 * there. 1, 0 or an I/O error.
 */
static int follows(struct batch_scan *scan, int64_t position, int64_t min, int64_t max)
{
    struct batch_header header;
    int code = read_header(scan, position, &header);
    if (code == 0) {
        bool in_order = header.base_offset >= min && header.base_offset <= max &&
                        batch_next_offset(&header) <= scan->below_offset && header.leader_epoch >= scan->leader_epoch;
        code = in_order ? batch_scan_check_sum(scan, position, &header) : MILL_ECORRUPT;
    }
    if (code == 0) {
        scan->position = position;
        scan->next_offset = header.base_offset;
        return 1;
    }
    return is_wrong_place(code) ? 0 : code;
}

/* The next byte at or behind `position` where a header's magic says that one may begin; scan->end when there is none. */
static int next_candidate(struct batch_scan *scan, int64_t *position)
{
    while (*position + BATCH_HEADER_BYTES <= scan->end) {
        mill_bytes bytes;
        int code = view(scan, *position, BATCH_HEADER_BYTES, &bytes);
        if (code < 0)
            return code;
        if (bytes.len < BATCH_HEADER_BYTES)
            break;
        const uint8_t *magic = memchr(bytes.data + AT_MAGIC, BATCH_MAGIC, bytes.len - AT_MAGIC);
        if (magic) {
            *position += magic - (bytes.data + AT_MAGIC);
            return 0;
        }
        *position += (int64_t)bytes.len - AT_MAGIC;
    }
    *position = scan->end;
    return 0;
}

int batch_scan_resync(struct batch_scan *scan)
{
    struct batch_header wrong;
    if (read_header(scan, scan->position, &wrong) == 0) {
        int64_t next_offset = scan->next_offset + wrong.last_offset_delta + 1;
        int found = follows(scan, scan->position + wrong.size, next_offset, next_offset);
        if (found != 0)
            return found;
    }
    int64_t min = scan->next_offset + 1; /* at least one record is missing */
    for (int64_t position = scan->position + 1; position < scan->end; position++) {
        int code = next_candidate(scan, &position);
        if (code < 0)
            return code;
        code = position < scan->end ? follows(scan, position, min, INT64_MAX) : 0;
        if (code != 0)
            return code;
    }
    return 0;
}

static bool all_zero(mill_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] != 0)
            return false;
    return true;
}

/*
 * Zeros from a batch's first byte to the end of its sector, where an offset and a length should be: the sector as it was before.
 * When one flipped bit could have made them, they prove nothing.
 */
static bool is_empty_start(const struct batch_scan *scan, mill_bytes bytes, int64_t expected_offset)
{
    if (!all_zero(bytes))
        return false;
    uint8_t expected[8];
    write_u64_be(expected, (uint64_t)expected_offset);
    int bits = bytes.len >= BATCH_PREFIX_BYTES ? 1 : 0; /* a length is never 0 */
    for (size_t i = 0; scan->dense && i < sizeof expected && i < bytes.len; i++)
        bits += __builtin_popcount(expected[i]);
    return bytes.len >= HEADER_START_BYTES || bits >= 2;
}

int batch_scan_finds_hole(struct batch_scan *scan, int64_t from, int64_t to, int64_t expected_offset, bool *hole)
{
    *hole = false;
    int64_t sector_end;
    for (int64_t position = from; position < to && !*hole; position = sector_end) {
        sector_end = (position / SECTOR_BYTES + 1) * SECTOR_BYTES;
        int64_t until = sector_end < to ? sector_end : to;
        size_t wanted = (size_t)(until - position);
        mill_bytes bytes;
        int code = view(scan, position, wanted, &bytes);
        if (code < 0)
            return code;
        bytes.len = bytes.len < wanted ? bytes.len : wanted;
        if (bytes.len < wanted)
            break;
        if (position == from && wanted < SECTOR_BYTES)
            *hole = is_empty_start(scan, bytes, expected_offset);
        else if (wanted == SECTOR_BYTES || (until == scan->end && wanted >= LAST_ZEROS_MIN))
            *hole = all_zero(bytes);
    }
    return 0;
}
