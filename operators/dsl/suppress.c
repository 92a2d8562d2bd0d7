/* The call of suppress.h. */
#include "dsl/dsl.h"

#include "millstream/suppress.h"
#include "suppress/suppress.h"

/* The answers to a foreign key join's left rows, under their keys: those of the rows, and those of what changes on the right. */
static bool answers_foreign_keys(const struct dsl_node *node)
{
    return node->kind == DSL_SINK && node->declares_internal && node->parent_count == 2;
}

/*
 * Where there are several windows: the longest size (of those whose keys come down here) and the longest time that they stay
 * open, so that nothing goes on which may still change.
 */
struct window_search {
    struct dsl_windows found;
    unsigned walks[2]; /* where keys come from, [1], the one that began later: nothing is left there for the other */
};

/* The windows of the aggregation at or above `node`; `keyed`: its keys come down. False: on some way up there are none. */
static bool find_windows(struct window_search *search, struct dsl_node *node, bool keyed)
{
    struct dsl_windows *found = &search->found;
    if (!dsl_walk_to(node, search->walks[keyed]))
        return true;
    if (node->windows != NULL) {
        struct dsl_windows before = *found;
        *found = *node->windows;
        if (before.size_ms > found->size_ms || !keyed)
            found->size_ms = before.size_ms;
        if (before.closes_after_ms > found->closes_after_ms)
            found->closes_after_ms = before.closes_after_ms;
        found->ends_are_inclusive |= before.ends_are_inclusive;
        return true;
    }
    if (node->filter != NULL)
        return find_windows(search, node->filter, keyed); /* before the repartition topic */
    if (node->sink_before != NULL)
        return find_windows(search, node->sink_before, keyed);
    for (size_t i = 0; i < node->parent_count; i++)
        if (!find_windows(search, node->parents[i], keyed && (i == 0 || !answers_foreign_keys(node))))
            return false;
    return node->parent_count > 0;
}

static bool windows_of(const mill_table *table, struct dsl_windows *windows)
{
    struct window_search search = { .found = { .closes_after_ms = 0 } };
    for (int keyed = 0; keyed <= 1; keyed++)
        search.walks[keyed] = dsl_begin_walk(table->dsl);
    bool found = find_windows(&search, table->node, true);
    *windows = search.found;
    return found;
}

static bool check(mill_table *table, const mill_suppressed *suppressed)
{
    const char *what = NULL;
    const mill_suppress_buffer *buffer = &suppressed->buffer;
    struct dsl_windows windows;
    bool bounded = buffer->records_max > 0 || buffer->bytes_max > 0;
    if (dsl_table_is_versioned(table))
        what = "a versioned table cannot be suppressed, since later updates may belong to earlier times";
    else if (suppressed->until_window_closes && !windows_of(table, &windows))
        what = "there are no windows above it that could close";
    else if (suppressed->until_window_closes && table->key_form == MILL_KEY_PLAIN)
        what = "its keys have no windows any more";
    else if (suppressed->until_window_closes && bounded && !buffer->shut_down_when_full)
        what = "final results cannot be emitted early: mill_suppress_shut_down_when_full, or no bound";
    else if (suppressed->time_limit_ms < 0)
        what = "a time limit is not negative";
    if (what != NULL)
        mill_topology_fail(table->dsl->topology, "suppress below %s: %s", table->node->name, what);
    return what == NULL;
}

static const char *store_name(struct dsl *dsl, const char *given)
{
    return given != NULL ? dsl_join(dsl, given, "-store") : dsl_next_name(dsl, "KTABLE-SUPPRESS-STATE-STORE-");
}

static struct dsl_store *make_store(struct dsl *dsl, const char *name, const mill_suppress_buffer *buffer)
{
    struct dsl_store *store = dsl_alloc(dsl, sizeof *store);
    if (store == NULL || name == NULL)
        return NULL;
    store->kind = MILL_STORE_KEY_VALUE;
    store->materialized = (mill_materialized){ .name = name, .without_logging = buffer->without_logging };
    store->changelog_header = &suppress_changelog_header;
    return store;
}

static void describe_windows(const mill_table *table, struct suppress_argument *argument)
{
    struct dsl_windows windows;
    (void)windows_of(table, &windows);
    argument->wait_ms = windows.closes_after_ms;
    argument->ends_are_inclusive = windows.ends_are_inclusive;
    argument->window_size_ms = windows.size_ms;
    argument->key_form = table->key_form;
}

mill_table *mill_table_suppress(mill_table *table, mill_suppressed suppressed)
{
    if (table == NULL || !check(table, &suppressed))
        return NULL;
    struct dsl *dsl = table->dsl;
    const char *name = suppressed.name != NULL ? dsl_copy(dsl, suppressed.name) : dsl_next_name(dsl, "KTABLE-SUPPRESS-");
    struct dsl_store *store = make_store(dsl, store_name(dsl, suppressed.name), &suppressed.buffer);
    struct suppress_argument *argument = dsl_alloc(dsl, sizeof *argument);
    if (store == NULL || argument == NULL)
        return NULL;
    (void)dsl_table_send_old_values(table, true); /* for what readers see of what is held back */
    *argument = (struct suppress_argument){ .base = { .store = store->materialized.name, .sends_old_values = true },
                                            .wait_ms = suppressed.time_limit_ms,
                                            .until_window_close = suppressed.until_window_closes,
                                            .buffer = suppressed.buffer };
    if (suppressed.until_window_closes)
        describe_windows(table, argument);
    struct dsl_node *node = dsl_processor(dsl, name, &suppress_type, argument, table->node);
    if (node == NULL)
        return NULL;
    node->own_store = store;
    return dsl_table(dsl, node,
                     (mill_table){ .key_form = table->key_form,
                                   .kind = DSL_TABLE_DERIVED,
                                   .parents = { table },
                                   .parent_count = 1,
                                   .argument = &argument->base,
                                   .view_type = &suppress_view_type });
}
