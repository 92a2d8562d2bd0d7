/* Which change follows on which request: above all what only years of transactions bring, the end of the epochs. */
#include "support/cmocka_all.h"

#include "broker/txn/transaction.h"

static const struct io_time now = { .wall_ms = 1000 };
static const struct txn_target target = { { (const uint8_t *)"events", 6 }, 0 };

static struct transaction *txn_in(enum txn_status status, int16_t epoch, int16_t version)
{
    struct transaction *txn = transaction_new(mill_string("t"), 0, 7, now);
    assert_non_null(txn);
    txn->values.status = status;
    txn->values.epoch = epoch;
    txn->values.version = version;
    if (status == TXN_ONGOING)
        assert_int_equal(txn_partitions_add(&txn->values.partitions, target.topic, target.partition), 0);
    return txn;
}

static void take(struct transaction *txn, struct txn_values *next)
{
    txn_values_release(&txn->values);
    txn->values = *next;
}

static void a_producer_at_its_last_epoch_gets_a_new_id(void **state)
{
    struct txn_values next;
    struct transaction *txn = txn_in(TXN_COMPLETE_COMMIT, TXN_EPOCH_LAST, 0);
    struct producer_identity nobody = { -1, -1 };
    assert_true(txn_needs_fresh_id(txn, nobody));
    assert_int_equal(txn_plan_init(txn, nobody, 1000, 8, now, &next), KAFKA_NONE);
    assert_int_equal(next.producer_id, 8);
    assert_int_equal(next.epoch, 0);
    take(txn, &next);
    /* The one that names itself by what was before repeats itself. */
    struct producer_identity before = { 7, TXN_EPOCH_LAST };
    assert_int_equal(txn_check_init(txn, before), KAFKA_NONE);
    assert_int_equal(txn_check_init(txn, (struct producer_identity){ 7, 3 }), KAFKA_PRODUCER_FENCED);
    transaction_free(txn);
}

static void the_last_epoch_ends_with_a_new_id_in_the_newer_protocol(void **state)
{
    struct txn_values next;
    struct transaction *txn = txn_in(TXN_ONGOING, TXN_EPOCH_LAST, 2);
    struct producer_identity producer = { 7, TXN_EPOCH_LAST };
    assert_true(txn_end_needs_fresh_id(txn, producer, 2));
    assert_int_equal(txn_plan_end(txn, producer, true, 2, 8, now, &next), KAFKA_NONE);
    assert_int_equal(next.producer_id, 7); /* the markers are its own */
    assert_int_equal(next.epoch, INT16_MAX);
    assert_int_equal(next.next_producer_id, 8);
    take(txn, &next);
    assert_int_equal(txn_plan_complete(txn, now, &next), KAFKA_NONE);
    assert_int_equal(next.producer_id, 8);
    assert_int_equal(next.epoch, 0);
    take(txn, &next);
    assert_int_equal(txn_plan_end(txn, producer, true, 2, -1, now, &next), KAFKA_NONE);
    assert_int_equal(next.status, TXN_DEAD); /* repeated, and answered as before */
    transaction_free(txn);
}

static void a_fence_stops_at_the_very_last_epoch(void **state)
{
    struct txn_values next;
    for (int16_t epoch = TXN_EPOCH_LAST - 2; epoch < INT16_MAX; epoch++)
        for (int16_t version = 0; version <= 2; version = (int16_t)(version + 2)) {
            struct transaction *txn = txn_in(TXN_ONGOING, epoch, version);
            assert_int_equal(txn_plan_fence(txn, now, &next), KAFKA_NONE);
            assert_true(next.epoch > epoch);
            take(txn, &next);
            assert_int_equal(txn_plan_complete(txn, now, &next), KAFKA_NONE);
            take(txn, &next);
            struct producer_identity fenced = { 7, epoch };
            assert_int_equal(txn_plan_end(txn, fenced, false, version, -1, now, &next), KAFKA_PRODUCER_FENCED);
            transaction_free(txn);
        }
}

static void partitions_join_once(void **state)
{
    struct txn_values next;
    struct transaction *txn = txn_in(TXN_EMPTY, 0, 0);
    struct producer_identity producer = { 7, 0 };
    assert_int_equal(txn_plan_add(txn, producer, &target, 1, 0, now, &next), KAFKA_NONE);
    assert_int_equal(next.status, TXN_ONGOING);
    assert_int_equal(next.start_ms, now.wall_ms);
    take(txn, &next);
    assert_int_equal(txn_plan_add(txn, producer, &target, 1, 0, now, &next), KAFKA_NONE);
    assert_int_equal(next.status, TXN_DEAD);
    assert_int_equal(txn_verify(txn, producer, target.topic, 0), KAFKA_NONE);
    assert_int_equal(txn_verify(txn, producer, target.topic, 1), KAFKA_TRANSACTION_ABORTABLE);
    assert_int_equal(txn_verify(txn, (struct producer_identity){ 7, 1 }, target.topic, 0), KAFKA_PRODUCER_FENCED);
    transaction_free(txn);
}

static void an_end_is_judged_by_what_is_under_way(void **state)
{
    struct txn_values next;
    struct producer_identity producer = { 7, 3 };
    static const struct {
        enum txn_status status;
        int16_t version;
        bool commit;
        int16_t error;
        enum txn_status next;
    } cases[] = {
        { TXN_EMPTY, 0, true, KAFKA_INVALID_TXN_STATE, 0 },
        { TXN_EMPTY, 0, false, KAFKA_INVALID_TXN_STATE, 0 },
        { TXN_EMPTY, 2, true, KAFKA_INVALID_TXN_STATE, 0 },
        { TXN_EMPTY, 2, false, KAFKA_NONE, TXN_PREPARE_ABORT },
        { TXN_ONGOING, 0, true, KAFKA_NONE, TXN_PREPARE_COMMIT },
        { TXN_ONGOING, 0, false, KAFKA_NONE, TXN_PREPARE_ABORT },
        { TXN_ONGOING, 2, true, KAFKA_NONE, TXN_PREPARE_COMMIT },
        { TXN_COMPLETE_COMMIT, 0, true, KAFKA_NONE, TXN_DEAD },
        { TXN_COMPLETE_COMMIT, 0, false, KAFKA_INVALID_TXN_STATE, 0 },
        { TXN_COMPLETE_ABORT, 0, false, KAFKA_NONE, TXN_DEAD },
        { TXN_COMPLETE_ABORT, 0, true, KAFKA_INVALID_TXN_STATE, 0 },
        { TXN_COMPLETE_ABORT, 2, true, KAFKA_INVALID_TXN_STATE, 0 },
        { TXN_COMPLETE_COMMIT, 2, false, KAFKA_NONE, TXN_PREPARE_ABORT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transaction *txn = txn_in(cases[i].status, 3, cases[i].version);
        int16_t error = txn_plan_end(txn, producer, cases[i].commit, cases[i].version, -1, now, &next);
        if (error != cases[i].error || (error == KAFKA_NONE && next.status != cases[i].next))
            fail_msg("case %zu: error %d, status %d", i, error, next.status);
        txn_values_release(&next);
        transaction_free(txn);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_producer_at_its_last_epoch_gets_a_new_id),
        cmocka_unit_test(the_last_epoch_ends_with_a_new_id_in_the_newer_protocol),
        cmocka_unit_test(a_fence_stops_at_the_very_last_epoch),
        cmocka_unit_test(partitions_join_once),
        cmocka_unit_test(an_end_is_judged_by_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
