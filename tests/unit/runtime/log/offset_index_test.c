#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "log/offset_index.h"
#include "millstream/error.h"

enum { BASE = 1000, CAPACITY = 8 };

struct fixture {
    struct offset_index index;
    uint8_t bytes[CAPACITY * OFFSET_INDEX_ENTRY_BYTES];
};

/* An index with the entries 1000 -> 0, 1010 -> 4096, 1025 -> 8192. */
static int set_up(void **state)
{
    static struct fixture f;
    assert_int_equal(offset_index_init(&f.index, BASE, f.bytes, 0, CAPACITY, 0), 0);
    assert_true(offset_index_append(&f.index, 1000, 0));
    assert_true(offset_index_append(&f.index, 1010, 4096));
    assert_true(offset_index_append(&f.index, 1025, 8192));
    *state = &f;
    return 0;
}

static void lookup_lands_on_the_last_entry_at_or_before_the_offset(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(offset_index_lookup(&f->index, 1009), 0);
    assert_int_equal(offset_index_lookup(&f->index, 1010), 4096);
    assert_int_equal(offset_index_lookup(&f->index, 1024), 4096);
    assert_int_equal(offset_index_lookup(&f->index, INT64_MAX), 8192);
}

static void lookup_before_the_first_entry_scans_from_the_start(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(offset_index_lookup(&f->index, 0), 0);
}

static void truncating_at_an_entry_drops_it_and_all_after(void **state)
{
    struct fixture *f = *state;
    offset_index_truncate(&f->index, 1010);
    assert_int_equal(offset_index_lookup(&f->index, 1030), 0);
}

static void an_index_that_points_beyond_the_log_is_corrupt(void **state)
{
    struct fixture *f = *state;
    struct offset_index reopened;
    assert_int_equal(offset_index_init(&reopened, BASE, f->bytes, 3, CAPACITY, 8192), MILL_ECORRUPT);
    assert_int_equal(offset_index_init(&reopened, BASE, f->bytes, 3, CAPACITY, 8193), 0);
}

static void a_full_index_asks_the_segment_to_roll(void **state)
{
    struct fixture *f = *state;
    for (size_t i = f->index.count; i < CAPACITY; i++)
        assert_true(offset_index_append(&f->index, 1100 + (int64_t)i, 10000 + (uint32_t)i));
    assert_false(offset_index_append(&f->index, 2000, 20000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lookup_lands_on_the_last_entry_at_or_before_the_offset, set_up),
        cmocka_unit_test_setup(lookup_before_the_first_entry_scans_from_the_start, set_up),
        cmocka_unit_test_setup(truncating_at_an_entry_drops_it_and_all_after, set_up),
        cmocka_unit_test_setup(an_index_that_points_beyond_the_log_is_corrupt, set_up),
        cmocka_unit_test_setup(a_full_index_asks_the_segment_to_roll, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
