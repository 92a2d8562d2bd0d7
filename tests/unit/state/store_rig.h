/*
 * One store in one task state, with the changelog, listener and disk that a task would give it: what the tests of state/ share.
 *
 * The changelog is an array in memory, its offsets are indexes. rig_commit does what a task does at a commit; rig_crash forgets
 * everything but the directory and a prefix of the changelog, and restores as task/restore.c would.
 */
#ifndef TESTS_STATE_STORE_RIG_H
#define TESTS_STATE_STORE_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/io.h"
#include "millstream/stores.h"
#include "state/task_states.h"
#include "state/typed_store.h"
#include "support/cmocka_all.h"

struct logged {
    uint8_t *key;
    size_t key_len;
    uint8_t *value; /* NULL: a tombstone */
    size_t value_len;
    int64_t timestamp_ms;
};

struct rig {
    mill_changelog changelog; /* first: append gets it back */
    mill_store_builder *builder;
    struct disk *disk; /* NULL: none */
    char directory[64];
    mill_task_state *state;
    mill_store *store;
    struct logged *log;
    size_t log_count, log_capacity;
    size_t committed_log_count;
    size_t drops;
    size_t cache_bytes, restore_bytes; /* 0: plenty */
    const char *(*property)(void *ctx, const char *name);
    void (*appended)(struct rig *rig); /* after each append; may be NULL */
    mill_store_listener listener;
    void *listener_ctx;
    bool resumes; /* the next opening takes up the committed time `resume_at_ms` */
    int64_t resume_at_ms;
    size_t restored_from; /* the offset at which the last opening began to restore */
    bool restored_in_full;
};

static inline int rig_append(mill_changelog *changelog, const mill_record *record)
{
    struct rig *rig = (struct rig *)changelog;
    if (rig->log_count == rig->log_capacity) {
        rig->log_capacity = rig->log_capacity ? rig->log_capacity * 2 : 1024;
        rig->log = realloc(rig->log, rig->log_capacity * sizeof *rig->log);
    }
    struct logged *logged = &rig->log[rig->log_count++];
    *logged = (struct logged){ malloc(record->key.len + 1), record->key.len, NULL, record->value.len, record->timestamp_ms };
    assert_non_null(logged->key);
    memcpy(logged->key, record->key.data, record->key.len);
    if (!mill_is_null(record->value)) {
        logged->value = malloc(record->value.len + 1);
        if (record->value.len > 0)
            memcpy(logged->value, record->value.data, record->value.len);
    }
    if (rig->appended != NULL)
        rig->appended(rig);
    return 0;
}

static inline void rig_cut_log(struct rig *rig, size_t count)
{
    while (rig->log_count > count) {
        rig->log_count--;
        free(rig->log[rig->log_count].key);
        free(rig->log[rig->log_count].value);
    }
}

static inline void rig_count_drop(void *ctx, const char *reason)
{
    ((struct rig *)ctx)->drops++;
}

static inline mill_record rig_record(const struct logged *logged)
{
    return (mill_record){ .key = mill_bytes_of(logged->key, logged->key_len),
                          .value = mill_bytes_of(logged->value, logged->value ? logged->value_len : 0),
                          .timestamp_ms = logged->timestamp_ms };
}

static inline mill_state_memory rig_memory(const struct rig *rig)
{
    return (mill_state_memory){ .cache_bytes = rig->cache_bytes ? rig->cache_bytes : 1 << 20,
                                .restore_bytes = rig->restore_bytes ? rig->restore_bytes : 256 << 20 };
}

/* 0, or the first error; the state is open then as far as it came. */
static inline int rig_try_open(struct rig *rig)
{
    mill_task_state_options options = { .disk = rig->disk,
                                        .directory = rig->directory,
                                        .task_id = "0_0",
                                        .memory = rig_memory(rig),
                                        .property = rig->property,
                                        .drop_ctx = rig,
                                        .dropped = rig_count_drop };
    const mill_task_state_type *type = rig->builder->task_state;
    rig->changelog.append = rig_append;
    rig->state = NULL;
    int code = type->open(type, &options, &rig->state);
    if (code == 0)
        code = rig->state->ops->add_store(rig->state, rig->builder, &rig->changelog, &rig->store);
    return code;
}

