/*
 * Idempotent producers and a committing group, while the power fails again and again.
 *
 * A model of what was acknowledged is the judge: every acknowledged batch is there, once, in its producer's order; a committed
 * offset is never below one that was acknowledged. After a cut each producer sends again what was not acknowledged, with the same
 * sequence numbers, as a client does. Segments are tiny, so that cuts fall into rolls.
 */
#include "broker_rig.h"

#include "base/trace.h"
#include "wire/api/init_producer_id.h"
#include "wire/api/offset_commit.h"
#include "wire/api/offset_fetch.h"

enum { PRODUCERS = 4, PARTITIONS = 2, IN_FLIGHT = 3, CUTS = 25, RECORDS_MAX = 100000, SEEDS = 4 };

/* What a cut leaves with the workers is never given back, by design of a crash. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

struct producer {
    int64_t id;
    int32_t partition;
    int32_t acked;              /* batches 0 to acked - 1 were acknowledged; one record each */
    struct ask asks[IN_FLIGHT]; /* of batches acked, acked + 1, ...; a request of NULL is not sent */
};

struct fixture {
    struct rig rig;
    struct producer producers[PRODUCERS];
    int64_t committed; /* acknowledged */
    int64_t committing;
    struct ask commit;
};

static int64_t take_id(struct rig *rig)
{
    struct ask ask;
    struct init_producer_id_request *request = ask_new(&ask, API_INIT_PRODUCER_ID, 4);
    request->transactional_id = mill_null();
    int64_t id = ((struct init_producer_id_response *)rig_ask(rig, &ask))->producer_id;
    ask_end(&ask);
    return id;
}

static void send_batches(struct fixture *f, struct producer *producer)
{
    for (int32_t i = 0; i < IN_FLIGHT; i++) {
        char value[64];
        struct ask *ask = &producer->asks[i];
        if (ask->request)
            continue;
        snprintf(value, sizeof value, "%d %d", (int)(producer - f->producers), producer->acked + i);
        ask_produce(&f->rig, ask, "events", producer->partition,
                    (struct batch_spec){
                        .value = value, .idempotent = true, .producer_id = producer->id, .sequence = producer->acked + i });
        rig_send(&f->rig, ask);
    }
}

/* All are answered, so none is looked for by its reply any more. */
static void take_acks(struct producer *producer)
{
    for (int32_t i = 0; i < IN_FLIGHT; i++) {
        if (!producer->asks[i].request)
            continue;
        assert_int_equal(produced(&producer->asks[i])->error_code, KAFKA_NONE);
        ask_end(&producer->asks[i]);
        producer->acked++;
    }
}

static bool all_answered(const struct producer *producer)
{
    for (int32_t i = 0; i < IN_FLIGHT; i++)
        if (producer->asks[i].request && !producer->asks[i].answered)
            return false;
    return true;
}

static void send_commit(struct fixture *f)
{
    struct offset_commit_request *request = ask_new(&f->commit, API_OFFSET_COMMIT, 8);
    struct arena *arena = &f->commit.request->arena;
    f->committing++;
    request->group_id = mill_string("readers");
    request->topics.items = offset_commit_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string("events");
    request->topics.items[0].partitions.items = offset_commit_request_partition_array(arena, 1);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items[0].committed_offset = f->committing;
    rig_send(&f->rig, &f->commit);
}

