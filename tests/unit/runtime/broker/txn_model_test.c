/*
 * Random histories of transactional producers while the broker is restarted, killed and loses its power: readers with
 * read_committed see exactly what was committed, each record once, in order, and the group's offset is the one of its last
 * committed transaction.
 *
 * Producers write, commit, abort, are fenced by a namesake, or leave a transaction open until its time is over; both protocols
 * take part. When an answer is lost with the broker, the producer does as clients do: it inits again, which ends what was under
 * way, and then asks what became of the end that it had sent. The judge is a list of what each producer knows to be committed; it
 * first rejects planted faults.
 */
#include "txn_rig.h"

#include "base/prng.h"

enum { PRODUCERS = 4, PARTITIONS = 2, STEPS = 60, SEEDS = 6, WRITES_MAX = 4096 };

/* What a cut leaves with the workers is never given back, by design of a crash. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

enum fate { FATE_OPEN, FATE_COMMITTED, FATE_ABORTED, FATE_UNKNOWN /* the answer to its commit was lost */ };

struct write {
    int producer;
    int32_t partition;
    int64_t offset; /* as it was acknowledged */
    int txn;        /* number of its transaction */
};

struct txn_record {
    enum fate fate;
    int64_t group_offset; /* -1: it commits none */
};

struct history {
    struct rig rig;
    struct prng prng;
    struct txn_client clients[PRODUCERS];
    int open[PRODUCERS]; /* the number of its open transaction, -1: none */
    char ids[PRODUCERS][32];
    struct write writes[WRITES_MAX];
    int write_count;
    struct txn_record txns[WRITES_MAX];
    int txn_count;
    int64_t next_group_offset;
    int committed_order[WRITES_MAX]; /* transactions with group offsets, as they were committed */
    int committed_count;
};

static const char *group_of(struct history *h, int producer)
{
    return h->ids[producer]; /* each has a group of its own: offsets of two would race */
}

/* ---- what the producers do ------------------------------------------------------------------------------------------------- */

