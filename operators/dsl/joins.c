/* The calls of join.h. */
#include "dsl/dsl.h"

#include "join/join.h"

/* ---- what all have in common ---------------------------------------------------------------------------------------------- */

static bool check_sides(struct dsl *dsl, const struct dsl_node *node, const struct dsl *other_dsl, const struct dsl_node *other)
{
    if (dsl == other_dsl)
        return true;
    mill_topology_fail(dsl->topology, "%s and %s are of two topologies and cannot be joined", node->name, other->name);
    return false;
}

/*
 * The side's node, behind a repartition topic if its key may have changed. An unnamed topic is made once for a stream, however
 * often it is joined; Kafka Streams takes the numbers of its nodes each time.
 */
static struct dsl_node *repartitioned(mill_stream *stream, const char *name)
{
    struct dsl *dsl = stream->dsl;
    if (!stream->repartition_required)
        return stream->node;
    if (name != NULL)
        return dsl_repartition(dsl, stream->node, name, 0, false);
    if (stream->repartition == NULL) {
        stream->repartition = dsl_repartition(dsl, stream->node, stream->node->name, 0, false);
    } else {
        for (int i = 0; i < 3; i++)
            (void)dsl_next_name(dsl, "");
    }
    return stream->repartition;
}

/* The name given, or the generated one, whose number is taken in any case. */
static const char *name_operator(struct dsl *dsl, const char *given, const char *prefix)
{
    const char *generated = dsl_next_name(dsl, prefix);
    return given == NULL || generated == NULL ? generated : dsl_copy(dsl, given);
}

/* ---- a stream with a table ----------------------------------------------------------------------------------------------- */

static mill_stream *join_table(mill_stream *stream, mill_table *table, struct stream_table_argument argument, mill_joined joined)
{
    if (stream == NULL || table == NULL)
        return NULL;
    struct dsl *dsl = stream->dsl;
    struct stream_table_argument *kept = dsl_alloc(dsl, sizeof *kept);
    if (kept == NULL || !dsl_given(dsl, stream->node, argument.joiner != NULL, "joiner") ||
        !check_sides(dsl, stream->node, table->dsl, table->node))
        return NULL;
    *kept = argument;
    struct dsl_node *parent = repartitioned(stream, joined.name);
    const char *name = name_operator(dsl, joined.name, argument.left ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-");
    struct dsl_node *node = parent == NULL ? NULL : dsl_processor(dsl, name, &stream_table_join_type, kept, parent);
    kept->table = node == NULL ? NULL : dsl_table_view(table);
    if (kept->table == NULL)
        return NULL;
    dsl_connect_view(dsl, node, kept->table);
    node->joined = table->node;
    dsl_copartition(dsl, parent, table->node);
    if (argument.left)
        dsl_relax_null_keys(parent);
    return dsl_stream(dsl, node, false, stream->key_form);
}

mill_stream *mill_stream_join_table(mill_stream *stream, mill_table *table, mill_joiner joiner, void *ctx, mill_joined joined)
{
    return join_table(stream, table, (struct stream_table_argument){ .joiner = joiner, .ctx = ctx }, joined);
}

mill_stream *mill_stream_left_join_table(mill_stream *stream, mill_table *table, mill_joiner joiner, void *ctx,
                                         mill_joined joined)
{
    return join_table(stream, table, (struct stream_table_argument){ .joiner = joiner, .ctx = ctx, .left = true }, joined);
}
