#include "log/epoch_cache.h"

#include "support/cmocka_all.h"

static struct epoch_cache cache;

static void note(int32_t epoch, int64_t start)
{
    assert_int_equal(epoch_cache_reserve(&cache), 0);
    epoch_cache_note(&cache, epoch, start);
}

/* Epochs 0, 3 and 5 that begin at 0, 20 and 30. */
static int set_up(void **state)
{
    epoch_cache_init(&cache);
    note(0, 0);
    note(0, 10);
    note(3, 20);
    note(5, 30);
    return 0;
}

static int tear_down(void **state)
{
    epoch_cache_release(&cache);
    return 0;
}

static void an_offset_has_the_epoch_that_began_before_it(void **state)
{
    int64_t until;
    assert_int_equal(epoch_cache_at(&cache, 19, &until), 0);
    assert_int_equal(until, 20);
    assert_int_equal(epoch_cache_at(&cache, 20, &until), 3);
    assert_int_equal(until, 30);
    assert_int_equal(epoch_cache_at(&cache, 1000, &until), 5);
    assert_int_equal(until, INT64_MAX);
}

static void an_epoch_ends_where_the_next_begins(void **state)
{
    int32_t epoch;
    int64_t end;
    assert_true(epoch_cache_end(&cache, 0, 40, &epoch, &end));
    assert_int_equal(end, 20);
    assert_true(epoch_cache_end(&cache, 4, 40, &epoch, &end));
    assert_int_equal(epoch, 3);
    assert_int_equal(end, 30);
    assert_true(epoch_cache_end(&cache, 5, 40, &epoch, &end));
    assert_int_equal(end, 40);
    assert_false(epoch_cache_end(&cache, -1, 40, &epoch, &end));
    assert_int_equal(end, -1);
}

static void an_entry_above_the_leaders_epoch_is_not_true(void **state)
{
    note(4, 35);
    assert_int_equal(epoch_cache_latest(&cache), 4);
    int64_t until;
    assert_int_equal(epoch_cache_at(&cache, 32, &until), 3);
}

static void cutting_the_end_drops_epochs_that_begin_behind_it(void **state)
{
    epoch_cache_truncate_end(&cache, 30);
    assert_int_equal(epoch_cache_latest(&cache), 3);
    epoch_cache_truncate_end(&cache, 0);
    assert_int_equal(epoch_cache_latest(&cache), -1);
}

static void cutting_the_front_keeps_the_epoch_that_reaches_over(void **state)
{
    epoch_cache_truncate_start(&cache, 25);
    assert_int_equal(cache.count, 2);
    assert_int_equal(cache.entries[0].epoch, 3);
    assert_int_equal(cache.entries[0].start_offset, 25);
}

static void the_file_is_kafkas(void **state)
{
    struct buffer text;
    buffer_init(&text, 1000);
    epoch_cache_encode(&cache, &text);
    const char expected[] = "0\n3\n0 0\n3 20\n5 30\n";
    assert_int_equal(text.len, sizeof expected - 1);
    assert_memory_equal(text.data, expected, text.len);

    struct epoch_cache again;
    epoch_cache_init(&again);
    assert_int_equal(epoch_cache_decode(&again, buffer_bytes(&text)), 0);
    assert_int_equal(again.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(again.entries[i].epoch, cache.entries[i].epoch);
        assert_int_equal(again.entries[i].start_offset, cache.entries[i].start_offset);
    }
    epoch_cache_release(&again);
    buffer_release(&text);
}

static void a_file_that_is_not_whole_is_refused(void **state)
{
    static const char *const bad[] = { "",
                                       "1\n0\n",
                                       "0\n",
                                       "0\n2\n0 0\n",
                                       "0\n1\n0 0\n1 5\n",
                                       "0\n1\n0\n",
                                       "0\n1\n0 x\n",
                                       "0\n2\n0 0\n0 5\n",
                                       "0\n2\n0 5\n1 5\n",
                                       "0\n1\n0 0 0\n",
                                       "0\n-1\n",
                                       "0\n9999999999\n" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct epoch_cache again;
        epoch_cache_init(&again);
        assert_int_equal(epoch_cache_decode(&again, mill_string(bad[i])), MILL_ECORRUPT);
        assert_int_equal(again.count, 0);
        epoch_cache_release(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_offset_has_the_epoch_that_began_before_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_epoch_ends_where_the_next_begins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_entry_above_the_leaders_epoch_is_not_true, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cutting_the_end_drops_epochs_that_begin_behind_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cutting_the_front_keeps_the_epoch_that_reaches_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_file_is_kafkas, set_up, tear_down),
        cmocka_unit_test(a_file_that_is_not_whole_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
