/* The bytes are those that Kafka Streams 4.3.1's TopologyTestDriver wrote for the same records. */
#include "unit/state/store_rig.h"

static mill_bytes text(const char *string)
{
    return mill_bytes_of(string, strlen(string));
}

struct fixture {
    struct rig rig;
    size_t seen;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ 0 };
    rig_init(&f.rig, mill_key_value_store("j-outer-shared-join-store"));
    rig_open(&f.rig);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    rig_release(&((struct fixture *)*state)->rig);
    return 0;
}

static void expect_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    assert_int_equal(len, strlen(hex) / 2);
    for (size_t i = 0; i < len; i++) {
        char both[3];
        snprintf(both, sizeof both, "%02x", bytes[i]);
        assert_memory_equal(both, hex + 2 * i, 2);
    }
}

static void expect_logged(struct fixture *f, const char *key, const char *value, int64_t timestamp_ms)
{
    assert_true(f->seen < f->rig.log_count);
    const struct logged *logged = &f->rig.log[f->seen++];
    expect_hex(logged->key, logged->key_len, key);
    if (value == NULL)
        assert_null(logged->value);
    else
        expect_hex(logged->value, logged->value_len, value);
    assert_int_equal(logged->timestamp_ms, timestamp_ms);
}

static void the_changelog_has_the_bytes_of_kafka_streams(void **state)
{
    struct fixture *f = *state;
    mill_store *store = f->rig.store;
    assert_int_equal(mill_unmatched_add(store, 1, MILL_JOIN_LEFT, text("k"), text("a1")), 0);
    expect_logged(f, "0000000000000001016b", "010000000100000003016131", 1);
    assert_int_equal(mill_unmatched_add(store, 1, MILL_JOIN_LEFT, text("k"), text("a2")), 0);
    expect_logged(f, "0000000000000001016b", "01000000020000000301613100000003016132", 1);
    assert_int_equal(mill_unmatched_remove(store, 1, MILL_JOIN_LEFT, text("k"), 1), 1);
    expect_logged(f, "0000000000000001016b", NULL, 1);
    assert_int_equal(mill_unmatched_add(store, 2, MILL_JOIN_RIGHT, text("m"), text("y")), 0);
    expect_logged(f, "0000000000000002006d", "0100000001000000020079", 2);
    assert_int_equal(mill_unmatched_remove(store, 2, MILL_JOIN_LEFT, text("m"), 30), 0);
    assert_int_equal(f->rig.log_count, f->seen);
}

static void records_wait_by_time_then_right_before_left_then_key(void **state)
{
    struct fixture *f = *state;
    mill_store *store = f->rig.store;
    assert_int_equal(mill_unmatched_add(store, 2, MILL_JOIN_LEFT, text("a"), text("l2")), 0);
    assert_int_equal(mill_unmatched_add(store, 2, MILL_JOIN_RIGHT, text("m"), text("r2")), 0);
    assert_int_equal(mill_unmatched_add(store, 1, MILL_JOIN_LEFT, text("k"), text("l1")), 0);
    assert_int_equal(mill_unmatched_add(store, 1, MILL_JOIN_RIGHT, text("c"), text("")), 0);
    const char *const keys[] = { "c", "k", "m", "a" };
    const char *const values[] = { "", "l1", "r2", "l2" };
    mill_store_iterator *iterator;
    assert_int_equal(mill_key_value_all(store, MILL_FORWARD, &iterator), 0);
    for (size_t i = 0; i < 4; i++) {
        mill_unmatched unmatched;
        mill_bytes value;
        assert_int_equal(mill_unmatched_next(iterator, &unmatched), 1);
        assert_int_equal(unmatched.timestamp_ms, 1 + (int64_t)i / 2);
        assert_int_equal(unmatched.side, i % 2 == 0 ? MILL_JOIN_RIGHT : MILL_JOIN_LEFT);
        assert_true(mill_bytes_equal(unmatched.key, text(keys[i])));
        assert_int_equal(mill_unmatched_value(&unmatched.values, &value), 1);
        assert_true(mill_bytes_equal(value, text(values[i])));
        assert_int_equal(mill_unmatched_value(&unmatched.values, &value), 0);
        assert_int_equal(mill_unmatched_remove(store, unmatched.timestamp_ms, unmatched.side, unmatched.key, 9), 1);
    }
    mill_unmatched unmatched;
    assert_int_equal(mill_unmatched_next(iterator, &unmatched), 0);
    mill_store_iterator_close(iterator);
    assert_int_equal(mill_key_value_all(store, MILL_FORWARD, &iterator), 0);
    assert_int_equal(mill_unmatched_next(iterator, &unmatched), 0);
}

static void what_is_no_list_is_corrupt(void **state)
{
    struct fixture *f = *state;
    uint8_t key[] = { 0, 0, 0, 0, 0, 0, 0, 1, 1, 'k' };
    assert_int_equal(mill_key_value_put(f->rig.store, mill_bytes_of(key, sizeof key), text("1234"), 0), 0);
    assert_int_equal(mill_unmatched_add(f->rig.store, 1, MILL_JOIN_LEFT, text("k"), text("v")), MILL_ECORRUPT);
    mill_bytes values = mill_bytes_of("\0\0\0\5\1ab", 7);
    mill_bytes value;
    assert_int_equal(mill_unmatched_value(&values, &value), MILL_ECORRUPT);
    values = mill_bytes_of("\0\0\0\0\1ab", 7);
    assert_int_equal(mill_unmatched_value(&values, &value), MILL_ECORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_changelog_has_the_bytes_of_kafka_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_wait_by_time_then_right_before_left_then_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_list_is_corrupt, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
