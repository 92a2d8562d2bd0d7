/* Joins of tables by foreign keys: ten nodes, two internal topics and a store, in the order in which Kafka Streams adds them. */
#include "dsl/dsl.h"

#include "join/join.h"

/* The names, as Kafka Streams takes its numbers; given ones take them, too. */
struct names {
    const char *subscription_topic;
    const char *subscribe;
    const char *subscription_sink;
    const char *subscription_source;
    const char *store;
    const char *receive;
    const char *answer;
    const char *tell;
    const char *response_topic;
    const char *response_sink;
    const char *response_source;
    const char *resolve;
    const char *result;
    const char *result_store;
};

struct naming {
    struct dsl *dsl;
    const char *given;
    bool failed;
};

static const char *name(struct naming *naming, const char *suffix, const char *prefix)
{
    const char *generated = dsl_next_name(naming->dsl, prefix);
    const char *chosen = generated == NULL || naming->given == NULL ? generated : dsl_join(naming->dsl, naming->given, suffix);
    naming->failed = naming->failed || chosen == NULL;
    return chosen == NULL ? "" : chosen;
}

static const char *name_topic(struct naming *naming, const char *suffix, const char *prefix)
{
    const char *topic = dsl_join(naming->dsl, name(naming, suffix, prefix), "-topic");
    naming->failed = naming->failed || topic == NULL;
    return topic;
}

#define FK "KTABLE-FK-JOIN-"

static bool take_names(struct dsl *dsl, const char *given, const char *result_store, struct names *names)
{
    struct naming n = { .dsl = dsl, .given = given };
    names->subscription_topic = name_topic(&n, "-subscription-registration", FK "SUBSCRIPTION-REGISTRATION-");
    names->subscribe = name(&n, "-subscription-registration-processor", FK "SUBSCRIPTION-REGISTRATION-");
    names->subscription_sink = name(&n, "-subscription-registration-sink", "KTABLE-SINK-");
    names->subscription_source = name(&n, "-subscription-registration-source", "KTABLE-SOURCE-");
    names->store = name(&n, "-subscription-store", FK "SUBSCRIPTION-STATE-STORE-");
    names->receive = name(&n, "-subscription-receive", FK "SUBSCRIPTION-PROCESSOR-");
    names->answer = name(&n, "-subscription-join-foreign", FK "SUBSCRIPTION-PROCESSOR-");
    names->tell = name(&n, "-foreign-join-subscription", FK "SUBSCRIPTION-PROCESSOR-");
    names->response_topic = name_topic(&n, "-subscription-response", FK "SUBSCRIPTION-RESPONSE-");
    names->response_sink = name(&n, "-subscription-response-sink", "KTABLE-SINK-");
    names->response_source = name(&n, "-subscription-response-source", "KTABLE-SOURCE-");
    names->resolve = name(&n, "-subscription-response-resolver", FK "SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-");
    names->result = name(&n, "-result", FK "OUTPUT-");
    names->result_store = result_store != NULL ? dsl_copy(dsl, result_store) : dsl_next_name(dsl, FK "OUTPUT-STATE-STORE-");
    return !n.failed && names->result_store != NULL;
}

/* ---- nodes --------------------------------------------------------------------------------------------------------------- */

/* A sink and the source behind it, of an internal topic that begins here. */
struct passage {
    struct dsl_node *sink;
    struct dsl_node *source;
};

static bool add_passage(struct dsl *dsl, const char *topic, const char *sink, const char *source, struct dsl_node *parent,
                        struct passage *passage)
{
    const char *const *topics = parent == NULL ? NULL : dsl_copy_all(dsl, &topic, 1);
    passage->sink = topics == NULL ? NULL : dsl_node(dsl, DSL_SINK, sink, parent);
    passage->source = passage->sink == NULL ? NULL : dsl_node(dsl, DSL_SOURCE, source, NULL);
    if (passage->source == NULL)
        return false;
    passage->sink->topics = passage->source->topics = topics;
    passage->sink->topic_count = passage->source->topic_count = 1;
    passage->sink->declares_internal = true;
    passage->source->sink_before = passage->sink;
    return true;
}

/* The subscriptions' own: never cached, since the one that reads it forwards to nobody that waits for a commit. */
static const struct dsl_store *subscription_store(struct dsl *dsl, const char *store)
{
    return dsl_row_store(dsl, (mill_materialized){ .name = store, .without_cache = true });
}

