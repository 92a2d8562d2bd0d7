/*
 * Crash images: a log is used through its data directory, and before every call that changes the disk the machine is imagined to
 * stop, once with kill -9 and twice with a power cut. Each image is opened by a fresh instance: nothing acknowledged may be
 * missing, nothing may be there that was not appended, and the producer goes on where it was. The checker first rejects planted
 * faults.
 */
#include "log_model.h"

#include "base/trace.h"
#include "log/log_directory.h"
#include "support/rounds.h"

enum { RUNS = 3, STEPS = 90, UNSYNCED_MAX = 5, IMAGES_WANTED = 10000 };

static const uint8_t topic_id[TOPIC_ID_BYTES] = { 1, 2, 3 };
static const struct log_directory_options options = {
    .path = "/data",
    .identity = { .cluster_id = "test", .node_id = 1, .directory_id = { 9 } },
};

/* A machine with a data directory and one log in it. */
struct machine {
    struct log_fixture f;
    struct log_directory *directory;
};

static struct machine writer;
static struct log_model model;
static struct prng prng;
static uint64_t seed;
static int32_t next_sequence;
static int64_t images;
static int64_t violations;
static int64_t refusals; /* images after which the producer cannot simply go on */
static const char *first_violation;
static bool acks_too_early; /* a planted fault: what is appended counts as acknowledged */

static void machine_open(struct machine *machine)
{
    struct log_directory_options here = options;
    here.disk = sim_disk_disk(machine->f.sim);
    struct error_text error = { "" };
    if (log_directory_open(&here, &machine->directory, &error) != 0)
        fail_msg("%s", error.text);
    if (log_directory_open_log(machine->directory, "access-log", 0, topic_id, &machine->f.config, machine->f.now, &machine->f.log,
                               &error) != 0)
        fail_msg("%s", error.text);
}

static void machine_close(struct machine *machine, bool clean)
{
    struct error_text error = { "" };
    if (log_directory_close(machine->directory, clean, &error) != 0)
        fail_msg("%s", error.text);
    machine->directory = NULL;
    machine->f.log = NULL;
}

static struct batch_shape next_batch(int32_t sequence)
{
    struct prng sizes;
    prng_init(&sizes, seed * 1000003 + (uint64_t)sequence);
    struct batch_shape shape = plain_batch(1, 1000 + sequence);
    shape.value_bytes = prng_below(&sizes, 900);
    shape.producer_id = 7;
    shape.producer_epoch = 0;
    shape.base_sequence = sequence;
    shape.seed = seed + (uint64_t)sequence;
    return shape;
}

/*
 * The producer of this test writes one record per batch, so that sequences and offsets are the same numbers. It sends again what
 * was not acknowledged. When a power cut has lost a batch and kept later ones, and too little of it is missing to tell that from
 * damage, a retry may be refused, which the producer sees; it must never be answered with the wrong offset.
 */
static const char *check_producer(struct machine *machine, int64_t acked, bool *refused)
{
    int64_t end = partition_log_end_offset(machine->f.log);
    for (int64_t sequence = acked; sequence < model.end; sequence++) {
        struct append_result result;
        if (fixture_try_append(&machine->f, next_batch((int32_t)sequence), &result) != 0)
            return "a retry failed";
        *refused = result.outcome != APPEND_DONE && result.outcome != APPEND_DUPLICATE;
        if (*refused)
            return NULL;
        if (result.outcome == APPEND_DUPLICATE ? result.base_offset != sequence : result.base_offset < end)
            return "a retry is answered with a wrong offset";
        *refused = result.base_offset != sequence;
        if (*refused)
            return NULL;
    }
    return NULL;
}

static void judge_image(struct sim_disk *image, int64_t acked);

/* The machine stops again while it recovers. */
struct second_crash {
    struct sim_disk *image;
    int64_t acked;
};

static bool crashing_twice;

static void crash_again(void *ctx, enum sim_disk_call call, const char *path)
{
    struct second_crash *second = ctx;
    crashing_twice = true;
    judge_image(sim_disk_after_kill(second->image), second->acked);
    judge_image(sim_disk_after_power_cut(second->image, prng_next(&prng)), second->acked);
    crashing_twice = false;
}

