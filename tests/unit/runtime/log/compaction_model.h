/*
 * A compacted log beside a naive model of it: every record that was ever appended, in an array, those of transactions with the
 * offset of their marker. The checker says which record is gone that must be there, or there that must be gone, and where a
 * reader with read_committed is told wrong. It does not assert, so that it can be shown to reject planted faults.
 */
#ifndef TESTS_COMPACTION_MODEL_H
#define TESTS_COMPACTION_MODEL_H

#include "log_fixture.h"

#include "log/compaction.h"
#include "log/txn_index.h"
#include "record/batch_reader.h"

enum {
    KEYED_RECORDS_MAX = 20000,
    KEYED_KEYS = 64,
    KEYED_BATCH_MAX = 16,
    KEYED_PRODUCERS = 3, /* that write transactions: ids 0, 1, 2 */
    KEYED_RAISED = 2,    /* each marker of this one raises its epoch, as with transaction.version 2 */
    KEYED_MAP_BYTES = 1 << 20,
    KEYED_MAP_BYTES_SMALL = 4096
};

struct keyed_record {
    int key; /* -1: none, or a marker */
    bool marker;
    bool aborted;
    int64_t producer_id; /* whose transaction it is of; -1: of none */
    int64_t txn_end;     /* the offset of its transaction's marker; INT64_MAX: open; -1: it is of none */
    bool tombstone;
    uint32_t value; /* what its value says */
    int64_t timestamp_ms;
    int64_t seen_ms; /* when a compaction first came by; INT64_MAX: never */
};

struct keyed_model {
    struct keyed_record records[KEYED_RECORDS_MAX]; /* by offset */
    int64_t start;
    int64_t end;
    int64_t retention_ms;
    int32_t sequences[KEYED_PRODUCERS]; /* of the next record */
    int16_t epochs[KEYED_PRODUCERS];
    bool in_txn[KEYED_PRODUCERS];
};

/* A producer's batch of random records, which the model takes in when it is appended. */
struct keyed_batch {
    struct keyed_record records[KEYED_BATCH_MAX];
    int count;
    enum compression compression;
    int64_t producer_id; /* -1: none */
    int16_t producer_epoch;
    int32_t base_sequence;
    bool transactional;
};

static inline struct keyed_batch random_keyed_batch(struct prng *prng, int keys, int64_t timestamp_ms)
{
    struct keyed_batch batch = {
        .count = 1 + (int)prng_below(prng, KEYED_BATCH_MAX), .producer_id = -1, .producer_epoch = -1, .base_sequence = -1
    };
    for (int i = 0; i < batch.count; i++)
        batch.records[i] = (struct keyed_record){ .key = (int)prng_below(prng, (uint64_t)keys),
                                                  .tombstone = prng_chance(prng, 0.2),
                                                  .value = (uint32_t)prng_next(prng),
                                                  .timestamp_ms = timestamp_ms + i,
                                                  .seen_ms = INT64_MAX };
    batch.compression = (enum compression)(prng_chance(prng, 0.3) ? prng_below(prng, COMPRESSION_COUNT) : 0);
    return batch;
}

/* The bytes of key and value: the value's length depends on what it says. */
static inline mill_record keyed_bytes(const struct keyed_record *record, char key[16], char value[128])
{
    memset(value, 'v', 128);
    int key_len = snprintf(key, 16, "key-%d", record->key);
    snprintf(value, 128, "%u", (unsigned)record->value);
    return (mill_record){ .key = record->key < 0 ? mill_null() : mill_bytes_of(key, (size_t)key_len),
                          .value = record->tombstone ? mill_null() : mill_bytes_of(value, 12 + record->value % 100),
                          .timestamp_ms = record->timestamp_ms };
}

