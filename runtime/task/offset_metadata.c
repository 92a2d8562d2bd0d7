#include "task/offset_metadata.h"

#include <string.h>

#include "base/bytes.h"

enum { VERSION = 2, DECODED_BYTES_MAX = 3072 /* of the 4,096 characters that a broker takes */ };

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Our entries among those of Kafka Streams' processors. */
static const char PREFIX[] = "dropped.";
enum { PREFIX_BYTES = sizeof PREFIX - 1 };

/* ---- base64 -------------------------------------------------------------------------------------------------------------- */

static void encode(const uint8_t *raw, size_t len, char *text)
{
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = (uint32_t)raw[i] << 16;
        group |= i + 1 < len ? (uint32_t)raw[i + 1] << 8 : 0;
        group |= i + 2 < len ? raw[i + 2] : 0;
        for (size_t j = 0; j < 4; j++)
            *text++ = i + j <= len ? ALPHABET[group >> (18 - 6 * j) & 63] : '=';
    }
    *text = '\0';
}

/* Returns how many bytes, up to the first group that is not base64. */
static size_t decode(mill_bytes text, uint8_t raw[DECODED_BYTES_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i + 4 <= text.len && len + 3 <= DECODED_BYTES_MAX; i += 4) {
        uint32_t group = 0;
        size_t padding = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *digit = memchr(ALPHABET, text.data[i + j], 64);
            if (digit == NULL && (text.data[i + j] != '=' || j < 2))
                return len;
            padding += digit == NULL;
            group = group << 6 | (digit ? (uint32_t)(digit - ALPHABET) : 0);
        }
        raw[len] = (uint8_t)(group >> 16);
        raw[len + 1] = (uint8_t)(group >> 8);
        raw[len + 2] = (uint8_t)group;
        len += 3 - padding;
        if (padding > 0)
            break;
    }
    return len;
}

/* ---- the bytes in it ----------------------------------------------------------------------------------------------------- */

/* NULL: no room. */
static uint8_t *encode_entry(uint8_t *at, const uint8_t *end, const char *prefix, const char *name, int64_t number)
{
    size_t prefix_len = strlen(prefix);
    size_t name_len = strlen(name);
    if ((size_t)(end - at) < 4 + prefix_len + name_len + 8)
        return NULL;
    write_u32_be(at, (uint32_t)(prefix_len + name_len));
    memcpy(at + 4, prefix, prefix_len);
    memcpy(at + 4 + prefix_len, name, name_len);
    at += 4 + prefix_len + name_len;
    write_u64_be(at, (uint64_t)number);
    return at + 8;
}

void offset_metadata_encode(int64_t partition_time_ms, const struct drop_count *drops, size_t drop_count,
                            const struct remembered_number *numbers, size_t number_count, char text[OFFSET_METADATA_BYTES])
{
    uint8_t raw[OFFSET_METADATA_RAW_BYTES] = { VERSION };
    uint8_t *at = raw + 13;
    uint32_t entries = 0;
    write_u64_be(raw + 1, (uint64_t)partition_time_ms);
    for (size_t i = 0; i < drop_count && entries < OFFSET_METADATA_COUNTS_MAX; i++) {
        if (PREFIX_BYTES + strlen(drops[i].reason) > OFFSET_METADATA_NAME_BYTES)
            continue;
        at = encode_entry(at, raw + sizeof raw, PREFIX, drops[i].reason, drops[i].count);
        entries++;
    }
    for (size_t i = 0; i < number_count; i++) {
        if (numbers[i].number < 0)
            continue;
        uint8_t *next = encode_entry(at, raw + sizeof raw, "", numbers[i].name, numbers[i].number);
        at = next == NULL ? at : next;
        entries += next != NULL;
    }
    write_u32_be(raw + 9, entries);
    encode(raw, entries > 0 ? (size_t)(at - raw) : 9, text);
}

/* The reader behind version and time; failed when the text is not ours. */
static struct byte_reader open_text(mill_bytes text, uint8_t raw[DECODED_BYTES_MAX], int64_t *time_ms)
{
    struct byte_reader reader = byte_reader_of(mill_bytes_of(raw, decode(text, raw)));
    reader.failed |= byte_reader_u8(&reader) != VERSION;
    *time_ms = (int64_t)byte_reader_u64(&reader);
    return reader;
}

int64_t offset_metadata_decode(mill_bytes text)
{
    uint8_t raw[DECODED_BYTES_MAX];
    int64_t time_ms;
    struct byte_reader reader = open_text(text, raw, &time_ms);
    return reader.failed || time_ms < 0 ? -1 : time_ms;
}

struct entry_visit {
    void (*each)(void *ctx, mill_bytes name, int64_t number);
    void *ctx;
    bool drops; /* those that begin with the prefix, without it; else the others */
};

static void visit_entries(mill_bytes text, const struct entry_visit *visit)
{
    uint8_t raw[DECODED_BYTES_MAX];
    int64_t time_ms;
    struct byte_reader reader = open_text(text, raw, &time_ms);
    uint32_t entries = byte_reader_u32(&reader);
    for (uint32_t i = 0; i < entries && !reader.failed; i++) {
        uint32_t len = byte_reader_u32(&reader);
        const uint8_t *name = byte_reader_take(&reader, len);
        int64_t number = (int64_t)byte_reader_u64(&reader);
        if (reader.failed)
            return;
        bool is_drop = len > PREFIX_BYTES && memcmp(name, PREFIX, PREFIX_BYTES) == 0;
        size_t skipped = is_drop ? PREFIX_BYTES : 0;
        if (is_drop == visit->drops && number >= 0)
            visit->each(visit->ctx, mill_bytes_of(name + skipped, len - skipped), number);
    }
}

void offset_metadata_drops(mill_bytes text, void (*each)(void *ctx, mill_bytes reason, int64_t count), void *ctx)
{
    visit_entries(text, &(struct entry_visit){ each, ctx, true });
}

void offset_metadata_numbers(mill_bytes text, void (*each)(void *ctx, mill_bytes name, int64_t number), void *ctx)
{
    visit_entries(text, &(struct entry_visit){ each, ctx, false });
}
