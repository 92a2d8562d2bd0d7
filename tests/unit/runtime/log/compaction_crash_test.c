/*
 * Crash images of compactions: before every call that changes the disk the machine is imagined to stop, once with kill -9 and
 * twice with a power cut. Each image is opened by a fresh instance, now and then stopping again while it does: no current record
 * may be missing, no tombstone before its time, and the log must go on. The checker first rejects a planted fault.
 */
#include "compaction_model.h"

#include "base/trace.h"
#include "log/log_directory.h"
#include "support/rounds.h"

enum { RUNS = 2, STEPS = 90, IMAGES_WANTED = 10000 };

static const uint8_t topic_id[TOPIC_ID_BYTES] = { 1, 2, 3 };

struct machine {
    struct log_fixture f;
    struct log_directory *directory;
};

static struct machine writer;
static struct keyed_model model;
static struct keyed_model model_of_image;
static struct prng prng;
static int64_t images;
static int64_t violations;
static const char *first_violation;
static uint64_t seed;

static void machine_open(struct machine *machine)
{
    struct log_directory_options options = { .disk = sim_disk_disk(machine->f.sim),
                                             .path = "/data",
                                             .identity = { .cluster_id = "test", .node_id = 1, .directory_id = { 9 } } };
    struct error_text error = { "" };
    if (log_directory_open(&options, &machine->directory, &error) != 0)
        fail_msg("%s", error.text);
    if (log_directory_open_log(machine->directory, "changelog", 0, topic_id, &machine->f.config, machine->f.now, &machine->f.log,
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

static void judge_image(struct sim_disk *image, int64_t acked);

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

/* After the first look it is compacted once more, restarted, and looked at again. */
static const char *check_image(struct sim_disk *image, int64_t acked)
{
    struct machine reader = { .f = { .sim = image, .config = writer.f.config, .now = writer.f.now } };
    struct second_crash second = { image, acked };
    if (images % 16 == 0 && !crashing_twice)
        sim_disk_watch(image, SIM_DISK_CHANGES, crash_again, &second);
    machine_open(&reader);
    sim_disk_watch(image, 0, NULL, NULL);
    const char *wrong = keyed_check(&reader.f, &model, acked, 3000);
    if (!wrong && images % 4 == 0) {
        memcpy(&model_of_image, &model, sizeof model);
        model_of_image.end = partition_log_end_offset(reader.f.log);
        int code = keyed_compact(&reader.f, &model_of_image, KEYED_MAP_BYTES);
        if (code != 0 && code != MILL_EAGAIN)
            wrong = "it cannot be compacted any more";
        if (!wrong)
            wrong = keyed_check(&reader.f, &model_of_image, acked, 3000);
        machine_close(&reader, images % 8 == 0);
        machine_open(&reader);
        if (!wrong)
            wrong = keyed_check(&reader.f, &model_of_image, acked, 3000);
    }
    if (!wrong && partition_log_lost(reader.f.log) > 0)
        wrong = "what a crash or a compaction took is told as lost";
    machine_close(&reader, images % 2 == 0);
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

static void take_images(void *ctx, enum sim_disk_call call, const char *path)
{
    static int64_t calls;
    if (calls++ % ROUNDS_STRIDE != 0)
        return;
    int64_t acked = writer.f.log ? partition_log_synced_end(writer.f.log) : 0;
    judge_image(sim_disk_after_kill(writer.f.sim), acked);
    for (int i = 0; i < 2; i++)
        judge_image(sim_disk_after_power_cut(writer.f.sim, prng_next(&prng)), acked);
}

static void checkpoint(void)
{
    assert_int_equal(fixture_run_checkpoint(writer.directory, NULL), 0);
}

static void step(void)
{
    uint64_t dice = prng_below(&prng, 100);
    if (dice < 25) {
        assert_int_equal(keyed_txn_step(&writer.f, &model, &prng, 12), 0);
        writer.f.now.wall_ms += 1000;
    } else if (dice < 60) {
        struct keyed_batch batch = random_keyed_batch(&prng, 12, writer.f.now.wall_ms);
        assert_int_equal(keyed_append(&writer.f, &model, &batch), 0);
        writer.f.now.wall_ms += 1000;
    } else if (dice < 80) {
        assert_int_equal(partition_log_sync(writer.f.log), 0);
    } else if (dice < 90) {
        sim_disk_watch(writer.f.sim, SIM_DISK_CHANGES, take_images, NULL);
        int code = keyed_compact(&writer.f, &model, prng_chance(&prng, 0.3) ? KEYED_MAP_BYTES_SMALL : KEYED_MAP_BYTES);
        assert_true(code == 0 || code == MILL_EAGAIN);
        /* What a compaction has done must also outlive a crash that comes a little later, and wait for no checkpoint. */
        if (prng_chance(&prng, 0.5))
            checkpoint();
        sim_disk_watch(writer.f.sim, 0, NULL, NULL);
    } else if (dice < 94) {
        checkpoint();
    } else if (dice < 97) {
        writer.f.now.wall_ms += model.retention_ms;
        assert_int_equal(partition_log_maintain(writer.f.log, writer.f.now), 0);
    } else {
        machine_close(&writer, prng_chance(&prng, 0.5));
        machine_open(&writer);
    }
}

static void run(uint64_t run_seed)
{
    seed = run_seed;
    prng_init(&prng, seed);
    writer = (struct machine){ .f = { .sim = sim_disk_new(seed), .config = small_segments() } };
    writer.f.config.cleanup_compact = true;
    writer.f.config.cleanup_delete = false;
    writer.f.config.segment_bytes = 3000;
    writer.f.config.hot_tail_bytes = 0;
    writer.f.config.file_delete_delay_ms = 0;
    writer.f.config.delete_retention_ms = 20000;
    writer.f.now = (struct io_time){ .monotonic_us = 1000000, .wall_ms = 1700000000000 };
    model = (struct keyed_model){ .retention_ms = writer.f.config.delete_retention_ms };
    machine_open(&writer);
    for (int i = 0; i < STEPS; i++)
        step();
    machine_close(&writer, false);
    sim_disk_free(writer.f.sim);
}

static void no_current_record_is_lost_in_any_crash(void **state)
{
    images = 0;
    violations = 0;
    uint64_t first = test_seed(1);
    for (uint64_t i = first; i < first + (uint64_t)test_rounds(RUNS) && violations == 0; i++)
        run(i);
    print_message("%lld images, last seed %llu\n", (long long)images, (unsigned long long)seed);
    if (violations > 0)
        fail_msg("%s", first_violation);
    assert_true(images >= IMAGES_WANTED * test_rounds(RUNS) / RUNS / ROUNDS_STRIDE);
}

/* A compaction that forgets which file is the newer: the old segment comes back beside the new one's end. */
static void a_planted_fault_is_noticed(void **state)
{
    run(99);
    images = 1;
    writer = (struct machine){ .f = { .sim = sim_disk_new(3), .config = writer.f.config, .now = writer.f.now } };
    model = (struct keyed_model){ .retention_ms = model.retention_ms };
    prng_init(&prng, 3);
    machine_open(&writer);
    for (int i = 0; i < 30; i++) {
        struct keyed_batch batch = random_keyed_batch(&prng, 12, writer.f.now.wall_ms);
        assert_int_equal(keyed_append(&writer.f, &model, &batch), 0);
    }
    assert_int_equal(partition_log_roll(writer.f.log, writer.f.now), 0);
    assert_int_equal(partition_log_sync(writer.f.log), 0);
    assert_int_equal(keyed_compact(&writer.f, &model, KEYED_MAP_BYTES), 0);
    assert_null(keyed_check(&writer.f, &model, model.end, 3000));
    machine_close(&writer, true);
    struct disk *disk = sim_disk_disk(writer.f.sim);
    assert_int_equal(disk_remove(disk, "/data/changelog-0/00000000000000000000.log"), 0);
    machine_open(&writer);
    assert_true(keyed_check(&writer.f, &model, model.end, 3000) || partition_log_lost(writer.f.log) > 0);
    machine_close(&writer, false);
    sim_disk_free(writer.f.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_current_record_is_lost_in_any_crash),
        cmocka_unit_test(a_planted_fault_is_noticed),
    };
    trace_set_level(getenv("LOG_CRASH_TRACE") ? TRACE_DEBUG : TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