static void take_commit(struct fixture *f)
{
    if (!f->commit.request || !f->commit.answered)
        return;
    struct offset_commit_response *response = f->commit.request->response.body;
    if (response->topics.items[0].partitions.items[0].error_code == KAFKA_NONE)
        f->committed = f->committing;
    else
        assert_int_equal(response->topics.items[0].partitions.items[0].error_code, KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
    ask_end(&f->commit);
}

static void work(struct fixture *f, int steps)
{
    for (int i = 0; i < PRODUCERS; i++)
        if (all_answered(&f->producers[i])) {
            take_acks(&f->producers[i]);
            send_batches(f, &f->producers[i]);
        }
    take_commit(f);
    if (!f->commit.request)
        send_commit(f);
    for (int i = 0; i < steps; i++)
        sim_world_step(f->rig.world);
}

static void cut_power(struct fixture *f)
{
    f->rig.seed += 1000;
    rig_crash(&f->rig, true);
    for (int i = 0; i < PRODUCERS; i++) {
        struct producer *producer = &f->producers[i];
        int32_t acked = 0;
        /* An answer that came counts, also out of order; what has none is sent again. */
        while (acked < IN_FLIGHT && producer->asks[acked].request && producer->asks[acked].answered)
            assert_int_equal(produced(&producer->asks[acked++])->error_code, KAFKA_NONE);
        producer->acked += acked;
        for (int32_t j = 0; j < IN_FLIGHT; j++)
            ask_end(&producer->asks[j]);
    }
    take_commit(f);
    ask_end(&f->commit);
}

static int64_t fetch_committed(struct rig *rig)
{
    int64_t offset = -1;
    for (bool loading = true; loading;) {
        struct ask ask;
        struct offset_fetch_request *request = ask_new(&ask, API_OFFSET_FETCH, 7);
        int32_t partition = 0;
        request->group_id = mill_string("readers");
        request->topics.items = offset_fetch_request_topic_array(&ask.request->arena, 1);
        request->topics.count = 1;
        request->topics.items[0].name = mill_string("events");
        request->topics.items[0].partition_indexes.items = &partition;
        request->topics.items[0].partition_indexes.count = 1;
        struct offset_fetch_response *response = rig_ask(rig, &ask);
        loading = response->error_code == KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
        offset = response->topics.items[0].partitions.items[0].committed_offset;
        ask_end(&ask);
    }
    return offset;
}

/* Reads a partition whole and counts each producer's batches, which must come 0, 1, 2, ... */
static void check_partition(struct fixture *f, int32_t partition)
{
    int32_t next[PRODUCERS] = { 0 };
    struct batch_reader reader;
    batch_reader_init(&reader, 1 << 20);
    int64_t offset = 0;
    for (bool more = true; more;) {
        struct ask ask;
        ask_fetch(&ask, "events", partition, offset, 0, 0);
        rig_ask(&f->rig, &ask);
        assert_int_equal(fetched(&ask)->error_code, KAFKA_NONE);
        struct wire_records *records = &fetched(&ask)->records;
        int64_t before = offset;
        for (int32_t i = 0; i < records->count; i++) {
            mill_bytes region = records->slices[i].bytes;
            mill_bytes batch;
            struct batch_header header;
            while (batch_next(&region, &batch, &header) > 0) {
                struct batch_record record;
                char value[64] = "";
                int producer = -1, number = -1;
                assert_int_equal(batch_reader_open(&reader, batch, true), 0);
                assert_int_equal(header.base_offset, offset);
                assert_int_equal(batch_reader_next(&reader, &record), 1);
                memcpy(value, record.record.value.data, record.record.value.len);
                assert_int_equal(sscanf(value, "%d %d", &producer, &number), 2);
                assert_int_equal(number, next[producer]++);
                offset = batch_next_offset(&header);
            }
        }
        more = offset > before;
        ask_end(&ask);
    }
    for (int i = 0; i < PRODUCERS; i++)
        if (f->producers[i].partition == partition)
            assert_true(next[i] >= f->producers[i].acked);
    batch_reader_release(&reader);
}

static void run_seed(uint64_t seed)
{
    static struct fixture f;
    char text[24];
    f = (struct fixture){ .committed = -1 };
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    setenv("MILLSTREAM_SEED", text, 1);
    printf("seed %s\n", text);
    rig_open(&f.rig, (const char *const[]){ "log.segment.bytes=3000", "offsets.topic.segment.bytes=3000", NULL });
    rig_create_topic(&f.rig, "events", PARTITIONS, NULL, NULL);
    for (int i = 0; i < PRODUCERS; i++)
        f.producers[i] = (struct producer){ .id = take_id(&f.rig), .partition = i % PARTITIONS };
    struct prng *prng = sim_world_prng(f.rig.world);
    for (int cut = 0; cut < CUTS; cut++) {
        int rounds = (int)prng_below(prng, 30);
        for (int i = 0; i < rounds; i++)
            work(&f, (int)prng_below(prng, 40));
        cut_power(&f);
        assert_true(fetch_committed(&f.rig) >= f.committed);
        for (int32_t partition = 0; partition < PARTITIONS; partition++)
            check_partition(&f, partition);
    }
    int32_t acked = 0;
    for (int i = 0; i < PRODUCERS; i++)
        acked += f.producers[i].acked;
    assert_true(acked > 100);
    assert_true(f.committed > 10);
    rig_close(&f.rig);
}

static void nothing_acknowledged_is_lost_or_doubled_by_power_cuts(void **state)
{
    uint64_t first = test_seed(1);
    for (uint64_t seed = first; seed < first + (uint64_t)test_rounds(SEEDS); seed++)
        run_seed(seed);
}

/* What a power cut took was never synced. */
static void look_at_line(void *ctx, enum trace_level level, const char *line)
{
    fprintf(stderr, "%s\n", line);
    if (strstr(line, "were synced and are gone"))
        abort();
}

int main(void)
{
    trace_set_sink(look_at_line, NULL);
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_acknowledged_is_lost_or_doubled_by_power_cuts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
