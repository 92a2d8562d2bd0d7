/* The call of stream.h that drops duplicates. */
#include "dsl/dsl.h"

#include "aggregate/deduplicate.h"

static bool check(struct dsl *dsl, int64_t within_ms, const mill_materialized *materialized)
{
    const char *name = materialized->name;
    int64_t retention_ms = materialized->retention_ms;
    if (name == NULL)
        mill_topology_fail(dsl->topology,
                           "deduplicate: Kafka Streams does not have it, so it needs a name of yours: mill_as(\"...\")");
    else if (within_ms < 0 || within_ms > INT64_MAX / 8)
        mill_topology_fail(dsl->topology, "%s: duplicates within %lld ms cannot be", name, (long long)within_ms);
    else if (retention_ms != 0 && retention_ms <= within_ms)
        mill_topology_fail(dsl->topology, "%s: a retention of %lld ms does not reach back the %lld ms of duplicates: raise it",
                           name, (long long)retention_ms, (long long)within_ms);
    else if (materialized->history_ms != 0)
        mill_topology_fail(dsl->topology, "%s: what it has seen has no history: give a retention instead", name);
    else
        return true;
    return false;
}

mill_stream *mill_grouped_deduplicate(mill_grouped *grouped, mill_mapper id, void *ctx, int64_t within_ms,
                                      mill_materialized materialized)
{
    if (grouped == NULL || !check(grouped->dsl, within_ms, &materialized))
        return NULL;
    struct dsl *dsl = grouped->dsl;
    struct dsl_store *store = dsl_alloc(dsl, sizeof *store);
    struct deduplicate_argument *argument = dsl_alloc(dsl, sizeof *argument);
    materialized.name = dsl_copy(dsl, materialized.name);
    if (store == NULL || argument == NULL || materialized.name == NULL)
        return NULL;
    *store = (struct dsl_store){ .kind = MILL_STORE_SLIDING,
                                 .materialized = materialized,
                                 .retention_ms = materialized.retention_ms != 0 ? materialized.retention_ms : 2 * within_ms + 1,
                                 .window_size_ms = 1 };
    *argument = (struct deduplicate_argument){ .store = materialized.name, .within_ms = within_ms, .id = id, .ctx = ctx };
    struct dsl_node *parent = dsl_grouped_parent(grouped, materialized.name, true);
    struct dsl_node *node = parent == NULL ? NULL : dsl_processor(dsl, materialized.name, &deduplicate_type, argument, parent);
    if (node == NULL)
        return NULL;
    node->own_store = store;
    mill_stream *stream = dsl_stream(dsl, node, false, grouped->key_form);
    bool has_late = stream != NULL && dsl_add_late(dsl, &stream->late, node, &argument->late, grouped->key_form);
    return has_late ? stream : NULL;
}
