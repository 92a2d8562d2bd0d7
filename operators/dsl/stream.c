/* The calls of stream.h up to grouping: each adds its node under Kafka Streams' name. */
#include "dsl/dsl.h"

#include "stateless/stateless.h"

/* ---- sources ------------------------------------------------------------------------------------------------------------- */

/* Is each of `some` among `all`? */
static bool has_all(const char *const *all, const char *const *some, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count && found == i; i++)
        for (size_t j = 0; j < count && found == i; j++)
            found += some[i] != NULL && strcmp(all[j], some[i]) == 0;
    return found == count;
}

/* A source of the same topics: one topic is read once, whatever the number of streams made of it. */
static struct dsl_node *find_source(struct dsl *dsl, const char *const *topics, size_t topic_count)
{
    for (size_t i = 0; i < dsl->node_count; i++) {
        struct dsl_node *node = dsl->nodes[i];
        if (node->kind != DSL_SOURCE || node->feeds_table || node->pattern != NULL || node->topic_count != topic_count)
            continue;
        if (has_all(node->topics, topics, topic_count) && has_all(topics, node->topics, topic_count))
            return node;
    }
    return NULL;
}

static bool same_options(const mill_source_options *a, const mill_source_options *b)
{
    return a->extractor == b->extractor && a->extractor_ctx == b->extractor_ctx && a->reset == b->reset &&
           a->reset_duration_ms == b->reset_duration_ms && a->check == b->check && a->check_ctx == b->check_ctx;
}

mill_stream *mill_topology_stream_of(mill_topology *topology, const char *const *topics, size_t topic_count,
                                     const mill_source_options *options)
{
    struct dsl *dsl = dsl_of(topology);
    const char *name = dsl == NULL ? NULL : dsl_next_name(dsl, "KSTREAM-SOURCE-");
    if (name == NULL)
        return NULL;
    mill_source_options chosen = options == NULL ? (mill_source_options){ 0 } : *options;
    struct dsl_node *node = find_source(dsl, topics, topic_count);
    if (node != NULL && !same_options(&node->source, &chosen)) {
        mill_topology_fail(topology, "topic %s is read twice with different options: give both streams the same", topics[0]);
        return NULL;
    }
    if (node == NULL) {
        node = dsl_node(dsl, DSL_SOURCE, name, NULL);
        if (node == NULL)
            return NULL;
        node->topics = dsl_copy_all(dsl, topics, topic_count);
        node->topic_count = node->topics == NULL ? 0 : topic_count;
        node->source = chosen;
    }
    return dsl_stream(dsl, node, false, MILL_KEY_PLAIN);
}

static struct dsl_node *find_pattern(struct dsl *dsl, const char *pattern)
{
    for (size_t i = 0; i < dsl->node_count; i++)
        if (dsl->nodes[i]->pattern != NULL && strcmp(dsl->nodes[i]->pattern, pattern) == 0)
            return dsl->nodes[i];
    return NULL;
}

mill_stream *mill_topology_stream_pattern(mill_topology *topology, const char *pattern, const mill_source_options *options)
{
    struct dsl *dsl = dsl_of(topology);
    const char *name = dsl == NULL ? NULL : dsl_next_name(dsl, "KSTREAM-SOURCE-");
    if (name == NULL)
        return NULL;
    if (pattern == NULL)
        pattern = ""; /* which is refused where all are checked */
    mill_source_options chosen = options == NULL ? (mill_source_options){ 0 } : *options;
    struct dsl_node *node = find_pattern(dsl, pattern);
    if (node != NULL && !same_options(&node->source, &chosen)) {
        mill_topology_fail(topology, "pattern %s is read twice with different options: give both streams the same", pattern);
        return NULL;
    }
    if (node == NULL) {
        node = dsl_node(dsl, DSL_SOURCE, name, NULL);
        if (node == NULL)
            return NULL;
        node->pattern = dsl_copy(dsl, pattern);
        node->source = chosen;
    }
    return dsl_stream(dsl, node, false, MILL_KEY_PLAIN);
}

mill_stream *mill_topology_stream(mill_topology *topology, const char *topic, const mill_source_options *options)
{
    return mill_topology_stream_of(topology, &topic, 1, options);
}

