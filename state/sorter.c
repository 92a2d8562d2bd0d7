#include "state/sorter.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "millstream/error.h"
#include "state/same_bytes.h"

enum {
    BUCKET_BYTES_FIRST = 4 << 10,
    BUCKET_BYTES_MAX = 256 << 10, /* with its working memory it stays in the second-level cache */
    SAMPLES = 31,
    START_BYTES = 8,
    ALIGN = 8,
};

static const uint32_t DELETED = UINT32_MAX;
static const uint32_t DEAD = 1u << 31; /* in key_len, while a bucket is cleaned: the key comes again */

/* `bytes` begin with the start, big-endian, so that sorting compares one run of bytes. */
struct item {
    int64_t timestamp_ms;
    uint32_t key_len; /* with the start */
    uint32_t value_len;
    uint8_t bytes[];
};

/* What adding looks at lies side by side; the items lie elsewhere. */
struct sorter_bucket {
    uint8_t *items; /* mem_alloc'ed */
    size_t used;
    size_t capacity;
    size_t count;
    mill_bytes least; /* the splitter: no key in it is smaller; mem_alloc'ed, null in the first bucket */
};

void sorter_init(struct sorter *sorter)
{
    *sorter = (struct sorter){ 0 };
}

static void free_bucket(struct sorter_bucket *bucket)
{
    mem_free((void *)(uintptr_t)bucket->least.data);
    mem_free(bucket->items);
}

void sorter_clear(struct sorter *sorter)
{
    for (size_t i = 0; i < sorter->bucket_count; i++)
        free_bucket(&sorter->buckets[i]);
    sorter->bucket_count = 0;
    sorter->common = mill_null();
    sorter->bytes = 0;
    sorter->added = 0;
}

void sorter_release(struct sorter *sorter)
{
    sorter_clear(sorter);
    mem_free(sorter->buckets);
    mem_free(sorter->first);
    mem_free(sorter->second);
    mem_free(sorter->places);
    mem_free(sorter->pairs);
    sorter_init(sorter);
}

/* ---- items ----------------------------------------------------------------------------------------------------------------- */

static struct item *item_at(const struct sorter_bucket *bucket, size_t place)
{
    return (struct item *)(uintptr_t)(bucket->items + place);
}

