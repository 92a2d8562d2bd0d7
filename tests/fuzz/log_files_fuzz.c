/*
 * The small binary files beside a log, from a stranger: producer snapshots and transaction indexes. What is read is written again
 * and must be the same bytes.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "fuzz/fuzz.h"
#include "log/producer_state.h"
#include "log/txn_index.h"

enum { CRC_AT = 2, CRC_END = 6 };

/* The checksum would stop nearly every mutation at the door. */
static uint8_t *sealed(const uint8_t *data, size_t len)
{
    uint8_t *copy = mem_alloc(len);
    mill_assert(copy != NULL);
    memcpy(copy, data, len);
    if (len >= CRC_END)
        write_u32_be(copy + CRC_AT, crc32c(0, copy + CRC_END, len - CRC_END));
    return copy;
}

static void try_snapshot(const uint8_t *data, size_t len)
{
    struct producer_state state;
    struct buffer again;
    uint8_t *copy = sealed(data, len);
    producer_state_init(&state);
    buffer_init(&again, 1 << 28);
    if (producer_state_decode(&state, mill_bytes_of(copy, len), 5) == 0) {
        producer_state_encode(&state, &again);
        mill_assert(!again.failed);
        struct producer_state second;
        producer_state_init(&second);
        int code = producer_state_decode(&second, buffer_bytes(&again), 5);
        mill_assert(code == 0);
        mill_assert(second.count == state.count);
        for (size_t i = 0; i < state.count; i++)
            mill_assert(producer_state_find(&state, state.entries[i].producer_id) == &state.entries[i]);
        producer_state_release(&second);
    } else {
        mill_assert(state.count == 0);
    }
    buffer_release(&again);
    producer_state_release(&state);
    mem_free(copy);
}

static void try_index(const uint8_t *data, size_t len)
{
    struct buffer again;
    buffer_init(&again, 1 << 28);
    for (; len >= TXN_INDEX_ENTRY_BYTES; data += TXN_INDEX_ENTRY_BYTES, len -= TXN_INDEX_ENTRY_BYTES) {
        struct aborted_txn txn;
        if (!txn_index_decode(data, &txn))
            break;
        buffer_clear(&again);
        txn_index_encode(&txn, &again);
        mill_assert(again.len == TXN_INDEX_ENTRY_BYTES && memcmp(again.data, data, again.len) == 0);
    }
    buffer_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    if (data[0] == 'I')
        try_index(data + 1, len - 1);
    else
        try_snapshot(data + 1, len - 1);
    return 0;
}
