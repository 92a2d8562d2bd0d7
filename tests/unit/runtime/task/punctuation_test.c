/* Punctuators by themselves: their grids, up to the last time that there is. */
#include "support/cmocka_all.h"

#include "task/punctuation.h"

struct fixture {
    struct punctuation punctuation;
    int64_t fired_ms;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .fired_ms = -1 };
    punctuation_init(&f.punctuation);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    punctuation_release(&((struct fixture *)*state)->punctuation);
    return 0;
}

static int note(void *ctx, mill_punctuator *punctuator, int64_t time_ms)
{
    ((struct fixture *)ctx)->fired_ms = time_ms;
    return 0;
}

static mill_punctuator *schedule(struct fixture *f, int64_t interval_ms, mill_punctuation type, int64_t now_ms)
{
    mill_punctuator *punctuator = punctuation_schedule(&f->punctuation, NULL, interval_ms, type, now_ms, NULL);
    assert_non_null(punctuator);
    return punctuator;
}

static void missed_slots_fire_once(void **state)
{
    struct fixture *f = *state;
    schedule(f, 10, MILL_PUNCTUATE_WALL_CLOCK, 3);
    assert_int_equal(f->punctuation.next_wall_ms, 13);
    assert_int_equal(punctuation_fire(&f->punctuation, MILL_PUNCTUATE_WALL_CLOCK, 12, note, f), 0);
    assert_int_equal(punctuation_fire(&f->punctuation, MILL_PUNCTUATE_WALL_CLOCK, 45, note, f), 1);
    assert_int_equal(f->fired_ms, 45);
    assert_int_equal(f->punctuation.next_wall_ms, 53);
}

static void an_endless_interval_never_fires(void **state)
{
    struct fixture *f = *state;
    schedule(f, INT64_MAX, MILL_PUNCTUATE_WALL_CLOCK, 1700000000000);
    assert_int_equal(punctuation_fire(&f->punctuation, MILL_PUNCTUATE_WALL_CLOCK, 1700000000000, note, f), 0);
    assert_int_equal(f->punctuation.next_wall_ms, INT64_MAX);
}

static void the_last_time_there_is_fires_once(void **state)
{
    struct fixture *f = *state;
    schedule(f, 1000, MILL_PUNCTUATE_STREAM_TIME, 0);
    assert_int_equal(punctuation_fire(&f->punctuation, MILL_PUNCTUATE_STREAM_TIME, INT64_MAX, note, f), 1);
    assert_int_equal(punctuation_fire(&f->punctuation, MILL_PUNCTUATE_STREAM_TIME, INT64_MAX, note, f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missed_slots_fire_once),
        TEST(an_endless_interval_never_fires),
        TEST(the_last_time_there_is_fires_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
