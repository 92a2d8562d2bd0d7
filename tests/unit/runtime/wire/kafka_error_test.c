#include "support/cmocka_all.h"

#include "millstream/error.h"
#include "wire/kafka_error.h"

static void codes_have_kafkas_names_and_say_whether_to_retry(void **state)
{
    assert_string_equal(kafka_error_name(KAFKA_NOT_COORDINATOR), "NOT_COORDINATOR");
    assert_int_equal(KAFKA_NOT_COORDINATOR, 16);
    assert_true(kafka_error_retriable(KAFKA_NOT_COORDINATOR));
    assert_false(kafka_error_retriable(KAFKA_UNKNOWN_MEMBER_ID));
    assert_string_equal(kafka_error_name(-1), "UNKNOWN_SERVER_ERROR");
}

static void a_code_newer_than_the_list_is_an_unknown_one_that_is_not_retried(void **state)
{
    assert_string_equal(kafka_error_name(31000), "UNKNOWN_ERROR_CODE");
    assert_false(kafka_error_retriable(31000));
    assert_int_equal(kafka_error_to_mill(31000), MILL_EBROKER);
}

static void success_is_success_on_both_sides(void **state)
{
    assert_int_equal(kafka_error_to_mill(KAFKA_NONE), MILL_OK);
    assert_int_equal(kafka_error_from_mill(MILL_OK), KAFKA_NONE);
}

static void failures_never_become_success(void **state)
{
    for (int16_t code = 1; code <= KAFKA_SHARE_SESSION_LIMIT_REACHED; code++)
        assert_true(kafka_error_to_mill(code) < 0);
#define NEVER_NONE(name, value, text) assert_int_not_equal(kafka_error_from_mill(name), KAFKA_NONE);
    MILL_ERRORS(NEVER_NONE)
#undef NEVER_NONE
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_kafkas_names_and_say_whether_to_retry),
        cmocka_unit_test(a_code_newer_than_the_list_is_an_unknown_one_that_is_not_retried),
        cmocka_unit_test(success_is_success_on_both_sides),
        cmocka_unit_test(failures_never_become_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
