/*
 * What a table is in the DSL's graph: where its old values come from, how it is read, and so whether it needs a store.
 *
 * The rules are Kafka Streams' (KTableImpl): stores cost, so one is made only when the user names it, or when a node below asks
 * for old values or rows, and then at the table furthest up that can have one.
 */
#include "dsl/dsl.h"

#include "table/table.h"

mill_table *dsl_table(struct dsl *dsl, struct dsl_node *node, struct mill_table fields)
{
    mill_table *table = node == NULL ? NULL : dsl_alloc(dsl, sizeof *table);
    if (table == NULL)
        return NULL;
    *table = fields;
    table->dsl = dsl;
    table->node = node;
    if (table->own_store != NULL && table->kind != DSL_TABLE_SOURCE) {
        node->own_store = table->own_store;
        table->store_name = table->own_store->materialized.name;
        if (table->argument != NULL)
            table->argument->store = table->store_name;
    }
    return table;
}

const struct dsl_store *dsl_row_store(struct dsl *dsl, mill_materialized materialized)
{
    struct dsl_store *store = dsl_alloc(dsl, sizeof *store);
    if (store != NULL && materialized.retention_ms != 0) {
        mill_topology_fail(dsl->topology, "%s: a retention is for windows, and this table has none", materialized.name);
        return NULL;
    }
    if (materialized.history_ms > 0)
        materialized.without_cache = true;
    if (store != NULL)
        *store = (struct dsl_store){ .kind = materialized.history_ms > 0 ? MILL_STORE_VERSIONED : MILL_STORE_KEY_VALUE,
                                     .materialized = materialized };
    return store;
}

bool dsl_table_is_versioned(const mill_table *table)
{
    if (table->own_store != NULL)
        return table->own_store->kind == MILL_STORE_VERSIONED;
    return table->kind == DSL_TABLE_DERIVED && dsl_table_is_versioned(table->parents[0]);
}

/* A source's store becomes real. */
static void materialize(mill_table *table)
{
    if (table->kind != DSL_TABLE_SOURCE || table->own_store == NULL)
        return;
    table->node->own_store = table->own_store;
    table->store_name = table->argument->store = table->own_store->materialized.name;
}

bool dsl_table_send_old_values(mill_table *table, bool force)
{
    if (table->argument == NULL || table->argument->sends_old_values)
        return true;
    if (table->kind == DSL_TABLE_SOURCE) {
        if (!force && table->store_name == NULL)
            return false;
        materialize(table);
    } else if (table->kind == DSL_TABLE_JOIN || table->store_name == NULL) {
        bool sent = true;
        for (size_t i = 0; i < table->parent_count; i++)
            sent = dsl_table_send_old_values(table->parents[i], force || table->kind == DSL_TABLE_JOIN) && sent;
        if (!sent)
            return false;
    }
    table->argument->sends_old_values = true;
    return true;
}

mill_table *dsl_source_table(struct dsl *dsl, struct dsl_node *parent, const char *node_name, mill_materialized materialized,
                             bool named)
{
    struct table_argument *argument = dsl_alloc(dsl, sizeof *argument);
    const struct dsl_store *store = materialized.name == NULL ? NULL : dsl_row_store(dsl, materialized);
    struct dsl_node *node =
        parent == NULL || store == NULL ? NULL : dsl_processor(dsl, node_name, &table_source_type, argument, parent);
    mill_table *table = dsl_table(dsl, node, (mill_table){ .kind = DSL_TABLE_SOURCE, .argument = argument, .own_store = store });
    if (table != NULL && (named || materialized.history_ms > 0))
        materialize(table);
    return table;
}

/* ---- views --------------------------------------------------------------------------------------------------------------- */

static bool has_store(const char *const *stores, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(stores[i], name) == 0)
            return true;
    return false;
}

