/* The calls of table.h, but for grouping and joins. */
#include "dsl/dsl.h"

#include "table/table.h"

/* ---- from topics and streams --------------------------------------------------------------------------------------------- */

/* The name given, or the next of "<prefix>STATE-STORE-". */
static const char *name_store(struct dsl *dsl, const char *given, const char *prefix)
{
    if (given != NULL)
        return dsl_copy(dsl, given);
    const char *generated = dsl_join(dsl, prefix, "STATE-STORE-");
    return generated == NULL ? NULL : dsl_next_name(dsl, generated);
}

mill_table *mill_topology_table(mill_topology *topology, const char *topic, const mill_source_options *options,
                                mill_materialized materialized)
{
    struct dsl *dsl = dsl_of(topology);
    const char *read = dsl == NULL ? NULL : dsl_copy(dsl, topic); /* without a name, as a stream of it, an error when built */
    const char *prefix = read == NULL ? NULL : dsl_join(dsl, read, "-");
    if (prefix == NULL)
        return NULL;
    bool named = materialized.name != NULL;
    materialized.name = name_store(dsl, materialized.name, prefix);
    struct dsl_node *source = dsl_node(dsl, DSL_SOURCE, dsl_next_name(dsl, "KSTREAM-SOURCE-"), NULL);
    const char *name = dsl_next_name(dsl, "KTABLE-SOURCE-");
    if (source == NULL)
        return NULL;
    source->topics = dsl_copy_all(dsl, &read, 1);
    source->topic_count = source->topics == NULL ? 0 : 1;
    source->feeds_table = true;
    source->source = options == NULL ? (mill_source_options){ 0 } : *options;
    mill_table *table = dsl_source_table(dsl, source, name, materialized, named);
    if (table != NULL)
        dsl_table_renames(table, source, "-source");
    return table;
}

mill_table *mill_stream_to_table(mill_stream *stream, mill_materialized materialized)
{
    if (stream == NULL)
        return NULL;
    struct dsl *dsl = stream->dsl;
    bool named = materialized.name != NULL;
    const char *name = dsl_next_name(dsl, "KSTREAM-TOTABLE-");
    materialized.name = name_store(dsl, materialized.name, "KSTREAM-TOTABLE-");
    struct dsl_node *parent = stream->node;
    if (stream->repartition_required)
        parent = name == NULL ? NULL : dsl_repartition(dsl, parent, name, 0, false);
    mill_table *table = dsl_source_table(dsl, parent, name, materialized, named);
    if (table == NULL)
        return NULL;
    table->key_form = stream->key_form;
    if (stream->repartition_required)
        dsl_table_renames(table, parent, NULL);
    return table;
}

/* ---- to streams ---------------------------------------------------------------------------------------------------------- */

mill_stream *mill_table_to_stream(mill_table *table)
{
    if (table == NULL)
        return NULL;
    struct dsl *dsl = table->dsl;
    struct dsl_node *node =
        dsl_processor(dsl, dsl_next_name(dsl, "KTABLE-TOSTREAM-"), &to_stream_type, &to_stream_type, table->node);
    return dsl_stream(dsl, node, false, table->key_form);
}

mill_stream *mill_table_to_stream_by(mill_table *table, mill_mapper key, void *ctx)
{
    return mill_stream_select_key(mill_table_to_stream(table), key, ctx);
}

void mill_table_to(mill_table *table, const char *topic)
{
    mill_stream_to(mill_table_to_stream(table), topic);
}

const char *mill_table_store_name(const mill_table *table)
{
    return table == NULL ? NULL : table->store_name;
}

/* ---- row by row ---------------------------------------------------------------------------------------------------------- */

