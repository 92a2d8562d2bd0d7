/* The enrich example: flights joined with airports, delays per state and hour, late flights. */
#include "support/cmocka_all.h"

#include "unit/examples/example_driver.h"

#include "enrich/main.c"
#undef main

static int set_up(void **state)
{
    char *arguments[] = { "enrich", "--grace", "60", NULL };
    int code = example_main(3, arguments);
    example_pipe_keyed("airports", "DTW", "DTW,Detroit,\"Detroit, downtown\",MI,USA,42,-83");
    example_pipe_keyed("airports", "LAS", "LAS,McCarran International,Las Vegas,NV,USA,36,-115");
    example_pipe_keyed("airports", "NIL", "NIL,without a state");
    return code;
}

static void flight(const char *clock, int delay, const char *from)
{
    char text[160];
    snprintf(text, sizeof text,
             "{\"date\":\"1970/01/01 %s\",\"delay\":%d,\"distance\":1750,\"origin\":\"%s\",\"destination\":\"SFO\"}", clock,
             delay, from);
    example_pipe("flights", text);
}

static void flights_are_joined_with_the_airport_that_they_left(void **state)
{
    flight("10:05", 66, "DTW");
    flight("10:06", -5, "LAS");
    assert_string_equal(example_read_text("enriched-flights", 0), "DTW=MI,66 LAS=NV,-5 ");
}

static void delays_are_summed_by_state_and_hour(void **state)
{
    flight("10:05", 66, "DTW");
    flight("10:59", -5, "DTW");
    flight("11:00", 2, "DTW");
    assert_string_equal(example_read_text("delays", MILL_HOURS(1)), "MI@10=1,66,66 MI@10=2,61,66 MI@11=1,2,2 ");
}

static void a_flight_that_comes_when_its_hour_is_closed_is_late(void **state)
{
    flight("12:00", 1, "DTW");
    flight("10:59", 7, "LAS");
    flight("11:00", 8, "DTW");
    assert_string_equal(example_read_text("late-flights", 0), "NV=NV,7 ");
    assert_string_equal(example_read_text("delays", MILL_HOURS(1)), "MI@12=1,1,1 MI@11=1,8,8 ");
}

static void flights_of_unknown_airports_are_left_out_and_malformed_ones_are_counted(void **state)
{
    flight("10:05", 66, "ZZZ");
    flight("10:05", 66, "NIL");
    flight("25:05", 66, "DTW");
    example_pipe("flights", "[");
    example_pipe("flights", NULL);
    assert_string_equal(example_read_text("enriched-flights", 0), "");
    assert_int_equal(mill_test_driver_dropped(example.driver, "malformed"), 3);
}

static void a_number_has_a_sign_and_at_most_fifteen_digits(void **state)
{
    int64_t number;
    assert_true(number_parse(mill_string("-120"), &number));
    assert_int_equal(number, -120);
    assert_true(number_parse(mill_string("999999999999999"), &number));
    assert_false(number_parse(mill_string("1000000000000000"), &number));
    assert_false(number_parse(mill_string("-"), &number));
    assert_false(number_parse(mill_string("1x"), &number));
    assert_false(number_parse(mill_null(), &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(flights_are_joined_with_the_airport_that_they_left, set_up, example_end),
        cmocka_unit_test_setup_teardown(delays_are_summed_by_state_and_hour, set_up, example_end),
        cmocka_unit_test_setup_teardown(a_flight_that_comes_when_its_hour_is_closed_is_late, set_up, example_end),
        cmocka_unit_test_setup_teardown(flights_of_unknown_airports_are_left_out_and_malformed_ones_are_counted, set_up,
                                        example_end),
        cmocka_unit_test(a_number_has_a_sign_and_at_most_fifteen_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
