#include "aggregate/sketch.h"

#include "millstream/stream.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SPARSE = 1, DENSE = 2, INDEX_BITS = 12, RANK_MAX = 64 - INDEX_BITS, RANKS = 64, ENTRY_BYTES = 3 };

struct place {
    uint32_t index;
    uint8_t rank;
};

static struct place place_of(mill_bytes member)
{
    uint64_t hash = XXH3_64bits(member.len > 0 ? member.data : (const void *)"", member.len);
    uint64_t rest = hash << INDEX_BITS;
    int rank = rest == 0 ? RANK_MAX : __builtin_clzll(rest) + 1;
    return (struct place){ (uint32_t)(hash >> RANK_MAX), (uint8_t)(rank > RANK_MAX ? RANK_MAX : rank) };
}

/* ---- sparse ---------------------------------------------------------------------------------------------------------------- */

static size_t entry_count(mill_bytes sketch)
{
    return (sketch.len - 1) / ENTRY_BYTES;
}

static struct place entry_at(mill_bytes sketch, size_t i)
{
    const uint8_t *at = sketch.data + 1 + i * ENTRY_BYTES;
    return (struct place){ (uint32_t)at[0] << 4 | at[1] >> 4, at[2] & (RANKS - 1) };
}

static void write_entry(uint8_t *at, struct place place)
{
    at[0] = (uint8_t)(place.index >> 4);
    at[1] = (uint8_t)(place.index << 4);
    at[2] = place.rank;
}

