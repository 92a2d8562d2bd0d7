/* Three sorted arrays: transactions begin and end in the order of the log. */
#include "log/txn_state.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

enum { CAPACITY_FIRST = 8 };

void txn_state_init(struct txn_state *state)
{
    *state = (struct txn_state){ 0 };
}

void txn_state_release(struct txn_state *state)
{
    mem_free(state->open);
    mem_free(state->ended);
    mem_free(state->aborted);
    txn_state_init(state);
}

void txn_state_clear(struct txn_state *state)
{
    state->open_count = 0;
    state->ended_count = 0;
    state->aborted_count = 0;
}

static bool grow(void **items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : CAPACITY_FIRST;
    void *grown = mem_realloc(*items, wanted * item_bytes);
    if (!grown)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

int txn_state_reserve(struct txn_state *state)
{
    bool grown = grow((void **)&state->open, state->open_count, &state->open_capacity, sizeof *state->open) &&
                 grow((void **)&state->ended, state->ended_count, &state->ended_capacity, sizeof *state->ended) &&
                 grow((void **)&state->aborted, state->aborted_count, &state->aborted_capacity, sizeof *state->aborted);
    return grown ? 0 : MILL_ENOMEM;
}

void txn_state_begin(struct txn_state *state, int64_t producer_id, int64_t first_offset)
{
    mill_assert(state->open_count < state->open_capacity);
    mill_assert(state->open_count == 0 || state->open[state->open_count - 1].first_offset < first_offset);
    state->open[state->open_count++] = (struct open_txn){ producer_id, first_offset };
}

static int64_t take_open(struct txn_state *state, int64_t producer_id)
{
    for (size_t i = 0; i < state->open_count; i++) {
        int64_t first_offset = state->open[i].first_offset;
        if (state->open[i].producer_id != producer_id)
            continue;
        memmove(state->open + i, state->open + i + 1, (state->open_count - i - 1) * sizeof *state->open);
        state->open_count--;
        return first_offset;
    }
    return -1;
}

bool txn_state_end(struct txn_state *state, int64_t producer_id, int64_t marker_offset, bool aborted)
{
    int64_t first_offset = take_open(state, producer_id);
    if (first_offset < 0)
        return false;
    mill_assert(state->ended_count < state->ended_capacity);
    state->ended[state->ended_count++] = (struct ended_txn){ first_offset, marker_offset };
    if (aborted) {
        struct aborted_txn txn = { .producer_id = producer_id, .first_offset = first_offset, .last_offset = marker_offset };
        txn.last_stable_offset = state->open_count > 0 ? state->open[0].first_offset : marker_offset + 1;
        txn_state_add_aborted(state, &txn);
    }
    return true;
}

void txn_state_add_aborted(struct txn_state *state, const struct aborted_txn *txn)
{
    mill_assert(state->aborted_count < state->aborted_capacity);
    mill_assert(state->aborted_count == 0 || state->aborted[state->aborted_count - 1].last_offset < txn->last_offset);
    state->aborted[state->aborted_count++] = *txn;
}

void txn_state_settle(struct txn_state *state, int64_t high_watermark)
{
    size_t settled = 0;
    while (settled < state->ended_count && state->ended[settled].last_offset < high_watermark)
        settled++;
    if (settled == 0)
        return;
    memmove(state->ended, state->ended + settled, (state->ended_count - settled) * sizeof *state->ended);
    state->ended_count -= settled;
}

int64_t txn_state_first_unstable(const struct txn_state *state)
{
    int64_t first = state->open_count > 0 ? state->open[0].first_offset : INT64_MAX;
    for (size_t i = 0; i < state->ended_count; i++)
        if (state->ended[i].first_offset < first)
            first = state->ended[i].first_offset;
    return first;
}

size_t txn_state_find_aborted(const struct txn_state *state, int64_t offset)
{
    size_t low = 0;
    size_t high = state->aborted_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (state->aborted[middle].last_offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t txn_state_truncate_start(struct txn_state *state, int64_t log_start)
{
    size_t gone = txn_state_find_aborted(state, log_start);
    if (gone == 0)
        return 0;
    memmove(state->aborted, state->aborted + gone, (state->aborted_count - gone) * sizeof *state->aborted);
    state->aborted_count -= gone;
    return gone;
}
