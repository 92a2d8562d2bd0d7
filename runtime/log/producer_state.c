/* An array of producers with an open-addressing index over their ids. */
#include "log/producer_state.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

enum { SNAPSHOT_VERSION = 1, CRC_COVERS_FROM = 6, SLOTS_MIN = 16 };

/* ---- the map --------------------------------------------------------------------------------------------------------------- */

/* Producer ids count up, so that mixing matters more than secrecy: the broker hands them out (fmix64 of MurmurHash3). */
static uint64_t hash_of(int64_t producer_id)
{
    uint64_t h = (uint64_t)producer_id;
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

static struct producer_entry *find(const struct producer_state *state, int64_t producer_id)
{
    if (!state->slots)
        return NULL;
    for (size_t i = hash_of(producer_id) & state->slot_mask; state->slots[i]; i = (i + 1) & state->slot_mask) {
        struct producer_entry *entry = &state->entries[state->slots[i] - 1];
        if (entry->producer_id == producer_id)
            return entry;
    }
    return NULL;
}

static void index_entry(struct producer_state *state, size_t at)
{
    size_t i = hash_of(state->entries[at].producer_id) & state->slot_mask;
    while (state->slots[i])
        i = (i + 1) & state->slot_mask;
    state->slots[i] = (uint32_t)at + 1;
}

static void index_all(struct producer_state *state)
{
    memset(state->slots, 0, (state->slot_mask + 1) * sizeof *state->slots);
    for (size_t i = 0; i < state->count; i++)
        index_entry(state, i);
}

void producer_state_init(struct producer_state *state)
{
    *state = (struct producer_state){ 0 };
}

void producer_state_release(struct producer_state *state)
{
    mem_free(state->entries);
    mem_free(state->slots);
    producer_state_init(state);
}

void producer_state_clear(struct producer_state *state)
{
    state->count = 0;
    if (state->slots)
        index_all(state);
}

const struct producer_entry *producer_state_find(const struct producer_state *state, int64_t producer_id)
{
    return find(state, producer_id);
}

/* The `count` oldest that have no transaction open: their markers are still to come. */
static void forget_first(struct producer_state *state, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->count; i++) {
        bool forgotten = i - kept < count && state->entries[i].txn_start < 0;
        if (!forgotten)
            state->entries[kept++] = state->entries[i];
    }
    state->count = kept;
    index_all(state);
}

int producer_state_reserve(struct producer_state *state)
{
    if (state->count == PRODUCER_COUNT_MAX)
        forget_first(state, PRODUCER_COUNT_MAX / 8);
    if (state->count == PRODUCER_COUNT_MAX)
        return MILL_ENOMEM;
    if (state->count < state->capacity)
        return 0;
    size_t capacity = state->capacity ? state->capacity * 2 : SLOTS_MIN / 2;
    uint32_t *slots = mem_calloc(capacity * 2, sizeof *slots);
    if (!slots)
        return MILL_ENOMEM;
    struct producer_entry *entries = mem_realloc(state->entries, capacity * sizeof *entries);
    if (!entries) {
        mem_free(slots);
        return MILL_ENOMEM;
    }
    mem_free(state->slots);
    state->entries = entries;
    state->capacity = capacity;
    state->slots = slots;
    state->slot_mask = capacity * 2 - 1;
    index_all(state);
    return 0;
}

static struct producer_entry *add(struct producer_state *state, int64_t producer_id)
{
    mill_assert(state->count < state->capacity);
    struct producer_entry *entry = &state->entries[state->count++];
    *entry = (struct producer_entry){ .producer_id = producer_id, .epoch = -1, .coordinator_epoch = -1, .txn_start = -1 };
    index_entry(state, state->count - 1);
    return entry;
}

static bool has_sequence(const struct batch_header *header)
{
    return batch_has_producer(header) && header->base_sequence >= 0 && header->producer_epoch >= 0;
}

/* ---- judging and noting ---------------------------------------------------------------------------------------------------- */

static const struct producer_batch *last_batch(const struct producer_entry *entry)
{
    return entry->batch_count == 0 ? NULL : &entry->batches[entry->batch_count - 1];
}