static inline struct slice encode_keyed_batch(const struct keyed_batch *batch)
{
    struct batch_writer writer;
    batch_writer_init(&writer, 1 << 20, 1 << 24);
    char key[16];
    char value[128];
    for (int i = 0; i < batch->count; i++) {
        mill_record record = keyed_bytes(&batch->records[i], key, value);
        mill_header header = { mill_string("origin"), mill_string("model") };
        record.headers = &header;
        record.header_count = batch->records[i].value % 2;
        assert_int_equal(batch_writer_append(&writer, &record), 0);
    }
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.compression = batch->compression;
    options.producer_id = batch->producer_id;
    options.producer_epoch = batch->producer_epoch;
    options.base_sequence = batch->base_sequence;
    options.transactional = batch->transactional;
    mill_bytes bytes;
    assert_int_equal(batch_writer_finish(&writer, &options, &bytes), 0);
    struct shared_buffer *buffer;
    assert_int_equal(batch_writer_take(&writer, &buffer), 0);
    batch_writer_release(&writer);
    return (struct slice){ mill_bytes_of(buffer->data, buffer->len), buffer };
}

/* 0, or the append's error: then the model has not changed. */
static inline int keyed_append(struct log_fixture *f, struct keyed_model *model, const struct keyed_batch *batch)
{
    struct slice bytes = encode_keyed_batch(batch);
    struct append_result result;
    int code = partition_log_append(f->log, &bytes, 1, APPEND_CLIENT, 0, f->now, &result);
    shared_buffer_drop(bytes.buffer);
    if (code != 0)
        return code;
    assert_int_equal(result.outcome, APPEND_DONE);
    assert_int_equal(result.base_offset, model->end);
    assert_true(model->end + batch->count <= KEYED_RECORDS_MAX);
    for (int i = 0; i < batch->count; i++) {
        struct keyed_record *record = &model->records[model->end++];
        *record = batch->records[i];
        record->producer_id = batch->transactional ? batch->producer_id : -1;
        record->txn_end = batch->transactional ? INT64_MAX : -1;
    }
    return 0;
}

/* The batch as the next one of the producer's transaction. As keyed_append. */
static inline int keyed_append_txn(struct log_fixture *f, struct keyed_model *model, int producer, struct keyed_batch *batch)
{
    batch->transactional = true;
    batch->producer_id = producer;
    batch->producer_epoch = model->epochs[producer];
    batch->base_sequence = model->sequences[producer];
    int code = keyed_append(f, model, batch);
    if (code != 0)
        return code;
    model->sequences[producer] += batch->count;
    model->in_txn[producer] = true;
    return 0;
}

/* Its marker. As keyed_append. */
static inline int keyed_end_txn(struct log_fixture *f, struct keyed_model *model, int producer, bool aborts)
{
    int16_t epoch = (int16_t)(model->epochs[producer] + (producer == KEYED_RAISED));
    struct slice bytes = make_marker(aborts ? CONTROL_ABORT : CONTROL_COMMIT, producer, epoch, 0);
    struct append_result result;
    int code = partition_log_append(f->log, &bytes, 1, APPEND_BROKER, 0, f->now, &result);
    shared_buffer_drop(bytes.buffer);
    if (code != 0)
        return code;
    assert_int_equal(result.outcome, APPEND_DONE);
    for (int64_t offset = model->start; offset < model->end; offset++) {
        struct keyed_record *record = &model->records[offset];
        if (record->producer_id != producer || record->txn_end != INT64_MAX)
            continue;
        record->txn_end = model->end;
        record->aborted = aborts;
    }
    assert_true(model->end < KEYED_RECORDS_MAX);
    model->records[model->end++] =
        (struct keyed_record){ .key = -1, .marker = true, .producer_id = -1, .txn_end = -1, .seen_ms = INT64_MAX };
    model->in_txn[producer] = false;
    if (producer == KEYED_RAISED) {
        model->epochs[producer] = epoch;
        model->sequences[producer] = 0;
    }
    return 0;
}

/* A random step of a random producer: one more batch, or the end of its transaction. As keyed_append. */
static inline int keyed_txn_step(struct log_fixture *f, struct keyed_model *model, struct prng *prng, int keys)
{
    int producer = (int)prng_below(prng, KEYED_PRODUCERS);
    if (model->in_txn[producer] && prng_chance(prng, 0.6))
        return keyed_end_txn(f, model, producer, prng_chance(prng, 0.4));
    struct keyed_batch batch = random_keyed_batch(prng, keys, f->now.wall_ms);
    return keyed_append_txn(f, model, producer, &batch);
}

