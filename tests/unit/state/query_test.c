/* Queries for rows, slice by slice, as a stream thread looks at its stores; here the test is the thread. */
#include "unit/state/store_rig.h"

#include "millstream/queries.h"

enum { KEYS = 40000 };

static struct rig rig;
static int looks;

/* In place of the application: one task. */
int mill_app_query(mill_app *app, const char *store, mill_query_look look, void *ctx)
{
    int code = MILL_QUERY_AGAIN;
    while (code == MILL_QUERY_AGAIN) {
        code = look(ctx, 0, rig.store);
        looks++;
    }
    return code < 0 ? code : 0;
}

static mill_rows *ask(mill_order order)
{
    mill_rows *rows;
    mill_query query = mill_query_of("s");
    query.order = order;
    looks = 0;
    assert_int_equal(mill_query_run(NULL, &query, &rows), 0);
    return rows;
}

static mill_bytes key_of(char text[32], int i)
{
    return mill_bytes_of(text, (size_t)sprintf(text, "key-%08d", i));
}

/* Sorting them anew for every thousand of them would be quadratic. */
static void rows_that_wait_for_the_disk_are_sorted_a_few_times_only(void **state)
{
    char key[32];
    mill_row row;
    rig_init(&rig, mill_key_value_store("s"));
    rig_open(&rig);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(mill_key_value_put(rig.store, key_of(key, i * 7919 % KEYS), mill_string("v"), i), 0);
    for (int forward = 0; forward <= 1; forward++) {
        mill_rows *rows = ask(forward ? MILL_FORWARD : MILL_REVERSE);
        assert_int_equal(mill_rows_count(rows), KEYS);
        assert_in_range(looks, 10, 16);
        for (int i = 0; i < KEYS; i++) {
            assert_true(mill_rows_next(rows, &row));
            assert_true(mill_bytes_equal(row.key, key_of(key, forward ? i : KEYS - 1 - i)));
        }
        mill_rows_free(rows);
    }
    rig_commit(&rig);
    assert_int_equal(rig_flush(&rig), 0);
    mill_rows_free(ask(MILL_FORWARD));
    assert_in_range(looks, KEYS / 1000, KEYS / 1000 + 1); /* on disk they lie sorted */
    rig_release(&rig);
}

/* One window of many keys, and sessions of one segment: what was given is walked again, and all of the segment sorted. */
static void rows_of_one_time_come_in_few_looks(void **state)
{
    char key[32];
    for (int sessions = 0; sessions <= 1; sessions++) {
        rig_init(&rig, sessions ? mill_session_store("s", 1000000) : mill_window_store("s", 1000000, 1000));
        rig_open(&rig);
        for (int i = 0; i < KEYS; i++) {
            if (sessions)
                assert_int_equal(mill_session_put(rig.store, key_of(key, i), 1000, 1000, mill_string("v"), i), 1);
            else
                assert_int_equal(mill_window_put(rig.store, key_of(key, i), 1000, mill_string("v"), i), 1);
        }
        mill_rows *rows = ask(MILL_FORWARD);
        assert_int_equal(mill_rows_count(rows), KEYS);
        assert_in_range(looks, 1, 10);
        mill_rows_free(rows);
        rig_release(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_wait_for_the_disk_are_sorted_a_few_times_only),
        cmocka_unit_test(rows_of_one_time_come_in_few_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