static const struct producer_batch *find_repeated(const struct producer_entry *entry, const struct batch_header *header)
{
    for (int i = entry->batch_count - 1; i >= 0; i--) {
        const struct producer_batch *batch = &entry->batches[i];
        if (batch->last_sequence == batch_last_sequence(header) && batch->offset_delta == header->last_offset_delta)
            return batch;
    }
    return NULL;
}

enum producer_verdict producer_state_check(const struct producer_state *state, const struct batch_header *header,
                                           struct producer_batch *duplicate)
{
    const struct producer_entry *entry = find(state, header->producer_id);
    if (!entry || entry->epoch < 0)
        return PRODUCER_IN_ORDER;
    if (header->producer_epoch < entry->epoch)
        return PRODUCER_STALE_EPOCH;
    if (!has_sequence(header))
        return PRODUCER_IN_ORDER;
    if (entry->txn_start >= 0 && !batch_is_transactional(header))
        return PRODUCER_OUTSIDE_TXN;
    if (header->producer_epoch > entry->epoch)
        return header->base_sequence == 0 ? PRODUCER_IN_ORDER : PRODUCER_OUT_OF_ORDER;

    const struct producer_batch *repeated = find_repeated(entry, header);
    if (repeated) {
        *duplicate = *repeated;
        return PRODUCER_DUPLICATE;
    }
    const struct producer_batch *last = last_batch(entry);
    if (!last && entry->may_start_anywhere)
        return PRODUCER_IN_ORDER;
    int32_t next = !last || last->last_sequence == INT32_MAX ? 0 : last->last_sequence + 1;
    return header->base_sequence == next ? PRODUCER_IN_ORDER : PRODUCER_OUT_OF_ORDER;
}

static struct producer_batch batch_of(const struct batch_header *header)
{
    return (struct producer_batch){ .last_offset = batch_last_offset(header),
                                    .offset_delta = header->last_offset_delta,
                                    .last_sequence = batch_last_sequence(header) };
}

static void make_room(struct producer_entry *entry)
{
    if (entry->batch_count < PRODUCER_WINDOW)
        return;
    memmove(entry->batches, entry->batches + 1, (PRODUCER_WINDOW - 1) * sizeof *entry->batches);
    entry->batch_count--;
}

static struct producer_entry *find_or_add(struct producer_state *state, int64_t producer_id, int16_t epoch)
{
    struct producer_entry *entry = find(state, producer_id);
    if (!entry)
        entry = add(state, producer_id);
    if (epoch != entry->epoch) {
        entry->epoch = epoch;
        entry->batch_count = 0;
        entry->may_start_anywhere = false;
    }
    return entry;
}

bool producer_state_note(struct producer_state *state, const struct batch_header *header, int64_t now_ms)
{
    if (!batch_has_producer(header) || header->producer_epoch < 0 || batch_is_control(header))
        return false;
    struct producer_entry *entry = find_or_add(state, header->producer_id, header->producer_epoch);
    if (has_sequence(header)) { /* a coordinator's batch has none */
        make_room(entry);
        entry->batches[entry->batch_count++] = batch_of(header);
    }
    entry->last_timestamp_ms = header->max_timestamp_ms;
    entry->last_seen_ms = now_ms;
    if (!batch_is_transactional(header) || entry->txn_start >= 0)
        return false;
    entry->txn_start = header->base_offset;
    return true;
}

void producer_state_note_marker(struct producer_state *state, const struct control_marker *marker, int64_t now_ms)
{
    bool is_known = find(state, marker->producer_id) != NULL;
    struct producer_entry *entry = find_or_add(state, marker->producer_id, marker->producer_epoch);
    entry->may_start_anywhere |= !is_known;
    entry->txn_start = -1;
    entry->coordinator_epoch = marker->coordinator_epoch;
    entry->last_timestamp_ms = marker->timestamp_ms;
    entry->last_seen_ms = now_ms;
}

void producer_state_backfill(struct producer_state *state, const struct batch_header *header)
{
    if (!has_sequence(header))
        return;
    struct producer_entry *entry = find(state, header->producer_id);
    const struct producer_batch *last = entry ? last_batch(entry) : NULL;
    if (!last || entry->epoch != header->producer_epoch || batch_last_offset(header) >= last->last_offset)
        return;
    struct producer_batch newest = *last;
    make_room(entry);
    entry->batches[entry->batch_count - 1] = batch_of(header);
    entry->batches[entry->batch_count++] = newest;
}

