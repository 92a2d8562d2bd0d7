#include "log/time_index.h"

#include "support/cmocka_all.h"
#include <string.h>

enum { BASE = 1000, CAPACITY = 6, NEXT_OFFSET = 1100 };

struct fixture {
    struct time_index index;
    uint8_t bytes[CAPACITY * TIME_INDEX_ENTRY_BYTES];
};

/* An index with the entries 500 -> 1009, 700 -> 1024, 900 -> 1050. */
static int set_up(void **state)
{
    static struct fixture f;
    assert_int_equal(time_index_init(&f.index, BASE, f.bytes, 0, CAPACITY, NEXT_OFFSET), 0);
    assert_true(time_index_append(&f.index, 500, 1009));
    assert_true(time_index_append(&f.index, 700, 1024));
    assert_true(time_index_append(&f.index, 900, 1050));
    *state = &f;
    return 0;
}

static int64_t offset_for(struct fixture *f, int64_t timestamp_ms)
{
    struct time_index_entry entry;
    return time_index_lookup(&f->index, timestamp_ms, &entry) ? entry.offset : -1;
}

static void lookup_lands_on_the_last_entry_at_or_before_the_timestamp(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(offset_for(f, 499), -1);
    assert_int_equal(offset_for(f, 500), 1009);
    assert_int_equal(offset_for(f, 699), 1009);
    assert_int_equal(offset_for(f, 700), 1024);
    assert_int_equal(offset_for(f, INT64_MAX), 1050);
}

static void a_timestamp_that_is_not_larger_adds_nothing(void **state)
{
    struct fixture *f = *state;
    assert_true(time_index_append(&f->index, 900, 1060));
    assert_true(time_index_append(&f->index, 100, 1070));
    assert_int_equal(f->index.count, 3);
}

static void entries_are_kafkas_bytes(void **state)
{
    struct fixture *f = *state;
    const uint8_t second[] = { 0, 0, 0, 0, 0, 0, 0x02, 0xbc, 0, 0, 0, 24 };
    assert_memory_equal(f->bytes + TIME_INDEX_ENTRY_BYTES, second, sizeof second);
}

static void truncating_at_an_entry_drops_it_and_all_after(void **state)
{
    struct fixture *f = *state;
    time_index_truncate(&f->index, 1024);
    struct time_index_entry last;
    assert_true(time_index_last(&f->index, &last));
    assert_int_equal(last.timestamp_ms, 500);
    time_index_truncate(&f->index, 0);
    assert_false(time_index_last(&f->index, &last));
}

static void an_index_that_goes_back_or_beyond_the_segment_is_corrupt(void **state)
{
    struct fixture *f = *state;
    struct time_index reopened;
    assert_int_equal(time_index_init(&reopened, BASE, f->bytes, 3, CAPACITY, 1051), 0);
    assert_int_equal(time_index_init(&reopened, BASE, f->bytes, 3, CAPACITY, 1050), MILL_ECORRUPT);
    memset(f->bytes + 2 * TIME_INDEX_ENTRY_BYTES, 0, TIME_INDEX_ENTRY_BYTES);
    assert_int_equal(time_index_init(&reopened, BASE, f->bytes, 3, CAPACITY, NEXT_OFFSET), MILL_ECORRUPT);
}

static void a_full_index_says_so(void **state)
{
    struct fixture *f = *state;
    for (size_t i = f->index.count; i < CAPACITY; i++)
        assert_true(time_index_append(&f->index, 1000 + (int64_t)i, 1060 + (int64_t)i));
    assert_false(time_index_append(&f->index, 2000, 1090));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lookup_lands_on_the_last_entry_at_or_before_the_timestamp, set_up),
        cmocka_unit_test_setup(a_timestamp_that_is_not_larger_adds_nothing, set_up),
        cmocka_unit_test_setup(entries_are_kafkas_bytes, set_up),
        cmocka_unit_test_setup(truncating_at_an_entry_drops_it_and_all_after, set_up),
        cmocka_unit_test_setup(an_index_that_goes_back_or_beyond_the_segment_is_corrupt, set_up),
        cmocka_unit_test_setup(a_full_index_says_so, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
