#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "support/cmocka_all.h"

static void every_code_has_a_text_of_its_own(void **state)
{
#define TEXT_IS_ITS_OWN(name, value, text) assert_string_equal(mill_error_text(name), text);
    MILL_ERRORS(TEXT_IS_ITS_OWN)
#undef TEXT_IS_ITS_OWN
    assert_string_equal(mill_error_text(0), "no error");
    assert_string_equal(mill_error_text(-9999), "unknown error");
}

static void context_is_put_before(void **state)
{
    struct error_text error = { "" };
    assert_int_equal(error_set(&error, MILL_EIO, "write of %d bytes", 7), MILL_EIO);
    assert_int_equal(error_prefix(&error, MILL_EIO, "topic %s", "lines"), MILL_EIO);
    assert_string_equal(error.text, "topic lines: write of 7 bytes");
}

static void a_text_may_be_made_from_itself(void **state)
{
    struct error_text error = { "inner" };
    error_set(&error, MILL_EIO, "outer(%s)", error.text);
    assert_string_equal(error.text, "outer(inner)");
}

static void too_long_a_text_is_cut_and_marked(void **state)
{
    struct error_text error;
    error_set(&error, MILL_EIO, "%600s", "x");
    assert_int_equal(strlen(error.text), ERROR_TEXT_BYTES - 1);
    assert_string_equal(error.text + ERROR_TEXT_BYTES - 4, "...");
    error_prefix(&error, MILL_EIO, "%600s", "y");
    assert_string_equal(error.text + ERROR_TEXT_BYTES - 4, "...");
}

static void errno_maps_to_codes(void **state)
{
    assert_int_equal(error_from_errno(0), 0);
    assert_int_equal(error_from_errno(ENOSPC), MILL_EDISKFULL);
    assert_int_equal(error_from_errno(EDQUOT), MILL_EDISKFULL);
    assert_int_equal(error_from_errno(ENOENT), MILL_ENOTFOUND);
    assert_int_equal(error_from_errno(ECONNRESET), MILL_ECONNECTION);
    assert_int_equal(error_from_errno(ECONNREFUSED), MILL_EREFUSED);
    assert_int_equal(error_from_errno(EADDRNOTAVAIL), MILL_EADDRNOTAVAIL);
    assert_int_equal(error_from_errno(EISDIR), MILL_EISDIR);
    assert_int_equal(error_from_errno(EROFS), MILL_EREADONLY);
    assert_int_equal(error_from_errno(EXDEV), MILL_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_text_of_its_own),
        cmocka_unit_test(context_is_put_before),
        cmocka_unit_test(a_text_may_be_made_from_itself),
        cmocka_unit_test(too_long_a_text_is_cut_and_marked),
        cmocka_unit_test(errno_maps_to_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