/* All of `more` behind the `*count` of `*stores`, each once. */
static bool add_stores(struct dsl *dsl, const char *const **stores, size_t *count, const char *const *more, size_t more_count)
{
    const char **all = dsl_alloc(dsl, (*count + more_count + 1) * sizeof *all);
    if (all == NULL)
        return false;
    for (size_t i = 0; i < *count; i++)
        all[i] = (*stores)[i];
    for (size_t i = 0; i < more_count; i++)
        if (!has_store(all, *count, more[i]))
            all[(*count)++] = more[i];
    *stores = all;
    return true;
}

static const struct table_view *store_view(mill_table *table)
{
    struct dsl *dsl = table->dsl;
    struct table_view *view = dsl_alloc(dsl, sizeof *view);
    struct table_store_view *argument = dsl_alloc(dsl, sizeof *argument);
    const char **stores = dsl_alloc(dsl, sizeof *stores);
    if (view == NULL || argument == NULL || stores == NULL)
        return NULL;
    stores[0] = table->store_name;
    *argument =
        (struct table_store_view){ .store = table->store_name, .key_form = table->key_form, .hidden_ms = table->hidden_ms };
    *view = (struct table_view){ .type = &table_store_view_type,
                                 .argument = argument,
                                 .is_versioned = dsl_table_is_versioned(table),
                                 .stores = stores,
                                 .store_count = 1 };
    return view;
}

static const struct table_view *derived_view(mill_table *table)
{
    struct dsl *dsl = table->dsl;
    struct table_view *view = dsl_alloc(dsl, sizeof *view);
    if (view == NULL)
        return NULL;
    *view = (struct table_view){ .type = table->view_type, .argument = table->argument, .parent_count = table->parent_count };
    view->is_versioned = dsl_table_is_versioned(table);
    for (size_t i = 0; i < table->parent_count; i++) {
        const struct table_view *parent = dsl_table_view(table->parents[i]);
        view->parents[i] = parent;
        if (parent == NULL || !add_stores(dsl, &view->stores, &view->store_count, parent->stores, parent->store_count))
            return NULL;
    }
    /* A suppression's buffer, in which its view looks first. */
    const struct dsl_store *buffer = table->node->own_store;
    if (buffer != NULL && !add_stores(dsl, &view->stores, &view->store_count, &buffer->materialized.name, 1))
        return NULL;
    /* A transformer's own: its instance in the reading node uses them as well. */
    if (table->kind == DSL_TABLE_DERIVED &&
        !add_stores(dsl, &view->stores, &view->store_count, table->node->stores, table->node->store_count))
        return NULL;
    return view;
}

const struct table_view *dsl_table_view(mill_table *table)
{
    if (table->view != NULL)
        return table->view;
    materialize(table);
    table->view = table->store_name != NULL ? store_view(table) : derived_view(table);
    return table->view;
}

void dsl_connect_view(struct dsl *dsl, struct dsl_node *node, const struct table_view *view)
{
    (void)add_stores(dsl, &node->stores, &node->store_count, view->stores, view->store_count);
}

/* ---- names --------------------------------------------------------------------------------------------------------------- */

void dsl_table_renames(mill_table *table, struct dsl_node *node, const char *suffix)
{
    struct dsl_renaming *renaming = dsl_alloc(table->dsl, sizeof *renaming);
    if (renaming == NULL)
        return;
    *renaming = (struct dsl_renaming){ .next = table->renamings, .node = node, .suffix = suffix, .with_topic = suffix == NULL };
    table->renamings = renaming;
}

static void rename_with(struct dsl *dsl, const struct dsl_renaming *renaming, const char *name)
{
    if (renaming->with_topic) {
        dsl_rename_repartition(dsl, renaming->node, name);
        return;
    }
    const char *full = dsl_join(dsl, name, renaming->suffix);
    if (full != NULL)
        dsl_rename(dsl, renaming->node, full);
}

mill_table *mill_table_as(mill_table *table, const char *name)
{
    if (table == NULL)
        return NULL;
    dsl_rename(table->dsl, table->node, name);
    for (const struct dsl_renaming *renaming = table->renamings; renaming != NULL; renaming = renaming->next)
        rename_with(table->dsl, renaming, name);
    return table;
}