/* ---- ends ---------------------------------------------------------------------------------------------------------------- */

static void add_sink(mill_stream *stream, const char *const *topics, size_t topic_count, const mill_sink_options *options)
{
    if (stream == NULL)
        return;
    struct dsl *dsl = stream->dsl;
    struct dsl_node *node = dsl_node(dsl, DSL_SINK, dsl_next_name(dsl, "KSTREAM-SINK-"), stream->node);
    const char *const *copies = node == NULL ? NULL : dsl_copy_all(dsl, topics, topic_count);
    if (copies == NULL)
        return;
    node->topics = copies;
    node->topic_count = topic_count;
    node->sink = *options;
}

void mill_stream_to_with(mill_stream *stream, const char *topic, const mill_sink_options *options)
{
    mill_sink_options defaults = { .key_form = stream == NULL ? MILL_KEY_PLAIN : stream->key_form };
    add_sink(stream, &topic, 1, options == NULL ? &defaults : options);
}

void mill_stream_to_one_of(mill_stream *stream, const char *const *topics, size_t topic_count, mill_topic_chooser choose,
                           void *ctx)
{
    mill_sink_options options = { .key_form = stream == NULL ? MILL_KEY_PLAIN : stream->key_form,
                                  .choose_topic = choose,
                                  .choose_topic_ctx = ctx };
    add_sink(stream, topics, topic_count, &options);
}

void mill_stream_to(mill_stream *stream, const char *topic)
{
    mill_stream_to_with(stream, topic, NULL);
}

mill_stream *mill_stream_repartition(mill_stream *stream, const char *name, int32_t partitions)
{
    if (stream == NULL)
        return NULL;
    struct dsl *dsl = stream->dsl;
    const char *topic = name != NULL ? dsl_copy(dsl, name) : dsl_next_name(dsl, "KSTREAM-REPARTITION-");
    struct dsl_node *source = topic == NULL ? NULL : dsl_repartition(dsl, stream->node, topic, partitions, false);
    if (source != NULL)
        source->is_explicit = true;
    return dsl_stream(dsl, source, false, stream->key_form);
}

/* ---- record by record ---------------------------------------------------------------------------------------------------- */

/* A processor below `stream`, named by the next number. */
static struct dsl_node *add(mill_stream *stream, const char *prefix, const mill_processor_type *type, const void *argument)
{
    return dsl_processor(stream->dsl, dsl_next_name(stream->dsl, prefix), type, argument, stream->node);
}

/* The same stream, further down. */
static mill_stream *go_on(mill_stream *stream, struct dsl_node *node)
{
    return dsl_stream(stream->dsl, node, stream->repartition_required, stream->key_form);
}

/* The same under new values. */
static mill_stream *with_new_values(mill_stream *stream, struct dsl_node *node)
{
    if (node != NULL)
        node->changes_values = true;
    return go_on(stream, node);
}

/* Behind an operator that may have made new keys. */
static mill_stream *with_new_keys(mill_stream *stream, struct dsl_node *node)
{
    if (node != NULL)
        node->changes_keys = true;
    return dsl_stream(stream->dsl, node, true, MILL_KEY_PLAIN);
}

static mill_stream *add_filter(mill_stream *stream, mill_predicate predicate, void *ctx, bool keep)
{
    struct filter_argument *argument = stream == NULL ? NULL : dsl_alloc(stream->dsl, sizeof *argument);
    if (argument == NULL || !dsl_given(stream->dsl, stream->node, predicate != NULL, "predicate"))
        return NULL;
    *argument = (struct filter_argument){ predicate, ctx, keep };
    return go_on(stream, add(stream, "KSTREAM-FILTER-", &filter_type, argument));
}

mill_stream *mill_stream_filter(mill_stream *stream, mill_predicate predicate, void *ctx)
{
    return add_filter(stream, predicate, ctx, true);
}

mill_stream *mill_stream_filter_not(mill_stream *stream, mill_predicate predicate, void *ctx)
{
    return add_filter(stream, predicate, ctx, false);
}

