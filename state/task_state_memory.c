/*
 * A task's state in memory: caches without a store below. Positions are always unknown, so that a start restores everything;
 * there is nothing to flush, and a commit only makes what is written the place to go back to.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "state/store_view.h"
#include "state/task_states.h"
#include "state/typed_store.h"

struct memory_state {
    mill_task_state head;
    mill_task_state_options options;
    struct typed_store **stores;
    size_t store_count;
    struct error_text error;
};

static const mill_task_state_ops MEMORY_OPS;

static int memory_open(const mill_task_state_type *type, const mill_task_state_options *options, mill_task_state **opened)
{
    struct memory_state *state = mem_calloc(1, sizeof *state);
    *opened = NULL;
    if (state == NULL)
        return MILL_ENOMEM;
    state->head.ops = &MEMORY_OPS;
    state->options = *options;
    *opened = &state->head;
    return 0;
}

static int memory_add_store(mill_task_state *head, const mill_store_builder *builder, mill_changelog *changelog,
                            mill_store **store)
{
    struct memory_state *state = (struct memory_state *)head;
    struct typed_store **stores = mem_realloc(state->stores, (state->store_count + 1) * sizeof(struct typed_store *));
    if (stores == NULL)
        return error_set(&state->error, MILL_ENOMEM, "store %s: out of memory", builder->name);
    state->stores = stores;
    int code = typed_store_new(builder, &state->options, changelog, NULL, &state->error, &stores[state->store_count]);
    if (code < 0)
        return code;
    *store = &stores[state->store_count++]->head;
    return 0;
}

static int memory_position(mill_task_state *head, mill_store *store, mill_changelog_position *position)
{
    *position = (mill_changelog_position){ .leader_epoch = -1, .offset = -1 };
    return 0;
}

static int memory_restore_begin(mill_task_state *head, mill_store *store, bool full)
{
    struct typed_store *typed = (struct typed_store *)store;
    typed_store_close_iterators(typed);
    if (full) {
        cache_roll_back(&typed->cache);
        cache_clear(&typed->cache);
    }
    typed->cache.restoring = true;
    return 0;
}

/* A small commit of its own, so that the undo log does not grow with the changelog. */
static int memory_restore_records(mill_task_state *head, mill_store *store, const mill_record *records, size_t count)
{
    struct memory_state *state = (struct memory_state *)head;
    struct typed_store *typed = (struct typed_store *)store;
    int code = 0;
    for (size_t i = 0; i < count && code >= 0; i++)
        code = typed_store_restore(typed, &records[i]);
    if (code >= 0)
        code = cache_freeze(&typed->cache, NULL);
    if (code < 0) {
        cache_roll_back(&typed->cache);
        cache_clear(&typed->cache);
        return error_set(&state->error, code, "store %s: a changelog record cannot be restored", store->builder->name);
    }
    cache_committed(&typed->cache);
    return 0;
}

static int memory_restore_end(mill_task_state *head, mill_store *store, const mill_changelog_position *position)
{
    ((struct typed_store *)store)->cache.restoring = false;
    return 0;
}

static int memory_freeze(mill_task_state *head, const mill_changelog_position *positions, size_t count)
{
    struct memory_state *state = (struct memory_state *)head;
    for (size_t i = 0; i < state->store_count; i++) {
        typed_store_close_iterators(state->stores[i]);
        int code = cache_freeze(&state->stores[i]->cache, NULL);
        if (code < 0)
            return code; /* not reached: nothing is copied */
    }
    return 0;
}

static void memory_committed(mill_task_state *head)
{
    struct memory_state *state = (struct memory_state *)head;
    for (size_t i = 0; i < state->store_count; i++)
        cache_committed(&state->stores[i]->cache);
}

static void memory_roll_back(mill_task_state *head)
{
    struct memory_state *state = (struct memory_state *)head;
    for (size_t i = 0; i < state->store_count; i++) {
        typed_store_roll_back(state->stores[i]);
    }
}

static bool memory_flush_due(const mill_task_state *head, int64_t monotonic_us, bool closing)
{
    return false;
}

static int memory_flush(mill_task_state *head)
{
    return 0;
}

static void memory_flushed(mill_task_state *head, int code)
{
}

static int memory_wipe(mill_task_state *head)
{
    struct memory_state *state = (struct memory_state *)head;
    memory_roll_back(head);
    for (size_t i = 0; i < state->store_count; i++)
        cache_clear(&state->stores[i]->cache);
    return 0;
}

static void memory_close(mill_task_state *head, bool clean)
{
    struct memory_state *state = (struct memory_state *)head;
    for (size_t i = 0; i < state->store_count; i++)
        typed_store_free(state->stores[i]);
    mem_free(state->stores);
    mem_free(state);
}

static int memory_open_view(mill_task_state *head, mill_store *store, size_t cache_bytes, mill_store_view **view)
{
    struct memory_state *state = (struct memory_state *)head;
    return store_view_copy(store, view, &state->error);
}

static const char *memory_error(const mill_task_state *head)
{
    return ((const struct memory_state *)head)->error.text;
}

static const mill_task_state_ops MEMORY_OPS = { memory_add_store,   memory_position, memory_restore_begin, memory_restore_records,
                                                memory_restore_end, memory_freeze,   memory_committed,     memory_roll_back,
                                                memory_flush_due,   memory_flush,    memory_flushed,       memory_wipe,
                                                memory_close,       memory_error,    memory_open_view };

const mill_task_state_type TASK_STATE_MEMORY = { "memory", memory_open };
