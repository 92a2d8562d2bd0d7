/*
 * Numbers and windowed keys as Kafka's own serializers write them, so that JVM consumers read our topics and we theirs.
 *
 * Writers fill the caller's memory and return a view of it; readers answer false for bytes that are not of this form (null
 * included) and then leave the result alone. Text needs nothing: a string is its bytes (mill_string).
 */
#ifndef MILLSTREAM_SERDE_H
#define MILLSTREAM_SERDE_H

#include "millstream/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- numbers: big-endian two's complement (Long, Integer), IEEE 754 bits (Double) ---------------------------------------- */

static inline mill_bytes mill_int64_write(uint8_t out[8], int64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    return mill_bytes_of(out, 8);
}

static inline bool mill_int64_read(mill_bytes bytes, int64_t *value)
{
    if (bytes.data == NULL || bytes.len != 8)
        return false;
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | bytes.data[i];
    memcpy(value, &bits, sizeof bits);
    return true;
}

static inline mill_bytes mill_int32_write(uint8_t out[4], int32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)((uint32_t)value >> (24 - 8 * i));
    return mill_bytes_of(out, 4);
}

static inline bool mill_int32_read(mill_bytes bytes, int32_t *value)
{
    if (bytes.data == NULL || bytes.len != 4)
        return false;
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits = bits << 8 | bytes.data[i];
    memcpy(value, &bits, sizeof bits);
    return true;
}

static inline mill_bytes mill_double_write(uint8_t out[8], double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return mill_int64_write(out, bits);
}

static inline bool mill_double_read(mill_bytes bytes, double *value)
{
    int64_t bits;
    if (!mill_int64_read(bytes, &bits))
        return false;
    memcpy(value, &bits, sizeof bits);
    return true;
}

/* ---- windowed keys ------------------------------------------------------------------------------------------------------- */

/*
 *      time window:     | key ... | start (8) |                the end is start + size, which is not in the bytes
 *      session window:  | key ... | end (8) | start (8) |      a closed interval
 *
 * `key` is a view into the bytes that were read.
 */
typedef struct mill_windowed_key {
    mill_bytes key;
    int64_t start_ms;
    int64_t end_ms;
} mill_windowed_key;

enum { MILL_TIME_WINDOW_BYTES = 8, MILL_SESSION_WINDOW_BYTES = 16 };

/* `out` has room for the key and MILL_TIME_WINDOW_BYTES more. */
static inline mill_bytes mill_time_window_write(uint8_t *out, mill_bytes key, int64_t start_ms)
{
    if (key.len > 0)
        memcpy(out, key.data, key.len);
    mill_int64_write(out + key.len, start_ms);
    return mill_bytes_of(out, key.len + MILL_TIME_WINDOW_BYTES);
}

static inline bool mill_time_window_read(mill_bytes bytes, int64_t size_ms, mill_windowed_key *windowed)
{
    if (bytes.data == NULL || bytes.len < MILL_TIME_WINDOW_BYTES)
        return false;
    size_t key_bytes = bytes.len - MILL_TIME_WINDOW_BYTES;
    windowed->key = mill_bytes_of(bytes.data, key_bytes);
    mill_int64_read(mill_bytes_of(bytes.data + key_bytes, 8), &windowed->start_ms);
    windowed->end_ms = windowed->start_ms > INT64_MAX - size_ms ? INT64_MAX : windowed->start_ms + size_ms;
    return true;
}

/* `out` has room for the key and MILL_SESSION_WINDOW_BYTES more. */
static inline mill_bytes mill_session_window_write(uint8_t *out, mill_bytes key, int64_t start_ms, int64_t end_ms)
{
    if (key.len > 0)
        memcpy(out, key.data, key.len);
    mill_int64_write(out + key.len, end_ms);
    mill_int64_write(out + key.len + 8, start_ms);
    return mill_bytes_of(out, key.len + MILL_SESSION_WINDOW_BYTES);
}

static inline bool mill_session_window_read(mill_bytes bytes, mill_windowed_key *windowed)
{
    if (bytes.data == NULL || bytes.len < MILL_SESSION_WINDOW_BYTES)
        return false;
    size_t key_bytes = bytes.len - MILL_SESSION_WINDOW_BYTES;
    windowed->key = mill_bytes_of(bytes.data, key_bytes);
    mill_int64_read(mill_bytes_of(bytes.data + key_bytes, 8), &windowed->end_ms);
    mill_int64_read(mill_bytes_of(bytes.data + key_bytes + 8, 8), &windowed->start_ms);
    return true;
}

#ifdef __cplusplus
}
#endif
#endif