/* Runs a compaction to its end: 0, MILL_EAGAIN when there was nothing to do, or its error. */
static inline int keyed_compact(struct log_fixture *f, struct keyed_model *model, size_t map_bytes)
{
    struct compaction *compaction;
    int64_t stable_offset = partition_log_last_stable_offset(f->log);
    int code = partition_log_compaction_begin(f->log, stable_offset, map_bytes, f->now, &compaction);
    if (code != 0)
        return code;
    for (int64_t offset = 0; offset < model->end; offset++)
        if (model->records[offset].seen_ms == INT64_MAX)
            model->records[offset].seen_ms = f->now.wall_ms;
    do {
        compaction_run(compaction);
        code = partition_log_compaction_step(f->log, compaction, f->now);
    } while (code == 1);
    return code;
}

/* ---- the checker ----------------------------------------------------------------------------------------------------------- */

/* Is it a record that a reader with read_committed sees in a log that ends at `end`? */
static inline bool keyed_is_committed(const struct keyed_record *record, int64_t end)
{
    return !record->marker && !record->aborted && record->txn_end < end;
}

/* Is the record the newest committed one of its key below `below`, in a log that ends at `end`? */
static inline bool keyed_is_newest(const struct keyed_model *model, int64_t offset, int64_t below, int64_t end)
{
    for (int64_t later = offset + 1; later < below; later++)
        if (model->records[later].key == model->records[offset].key && keyed_is_committed(&model->records[later], end))
            return false;
    return true;
}

/* May it be missing from a log that ends at `end`? */
static inline bool keyed_may_go(const struct keyed_model *model, int64_t offset, int64_t end, int64_t now_ms)
{
    const struct keyed_record *record = &model->records[offset];
    if (record->seen_ms == INT64_MAX || record->txn_end >= end)
        return false;
    if (record->marker || record->aborted || !keyed_is_newest(model, offset, end, end))
        return true;
    return record->tombstone && now_ms - record->seen_ms >= model->retention_ms;
}

/* Where the first transaction begins whose marker is not durable, or the high watermark. */
static inline int64_t keyed_stable_offset(const struct keyed_model *model, int64_t high_watermark)
{
    int64_t offset = model->start;
    while (offset < high_watermark && model->records[offset].txn_end < high_watermark)
        offset++;
    return offset;
}

/* The walk over what is there. */
struct keyed_walk {
    const struct partition_log *log;
    const struct keyed_model *model;
    struct batch_reader reader;
    int64_t next;      /* the offset that is looked for */
    int64_t end;       /* of the log */
    int64_t acked;     /* records at or behind it may be missing */
    int64_t clean_end; /* below it each key may be there once */
    int64_t now_ms;
    bool seen[KEYED_KEYS * 8];
};

/* Does the log say that this batch belongs to an aborted transaction? */
static inline bool keyed_is_listed(const struct partition_log *log, const struct batch_header *header)
{
    size_t at = 0;
    int64_t end = batch_next_offset(header);
    const struct aborted_txn *txn;
    while ((txn = partition_log_next_aborted(log, header->base_offset, end, &at)) != NULL)
        if (txn->producer_id == header->producer_id)
            return true;
    return false;
}

