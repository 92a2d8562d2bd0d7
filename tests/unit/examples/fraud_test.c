/* The fraud example: rules, reports of silent cards, lines of another form. */
#include "support/cmocka_all.h"

#include "unit/examples/example_driver.h"

#include "fraud/main.c"
#undef main

static int set_up(void **state)
{
    char *arguments[] = { "fraud", NULL };
    return example_main(1, arguments);
}

static void ordinary_payments_are_cleared(void **state)
{
    example_pipe("payments", "100,c1,1000,NL");
    example_pipe("payments", "200,c1,1000,NL");
    assert_string_equal(example_read_text("payments-cleared", 0), "c1=100,c1,1000,NL c1=200,c1,1000,NL ");
    assert_string_equal(example_read_text("payments-alerts", 0), "");
}

static void the_fourth_payment_within_a_minute_is_too_fast(void **state)
{
    example_pipe("payments", "100,c1,1,NL");
    example_pipe("payments", "110,c1,1,NL");
    example_pipe("payments", "120,c1,1,NL");
    example_pipe("payments", "130,c2,1,NL");
    example_pipe("payments", "159,c1,1,NL");
    example_pipe("payments", "171,c1,1,NL");
    assert_string_equal(example_read_text("payments-alerts", 0), "c1=speed,159,c1,1,NL ");
}

static void another_country_within_the_hour_is_too_far(void **state)
{
    example_pipe("payments", "100,c1,1,NL");
    example_pipe("payments", "3699,c1,1,FR");
    example_pipe("payments", "7300,c1,1,NL");
    assert_string_equal(example_read_text("payments-alerts", 0), "c1=travel,3699,c1,1,FR ");
}

static void a_card_that_is_silent_for_an_hour_is_reported_and_forgotten(void **state)
{
    example_pipe("payments", "100,c1,30,NL");
    example_pipe("payments", "101,c1,12,NL");
    example_pipe("payments", "3000,c2,5,NL");
    example_pipe("payments", "3699,c2,5,NL");
    assert_string_equal(example_read_text("card-reports", 0), "");
    example_pipe("payments", "3780,c2,5,NL");
    assert_string_equal(example_read_text("card-reports", 0), "c1=2,42 ");
    example_pipe("payments", "3790,c1,1,FR"); /* as if it were new */
    assert_string_equal(example_read_text("payments-alerts", 0), "");
}

static void a_line_of_another_form_is_refused_and_the_rest_goes_on(void **state)
{
    example_pipe("payments", "100,c1,1000");
    example_pipe("payments", "100,c1,1000,NL");
    assert_string_equal(example_read_text("payments-cleared", 0), "c1=100,c1,1000,NL ");
    mill_record refused;
    assert_int_equal(mill_test_driver_read(example.driver, "payments-refused", &refused), 1);
    assert_true(mill_bytes_equal(refused.value, mill_string("100,c1,1000")));
    assert_true(mill_bytes_equal(mill_record_header(&refused, "__streams.errors.topic")->value, mill_string("payments")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, example_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ordinary_payments_are_cleared),
        TEST(the_fourth_payment_within_a_minute_is_too_fast),
        TEST(another_country_within_the_hour_is_too_far),
        TEST(a_card_that_is_silent_for_an_hour_is_reported_and_forgotten),
        TEST(a_line_of_another_form_is_refused_and_the_rest_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