static void init_producer(struct history *h, int producer)
{
    int16_t error;
    do {
        error = txn_init_with(&h->rig, &h->clients[producer], 20000, false);
        if (error == KAFKA_COORDINATOR_LOAD_IN_PROGRESS)
            rig_pass(&h->rig, SECOND_US / 10);
    } while (error == KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
    assert_int_equal(error, KAFKA_NONE);
    if (h->open[producer] >= 0 && h->txns[h->open[producer]].fate == FATE_OPEN)
        h->txns[h->open[producer]].fate = FATE_ABORTED;
    h->open[producer] = -1;
}

static int open_txn(struct history *h, int producer)
{
    if (h->open[producer] < 0) {
        assert_true(h->txn_count < WRITES_MAX);
        h->open[producer] = h->txn_count;
        h->txns[h->txn_count++] = (struct txn_record){ FATE_OPEN, -1 };
    }
    return h->open[producer];
}

static bool is_over(int16_t error)
{
    return error == KAFKA_INVALID_PRODUCER_EPOCH || error == KAFKA_PRODUCER_FENCED || error == KAFKA_TRANSACTION_ABORTABLE ||
           error == KAFKA_INVALID_TXN_STATE;
}

static void write_one(struct history *h, int producer)
{
    struct txn_client *client = &h->clients[producer];
    struct ask ask;
    char value[32];
    int32_t partition = (int32_t)prng_below(&h->prng, PARTITIONS);
    int txn = open_txn(h, producer);
    snprintf(value, sizeof value, "%d", h->write_count);
    int16_t error = client->version < 2 ? txn_add(&h->rig, client, "events", partition) : KAFKA_NONE;
    if (error == KAFKA_NONE) {
        ask_txn_produce(&h->rig, &ask, client, "events", partition, value);
        rig_ask(&h->rig, &ask);
        error = produced(&ask)->error_code;
        if (error == KAFKA_NONE) {
            client->sequences[partition]++;
            h->writes[h->write_count++] = (struct write){ producer, partition, produced(&ask)->base_offset, txn };
        }
        ask_end(&ask);
    }
    if (is_over(error)) /* its time was over */
        init_producer(h, producer);
    else
        assert_int_equal(error, KAFKA_NONE);
}

static void commit_offset(struct history *h, int producer)
{
    struct txn_client *client = &h->clients[producer];
    int txn = open_txn(h, producer);
    int64_t offset = h->next_group_offset++ * PRODUCERS + producer;
    int16_t error = client->version < 2 ? txn_add_offsets(&h->rig, client, group_of(h, producer)) : KAFKA_NONE;
    if (error == KAFKA_NONE)
        error = txn_commit_offset(&h->rig, client, group_of(h, producer), "events", offset, -1);
    if (error == KAFKA_NONE)
        h->txns[txn].group_offset = offset;
    else if (is_over(error))
        init_producer(h, producer);
    else
        assert_int_equal(error, KAFKA_NONE);
}

static void end_txn(struct history *h, int producer, bool commit)
{
    int txn = h->open[producer];
    if (txn < 0)
        return;
    int16_t error = txn_end(&h->rig, &h->clients[producer], commit);
    if (is_over(error)) {
        init_producer(h, producer);
        return;
    }
    assert_int_equal(error, KAFKA_NONE);
    h->txns[txn].fate = commit ? FATE_COMMITTED : FATE_ABORTED;
    if (commit && h->txns[txn].group_offset >= 0)
        h->committed_order[h->committed_count++] = txn;
    h->open[producer] = -1;
}

/* ---- and what happens to the broker ---------------------------------------------------------------------------------------- */

/* Requests in flight are lost with it; the producers init again as soon as it is back. */
static void crash(struct history *h, bool power_cut)
{
    int producer = (int)prng_below(&h->prng, PRODUCERS);
    int txn = h->open[producer];
    struct ask ask = { 0 };
    bool ends = txn >= 0 && prng_below(&h->prng, 2) == 0;
    if (ends) { /* in the middle of the end of a transaction */
        ask_end_txn(&ask, &h->clients[producer], true);
        rig_send(&h->rig, &ask);
        int64_t wait_us = (int64_t)prng_below(&h->prng, 4000);
        rig_pass(&h->rig, wait_us);
        if (ask.answered) {
            int16_t error = end_answer(&ask, &h->clients[producer]);
            ends = false;
            if (error == KAFKA_NONE) {
                h->txns[txn].fate = FATE_COMMITTED;
                if (h->txns[txn].group_offset >= 0)
                    h->committed_order[h->committed_count++] = txn;
                h->open[producer] = -1;
            } else {
                assert_true(is_over(error));
            }
        }
    }
    h->rig.seed++; /* of the cut */
    rig_crash(&h->rig, power_cut);
    if (ends) {
        h->txns[txn].fate = FATE_UNKNOWN;
        h->open[producer] = -1;
    }
    for (int i = 0; i < PRODUCERS; i++)
        init_producer(h, i);
}

static void step(struct history *h)
{
    int producer = (int)prng_below(&h->prng, PRODUCERS);
    uint64_t dice = prng_below(&h->prng, 100);
    if (dice < 45)
        write_one(h, producer);
    else if (dice < 55)
        commit_offset(h, producer);
    else if (dice < 75)
        end_txn(h, producer, true);
    else if (dice < 85)
        end_txn(h, producer, false);
    else if (dice < 90)
        init_producer(h, producer);
    else if (dice < 92)
        rig_pass(&h->rig, (int64_t)prng_below(&h->prng, 40) * SECOND_US);
    else if (dice < 94)
        rig_restart(&h->rig);
    else
        crash(h, prng_below(&h->prng, 2) == 0);
    if (dice >= 92 && dice < 94)
        rig_pass(&h->rig, 2 * SECOND_US);
}

/* ---- the judge ------------------------------------------------------------------------------------------------------------- */

/* Which transactions of unknown fate are seen: all of their records must be, or none. */
static const char *settle_unknown(struct history *h, const bool *seen)
{
    for (int txn = 0; txn < h->txn_count; txn++) {
        int there = 0;
        int all = 0;
        if (h->txns[txn].fate != FATE_UNKNOWN)
            continue;
        for (int i = 0; i < h->write_count; i++)
            if (h->writes[i].txn == txn) {
                all++;
                there += seen[i];
            }
        if (there != 0 && there != all)
            return "half of a transaction is seen";
        h->txns[txn].fate = all > 0 && there == all ? FATE_COMMITTED : all > 0 ? FATE_ABORTED : FATE_UNKNOWN;
    }
    return NULL;
}

static const char *read_seen(struct history *h, bool *seen)
{
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        int64_t last_offset = -1;
        const char *values = read_all(&h->rig, "events", partition, true);
        for (char *end; *values; values = end + 1) {
            long at = strtol(values, &end, 10);
            if (at < 0 || at >= h->write_count || h->writes[at].partition != partition)
                return "what is seen was not written there";
            if (seen[at])
                return "a record is seen twice";
            if (h->writes[at].offset <= last_offset)
                return "records are seen out of order";
            last_offset = h->writes[at].offset;
            seen[at] = true;
        }
    }
    return NULL;
}

