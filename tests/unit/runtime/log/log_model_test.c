/* Random operations on a log and on an array side by side. The seed is printed. */
#include "log_model.h"

#include "support/rounds.h"

enum { RUNS = 500, STEPS = 400 };

static struct log_fixture f;
static struct log_model model;
static struct prng prng;
static uint8_t bytes[1 << 20];
static int64_t clock_ms;
static uint64_t seed;

/* cmocka leaves a failed test by longjmp: what ran is said here. */
static int tell_seed(void **state)
{
    print_message("last seed %llu\n", (unsigned long long)seed);
    return 0;
}

static void step_append(void)
{
    int count = 1 + (int)prng_below(&prng, 20);
    clock_ms += (int64_t)prng_below(&prng, 200) - 50; /* timestamps go back at times */
    struct batch_shape shape = plain_batch(count, clock_ms);
    shape.value_bytes = prng_below(&prng, 200);
    shape.compression = (enum compression)(prng_chance(&prng, 0.2) ? prng_below(&prng, COMPRESSION_COUNT) : 0);
    shape.seed = prng_next(&prng);
    append_to_both(&f, &model, shape);
}

/* A read must give the batches from the one that holds the offset on, as many as fit, all of one segment. */
static void step_read(void)
{
    int64_t offset = model.start + (int64_t)prng_below(&prng, (uint64_t)(model.end - model.start) + 1);
    int64_t upper = prng_chance(&prng, 0.5) ? INT64_MAX : offset + (int64_t)prng_below(&prng, 200);
    size_t bytes_max = prng_below(&prng, 6000);
    bool first_always = prng_chance(&prng, 0.7);
    struct read_answer answer = fixture_read(&f, offset, upper, bytes_max, first_always, bytes);
    assert_int_equal(answer.code, 0);
    size_t at = model_find(&model, offset);
    size_t taken = 0;
    for (; taken < answer.bytes; at++) {
        const struct model_batch *expected = &model.batches[at];
        assert_true(at < model.count);
        assert_true(expected->next_offset <= upper);
        assert_memory_equal(bytes + taken, expected->bytes, expected->len);
        taken += expected->len;
    }
    assert_int_equal(taken, answer.bytes);
    assert_true(taken <= bytes_max || (first_always && at == model_find(&model, offset) + 1));
    bool more = at < model.count && model.batches[at].next_offset <= upper;
    if (taken == 0 && more)
        assert_true(!first_always && model.batches[at].len > bytes_max);
    assert_int_equal(answer.next_offset, taken == 0 ? offset : model.batches[at - 1].next_offset);
}

static int64_t model_lookup(int64_t timestamp_ms, int64_t *found_ms)
{
    for (size_t i = model_find(&model, model.start); i < model.count; i++) {
        const struct model_batch *batch = &model.batches[i];
        for (int64_t offset = batch->base_offset; offset < batch->next_offset; offset++) {
            *found_ms = batch->first_timestamp_ms + (offset - batch->base_offset);
            if (*found_ms >= timestamp_ms && offset >= model.start)
                return offset;
        }
    }
    *found_ms = -1;
    return -1;
}

static void step_lookup(void)
{
    int64_t timestamp_ms = clock_ms - (int64_t)prng_below(&prng, 20000) + 1000;
    int64_t expected_ms;
    int64_t found_ms;
    int64_t expected = model_lookup(timestamp_ms, &expected_ms);
    assert_int_equal(fixture_lookup(&f, timestamp_ms < 0 ? 0 : timestamp_ms, &found_ms), expected);
    assert_int_equal(found_ms, expected_ms);
}

static void step_reopen(void)
{
    bool clean = prng_chance(&prng, 0.5);
    int64_t synced = partition_log_synced_end(f.log);
    int64_t recovery_point = prng_chance(&prng, 0.5) ? synced : 0;
    fixture_close(&f, clean);
    assert_int_equal(fixture_try_open(&f, clean, recovery_point, model.start), 0);
    assert_int_equal(partition_log_end_offset(f.log), model.end);
    assert_int_equal(partition_log_start_offset(f.log), model.start);
}

static void step_delete(void)
{
    int64_t offset = model.start + (int64_t)prng_below(&prng, 60);
    if (offset > partition_log_high_watermark(f.log))
        return;
    assert_int_equal(partition_log_delete_records(f.log, offset, f.now), 0);
    model.start = offset;
}

static void step_sync(void)
{
    assert_int_equal(partition_log_sync(f.log), 0);
    if (prng_chance(&prng, 0.3))
        partition_log_checkpointed(f.log, partition_log_synced_end(f.log), model.start);
}

static void step(void)
{
    uint64_t dice = prng_below(&prng, 100);
    if (dice < 45)
        step_append();
    else if (dice < 70)
        step_read();
    else if (dice < 80)
        step_lookup();
    else if (dice < 88)
        step_sync();
    else if (dice < 92)
        step_reopen();
    else if (dice < 95)
        step_delete();
    else if (dice < 97)
        assert_int_equal(partition_log_roll(f.log, f.now), 0);
    else
        assert_int_equal(partition_log_maintain(f.log, f.now), 0);
}

static void run(void)
{
    prng_init(&prng, seed);
    fixture_init(&f, seed);
    f.config.segment_bytes = 20000; /* larger than any batch here, smaller than all of them */
    f.config.hot_tail_bytes = prng_below(&prng, 4) * 4096;
    partition_log_set_config(f.log, &f.config);
    model_init(&model);
    clock_ms = 100000;
    for (int i = 0; i < STEPS; i++)
        step();
    const char *wrong = model_check(&f, &model, model.end, 3000);
    if (wrong)
        fail_msg("%s", wrong);
    model_release(&model);
    fixture_release(&f);
}

static void a_log_does_what_an_array_does(void **state)
{
    uint64_t first = test_seed(1);
    for (seed = first; seed < first + (uint64_t)test_rounds(RUNS); seed++)
        run();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(a_log_does_what_an_array_does, tell_seed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