/* The right side. On return `passage` is the way back. */
static bool add_right(mill_table *other, struct foreign_key_argument *join, const struct names *names, struct dsl_node *source,
                      struct passage *passage)
{
    struct dsl *dsl = other->dsl;
    const struct dsl_store *store = subscription_store(dsl, names->store);
    struct dsl_node *receive = store == NULL ? NULL : dsl_processor(dsl, names->receive, &foreign_key_receive_type, join, source);
    struct dsl_node *answer = receive == NULL ? NULL : dsl_processor(dsl, names->answer, &foreign_key_answer_type, join, receive);
    struct dsl_node *tell = answer == NULL ? NULL : dsl_processor(dsl, names->tell, &foreign_key_tell_type, join, other->node);
    if (tell == NULL)
        return false;
    receive->own_store = store;
    tell->stores = dsl_copy_all(dsl, &names->store, 1);
    tell->store_count = tell->stores == NULL ? 0 : 1;
    dsl_connect_view(dsl, answer, join->other);
    if (!add_passage(dsl, names->response_topic, names->response_sink, names->response_source, answer, passage))
        return false;
    passage->sink->parents[passage->sink->parent_count++] = tell;
    passage->sink->sink.partitioner = foreign_key_partition;
    return true;
}

static mill_table *add_nodes(mill_table *table, mill_table *other, struct foreign_key_argument *join, const struct names *names,
                             mill_materialized materialized)
{
    struct dsl *dsl = table->dsl;
    struct passage there;
    struct passage back;
    struct dsl_node *subscribe = dsl_processor(dsl, names->subscribe, &foreign_key_subscribe_type, join, table->node);
    if (!add_passage(dsl, names->subscription_topic, names->subscription_sink, names->subscription_source, subscribe, &there))
        return NULL;
    there.sink->sink.key_form = other->key_form;
    dsl_copartition(dsl, there.source, other->node);
    if (!add_right(other, join, names, there.source, &back))
        return NULL;
    dsl_copartition(dsl, back.source, table->node);
    struct dsl_node *resolve = dsl_processor(dsl, names->resolve, &foreign_key_resolve_type, join, back.source);
    if (resolve == NULL)
        return NULL;
    dsl_connect_view(dsl, resolve, join->table);
    resolve->joined = table->node;
    bool named = materialized.name != NULL;
    materialized.name = names->result_store;
    mill_table *result = dsl_source_table(dsl, resolve, names->result, materialized, named);
    if (result != NULL)
        result->key_form = table->key_form;
    return result;
}

/* ---- the calls ----------------------------------------------------------------------------------------------------------- */

static bool check(mill_table *table, mill_table *other, const struct foreign_key_argument *argument)
{
    if (!dsl_given(table->dsl, table->node, argument->foreign_key != NULL && argument->joiner != NULL, "foreign key or joiner"))
        return false;
    if (table->dsl == other->dsl)
        return true;
    mill_topology_fail(table->dsl->topology, "%s and %s are of two topologies and cannot be joined", table->node->name,
                       other->node->name);
    return false;
}

static mill_table *join_tables(mill_table *table, mill_table *other, struct foreign_key_argument argument, mill_joined joined,
                               mill_materialized materialized)
{
    if (table == NULL || other == NULL || !check(table, other, &argument))
        return NULL;
    struct dsl *dsl = table->dsl;
    struct foreign_key_argument *join = dsl_alloc(dsl, sizeof *join);
    struct names names;
    if (join == NULL || !take_names(dsl, joined.name, materialized.name, &names))
        return NULL;
    *join = argument;
    (void)dsl_table_send_old_values(other, true);
    (void)dsl_table_send_old_values(table, true);
    join->table = dsl_table_view(table);
    join->other = dsl_table_view(other);
    join->subscriptions = names.store;
    join->table_is_versioned = dsl_table_is_versioned(table);
    join->other_is_versioned = dsl_table_is_versioned(other);
    return join->table == NULL || join->other == NULL ? NULL : add_nodes(table, other, join, &names, materialized);
}

mill_table *mill_table_foreign_key_join(mill_table *table, mill_table *other, mill_mapper foreign_key, mill_joiner joiner,
                                        void *ctx, mill_joined joined, mill_materialized materialized)
{
    struct foreign_key_argument argument = { .foreign_key = foreign_key, .joiner = joiner, .ctx = ctx };
    return join_tables(table, other, argument, joined, materialized);
}

mill_table *mill_table_foreign_key_left_join(mill_table *table, mill_table *other, mill_mapper foreign_key, mill_joiner joiner,
                                             void *ctx, mill_joined joined, mill_materialized materialized)
{
    struct foreign_key_argument argument = { .left = true, .foreign_key = foreign_key, .joiner = joiner, .ctx = ctx };
    return join_tables(table, other, argument, joined, materialized);
}