static const char *check_image(struct sim_disk *image, int64_t acked)
{
    struct machine reader = { .f = { .sim = image, .config = writer.f.config, .now = writer.f.now } };
    struct second_crash second = { image, acked };
    if (images % 16 == 0 && !crashing_twice)
        sim_disk_watch(image, SIM_DISK_CHANGES, crash_again, &second);
    machine_open(&reader);
    sim_disk_watch(image, 0, NULL, NULL);
    bool refused = false;
    const char *wrong = model_check(&reader.f, &model, acked, 2000);
    if (!wrong)
        wrong = check_producer(&reader, acked, &refused);
    refusals += refused;
    if (!wrong && !refused)
        wrong = model_check(&reader.f, &model, model.end, 2000);
    if (!wrong && partition_log_lost(reader.f.log) > 0)
        wrong = "what a crash took, or retention, is told as lost";
    bool clean = images % 2 == 0;
    machine_close(&reader, clean);
    if (!wrong && !refused && images % 4 < 2) {
        machine_open(&reader);
        wrong = model_check(&reader.f, &model, model.end, 2000);
        machine_close(&reader, false);
    }
    return wrong;
}

static void judge_image(struct sim_disk *image, int64_t acked)
{
    images++;
    const char *wrong = check_image(image, acked);
    sim_disk_free(image);
    if (!wrong)
        return;
    violations++;
    if (!first_violation)
        first_violation = wrong;
}

static int64_t acked_before_restart = -1; /* -1: it is open */

static void take_images(void *ctx, enum sim_disk_call call, const char *path)
{
    int64_t acked = 0;
    if (acked_before_restart >= 0)
        acked = acked_before_restart;
    else if (writer.f.log)
        acked = acks_too_early ? partition_log_end_offset(writer.f.log) : partition_log_synced_end(writer.f.log);
    judge_image(sim_disk_after_kill(writer.f.sim), acked);
    for (int i = 0; i < 2; i++)
        judge_image(sim_disk_after_power_cut(writer.f.sim, prng_next(&prng)), acked);
}

static void watch(bool on)
{
    sim_disk_watch(writer.f.sim, SIM_DISK_CHANGES, on ? take_images : NULL, NULL);
}

static void append(void)
{
    append_to_both(&writer.f, &model, next_batch(next_sequence));
    next_sequence++;
}

/* Appends, syncs and rolls go on while a worker writes a checkpoint's files. */
static void go_on(void)
{
    if (prng_chance(&prng, 0.4) && partition_log_end_offset(writer.f.log) - partition_log_synced_end(writer.f.log) < UNSYNCED_MAX)
        append();
    if (prng_chance(&prng, 0.1))
        assert_int_equal(partition_log_roll(writer.f.log, writer.f.now), 0);
    if (prng_chance(&prng, 0.4))
        assert_int_equal(partition_log_sync(writer.f.log), 0);
}

static void checkpoint(void)
{
    assert_int_equal(fixture_run_checkpoint(writer.directory, go_on), 0);
}

/* A segment that rolls with nothing unsynced leaves indexes that only the close can sync. */
static void restart(void)
{
    if (prng_chance(&prng, 0.5))
        assert_int_equal(partition_log_roll(writer.f.log, writer.f.now), 0);
    acked_before_restart = partition_log_synced_end(writer.f.log);
    machine_close(&writer, true);
    machine_open(&writer);
    acked_before_restart = -1;
}

/* Purges what was acknowledged, as a stream does with a topic that it alone reads; files go at once. */
static void delete_records(void)
{
    int64_t synced = partition_log_synced_end(writer.f.log);
    int64_t offset = model.start + (int64_t)prng_below(&prng, (uint64_t)(synced - model.start) + 1);
    model.start = offset; /* the images are taken during the call */
    assert_int_equal(partition_log_delete_records(writer.f.log, offset, writer.f.now), 0);
    assert_int_equal(partition_log_maintain(writer.f.log, writer.f.now), 0);
}

static void step(void)
{
    uint64_t dice = prng_below(&prng, 100);
    int64_t unsynced = partition_log_end_offset(writer.f.log) - partition_log_synced_end(writer.f.log);
    if (dice < 60 && unsynced < UNSYNCED_MAX)
        append();
    else if (dice < 90)
        assert_int_equal(partition_log_sync(writer.f.log), 0);
    else if (dice < 96)
        checkpoint();
    else if (dice < 97)
        delete_records();
    else if (dice < 98)
        assert_int_equal(partition_log_roll(writer.f.log, writer.f.now), 0);
    else if (unsynced == 0)
        restart();
}