mill_stream *mill_stream_map(mill_stream *stream, mill_record_mapper mapper, void *ctx)
{
    struct map_argument *argument = stream == NULL ? NULL : dsl_alloc(stream->dsl, sizeof *argument);
    if (argument == NULL || !dsl_given(stream->dsl, stream->node, mapper != NULL, "mapper"))
        return NULL;
    *argument = (struct map_argument){ mapper, ctx };
    return with_new_keys(stream, add(stream, "KSTREAM-MAP-", &map_type, argument));
}

static struct flat_map_argument *flat_map_argument(mill_stream *stream, mill_flat_mapper mapper, void *ctx)
{
    struct flat_map_argument *argument = stream == NULL ? NULL : dsl_alloc(stream->dsl, sizeof *argument);
    if (argument == NULL || !dsl_given(stream->dsl, stream->node, mapper != NULL, "mapper"))
        return NULL;
    *argument = (struct flat_map_argument){ mapper, ctx };
    return argument;
}

mill_stream *mill_stream_flat_map(mill_stream *stream, mill_flat_mapper mapper, void *ctx)
{
    struct flat_map_argument *argument = flat_map_argument(stream, mapper, ctx);
    return argument == NULL ? NULL : with_new_keys(stream, add(stream, "KSTREAM-FLATMAP-", &flat_map_type, argument));
}

mill_stream *mill_stream_flat_map_values(mill_stream *stream, mill_flat_mapper mapper, void *ctx)
{
    struct flat_map_argument *argument = flat_map_argument(stream, mapper, ctx);
    return argument == NULL ? NULL
                            : with_new_values(stream, add(stream, "KSTREAM-FLATMAPVALUES-", &flat_map_values_type, argument));
}

static struct mapper_argument *mapper_argument(mill_stream *stream, mill_mapper mapper, void *ctx)
{
    struct mapper_argument *argument = stream == NULL ? NULL : dsl_alloc(stream->dsl, sizeof *argument);
    if (argument == NULL || !dsl_given(stream->dsl, stream->node, mapper != NULL, "mapper"))
        return NULL;
    *argument = (struct mapper_argument){ mapper, ctx };
    return argument;
}

mill_stream *mill_stream_select_key(mill_stream *stream, mill_mapper key, void *ctx)
{
    struct mapper_argument *argument = mapper_argument(stream, key, ctx);
    return argument == NULL ? NULL : with_new_keys(stream, add(stream, "KSTREAM-KEY-SELECT-", &select_key_type, argument));
}

mill_stream *mill_stream_map_values(mill_stream *stream, mill_mapper value, void *ctx)
{
    struct mapper_argument *argument = mapper_argument(stream, value, ctx);
    return argument == NULL ? NULL : with_new_values(stream, add(stream, "KSTREAM-MAPVALUES-", &map_values_type, argument));
}

static struct visit_argument *visit_argument(mill_stream *stream, mill_visitor visitor, void *ctx)
{
    struct visit_argument *argument = stream == NULL ? NULL : dsl_alloc(stream->dsl, sizeof *argument);
    if (argument == NULL || !dsl_given(stream->dsl, stream->node, visitor != NULL, "visitor"))
        return NULL;
    *argument = (struct visit_argument){ visitor, ctx };
    return argument;
}

mill_stream *mill_stream_peek(mill_stream *stream, mill_visitor visitor, void *ctx)
{
    struct visit_argument *argument = visit_argument(stream, visitor, ctx);
    return argument == NULL ? NULL : go_on(stream, add(stream, "KSTREAM-PEEK-", &peek_type, argument));
}

void mill_stream_for_each(mill_stream *stream, mill_visitor visitor, void *ctx)
{
    struct visit_argument *argument = visit_argument(stream, visitor, ctx);
    if (argument != NULL)
        (void)add(stream, "KSTREAM-FOREACH-", &for_each_type, argument);
}

void mill_stream_print(mill_stream *stream, const char *label)
{
    struct print_argument *argument = stream == NULL ? NULL : dsl_alloc(stream->dsl, sizeof *argument);
    if (argument == NULL)
        return;
    *argument = (struct print_argument){ label == NULL ? NULL : dsl_copy(stream->dsl, label), &stream->node->name };
    (void)add(stream, "KSTREAM-PRINTER-", &print_type, argument);
}

