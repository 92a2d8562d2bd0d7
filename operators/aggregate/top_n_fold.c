/*
 * The n items with the largest scores, as an aggregate.
 *
 *     list     { score (8) | length (4) | item } ...      big-endian; by falling score, equal ones by rising bytes of the items
 *
 * An item that comes again has its new score. Where that is lower, items that had fallen out of the list do not come back.
 */
#include "aggregate/fold.h"

#include "base/bytes.h"
#include "millstream/serde.h"
#include "millstream/window.h"

enum { SCORE_BYTES = 8, HEAD_BYTES = 12 };

struct ranked {
    int64_t score;
    mill_bytes item;
};

bool mill_top_next(mill_bytes *list, mill_bytes *item, int64_t *score)
{
    struct byte_reader reader = byte_reader_of(*list);
    uint64_t bits = byte_reader_u64(&reader);
    uint32_t len = byte_reader_u32(&reader);
    const uint8_t *data = byte_reader_take(&reader, len);
    if (reader.failed)
        return false;
    *score = (int64_t)bits;
    *item = mill_bytes_of(data, len);
    *list = mill_bytes_of(data + len, byte_reader_left(&reader));
    return true;
}

static bool comes_before(const struct ranked *a, const struct ranked *b)
{
    return a->score != b->score ? a->score > b->score : mill_bytes_compare(a->item, b->item) < 0;
}

static uint8_t *write_ranked(uint8_t *at, const struct ranked *ranked)
{
    write_u64_be(at, (uint64_t)ranked->score);
    write_u32_be(at + SCORE_BYTES, (uint32_t)ranked->item.len);
    if (ranked->item.len > 0)
        memcpy(at + HEAD_BYTES, ranked->item.data, ranked->item.len);
    return at + HEAD_BYTES + ranked->item.len;
}

/* `list` with `added` in its place, and without what the item was before and what is beyond the n-th. */
static mill_bytes insert(mill_bytes list, const struct ranked *added, size_t n, uint8_t *room)
{
    uint8_t *at = room;
    size_t count = 0;
    bool placed = false;
    struct ranked next;
    while (count < n && mill_top_next(&list, &next.item, &next.score)) {
        if (mill_bytes_equal(next.item, added->item))
            continue;
        if (!placed && comes_before(added, &next)) {
            at = write_ranked(at, added);
            placed = true;
            count++;
        }
        if (count == n)
            break;
        at = write_ranked(at, &next);
        count++;
    }
    if (!placed && count < n)
        at = write_ranked(at, added);
    return mill_bytes_of(room, (size_t)(at - room));
}

static int add_ranked(const struct fold *fold, mill_context *context, const struct ranked *added, mill_bytes *aggregate)
{
    uint8_t *room = mill_context_alloc(context, aggregate->len + HEAD_BYTES + added->item.len);
    if (room == NULL)
        return MILL_ENOMEM;
    *aggregate = insert(*aggregate, added, fold->n, room);
    return 0;
}

/* The value is one entry of a list: ranking has made it so. */
static int add_to_top(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes value,
                      uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    struct ranked added;
    int code = 0;
    while (code >= 0 && mill_top_next(&value, &added.item, &added.score))
        code = add_ranked(fold, context, &added, aggregate);
    return code;
}

static int merge_tops(const struct fold *fold, mill_context *context, mill_bytes key, mill_bytes other,
                      uint8_t room[FOLD_ROOM_BYTES], mill_bytes *aggregate)
{
    return add_to_top(fold, context, key, other, room, aggregate);
}

const struct fold_type fold_top_n = { .add = add_to_top, .merge = merge_tops };

/* ---- ranking, before it is folded ------------------------------------------------------------------------------------------ */

struct ranking {
    const struct fold_ranking *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct ranking *)self)->argument = argument;
    return 0;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct fold_ranking *argument = ((struct ranking *)self)->argument;
    struct ranked ranked = { 0, mill_null() };
    int code = argument->ranker(record, &ranked.item, &ranked.score, context, argument->ctx);
    if (code < 0)
        return code;
    if (mill_is_null(ranked.item)) {
        mill_context_drop(context, "null-item");
        return 0;
    }
    mill_record made = *record;
    uint8_t *bytes = mill_context_alloc(context, HEAD_BYTES + ranked.item.len);
    if (bytes == NULL)
        return MILL_ENOMEM;
    uint8_t *end = write_ranked(bytes, &ranked);
    made.value = mill_bytes_of(bytes, (size_t)(end - bytes));
    return mill_forward(context, &made);
}

const mill_processor_type fold_ranking_type = {
    .name = "ranking", .self_bytes = sizeof(struct ranking), .init = init, .process = process
};