/* From the stored position, or from the start, to the end of the changelog. */
static inline int rig_try_restore(struct rig *rig)
{
    const mill_task_state_ops *ops = rig->state->ops;
    mill_changelog_position position;
    if (rig->resumes)
        rig->store->ops->resume_at(rig->store, rig->resume_at_ms);
    rig->resumes = false;
    int code = ops->position(rig->state, rig->store, &position);
    if (code < 0)
        return code;
    rig->restored_in_full = position.offset < 0 || position.offset > (int64_t)rig->log_count;
    rig->restored_from = rig->restored_in_full ? 0 : (size_t)position.offset;
    if (rig->restored_from == rig->log_count && !rig->restored_in_full)
        return 0;
    code = ops->restore_begin(rig->state, rig->store, rig->restored_in_full);
    for (size_t at = rig->restored_from; code == 0 && at < rig->log_count;) {
        mill_record records[16];
        size_t count = 0;
        while (count < 16 && at < rig->log_count)
            records[count++] = rig_record(&rig->log[at++]);
        code = ops->restore_records(rig->state, rig->store, records, count);
    }
    position = (mill_changelog_position){ .leader_epoch = 3, .offset = (int64_t)rig->log_count, .marked_at_ms = 77 };
    return code < 0 ? code : ops->restore_end(rig->state, rig->store, &position);
}

static inline void rig_open(struct rig *rig)
{
    int code = rig_try_open(rig);
    if (code == 0)
        code = rig_try_restore(rig);
    if (code < 0)
        fail_msg("opening: %s: %s", mill_error_text(code), rig->state ? rig->state->ops->error(rig->state) : "");
    mill_store_on_flush(rig->store, rig->listener, rig->listener_ctx);
}

/* `builder` is the rig's from now on. */
static inline void rig_init(struct rig *rig, mill_store_builder *builder)
{
    memset(rig, 0, sizeof *rig);
    rig->builder = builder;
    rig->disk = uv_disk();
    strcpy(rig->directory, "/tmp/mill-state-XXXXXX");
    assert_non_null(mkdtemp(rig->directory));
}

/* In a directory that is there, on a disk that outlives the rig. */
static inline void rig_init_on(struct rig *rig, mill_store_builder *builder, struct disk *disk, const char *directory)
{
    memset(rig, 0, sizeof *rig);
    rig->builder = builder;
    rig->disk = disk;
    snprintf(rig->directory, sizeof rig->directory, "%s", directory);
}

static inline void rig_release(struct rig *rig)
{
    if (rig->state != NULL)
        rig->state->ops->close(rig->state, false);
    rig->builder->free(rig->builder);
    rig_cut_log(rig, 0);
    free(rig->log);
    if (rig->disk == uv_disk())
        disk_remove_tree(uv_disk(), rig->directory);
}

static inline int rig_flush_caches(struct rig *rig, size_t max)
{
    int code = 1;
    while (code > 0 && rig->store->ops->is_dirty(rig->store))
        code = rig->store->ops->flush_cache(rig->store, max);
    return code < 0 ? code : 0;
}

/* Tasks have come or gone. */
static inline void rig_set_cache_bytes(struct rig *rig, size_t bytes)
{
    rig->cache_bytes = bytes;
    mill_state_memory memory = rig_memory(rig);
    if (rig->state->ops->set_memory != NULL)
        rig->state->ops->set_memory(rig->state, &memory);
}

/* The same, and until it is opened anew reading keeps no more than that between two trims, little as it is. */
static inline void rig_set_cache_and_read_bytes(struct rig *rig, size_t bytes)
{
    rig_set_cache_bytes(rig, bytes);
    ((struct typed_store *)rig->store)->cache.read_bytes_max = bytes;
}

/* Between two records, as a task does. */
static inline void rig_trim(struct rig *rig)
{
    if (rig->state->ops->trim != NULL)
        rig->state->ops->trim(rig->state);
}

static inline int rig_freeze(struct rig *rig)
{
    mill_changelog_position position = { .leader_epoch = 3, .offset = (int64_t)rig->log_count, .marked_at_ms = 78 };
    return rig->state->ops->freeze(rig->state, &position, 1);
}

static inline void rig_committed(struct rig *rig)
{
    rig->state->ops->committed(rig->state);
    rig->committed_log_count = rig->log_count;
}

static inline void rig_commit(struct rig *rig)
{
    assert_int_equal(rig_flush_caches(rig, 7), 0);
    assert_int_equal(rig_freeze(rig), 0);
    rig_committed(rig);
}

/* As a log's abort: what was appended since the last commit is not there for a reader of committed records. */
static inline void rig_roll_back(struct rig *rig)
{
    rig->state->ops->roll_back(rig->state);
    rig_cut_log(rig, rig->committed_log_count);
}

static inline int rig_flush(struct rig *rig)
{
    int code = rig->state->ops->flush(rig->state);
    rig->state->ops->flushed(rig->state, code);
    return code;
}

static inline void rig_close(struct rig *rig, bool clean)
{
    rig->state->ops->close(rig->state, clean);
    rig->state = NULL;
}

static inline void rig_close_clean(struct rig *rig)
{
    rig_commit(rig);
    while (rig->state->ops->flush_due(rig->state, 0, true))
        assert_int_equal(rig_flush(rig), 0);
    rig_close(rig, true);
}

#endif