static inline const char *keyed_check_record(struct keyed_walk *walk, const struct batch_record *found)
{
    const struct keyed_record *expected = &walk->model->records[found->offset];
    char key[16];
    char value[128];
    mill_record record = keyed_bytes(expected, key, value);
    if (found->record.timestamp_ms != expected->timestamp_ms)
        return "a record has another timestamp";
    if (!mill_bytes_equal(found->record.key, record.key) || !mill_bytes_equal(found->record.value, record.value))
        return "a record has another key or value";
    if (found->record.header_count != expected->value % 2)
        return "a record has other headers";
    bool marker_may_be_missing = expected->txn_end >= walk->acked && expected->txn_end < walk->end;
    if (marker_may_be_missing)
        return NULL;
    bool aborted = expected->aborted && expected->txn_end < walk->end;
    if (aborted != keyed_is_listed(walk->log, &walk->reader.header))
        return aborted ? "an aborted record counts as committed" : "a committed record counts as aborted";
    if (found->offset >= walk->clean_end || expected->key < 0)
        return NULL;
    if (aborted)
        return "an aborted record is still there";
    int64_t overtaken_below = walk->clean_end < walk->acked ? walk->clean_end : walk->acked;
    if (walk->seen[expected->key] || !keyed_is_newest(walk->model, found->offset, overtaken_below, walk->end))
        return "an overtaken record is still there";
    walk->seen[expected->key] = true;
    return NULL;
}

static inline const char *keyed_check_batch(struct keyed_walk *walk, mill_bytes batch)
{
    if (batch_reader_open(&walk->reader, batch, true) != 0)
        return "a batch cannot be read";
    struct batch_record record;
    int code;
    while ((code = batch_reader_next(&walk->reader, &record)) == 1) {
        if (record.offset < walk->next)
            continue; /* before the log start */
        for (; walk->next < record.offset; walk->next++)
            if (walk->next < walk->acked && !keyed_may_go(walk->model, walk->next, walk->end, walk->now_ms))
                return "a record is lost";
        bool is_marker = batch_is_control(&walk->reader.header);
        if (is_marker != walk->model->records[record.offset].marker)
            return "a marker is where a record was, or a record where a marker was";
        const char *wrong = is_marker ? NULL : keyed_check_record(walk, &record);
        if (wrong)
            return wrong;
        walk->next = record.offset + 1;
    }
    return code < 0 ? "a batch cannot be read to its end" : NULL;
}

/* The batches of one answer. */
static inline const char *keyed_check_region(struct keyed_walk *walk, mill_bytes region)
{
    mill_bytes batch;
    struct batch_header header;
    const char *wrong = NULL;
    while (!wrong && batch_next(&region, &batch, &header) == 1)
        wrong = keyed_check_batch(walk, batch);
    return wrong;
}

/* Reads all of the log. Records at or above `acked` may be missing. NULL, or what is wrong. */
static inline const char *keyed_check(struct log_fixture *f, const struct keyed_model *model, int64_t acked, size_t bytes_max)
{
    static uint8_t bytes[1 << 20];
    int64_t offset = partition_log_start_offset(f->log);
    struct keyed_walk walk = { .log = f->log,
                               .model = model,
                               .next = offset,
                               .end = partition_log_end_offset(f->log),
                               .acked = acked,
                               .clean_end = partition_log_first_dirty_offset(f->log),
                               .now_ms = f->now.wall_ms };
    if (offset > model->start && acked > model->start)
        return "the log start has moved";
    if (walk.end < acked)
        return "the acknowledged tail is lost";
    if (walk.end > model->end)
        return "the log is longer than what was appended";
    if (acked == walk.end &&
        partition_log_last_stable_offset(f->log) != keyed_stable_offset(model, partition_log_high_watermark(f->log)))
        return "the last stable offset lies elsewhere";
    batch_reader_init(&walk.reader, 1 << 24);
    const char *wrong = NULL;
    while (offset < walk.end && !wrong) {
        struct read_answer answer = fixture_read(f, offset, INT64_MAX, bytes_max, true, bytes);
        wrong = answer.code != 0 ? "a read failed" : keyed_check_region(&walk, mill_bytes_of(bytes, answer.bytes));
        if (!wrong && answer.next_offset <= offset) {
            wrong = offset < acked ? "a read does not move on" : NULL;
            break; /* the last segment is an empty one behind a gap */
        }
        offset = answer.next_offset;
    }
    for (; walk.next < acked && !wrong; walk.next++)
        if (!keyed_may_go(model, walk.next, walk.end, walk.now_ms))
            wrong = "a record is lost";
    batch_reader_release(&walk.reader);
    return wrong;
}

#endif
