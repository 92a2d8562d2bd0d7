/*
 * Crash images of a log with transactions: before every call that changes the disk the machine stops, once with kill -9 and once
 * with a power cut. A fresh instance must find the last stable offset and the aborted lists that follow from the batches that are
 * there. The checker (txn_model.h) rejects planted faults in log_txn_test; here transactions that end in memory alone must be
 * noticed.
 */
#include "txn_model.h"

#include "base/trace.h"
#include "log/log_directory.h"
#include "support/rounds.h"

enum { RUNS = 3, STEPS = 300, PRODUCERS = 3, UNSYNCED_MAX = 6, IMAGES_WANTED = 5000 };

static const uint8_t topic_id[TOPIC_ID_BYTES] = { 1, 2, 3 };

struct machine {
    struct log_fixture f;
    struct log_directory *directory;
};

static struct machine writer;
static struct txn_model model;
static struct prng prng;
static uint64_t seed;
static int32_t sequences[PRODUCERS];
static bool open_txns[PRODUCERS];
static int64_t images;
static int64_t gaps; /* images in which a power cut looks like damage: batches in the middle are missing */
static const char *violation;

static void machine_open(struct machine *machine)
{
    struct log_directory_options options = { .disk = sim_disk_disk(machine->f.sim),
                                             .path = "/data",
                                             .identity = { .cluster_id = "test", .node_id = 1, .directory_id = { 9 } } };
    struct error_text error = { "" };
    if (log_directory_open(&options, &machine->directory, &error) != 0)
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

/* Is every offset there? Each batch has one. */
static bool is_whole(struct log_fixture *f)
{
    static uint8_t bytes[1 << 16];
    int64_t offset = partition_log_start_offset(f->log);
    while (offset < partition_log_end_offset(f->log)) {
        struct read_answer answer = fixture_read(f, offset, INT64_MAX, 4000, true, bytes);
        struct batch_header header;
        int64_t next = offset;
        for (size_t at = 0; at < answer.bytes; at += header.size) {
            if (batch_header_decode(mill_bytes_of(bytes + at, answer.bytes - at), &header) != 0 || header.base_offset != next)
                return false;
            next++;
        }
        if (answer.code != 0 || next == offset)
            return false;
        offset = next;
    }
    return true;
}

static void judge_image(struct sim_disk *image)
{
    struct machine reader = { .f = { .sim = image, .config = writer.f.config, .now = writer.f.now } };
    images++;
    machine_open(&reader);
    bool whole = is_whole(&reader.f);
    gaps += !whole;
    const char *wrong = whole ? txn_model_check(reader.f.log, &model) : NULL;
    if (!wrong && partition_log_lost(reader.f.log) > 0)
        wrong = "what a crash took, or retention, is told as lost";
    machine_close(&reader, images % 2 == 0);
    if (!wrong && whole && images % 4 < 2) {
        machine_open(&reader);
        wrong = txn_model_check(reader.f.log, &model);
        machine_close(&reader, false);
    }
    sim_disk_free(image);
    if (wrong && !violation) {
        violation = wrong;
        print_message("seed %llu, image %lld\n", (unsigned long long)seed, (long long)images);
    }
}

static void take_images(void *ctx, enum sim_disk_call call, const char *path)
{
    judge_image(sim_disk_after_kill(writer.f.sim));
    judge_image(sim_disk_after_power_cut(writer.f.sim, prng_next(&prng)));
}

static void watch(bool on)
{
    sim_disk_watch(writer.f.sim, SIM_DISK_CHANGES, on ? take_images : NULL, NULL);
}

static void append(struct slice batch, enum append_origin origin)
{
    struct append_result result;
    int code = partition_log_append(writer.f.log, &batch, 1, origin, 0, writer.f.now, &result);
    assert_int_equal(code, 0);
    assert_int_equal(result.outcome, APPEND_DONE);
    assert_int_equal(result.base_offset, model.end - 1);
    shared_buffer_drop(batch.buffer);
}

/* The model learns of it first: the images are taken during the call. */
static void append_something(void)
{
    int producer = (int)prng_below(&prng, PRODUCERS);
    uint64_t dice = prng_below(&prng, 10);
    if (dice < 2) {
        txn_model_note(&model, TXN_OP_PLAIN, -1);
        append(make_batch(plain_batch(1, 1000)), APPEND_CLIENT);
    } else if (dice < 7 || !open_txns[producer]) {
        struct batch_shape shape = txn_batch(producer, 0, sequences[producer]++);
        shape.value_bytes = prng_below(&prng, 600);
        open_txns[producer] = true;
        txn_model_note(&model, TXN_OP_DATA, producer);
        append(make_batch(shape), APPEND_CLIENT);
    } else {
        bool abort = prng_below(&prng, 2) == 0;
        open_txns[producer] = false;
        txn_model_note(&model, abort ? TXN_OP_ABORT : TXN_OP_COMMIT, producer);
        append(make_marker(abort ? CONTROL_ABORT : CONTROL_COMMIT, producer, 0, 0), APPEND_BROKER);
    }
}

static void checkpoint(void)
{
    assert_int_equal(fixture_run_checkpoint(writer.directory, NULL), 0);
}

/* A segment that rolls with nothing unsynced leaves indexes that only the close can sync. */
static void restart(void)
{
    assert_int_equal(partition_log_sync(writer.f.log), 0);
    if (prng_chance(&prng, 0.5))
        assert_int_equal(partition_log_roll(writer.f.log, writer.f.now), 0);
    machine_close(&writer, true);
    machine_open(&writer);
}

static void delete_records(void)
{
    int64_t start = partition_log_start_offset(writer.f.log);
    int64_t synced = partition_log_synced_end(writer.f.log);
    int64_t offset = start + (int64_t)prng_below(&prng, (uint64_t)(synced - start) / 2 + 1);
    assert_int_equal(partition_log_delete_records(writer.f.log, offset, writer.f.now), 0);
    assert_int_equal(partition_log_maintain(writer.f.log, writer.f.now), 0);
}

static void step(void)
{
    uint64_t dice = prng_below(&prng, 100);
    int64_t unsynced = partition_log_end_offset(writer.f.log) - partition_log_synced_end(writer.f.log);
    if (dice < 65 && unsynced < UNSYNCED_MAX)
        append_something();
    else if (dice < 88)
        assert_int_equal(partition_log_sync(writer.f.log), 0);
    else if (dice < 91)
        checkpoint();
    else if (dice < 92)
        delete_records();
    else if (dice < 93)
        assert_int_equal(partition_log_roll(writer.f.log, writer.f.now), 0);
    else
        restart();
}

static void run(uint64_t run_seed)
{
    seed = run_seed;
    prng_init(&prng, seed);
    writer = (struct machine){ .f = { .sim = sim_disk_new(seed), .config = small_segments() } };
    writer.f.config.segment_bytes = 3000;
    writer.f.config.retention_ms = -1;
    writer.f.config.file_delete_delay_ms = 0;
    writer.f.now = (struct io_time){ .monotonic_us = 1000000, .wall_ms = 1700000000000 };
    model.end = 0;
    memset(sequences, 0, sizeof sequences);
    memset(open_txns, 0, sizeof open_txns);
    machine_open(&writer);
    watch(true);
    for (int i = 0; i < STEPS; i++)
        step();
    watch(false);
    machine_close(&writer, false);
    sim_disk_free(writer.f.sim);
}

static void every_crash_leaves_transactions_as_the_batches_tell(void **state)
{
    for (int i = 1; i <= test_rounds(RUNS) && !violation; i++)
        run(test_seed(1) + (uint64_t)i - 1);
    print_message("%lld images, %lld of them with a gap, last seed %llu\n", (long long)images, (long long)gaps,
                  (unsigned long long)seed);
    if (violation)
        fail_msg("%s", violation);
    assert_true(images >= IMAGES_WANTED * test_rounds(RUNS) / RUNS);
    assert_true(gaps * 50 < images);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_crash_leaves_transactions_as_the_batches_tell) };
    trace_set_level(getenv("LOG_CRASH_TRACE") ? TRACE_DEBUG : TRACE_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
