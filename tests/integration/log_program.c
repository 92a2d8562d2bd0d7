/*
 * Writes a log of many segments with everything that Kafka's own reader looks at: four codecs, idempotent producers, several
 * leader epochs, indexes, snapshots; and one that is compacted twice, with tombstones. usage: log_program <data directory>.
 * Prints the number of records and of segments of the first, and of the second's records that are appended after its compaction.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "base/trace.h"
#include "log/compaction.h"
#include "log/log_directory.h"
#include "record/batch_writer.h"

enum { BATCHES = 2000, KEYED_BATCHES = 300, KEYS = 200, UNCLEAN_BATCHES = 10 };

static void check(int code, const char *doing, const char *text)
{
    if (code == 0)
        return;
    fprintf(stderr, "%s: %s (%s)\n", doing, mill_error_text(code), text);
    exit(1);
}

static struct slice make_batch(struct prng *prng, int number)
{
    struct batch_writer writer;
    batch_writer_init(&writer, 1 << 20, 1 << 20);
    int count = 1 + (int)prng_below(prng, 20);
    char value[400];
    for (int i = 0; i < count; i++) {
        int len =
            snprintf(value, sizeof value, "record %d of batch %d %.*s", i, number, (int)prng_below(prng, 300),
                     "----------------------------------------------------------------------------------------------------"
                     "----------------------------------------------------------------------------------------------------"
                     "----------------------------------------------------------------------------------------------------");
        mill_record record = { .key = mill_bytes_of(value, 8),
                               .value = mill_bytes_of(value, (size_t)len),
                               .timestamp_ms = 1500000000000 + number * 100 + (int)prng_below(prng, 300) };
        check(batch_writer_append(&writer, &record), "batch", "");
    }
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.compression = (enum compression)(number % COMPRESSION_COUNT);
    if (number % 3 == 0) {
        options.producer_id = 1000 + number;
        options.producer_epoch = 0;
        options.base_sequence = 0;
    }
    mill_bytes bytes;
    check(batch_writer_finish(&writer, &options, &bytes), "batch", "");
    struct shared_buffer *buffer;
    check(batch_writer_take(&writer, &buffer), "batch", "");
    batch_writer_release(&writer);
    return (struct slice){ mill_bytes_of(buffer->data, buffer->len), buffer };
}

/* One record a batch, of one of KEYS keys; every seventh is a tombstone. */
static void append_keyed(struct partition_log *log, struct prng *prng, int number, struct io_time now)
{
    struct batch_writer writer;
    batch_writer_init(&writer, 1 << 20, 1 << 20);
    char key[16];
    char value[200];
    for (int i = 0; i < 10; i++) {
        int key_len = snprintf(key, sizeof key, "key-%d", (int)prng_below(prng, KEYS));
        int len = snprintf(value, sizeof value, "value-%d-%0100d", number * 10 + i, 0);
        mill_record record = { .key = mill_bytes_of(key, (size_t)key_len),
                               .value = i % 7 == 3 ? mill_null() : mill_bytes_of(value, (size_t)len),
                               .timestamp_ms = now.wall_ms };
        check(batch_writer_append(&writer, &record), "batch", "");
    }
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.compression = (enum compression)(number % COMPRESSION_COUNT);
    options.producer_id = 1 + number % 4;
    options.producer_epoch = 0;
    options.base_sequence = number / 4 * 10;
    mill_bytes bytes;
    struct append_result result;
    check(batch_writer_finish(&writer, &options, &bytes), "batch", "");
    struct slice batch = { bytes, NULL };
    check(partition_log_append(log, &batch, 1, APPEND_CLIENT, 0, now, &result), "append", partition_log_error(log));
    batch_writer_release(&writer);
}

static void compact(struct partition_log *log, struct io_time now)
{
    struct compaction *compaction;
    check(partition_log_roll(log, now), "roll", partition_log_error(log));
    check(partition_log_sync(log), "sync", partition_log_error(log));
    check(partition_log_compaction_begin(log, INT64_MAX, 1 << 20, now, &compaction), "compaction", partition_log_error(log));
    int code;
    do {
        compaction_run(compaction);
        code = partition_log_compaction_step(log, compaction, now);
    } while (code == 1);
    check(code, "compaction", partition_log_error(log));
}

static void write_compacted(struct log_directory *directory, struct log_config config, struct io_time now)
{
    struct error_text error = { "" };
    uint8_t topic_id[TOPIC_ID_BYTES] = { 5, 6, 7, 8 };
    config.cleanup_compact = true;
    config.cleanup_delete = false;
    config.segment_bytes = 64 << 10;
    struct partition_log *log;
    check(log_directory_open_log(directory, "compacted", 0, topic_id, &config, now, &log, &error), "open", error.text);
    struct prng prng;
    prng_init(&prng, 2);
    for (int i = 0; i < KEYED_BATCHES + UNCLEAN_BATCHES; i++) {
        if (i == KEYED_BATCHES / 2 || i == KEYED_BATCHES)
            compact(log, now);
        append_keyed(log, &prng, i, now);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct log_directory_options options = { .disk = uv_disk(),
                                             .path = argv[1],
                                             .identity = { .cluster_id = "Y2x1c3Rlcl9vZl90ZXN0cw", .node_id = 1 } };
    struct log_config config = LOG_CONFIG_DEFAULT;
    config.segment_bytes = 256 << 10;
    struct log_directory *directory;
    struct error_text error = { "" };
    check(log_directory_open(&options, &directory, &error), argv[1], error.text);
    uint8_t topic_id[TOPIC_ID_BYTES] = { 1, 2, 3, 4 };
    struct io_time now = { .monotonic_us = 1, .wall_ms = 1700000000000 };
    struct partition_log *log;
    check(log_directory_open_log(directory, "dumped", 0, topic_id, &config, now, &log, &error), "open", error.text);

    struct prng prng;
    prng_init(&prng, 1);
    for (int i = 0; i < BATCHES; i++) {
        struct slice batch = make_batch(&prng, i);
        struct append_result result;
        check(partition_log_append(log, &batch, 1, APPEND_CLIENT, i / 700, now, &result), "append", partition_log_error(log));
        shared_buffer_drop(batch.buffer);
    }
    write_compacted(directory, config, now);
    printf("%lld %zu %d\n", (long long)partition_log_end_offset(log), partition_log_segment_count(log), UNCLEAN_BATCHES * 10);
    check(log_directory_close(directory, true, &error), "close", error.text);
    return 0;
}