/* A table computed from `table` row by row; with a store if that is named. */
static mill_table *derive(mill_table *table, const char *name, const mill_processor_type *type,
                          const struct table_view_type *view_type, struct table_argument *argument,
                          mill_materialized materialized)
{
    struct dsl *dsl = table->dsl;
    struct dsl_node *node = dsl_processor(dsl, name, type, argument, table->node);
    const struct dsl_store *store = NULL;
    if (materialized.name != NULL) {
        materialized.name = dsl_copy(dsl, materialized.name);
        store = materialized.name == NULL ? NULL : dsl_row_store(dsl, materialized);
        if (store == NULL)
            return NULL;
    }
    return dsl_table(dsl, node,
                     (mill_table){ .key_form = table->key_form,
                                   .kind = DSL_TABLE_DERIVED,
                                   .parents = { table },
                                   .parent_count = 1,
                                   .argument = argument,
                                   .own_store = store,
                                   .view_type = view_type });
}

static mill_table *add_filter(mill_table *table, mill_predicate predicate, void *ctx, bool keep, mill_materialized materialized)
{
    struct table_filter_argument *argument = table == NULL ? NULL : dsl_alloc(table->dsl, sizeof *argument);
    if (argument == NULL || !dsl_given(table->dsl, table->node, predicate != NULL, "predicate"))
        return NULL;
    *argument = (struct table_filter_argument){ .predicate = predicate, .ctx = ctx, .keep = keep };
    argument->is_versioned = dsl_table_is_versioned(table);
    /* Only if they cost nothing: they save deletions of rows that were never there. */
    bool sends_old_values = dsl_table_send_old_values(table, false);
    mill_table *filtered = derive(table, dsl_next_name(table->dsl, "KTABLE-FILTER-"), &table_filter_type, &table_filter_view_type,
                                  &argument->base, materialized);
    argument->base.sends_old_values = sends_old_values;
    return filtered;
}

mill_table *mill_table_filter(mill_table *table, mill_predicate predicate, void *ctx, mill_materialized materialized)
{
    return add_filter(table, predicate, ctx, true, materialized);
}

mill_table *mill_table_filter_not(mill_table *table, mill_predicate predicate, void *ctx, mill_materialized materialized)
{
    return add_filter(table, predicate, ctx, false, materialized);
}

mill_table *mill_table_map_values(mill_table *table, mill_mapper mapper, void *ctx, mill_materialized materialized)
{
    struct table_map_values_argument *argument = table == NULL ? NULL : dsl_alloc(table->dsl, sizeof *argument);
    if (argument == NULL || !dsl_given(table->dsl, table->node, mapper != NULL, "mapper"))
        return NULL;
    *argument = (struct table_map_values_argument){ .mapper = mapper, .ctx = ctx };
    return derive(table, dsl_next_name(table->dsl, "KTABLE-MAPVALUES-"), &table_map_values_type, &table_map_values_view_type,
                  &argument->base, materialized);
}

mill_table *mill_table_transform_values(mill_table *table, mill_value_transformer_supplier supplier, const char *const *stores,
                                        size_t store_count, mill_materialized materialized)
{
    struct table_transform_values_argument *argument = table == NULL ? NULL : dsl_alloc(table->dsl, sizeof *argument);
    bool given = argument != NULL &&
                 dsl_given(table->dsl, table->node, supplier.type != NULL && supplier.type->transform != NULL, "transformer");
    mill_table *made = NULL;
    if (given) {
        *argument = (struct table_transform_values_argument){ .supplier = supplier };
        made = derive(table, dsl_next_name(table->dsl, "KTABLE-TRANSFORMVALUES-"), &table_transform_values_type,
                      &table_transform_values_view_type, &argument->base, materialized);
    }
    if (made == NULL) {
        if (supplier.free_argument != NULL)
            supplier.free_argument((void *)supplier.argument);
        return NULL;
    }
    made->node->owned = (void *)supplier.argument;
    made->node->free_owned = supplier.free_argument;
    made->node->stores = dsl_copy_all(table->dsl, stores, store_count);
    made->node->store_count = made->node->stores == NULL ? 0 : store_count;
    return made;
}
