/*
 * Going through an internal topic, which brings equal keys together: a filter against null keys (they could go to any
 * partition), a sink, and the source that begins a new sub-topology.
 */
#include "dsl/dsl.h"

#include "stateless/stateless.h"

static const char SUFFIX[] = "-repartition";

static bool has_suffix(const char *name)
{
    size_t len = strlen(name);
    return len >= sizeof SUFFIX - 1 && strcmp(name + len - (sizeof SUFFIX - 1), SUFFIX) == 0;
}

struct names {
    const char *sink;
    const char *filter;
    const char *source;
};

/* Kafka Streams takes the three numbers in any case, and uses them where the topic's own name is generated. */
static bool name_nodes(struct dsl *dsl, const char *name, const char *topic, bool ours, struct names *names)
{
    if (!ours)
        *names = (struct names){ .sink = dsl_next_name(dsl, "KSTREAM-SINK-"),
                                 .filter = dsl_next_name(dsl, "KSTREAM-FILTER-"),
                                 .source = dsl_next_name(dsl, "KSTREAM-SOURCE-") };
    if (ours || !dsl_is_generated(name))
        *names = (struct names){ .sink = dsl_join(dsl, topic, "-sink"),
                                 .filter = dsl_join(dsl, topic, "-filter"),
                                 .source = dsl_join(dsl, topic, "-source") };
    return names->sink && names->filter && names->source;
}

struct dsl_node *dsl_repartition(struct dsl *dsl, struct dsl_node *parent, const char *name, int32_t partitions, bool ours)
{
    const char *topic = dsl_join(dsl, name, has_suffix(name) ? "" : SUFFIX);
    const char *const *topics = topic == NULL ? NULL : dsl_copy_all(dsl, &topic, 1);
    struct names names;
    if (topics == NULL || !name_nodes(dsl, name, topic, ours, &names))
        return NULL;
    struct dsl_node *filter = dsl_processor(dsl, names.filter, &null_key_filter_type, &null_key_filter_type, parent);
    struct dsl_node *sink = filter == NULL ? NULL : dsl_node(dsl, DSL_SINK, names.sink, filter);
    struct dsl_node *source = sink == NULL ? NULL : dsl_node(dsl, DSL_SOURCE, names.source, NULL);
    if (source == NULL)
        return NULL;
    sink->topics = topics;
    sink->topic_count = 1;
    sink->declares_repartition = true;
    sink->partitions = partitions;
    source->topics = topics;
    source->topic_count = 1;
    source->filter = filter;
    return source;
}

void dsl_rename_repartition(struct dsl *dsl, struct dsl_node *source, const char *name)
{
    const char *topic = dsl_join(dsl, name, has_suffix(name) ? "" : SUFFIX);
    const char *const *topics = topic == NULL ? NULL : dsl_copy_all(dsl, &topic, 1);
    struct names names;
    if (topics == NULL || !name_nodes(dsl, name, topic, true, &names))
        return;
    for (size_t i = 0; i < dsl->node_count; i++) {
        struct dsl_node *sink = dsl->nodes[i];
        if (sink->kind != DSL_SINK || sink->topics != source->topics)
            continue;
        sink->topics = topics;
        sink->name = names.sink;
        sink->parents[0]->name = names.filter;
    }
    source->topics = topics;
    source->name = names.source;
}