static size_t item_bytes(size_t key_len, size_t value_len)
{
    return (sizeof(struct item) + key_len + value_len + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t bytes_of_item(const struct item *item)
{
    return item_bytes(item->key_len, item->value_len == DELETED ? 0 : item->value_len);
}

static mill_bytes key_of(const struct item *item)
{
    return mill_bytes_of(item->bytes, item->key_len);
}

/* Eight bytes of the key from `at` on as a number, zeros behind its end. A key has eight bytes at least: its start. */
static uint64_t number_of(mill_bytes key, size_t at)
{
    if (key.len >= at + 8)
        return read_u64_be(key.data + at);
    if (key.len <= at)
        return 0;
    return read_u64_be(key.data + key.len - 8) << 8 * (8 - (key.len - at));
}

/* ---- which bucket -------------------------------------------------------------------------------------------------------- */

/* Compares bucket `i`'s least key, given the numbers of the key behind what all splitters share. */
static bool at_or_below(const struct sorter *sorter, size_t i, uint64_t first, uint64_t second, mill_bytes key)
{
    if (sorter->first[i] != first)
        return sorter->first[i] < first;
    if (sorter->second[i] != second)
        return sorter->second[i] < second;
    return i == 0 || mill_bytes_compare(sorter->buckets[i].least, key) <= 0;
}

/* Below 0, 0 or above, as the key's front and what all splitters share. */
static int compare_front(const struct sorter *sorter, mill_bytes key)
{
    size_t shorter = key.len < sorter->common.len ? key.len : sorter->common.len;
    if (shorter > 0 && !same_bytes(key.data, sorter->common.data, shorter))
        return memcmp(key.data, sorter->common.data, shorter);
    return key.len < sorter->common.len ? -1 : 0;
}

/* The last bucket whose least key is not above `key`. */
static size_t bucket_for(const struct sorter *sorter, mill_bytes key)
{
    if (sorter->bucket_count < 2)
        return 0;
    int order = compare_front(sorter, key);
    if (order != 0)
        return order > 0 ? sorter->bucket_count - 1 : 0;
    uint64_t first = number_of(key, sorter->common.len);
    const uint64_t *low = sorter->first; /* the search makes no jump that depends on the key */
    for (size_t half = sorter->bucket_count; half > 1;) {
        size_t middle = half / 2;
        low += low[middle] <= first ? middle : 0;
        half -= middle;
    }
    size_t high = (size_t)(low - sorter->first);
    if (high == 0 || *low != first)
        return high;
    uint64_t second = number_of(key, sorter->common.len + 8);
    size_t least = 0;
    while (least < high) { /* among those with the same number */
        size_t middle = high - (high - least) / 2;
        if (at_or_below(sorter, middle, first, second, key))
            least = middle;
        else
            high = middle - 1;
    }
    return least;
}

/* After a split: what all splitters share at the front, and the numbers behind that. */
static void number_splitters(struct sorter *sorter)
{
    mill_bytes first = sorter->buckets[1].least;
    mill_bytes last = sorter->buckets[sorter->bucket_count - 1].least;
    size_t common = 0;
    while (common < first.len && common < last.len && first.data[common] == last.data[common])
        common++;
    if (sorter->bucket_count == 2)
        common = 0;
    sorter->common = mill_bytes_of(first.data, common);
    for (size_t i = 0; i < sorter->bucket_count; i++) {
        sorter->first[i] = i == 0 ? 0 : number_of(sorter->buckets[i].least, common);
        sorter->second[i] = i == 0 ? 0 : number_of(sorter->buckets[i].least, common + 8);
    }
}

/* ---- cleaning -------------------------------------------------------------------------------------------------------------- */

static bool reserve_places(struct sorter *sorter, size_t count)
{
    if (count <= sorter->place_capacity)
        return true;
    uint32_t *places = mem_realloc(sorter->places, count * sizeof *places);
    if (places == NULL)
        return false;
    sorter->places = places;
    sorter->place_capacity = count;
    return true;
}

/* Marks each item whose key comes again later. */
static bool mark_dead(struct sorter *sorter, struct sorter_bucket *bucket, size_t *dead)
{
    size_t slots = 64;
    while (slots < bucket->count * 2)
        slots *= 2;
    *dead = 0;
    if (!reserve_places(sorter, slots))
        return false;
    memset(sorter->places, 0xff, slots * sizeof *sorter->places);
    for (size_t place = 0; place < bucket->used;) {
        const struct item *item = item_at(bucket, place);
        size_t slot = XXH3_64bits(item->bytes, item->key_len) & (slots - 1);
        for (; sorter->places[slot] != UINT32_MAX; slot = (slot + 1) & (slots - 1)) {
            struct item *other = item_at(bucket, sorter->places[slot]);
            if (other->key_len == item->key_len && same_bytes(other->bytes, item->bytes, item->key_len)) {
                other->key_len |= DEAD;
                (*dead)++;
                break;
            }
        }
        sorter->places[slot] = (uint32_t)place;
        place += bytes_of_item(item);
    }
    return true;
}

/* Keeps of each key the last item, in place. */
static bool clean(struct sorter *sorter, struct sorter_bucket *bucket)
{
    size_t dead;
    if (!mark_dead(sorter, bucket, &dead))
        return false;
    size_t used = 0;
    for (size_t place = 0; dead > 0 && place < bucket->used;) {
        struct item *item = item_at(bucket, place);
        bool is_dead = (item->key_len & DEAD) != 0;
        item->key_len &= ~DEAD;
        size_t bytes = bytes_of_item(item);
        if (!is_dead) {
            memmove(bucket->items + used, item, bytes);
            used += bytes;
        }
        place += bytes;
    }
    if (dead > 0)
        bucket->used = used;
    bucket->count -= dead;
    return true;
}

/* ---- splitting ------------------------------------------------------------------------------------------------------------- */

static bool init_bucket(struct sorter *sorter, struct sorter_bucket *bucket, size_t capacity)
{
    *bucket = (struct sorter_bucket){ .items = mem_alloc(capacity), .capacity = capacity };
    sorter->bytes += bucket->items == NULL ? 0 : capacity;
    return bucket->items != NULL;
}

static int by_key(const void *a, const void *b)
{
    return mill_bytes_compare(*(const mill_bytes *)a, *(const mill_bytes *)b);
}

/* About the middle of the bucket's keys, above its least; null when all samples are alike. */
static mill_bytes median(const struct sorter_bucket *bucket)
{
    mill_bytes samples[SAMPLES];
    size_t count = 0;
    size_t next = 0;
    for (size_t place = 0, seen = 0; place < bucket->used && count < SAMPLES; seen++) {
        const struct item *item = item_at(bucket, place);
        if (seen >= next) {
            samples[count++] = key_of(item);
            next += bucket->count / SAMPLES + 1;
        }
        place += bytes_of_item(item);
    }
    qsort(samples, count, sizeof samples[0], by_key);
    for (size_t i = count / 2; i < count; i++)
        if (mill_bytes_compare(samples[i], samples[0]) > 0)
            return samples[i];
    return mill_null();
}

static bool reserve_buckets(struct sorter *sorter)
{
    if (sorter->bucket_count < sorter->bucket_capacity)
        return true;
    size_t capacity = sorter->bucket_capacity == 0 ? 16 : sorter->bucket_capacity * 2;
    struct sorter_bucket *buckets = mem_realloc(sorter->buckets, capacity * sizeof *buckets);
    if (buckets == NULL)
        return false;
    sorter->buckets = buckets;
    uint64_t *first = mem_realloc(sorter->first, capacity * sizeof *first);
    if (first == NULL)
        return false;
    sorter->first = first;
    uint64_t *second = mem_realloc(sorter->second, capacity * sizeof *second);
    if (second == NULL)
        return false;
    sorter->second = second;
    sorter->bucket_capacity = capacity;
    return true;
}

/* Moves the items at or above `least` from one bucket to the other, in order. */
static void move_upper(struct sorter_bucket *from, struct sorter_bucket *to, mill_bytes least)
{
    size_t used = 0;
    size_t count = 0;
    for (size_t place = 0; place < from->used;) {
        const struct item *item = item_at(from, place);
        size_t bytes = bytes_of_item(item);
        if (mill_bytes_compare(key_of(item), least) >= 0) {
            memcpy(to->items + to->used, item, bytes);
            to->used += bytes;
            to->count++;
        } else {
            memmove(from->items + used, item, bytes);
            used += bytes;
            count++;
        }
        place += bytes;
    }
    from->used = used;
    from->count = count;
}

/* false: no memory. `*done` false: one key's updates cannot be parted. */
static bool split(struct sorter *sorter, size_t index, bool *done)
{
    mill_bytes middle = median(&sorter->buckets[index]);
    *done = !mill_is_null(middle);
    if (!*done)
        return true;
    uint8_t *least = mem_alloc(middle.len);
    struct sorter_bucket upper;
    if (least == NULL || !reserve_buckets(sorter) || !init_bucket(sorter, &upper, sorter->buckets[index].capacity)) {
        mem_free(least);
        return false;
    }
    memcpy(least, middle.data, middle.len);
    upper.least = mill_bytes_of(least, middle.len);
    move_upper(&sorter->buckets[index], &upper, upper.least);
    memmove(&sorter->buckets[index + 2], &sorter->buckets[index + 1], (sorter->bucket_count - index - 1) * sizeof upper);
    sorter->buckets[index + 1] = upper;
    sorter->bucket_count++;
    number_splitters(sorter);
    return true;
}

/* ---- adding ---------------------------------------------------------------------------------------------------------------- */

static bool enlarge(struct sorter *sorter, struct sorter_bucket *bucket, size_t capacity)
{
    uint8_t *items = mem_realloc(bucket->items, capacity);
    if (items == NULL)
        return false;
    sorter->bytes += capacity - bucket->capacity;
    bucket->items = items;
    bucket->capacity = capacity;
    return true;
}

/* Room in the bucket, or a split after which the caller looks again. */
static bool make_room(struct sorter *sorter, size_t index, size_t bytes)
{
    struct sorter_bucket *bucket = &sorter->buckets[index];
    if (bucket->capacity >= BUCKET_BYTES_MAX) {
        if (!clean(sorter, bucket))
            return false;
        if (bucket->used + bytes <= bucket->capacity && bucket->used <= bucket->capacity / 8 * 3)
            return true;
        bool done;
        if (!split(sorter, index, &done) || done)
            return done;
    }
    size_t capacity = bucket->capacity * 2;
    while (capacity < bucket->used + bytes)
        capacity *= 2;
    return capacity < UINT32_MAX && enlarge(sorter, bucket, capacity);
}

static bool begin(struct sorter *sorter)
{
    if (!reserve_buckets(sorter))
        return false;
    sorter->bucket_count = init_bucket(sorter, &sorter->buckets[0], BUCKET_BYTES_FIRST);
    return sorter->bucket_count > 0;
}

static void put(struct sorter_bucket *bucket, const struct run_update *update, size_t bytes)
{
    struct item *item = item_at(bucket, bucket->used);
    item->timestamp_ms = update->timestamp_ms;
    item->key_len = (uint32_t)(START_BYTES + update->key.len);
    item->value_len = mill_is_null(update->value) ? DELETED : (uint32_t)update->value.len;
    write_u64_be(item->bytes, (uint64_t)update->start_ms);
    if (update->key.len > 0)
        memcpy(item->bytes + START_BYTES, update->key.data, update->key.len);
    if (item->value_len != DELETED && update->value.len > 0)
        memcpy(item->bytes + item->key_len, update->value.data, update->value.len);
    bucket->used += bytes;
    bucket->count++;
}

int sorter_add(struct sorter *sorter, const struct run_update *update)
{
    uint8_t inline_key[256];
    size_t key_len = START_BYTES + update->key.len;
    size_t value_len = mill_is_null(update->value) ? 0 : update->value.len;
    if (key_len + value_len > UINT32_MAX / 4 || (sorter->bucket_count == 0 && !begin(sorter)))
        return MILL_ENOMEM;
    uint8_t *whole = key_len <= sizeof inline_key ? inline_key : mem_alloc(key_len);
    if (whole == NULL)
        return MILL_ENOMEM;
    write_u64_be(whole, (uint64_t)update->start_ms);
    if (update->key.len > 0)
        memcpy(whole + START_BYTES, update->key.data, update->key.len);
    size_t bytes = item_bytes(key_len, value_len);
    size_t index = bucket_for(sorter, mill_bytes_of(whole, key_len));
    bool room = true;
    while (room && sorter->buckets[index].capacity - sorter->buckets[index].used < bytes) {
        room = make_room(sorter, index, bytes);
        index = bucket_for(sorter, mill_bytes_of(whole, key_len));
    }
    if (whole != inline_key)
        mem_free(whole);
    if (!room)
        return MILL_ENOMEM;
    put(&sorter->buckets[index], update, bytes);
    sorter->added++;
    return 0;
}

/* ---- in order -------------------------------------------------------------------------------------------------------------- */

static bool reserve_pairs(struct sorter *sorter, size_t count)
{
    if (2 * count <= sorter->pair_capacity)
        return true;
    struct radix_pair *pairs = mem_realloc(sorter->pairs, 2 * count * sizeof *pairs);
    if (pairs == NULL)
        return false;
    sorter->pairs = pairs;
    sorter->pair_capacity = 2 * count;
    return true;
}

static size_t shared_by_all(const struct sorter_bucket *bucket)
{
    mill_bytes first = key_of(item_at(bucket, 0));
    size_t shared = first.len;
    for (size_t place = 0; place < bucket->used;) {
        const struct item *item = item_at(bucket, place);
        if (item->key_len < shared)
            shared = item->key_len;
        if (memcmp(item->bytes, first.data, shared) != 0)
            for (shared = 0; item->bytes[shared] == first.data[shared];)
                shared++;
        place += bytes_of_item(item);
    }
    return shared;
}

static int by_item(const void *a, const void *b)
{
    const struct item *left = (const struct item *)(uintptr_t)((const struct radix_pair *)a)->attached;
    const struct item *right = (const struct item *)(uintptr_t)((const struct radix_pair *)b)->attached;
    return mill_bytes_compare(key_of(left), key_of(right));
}

/* The cleaned bucket's items by key: by eight bytes behind what all share, then what still is alike. */
static void sort_bucket(struct sorter *sorter, const struct sorter_bucket *bucket)
{
    size_t shared = shared_by_all(bucket);
    size_t count = 0;
    for (size_t place = 0; place < bucket->used; count++) {
        const struct item *item = item_at(bucket, place);
        sorter->pairs[count] = (struct radix_pair){ number_of(key_of(item), shared), (uint64_t)(uintptr_t)item };
        place += bytes_of_item(item);
    }
    radix_sort(sorter->pairs, sorter->pairs + count, count);
    for (size_t i = 0; i < count;) {
        size_t alike = i + 1;
        while (alike < count && sorter->pairs[alike].number == sorter->pairs[i].number)
            alike++;
        if (alike - i > 1)
            qsort(&sorter->pairs[i], alike - i, sizeof *sorter->pairs, by_item);
        i = alike;
    }
}

static int each_in_bucket(struct sorter *sorter, struct sorter_bucket *bucket,
                          int (*each)(void *ctx, const struct run_update *update), void *ctx)
{
    if (bucket->count == 0)
        return 0;
    if (!clean(sorter, bucket) || !reserve_pairs(sorter, bucket->count))
        return MILL_ENOMEM;
    sort_bucket(sorter, bucket);
    int code = 0;
    for (size_t i = 0; i < bucket->count && code == 0; i++) {
        const struct item *item = (const struct item *)(uintptr_t)sorter->pairs[i].attached;
        struct run_update update = { (int64_t)read_u64_be(item->bytes), item->timestamp_ms,
                                     mill_bytes_of(item->bytes + START_BYTES, item->key_len - START_BYTES), mill_null() };
        if (item->value_len != DELETED)
            update.value = mill_bytes_of(item->bytes + item->key_len, item->value_len);
        code = each(ctx, &update);
    }
    return code;
}

int sorter_each(struct sorter *sorter, int (*each)(void *ctx, const struct run_update *update), void *ctx)
{
    int code = 0;
    for (size_t i = 0; i < sorter->bucket_count && code == 0; i++)
        code = each_in_bucket(sorter, &sorter->buckets[i], each, ctx);
    return code;
}