mill_stream *mill_stream_merge(mill_stream *stream, mill_stream *other)
{
    if (stream == NULL || other == NULL)
        return NULL;
    if (stream->dsl != other->dsl) {
        mill_topology_fail(stream->dsl->topology, "%s and %s are of two topologies and cannot merge", stream->node->name,
                           other->node->name);
        return NULL;
    }
    struct dsl_node *node = add(stream, "KSTREAM-MERGE-", &pass_through_type, &pass_through_type);
    if (node == NULL)
        return NULL;
    node->is_merge = true;
    if (other->node != stream->node)
        (void)dsl_add_parent(stream->dsl, node, other->node);
    mill_key_form form = stream->key_form == other->key_form ? stream->key_form : MILL_KEY_PLAIN;
    return dsl_stream(stream->dsl, node, stream->repartition_required || other->repartition_required, form);
}

/* ---- a processor of the user's own --------------------------------------------------------------------------------------- */

/* The names of the user's stores, and of those that the supplier brings, which become the topology's now. NULL: no memory. */
static const char *const *take_stores(struct dsl *dsl, mill_processor_supplier supplier, const char *const *stores,
                                      size_t store_count)
{
    const char **names = dsl_alloc(dsl, (store_count + supplier.store_count + 1) * sizeof *names);
    const char *const *copies = dsl_copy_all(dsl, stores, store_count);
    for (size_t i = 0; i < store_count && names != NULL && copies != NULL; i++)
        names[i] = copies[i];
    for (size_t i = 0; i < supplier.store_count; i++) {
        const char *name = supplier.stores[i] == NULL ? NULL : dsl_copy(dsl, supplier.stores[i]->name);
        if (names != NULL)
            names[store_count + i] = name;
        mill_topology_add_store(dsl->topology, supplier.stores[i], NULL, 0);
    }
    return copies == NULL ? NULL : names;
}

static void free_supplier(mill_topology *topology, mill_processor_supplier supplier)
{
    if (supplier.free_argument != NULL)
        supplier.free_argument((void *)supplier.argument);
    for (size_t i = 0; i < supplier.store_count; i++)
        mill_topology_add_store(topology, supplier.stores[i], NULL, 0); /* which is in error and frees it, or has it already */
}

/* Takes the supplier's argument and stores over in any case. */
static struct dsl_node *add_user_processor(mill_stream *stream, const char *prefix, mill_processor_supplier supplier,
                                           const char *const *stores, size_t store_count)
{
    struct dsl *dsl = stream->dsl;
    struct dsl_node *node = dsl_node(dsl, DSL_PROCESSOR, dsl_next_name(dsl, prefix), stream->node);
    if (node == NULL) {
        free_supplier(dsl->topology, supplier);
        return NULL;
    }
    node->stores = take_stores(dsl, supplier, stores, store_count);
    node->store_count = node->stores == NULL ? 0 : store_count + supplier.store_count;
    node->supplier = supplier;
    node->supplier.stores = NULL;
    node->supplier.store_count = 0;
    node->returns_index = true;
    return node;
}

/*
 * A NULL stream's mistake has marked a topology that is not known here: so it cannot be asked whether a store is its own already,
 * and rather than freeing one twice they are left.
 */
static bool is_no_stream(mill_stream *stream, mill_processor_supplier supplier)
{
    if (stream != NULL)
        return false;
    if (supplier.free_argument != NULL)
        supplier.free_argument((void *)supplier.argument);
    return true;
}

mill_stream *mill_stream_process(mill_stream *stream, mill_processor_supplier supplier, const char *const *stores,
                                 size_t store_count)
{
    if (is_no_stream(stream, supplier))
        return NULL;
    struct dsl_node *node = add_user_processor(stream, "KSTREAM-PROCESSOR-", supplier, stores, store_count);
    return node == NULL ? NULL : with_new_keys(stream, node);
}

mill_stream *mill_stream_process_values(mill_stream *stream, mill_processor_supplier supplier, const char *const *stores,
                                        size_t store_count)
{
    supplier.fixed_key = true;
    if (is_no_stream(stream, supplier))
        return NULL;
    struct dsl_node *node = add_user_processor(stream, "KSTREAM-PROCESSVALUES-", supplier, stores, store_count);
    return node == NULL ? NULL : with_new_values(stream, node);
}