static void run(uint64_t run_seed)
{
    seed = run_seed;
    prng_init(&prng, seed);
    writer = (struct machine){ .f = { .sim = sim_disk_new(seed), .config = small_segments() } };
    writer.f.config.segment_bytes = 4096;
    writer.f.now = (struct io_time){ .monotonic_us = 1000000, .wall_ms = 1700000000000 };
    writer.f.config.retention_ms = -1;
    writer.f.config.file_delete_delay_ms = 0;
    model_init(&model);
    next_sequence = 0;
    machine_open(&writer);
    watch(true);
    for (int i = 0; i < STEPS; i++)
        step();
    watch(false);
    machine_close(&writer, false);
    sim_disk_free(writer.f.sim);
    model_release(&model);
}

static void nothing_acknowledged_is_lost_in_any_crash(void **state)
{
    images = 0;
    violations = 0;
    refusals = 0;
    for (int i = 1; i <= test_rounds(RUNS) && violations == 0; i++)
        run((uint64_t)i);
    print_message("%lld images, %lld of them with a refused retry, last seed %llu\n", (long long)images, (long long)refusals,
                  (unsigned long long)seed);
    if (violations > 0)
        fail_msg("%s", first_violation);
    assert_true(images >= IMAGES_WANTED * test_rounds(RUNS) / RUNS);
    assert_true(refusals * 100 < images);
}

static void acknowledging_before_the_sync_is_noticed(void **state)
{
    images = 0;
    violations = 0;
    acks_too_early = true;
    for (int i = 1; i <= test_rounds(RUNS); i++)
        run((uint64_t)i);
    acks_too_early = false;
    assert_true(violations > 0);
    first_violation = NULL;
}

/* A machine with forty synced records, for faults to be planted in what was expected. */
static void prepare(void)
{
    seed = 77;
    writer = (struct machine){ .f = { .sim = sim_disk_new(seed), .config = small_segments() } };
    writer.f.now = (struct io_time){ .monotonic_us = 1000000, .wall_ms = 1700000000000 };
    model_init(&model);
    next_sequence = 0;
    machine_open(&writer);
    for (int i = 0; i < 40; i++)
        append();
    assert_int_equal(partition_log_sync(writer.f.log), 0);
}

static void unprepare(void)
{
    machine_close(&writer, false);
    sim_disk_free(writer.f.sim);
    model_release(&model);
}

static void the_checker_rejects_planted_faults(void **state)
{
    prepare();
    assert_null(model_check(&writer.f, &model, 40, 2000));

    model.batches[20].bytes[70] ^= 1;
    assert_string_equal(model_check(&writer.f, &model, 40, 2000), "a batch has other bytes");
    model.batches[20].bytes[70] ^= 1;

    struct model_batch kept = model.batches[20];
    model.batches[20] = model.batches[21];
    model.batches[21] = kept;
    assert_non_null(model_check(&writer.f, &model, 40, 2000));
    model.batches[21] = model.batches[20];
    model.batches[20] = kept;

    assert_string_equal(model_check(&writer.f, &model, 41, 2000), "the acknowledged tail is lost");
    model.end = 39;
    assert_string_equal(model_check(&writer.f, &model, 39, 2000), "the log is longer than what was appended");
    model.end = 40;
    model.start = -1;
    assert_string_equal(model_check(&writer.f, &model, 40, 2000), "the log start has moved");
    model.start = 0;

    kept = model.batches[20]; /* one batch split in two: the second half is not in the log */
    model.batches[20].base_offset--;
    assert_non_null(model_check(&writer.f, &model, 40, 2000));
    model.batches[20] = kept;
    unprepare();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_rejects_planted_faults),
        cmocka_unit_test(acknowledging_before_the_sync_is_noticed),
        cmocka_unit_test(nothing_acknowledged_is_lost_in_any_crash),
    };
    trace_set_level(getenv("LOG_CRASH_TRACE") ? TRACE_DEBUG : TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