void producer_state_expire(struct producer_state *state, int64_t now_ms, int64_t expiration_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->count; i++) {
        const struct producer_entry *entry = &state->entries[i];
        /* An open transaction keeps its producer: its marker is still to come. */
        if (entry->txn_start >= 0 || now_ms - entry->last_seen_ms < expiration_ms)
            state->entries[kept++] = *entry;
    }
    if (kept == state->count)
        return;
    state->count = kept;
    index_all(state);
}

/* ---- the snapshot ---------------------------------------------------------------------------------------------------------- */

void producer_state_encode(const struct producer_state *state, struct buffer *bytes)
{
    size_t start = bytes->len;
    buffer_append_u16(bytes, SNAPSHOT_VERSION);
    buffer_append_u32(bytes, 0);
    buffer_append_u32(bytes, (uint32_t)state->count);
    for (size_t i = 0; i < state->count; i++) {
        const struct producer_entry *entry = &state->entries[i];
        const struct producer_batch *last = last_batch(entry);
        buffer_append_u64(bytes, (uint64_t)entry->producer_id);
        buffer_append_u16(bytes, (uint16_t)entry->epoch);
        buffer_append_u32(bytes, (uint32_t)(last ? last->last_sequence : -1));
        buffer_append_u64(bytes, (uint64_t)(last ? last->last_offset : -1));
        buffer_append_u32(bytes, (uint32_t)(last ? last->offset_delta : entry->may_start_anywhere ? -1 : 0));
        buffer_append_u64(bytes, (uint64_t)entry->last_timestamp_ms);
        buffer_append_u32(bytes, (uint32_t)entry->coordinator_epoch);
        buffer_append_u64(bytes, (uint64_t)entry->txn_start);
    }
    if (bytes->failed)
        return;
    uint8_t *covered = bytes->data + start + CRC_COVERS_FROM;
    write_u32_be(covered - 4, crc32c(0, covered, bytes->len - start - CRC_COVERS_FROM));
}

static int decode_entry(struct producer_state *state, struct byte_reader *in, int64_t now_ms)
{
    int64_t producer_id = (int64_t)byte_reader_u64(in);
    if (producer_id < 0 || find(state, producer_id))
        return MILL_ECORRUPT;
    if (producer_state_reserve(state) < 0)
        return MILL_ENOMEM;
    struct producer_entry *entry = add(state, producer_id);
    entry->epoch = (int16_t)byte_reader_u16(in);
    struct producer_batch last;
    last.last_sequence = (int32_t)byte_reader_u32(in);
    last.last_offset = (int64_t)byte_reader_u64(in);
    last.offset_delta = (int32_t)byte_reader_u32(in);
    entry->last_timestamp_ms = (int64_t)byte_reader_u64(in);
    entry->coordinator_epoch = (int32_t)byte_reader_u32(in);
    entry->txn_start = (int64_t)byte_reader_u64(in);
    entry->last_seen_ms = now_ms;
    if (last.last_offset >= 0 && last.last_sequence >= 0) {
        if (last.offset_delta < 0 || last.offset_delta > last.last_offset)
            return MILL_ECORRUPT;
        entry->batches[entry->batch_count++] = last;
    } else {
        entry->may_start_anywhere = last.offset_delta < 0;
    }
    return 0;
}

static int decode_all(struct producer_state *state, mill_bytes bytes, int64_t now_ms)
{
    struct byte_reader in = byte_reader_of(bytes);
    uint16_t version = byte_reader_u16(&in);
    uint32_t crc = byte_reader_u32(&in);
    if (in.failed || version != SNAPSHOT_VERSION || crc32c(0, in.at, byte_reader_left(&in)) != crc)
        return MILL_ECORRUPT;
    uint32_t count = byte_reader_u32(&in);
    if (in.failed || byte_reader_left(&in) != (size_t)count * PRODUCER_SNAPSHOT_ENTRY_BYTES)
        return MILL_ECORRUPT;
    int code = 0;
    for (uint32_t i = 0; i < count && code == 0; i++)
        code = decode_entry(state, &in, now_ms);
    return code;
}

int producer_state_decode(struct producer_state *state, mill_bytes bytes, int64_t now_ms)
{
    mill_assert(state->count == 0);
    int code = decode_all(state, bytes, now_ms);
    if (code < 0)
        producer_state_clear(state);
    return code;
}
