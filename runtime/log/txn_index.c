#include "log/txn_index.h"

#include "base/bytes.h"

enum { ENTRY_VERSION = 0 };

void txn_index_encode(const struct aborted_txn *txn, struct buffer *bytes)
{
    buffer_append_u16(bytes, ENTRY_VERSION);
    buffer_append_u64(bytes, (uint64_t)txn->producer_id);
    buffer_append_u64(bytes, (uint64_t)txn->first_offset);
    buffer_append_u64(bytes, (uint64_t)txn->last_offset);
    buffer_append_u64(bytes, (uint64_t)txn->last_stable_offset);
}

bool txn_index_decode(const uint8_t bytes[TXN_INDEX_ENTRY_BYTES], struct aborted_txn *txn)
{
    struct byte_reader in = byte_reader_of(mill_bytes_of(bytes, TXN_INDEX_ENTRY_BYTES));
    uint16_t version = byte_reader_u16(&in);
    txn->producer_id = (int64_t)byte_reader_u64(&in);
    txn->first_offset = (int64_t)byte_reader_u64(&in);
    txn->last_offset = (int64_t)byte_reader_u64(&in);
    txn->last_stable_offset = (int64_t)byte_reader_u64(&in);
    /* Where an older transaction was open, what was stable ends before this one. */
    return version == ENTRY_VERSION && txn->producer_id >= 0 && txn->first_offset >= 0 && txn->first_offset < txn->last_offset &&
           txn->last_stable_offset >= 0 && txn->last_stable_offset <= txn->last_offset + 1;
}
