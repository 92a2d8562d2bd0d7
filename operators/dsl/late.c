/*
 * Late records as a stream of their own: a node that is a child of every operator that finds such records, under a name that the
 * operator knows it by (result_children_open). Made when asked for; Kafka Streams has no such node, so it takes no number.
 */
#include "dsl/dsl.h"

#include "stateless/stateless.h"

bool dsl_add_late(struct dsl *dsl, struct dsl_late **late, struct dsl_node *node, const char *const **child,
                  mill_key_form key_form)
{
    struct dsl_late *added = dsl_alloc(dsl, sizeof *added);
    if (added == NULL)
        return false;
    while (*late != NULL)
        late = &(*late)->next;
    *added = (struct dsl_late){ .node = node, .child = child, .key_form = key_form };
    *late = added;
    return true;
}

static struct dsl_node *add_node(struct dsl *dsl, struct dsl_late *late, const char *name)
{
    struct dsl_node *node = dsl_processor(dsl, dsl_join(dsl, name, "-late"), &pass_through_type, &pass_through_type, late->node);
    for (const struct dsl_late *other = late->next; node != NULL && other != NULL; other = other->next)
        if (!dsl_add_parent(dsl, node, other->node))
            return NULL;
    return node;
}

static mill_stream *late_stream(struct dsl *dsl, struct dsl_late *late, const char *name)
{
    struct dsl_node *node = late->stream_node == NULL ? add_node(dsl, late, name) : late->stream_node;
    if (node == NULL)
        return NULL;
    late->stream_node = node;
    for (const struct dsl_late *each = late; each != NULL; each = each->next)
        *each->child = &node->name;
    mill_key_form form = late->key_form;
    for (const struct dsl_late *other = late->next; other != NULL; other = other->next)
        form = other->key_form == form ? form : MILL_KEY_PLAIN;
    return dsl_stream(dsl, node, false, form);
}

mill_stream *mill_windowed_late(mill_table *table)
{
    if (table == NULL)
        return NULL;
    if (table->late != NULL)
        return late_stream(table->dsl, table->late, table->node->name);
    mill_topology_fail(table->dsl->topology, "%s: only the table of a windowed aggregation has late records", table->node->name);
    return NULL;
}

mill_stream *mill_deduplicated_late(mill_stream *stream)
{
    if (stream == NULL)
        return NULL;
    if (stream->late != NULL)
        return late_stream(stream->dsl, stream->late, stream->node->name);
    mill_topology_fail(stream->dsl->topology, "%s: of streams only deduplicated ones have late records", stream->node->name);
    return NULL;
}
