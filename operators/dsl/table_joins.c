/* The joins of tables with tables. */
#include "dsl/dsl.h"

#include "join/join.h"

static struct table_join_side *make_side(struct dsl *dsl, const struct table_join_argument *join, const mill_table *mine,
                                         mill_table *other, bool is_other)
{
    struct table_join_side *side = dsl_alloc(dsl, sizeof *side);
    const struct table_view *view = dsl_table_view(other);
    if (side == NULL || view == NULL)
        return NULL;
    *side = (struct table_join_side){
        .join = join, .other = view, .is_other = is_other, .is_versioned = dsl_table_is_versioned(mine)
    };
    return side;
}

/* The node of one side, below `mine`, that reads the other one. */
static struct dsl_node *add_side(struct dsl *dsl, const char *prefix, mill_table *mine, struct table_join_side *side)
{
    struct dsl_node *node = dsl_processor(dsl, dsl_next_name(dsl, prefix), &table_join_side_type, side, mine->node);
    if (node != NULL)
        dsl_connect_view(dsl, node, side->other);
    return node;
}

static bool check_sides(mill_table *table, mill_table *other, mill_joiner joiner)
{
    if (!dsl_given(table->dsl, table->node, joiner != NULL, "joiner"))
        return false;
    if (table->dsl == other->dsl)
        return true;
    mill_topology_fail(table->dsl->topology, "%s and %s are of two topologies and cannot be joined", table->node->name,
                       other->node->name);
    return false;
}

/* The table where both sides meet. */
static mill_table *add_merge(mill_table *table, mill_table *other, struct table_join_argument *join, const char *name,
                             struct dsl_node *sides[2], mill_materialized materialized)
{
    struct dsl *dsl = table->dsl;
    struct dsl_node *node = dsl_processor(dsl, name, &table_join_merge_type, join, sides[0]);
    if (node == NULL)
        return NULL;
    (void)dsl_add_parent(dsl, node, sides[1]);
    const struct dsl_store *store = NULL;
    if (materialized.name != NULL) {
        materialized.name = dsl_copy(dsl, materialized.name);
        store = materialized.name == NULL ? NULL : dsl_row_store(dsl, materialized);
        if (store == NULL)
            return NULL;
    }
    mill_table *joined = dsl_table(dsl, node,
                                   (mill_table){ .key_form = table->key_form,
                                                 .kind = DSL_TABLE_JOIN,
                                                 .parents = { table, other },
                                                 .parent_count = 2,
                                                 .argument = &join->base,
                                                 .own_store = store,
                                                 .view_type = &table_join_view_type });
    if (joined != NULL) {
        dsl_table_renames(joined, sides[0], "-join-this");
        dsl_table_renames(joined, sides[1], "-join-other");
    }
    return joined;
}

static mill_table *join_tables(mill_table *table, mill_table *other, struct table_join_argument argument,
                               mill_materialized materialized)
{
    if (table == NULL || other == NULL || !check_sides(table, other, argument.joiner))
        return NULL;
    struct dsl *dsl = table->dsl;
    struct table_join_argument *join = dsl_alloc(dsl, sizeof *join);
    const char *name = dsl_next_name(dsl, "KTABLE-MERGE-");
    if (join == NULL || name == NULL)
        return NULL;
    *join = argument;
    dsl_copartition(dsl, table->node, other->node);
    /* What tells a deletion of nothing from that of a row. */
    if (argument.kind != TABLE_JOIN_INNER)
        (void)dsl_table_send_old_values(table, true);
    if (argument.kind == TABLE_JOIN_OUTER)
        (void)dsl_table_send_old_values(other, true);
    struct table_join_side *this_side = make_side(dsl, join, table, other, false);
    struct table_join_side *other_side = make_side(dsl, join, other, table, true);
    if (this_side == NULL || other_side == NULL)
        return NULL;
    struct dsl_node *sides[2];
    sides[0] = add_side(dsl, "KTABLE-JOINTHIS-", table, this_side);
    sides[1] = add_side(dsl, "KTABLE-JOINOTHER-", other, other_side);
    return sides[0] == NULL || sides[1] == NULL ? NULL : add_merge(table, other, join, name, sides, materialized);
}

mill_table *mill_table_join(mill_table *table, mill_table *other, mill_joiner joiner, void *ctx, mill_materialized materialized)
{
    return join_tables(table, other, (struct table_join_argument){ .kind = TABLE_JOIN_INNER, .joiner = joiner, .ctx = ctx },
                       materialized);
}

mill_table *mill_table_left_join(mill_table *table, mill_table *other, mill_joiner joiner, void *ctx,
                                 mill_materialized materialized)
{
    return join_tables(table, other, (struct table_join_argument){ .kind = TABLE_JOIN_LEFT, .joiner = joiner, .ctx = ctx },
                       materialized);
}

mill_table *mill_table_outer_join(mill_table *table, mill_table *other, mill_joiner joiner, void *ctx,
                                  mill_materialized materialized)
{
    return join_tables(table, other, (struct table_join_argument){ .kind = TABLE_JOIN_OUTER, .joiner = joiner, .ctx = ctx },
                       materialized);
}