/* The first entry whose register is not before `index`. */
static size_t find_entry(mill_bytes sketch, uint32_t index)
{
    size_t low = 0;
    size_t high = entry_count(sketch);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(sketch, middle).index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- dense ----------------------------------------------------------------------------------------------------------------- */

static uint32_t group_of(const uint8_t *ranks, uint32_t index)
{
    const uint8_t *at = ranks + (index / 4) * 3;
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

static uint8_t rank_at(const uint8_t *ranks, uint32_t index)
{
    return group_of(ranks, index) >> (18 - 6 * (index % 4)) & 63;
}

static void set_rank(uint8_t *ranks, uint32_t index, uint8_t rank)
{
    unsigned shift = 18 - 6 * (index % 4);
    uint32_t group = (group_of(ranks, index) & ~(63u << shift)) | (uint32_t)rank << shift;
    uint8_t *at = ranks + (index / 4) * 3;
    at[0] = (uint8_t)(group >> 16);
    at[1] = (uint8_t)(group >> 8);
    at[2] = (uint8_t)group;
}

static void raise_rank(uint8_t *ranks, struct place place)
{
    if (rank_at(ranks, place.index) < place.rank)
        set_rank(ranks, place.index, place.rank);
}

/* Dense, in `room`, whatever it was. */
static mill_bytes make_dense(mill_bytes sketch, uint8_t *room)
{
    if (!mill_is_null(sketch) && sketch.data[0] == DENSE) {
        memcpy(room, sketch.data, SKETCH_DENSE_BYTES);
        return mill_bytes_of(room, SKETCH_DENSE_BYTES);
    }
    memset(room, 0, SKETCH_DENSE_BYTES);
    room[0] = DENSE;
    size_t count = mill_is_null(sketch) ? 0 : entry_count(sketch);
    for (size_t i = 0; i < count; i++)
        raise_rank(room + 1, entry_at(sketch, i));
    return mill_bytes_of(room, SKETCH_DENSE_BYTES);
}

/* ---- adding ---------------------------------------------------------------------------------------------------------------- */

static mill_bytes add_sparse(mill_bytes sketch, struct place place, uint8_t *room)
{
    size_t count = entry_count(sketch);
    size_t i = find_entry(sketch, place.index);
    bool there = i < count && entry_at(sketch, i).index == place.index;
    if (there && entry_at(sketch, i).rank >= place.rank)
        return sketch;
    if (!there && count == SKETCH_SPARSE_MAX) {
        mill_bytes dense = make_dense(sketch, room);
        raise_rank(room + 1, place);
        return dense;
    }
    size_t before = 1 + i * ENTRY_BYTES;
    size_t behind = before + (there ? ENTRY_BYTES : 0);
    memcpy(room, sketch.data, before);
    write_entry(room + before, place);
    memcpy(room + before + ENTRY_BYTES, sketch.data + behind, sketch.len - behind);
    return mill_bytes_of(room, before + ENTRY_BYTES + sketch.len - behind);
}

mill_bytes sketch_add(mill_bytes sketch, mill_bytes member, uint8_t *room)
{
    static const uint8_t EMPTY[] = { SPARSE };
    struct place place = place_of(member);
    if (mill_is_null(sketch))
        sketch = mill_bytes_of(EMPTY, sizeof EMPTY);
    if (sketch.data[0] == SPARSE)
        return add_sparse(sketch, place, room);
    if (rank_at(sketch.data + 1, place.index) >= place.rank)
        return sketch;
    memcpy(room, sketch.data, SKETCH_DENSE_BYTES);
    set_rank(room + 1, place.index, place.rank);
    return mill_bytes_of(room, SKETCH_DENSE_BYTES);
}

/* ---- uniting --------------------------------------------------------------------------------------------------------------- */

/* Both are sparse; their entries are merged in order. Null: too many. */
static mill_bytes unite_sparse(mill_bytes a, mill_bytes b, uint8_t *room)
{
    size_t a_count = entry_count(a);
    size_t b_count = entry_count(b);
    size_t count = 0;
    room[0] = SPARSE;
    for (size_t i = 0, j = 0; i < a_count || j < b_count; count++) {
        if (count == SKETCH_SPARSE_MAX)
            return mill_null();
        struct place x = i < a_count ? entry_at(a, i) : (struct place){ UINT32_MAX, 0 };
        struct place y = j < b_count ? entry_at(b, j) : (struct place){ UINT32_MAX, 0 };
        struct place first = x.index < y.index || (x.index == y.index && x.rank >= y.rank) ? x : y;
        write_entry(room + 1 + count * ENTRY_BYTES, first);
        i += x.index == first.index;
        j += y.index == first.index;
    }
    return mill_bytes_of(room, 1 + count * ENTRY_BYTES);
}

mill_bytes sketch_unite(mill_bytes a, mill_bytes b, uint8_t *room)
{
    if (mill_is_null(a) || mill_is_null(b))
        return mill_is_null(a) ? b : a;
    mill_bytes united = a.data[0] == SPARSE && b.data[0] == SPARSE ? unite_sparse(a, b, room) : mill_null();
    if (!mill_is_null(united))
        return united;
    united = make_dense(a, room);
    if (b.data[0] == SPARSE) {
        for (size_t i = 0; i < entry_count(b); i++)
            raise_rank(room + 1, entry_at(b, i));
        return united;
    }
    for (uint32_t i = 0; i < SKETCH_REGISTERS; i++)
        raise_rank(room + 1, (struct place){ i, rank_at(b.data + 1, i) });
    return united;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

bool sketch_check(mill_bytes sketch)
{
    if (mill_is_null(sketch))
        return true;
    if (sketch.len == SKETCH_DENSE_BYTES && sketch.data[0] == DENSE)
        return true;
    return sketch.len > 0 && sketch.data[0] == SPARSE && (sketch.len - 1) % ENTRY_BYTES == 0 &&
           entry_count(sketch) <= SKETCH_SPARSE_MAX;
}

/* How many registers have each rank. */
static void count_ranks(mill_bytes sketch, uint32_t counts[RANKS])
{
    memset(counts, 0, RANKS * sizeof *counts);
    if (sketch.data[0] == SPARSE) {
        for (size_t i = 0; i < entry_count(sketch); i++)
            counts[entry_at(sketch, i).rank]++;
        counts[0] += (uint32_t)(SKETCH_REGISTERS - entry_count(sketch));
        return;
    }
    for (uint32_t i = 0; i < SKETCH_REGISTERS; i++)
        counts[rank_at(sketch.data + 1, i)]++;
}

/* x + the sum of x^(2^k) * 2^(k-1): what empty registers say of small counts. */
static double small_count_term(double x)
{
    if (x == 1)
        return 1e300;
    double sum = x;
    double factor = 1;
    for (double before = -1; sum != before; factor += factor) {
        x *= x;
        before = sum;
        sum += x * factor;
    }
    return sum;
}

int64_t sketch_estimate(mill_bytes sketch)
{
    if (mill_is_null(sketch))
        return 0;
    uint32_t counts[RANKS];
    count_ranks(sketch, counts);
    const double registers = SKETCH_REGISTERS;
    const double half_over_ln_2 = 0.721347520444481703680;
    double z = 0;
    for (int rank = RANKS - 1; rank > 0; rank--) /* above RANK_MAX only of bytes that nobody has made */
        z = (z + counts[rank]) / 2;
    z += registers * small_count_term(counts[0] / registers);
    double estimate = half_over_ln_2 * registers * registers / z;
    return estimate < 0x1p63 ? (int64_t)(estimate + 0.5) : INT64_MAX;
}

int64_t mill_approximate_count(mill_bytes sketch)
{
    return sketch_check(sketch) ? sketch_estimate(sketch) : -1;
}