static const char *judge(struct history *h)
{
    static bool seen[WRITES_MAX];
    memset(seen, 0, sizeof seen);
    const char *wrong = read_seen(h, seen);
    if (!wrong)
        wrong = settle_unknown(h, seen);
    for (int i = 0; i < h->write_count && !wrong; i++) {
        enum fate fate = h->txns[h->writes[i].txn].fate;
        if (fate == FATE_COMMITTED && !seen[i])
            wrong = "a committed record is not seen";
        if ((fate == FATE_ABORTED || fate == FATE_OPEN) && seen[i])
            wrong = "a record is seen that was not committed";
    }
    return wrong;
}

/* The last committed offset of each group, unless a transaction of unknown fate came later. */
static const char *judge_offsets(struct history *h)
{
    for (int producer = 0; producer < PRODUCERS; producer++) {
        int64_t known = -1;
        int64_t perhaps = -1;
        for (int txn = 0; txn < h->txn_count; txn++) {
            bool is_its = false;
            for (int i = 0; i < h->committed_count; i++)
                is_its |= h->committed_order[i] == txn;
            if (h->txns[txn].group_offset < 0)
                continue;
            if (is_its && h->txns[txn].group_offset % PRODUCERS == producer)
                known = h->txns[txn].group_offset;
            else if (h->txns[txn].group_offset % PRODUCERS == producer && h->txns[txn].fate != FATE_ABORTED)
                perhaps = h->txns[txn].group_offset;
        }
        int64_t offset = committed_offset(&h->rig, group_of(h, producer), "events", true);
        if (offset < known || (offset != known && offset > perhaps))
            return "a group is elsewhere than its last commit";
    }
    return NULL;
}

static void begin(struct history *h, uint64_t seed)
{
    const char *const pairs[] = { "log.segment.bytes=4000",           "transaction.state.log.segment.bytes=2000",
                                  "offsets.topic.segment.bytes=2000", "transaction.state.log.num.partitions=3",
                                  "offsets.topic.num.partitions=3",   NULL };
    memset(h, 0, sizeof *h);
    rig_open(&h->rig, pairs);
    prng_init(&h->prng, seed);
    assert_int_equal(rig_create_topic(&h->rig, "events", PARTITIONS, NULL, NULL), KAFKA_NONE);
    for (int i = 0; i < PRODUCERS; i++) {
        snprintf(h->ids[i], sizeof h->ids[i], "producer-%d", i);
        h->clients[i] = (struct txn_client){ .id = h->ids[i], .version = i % 2 ? 2 : 0 };
        h->open[i] = -1;
        init_producer(h, i);
    }
}

static void run(struct history *h, uint64_t seed)
{
    begin(h, seed);
    for (int i = 0; i < STEPS; i++)
        step(h);
    for (int i = 0; i < PRODUCERS; i++)
        init_producer(h, i);
    const char *wrong = judge(h);
    if (!wrong)
        wrong = judge_offsets(h);
    if (wrong)
        fail_msg("seed %llu: %s", (unsigned long long)seed, wrong);
}

static void readers_see_what_was_committed_and_nothing_else(void **state)
{
    static struct history h;
    int64_t writes = 0;
    int64_t committed = 0;
    uint64_t first = test_seed(1);
    for (int i = 0; i < test_rounds(SEEDS); i++) {
        run(&h, first + (uint64_t)i);
        writes += h.write_count;
        for (int txn = 0; txn < h.txn_count; txn++)
            committed += h.txns[txn].fate == FATE_COMMITTED;
        rig_close(&h.rig);
    }
    print_message("%lld records, %lld transactions committed\n", (long long)writes, (long long)committed);
    assert_true(committed > 0);
}

static void the_judge_rejects_planted_faults(void **state)
{
    static struct history h;
    begin(&h, 7);
    for (int i = 0; i < 8; i++)
        write_one(&h, i % PRODUCERS);
    for (int i = 0; i < PRODUCERS; i++)
        end_txn(&h, i, i % 2 == 0);
    assert_null(judge(&h));
    int committed = h.writes[0].txn;
    h.txns[committed].fate = FATE_ABORTED;
    assert_string_equal(judge(&h), "a record is seen that was not committed");
    h.txns[committed].fate = FATE_COMMITTED;
    int aborted = h.writes[1].txn;
    h.txns[aborted].fate = FATE_COMMITTED;
    assert_string_equal(judge(&h), "a committed record is not seen");
    h.txns[aborted].fate = FATE_ABORTED;
    h.writes[1].txn = committed; /* as if a transaction had two halves */
    h.txns[committed].fate = FATE_UNKNOWN;
    assert_string_equal(judge(&h), "half of a transaction is seen");
    rig_close(&h.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_judge_rejects_planted_faults),
        cmocka_unit_test(readers_see_what_was_committed_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
