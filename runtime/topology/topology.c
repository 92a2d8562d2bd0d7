/*
 * Building: the calls of millstream/topology.h append nodes, stores and topics, or mark the topology with the first mistake.
 *
 * A marked topology takes nothing more, so that later calls need not check what they are given. Whatever a call takes ownership
 * of is freed in every case: at once when the call fails, else with the topology.
 */
#include "topology/topology.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"

enum {
    BLOCK_BYTES = 4096,
    BYTES_MAX = 64 << 20 /* a hundred thousand nodes: far beyond any program, and a bound for a runaway one */
};

mill_topology *mill_topology_new(void)
{
    mill_topology *topology = mem_calloc(1, sizeof *topology);
    if (topology == NULL)
        return NULL;
    arena_init(&topology->arena, BLOCK_BYTES, BYTES_MAX);
    hash_map_init(&topology->nodes_by_name);
    hash_map_init(&topology->stores_by_name);
    hash_map_init(&topology->topics_by_name);
    return topology;
}

static void free_supplier(mill_processor_supplier supplier)
{
    if (supplier.free_argument != NULL)
        supplier.free_argument((void *)supplier.argument);
}

static void free_builder(mill_store_builder *builder)
{
    if (builder->free != NULL)
        builder->free(builder);
}

void mill_topology_free(mill_topology *topology)
{
    if (topology == NULL)
        return;
    if (topology->layer_release != NULL)
        topology->layer_release(topology->layer);
    for (size_t i = 0; i < topology->nodes.count; i++)
        free_supplier(topology->nodes.at[i]->supplier);
    for (size_t i = 0; i < topology->stores.count; i++)
        free_builder((mill_store_builder *)topology->stores.at[i]->builder);
    for (size_t i = 0; i < topology->topics.count; i++)
        topology_pattern_free(topology->topics.at[i]->pattern);
    hash_map_release(&topology->nodes_by_name);
    hash_map_release(&topology->stores_by_name);
    hash_map_release(&topology->topics_by_name);
    arena_release(&topology->arena);
    mem_free(topology);
}

void mill_free(void *block)
{
    mem_free(block);
}

/* ---- errors -------------------------------------------------------------------------------------------------------------- */

const char *mill_topology_error(const mill_topology *topology)
{
    return topology->error_code == 0 ? NULL : topology->error.text;
}

void mill_topology_fail(mill_topology *topology, const char *format, ...)
{
    if (topology->error_code != 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(topology->error.text, sizeof topology->error.text, format, arguments);
    va_end(arguments);
    topology->error_code = MILL_EINVALID;
}

static void fail_no_memory(mill_topology *topology)
{
    if (topology->error_code == 0)
        topology->error_code = error_set(&topology->error, MILL_ENOMEM, "no memory for the topology");
}

/* ---- small parts --------------------------------------------------------------------------------------------------------- */

/* Room for one more pointer behind the `count` of an array; false marks the topology. */
static bool grow(mill_topology *topology, void *array, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 4 : *capacity * 2;
    void **moved = arena_calloc(&topology->arena, wanted, sizeof *moved);
    if (moved == NULL) {
        fail_no_memory(topology);
        return false;
    }
    void **old;
    memcpy(&old, array, sizeof old);
    if (count > 0)
        memcpy(moved, old, count * sizeof *moved);
    memcpy(array, &moved, sizeof moved);
    *capacity = wanted;
    return true;
}

#define APPEND(topology, list, item) \
    (grow((topology), &(list)->at, (list)->count, &(list)->capacity) ? ((list)->at[(list)->count++] = (item), true) : false)

static void *make(mill_topology *topology, size_t size)
{
    void *block = arena_calloc(&topology->arena, 1, size);
    if (block == NULL)
        fail_no_memory(topology);
    return block;
}

static const char *copy_name(mill_topology *topology, const char *name, const char *suffix)
{
    size_t name_bytes = strlen(name);
    size_t suffix_bytes = strlen(suffix);
    char *copy = make(topology, name_bytes + suffix_bytes + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, name, name_bytes);
    memcpy(copy + name_bytes, suffix, suffix_bytes + 1);
    return copy;
}

/* Kafka's rule for topics, which nodes and stores share because topics are named after them. */
static bool is_name(const char *name)
{
    if (name == NULL || name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return name[len] == '\0' && len <= TOPIC_NAME_MAX;
}

static bool check_name(mill_topology *topology, const char *what, const char *name)
{
    if (is_name(name))
        return true;
    mill_topology_fail(topology, "\"%.100s\" cannot name a %s: use 1 to %d of the characters a-z, A-Z, 0-9, '.', '_' and '-'",
                       name == NULL ? "" : name, what, TOPIC_NAME_MAX);
    return false;
}

static bool put(mill_topology *topology, struct hash_map *map, const char *name, void *value)
{
    if (hash_map_put(map, mill_string(name), value, NULL) == 0)
        return true;
    fail_no_memory(topology);
    return false;
}

struct topology_node *topology_find_node(const mill_topology *topology, const char *name)
{
    return hash_map_get(&topology->nodes_by_name, mill_string(name));
}

struct topology_store *topology_find_store(const mill_topology *topology, const char *name)
{
    return hash_map_get(&topology->stores_by_name, mill_string(name));
}

struct topology_topic *topology_find_topic(const mill_topology *topology, const char *name)
{
    return hash_map_get(&topology->topics_by_name, mill_string(name));
}

/* ---- topics -------------------------------------------------------------------------------------------------------------- */

static struct topology_topic *add_topic(mill_topology *topology, const char *name, enum topology_topic_kind kind)
{
    struct topology_topic *topic = make(topology, sizeof *topic);
    if (topic == NULL)
        return NULL;
    topic->name = name;
    topic->kind = kind;
    topic->index = topology->topics.count;
    return APPEND(topology, &topology->topics, topic) ? topic : NULL;
}

/* The topic that a source or sink names: known already, or the user's. */
static struct topology_topic *mention_topic(mill_topology *topology, const char *name)
{
    if (!check_name(topology, "topic", name))
        return NULL;
    struct topology_topic *topic = topology_find_topic(topology, name);
    if (topic != NULL)
        return topic;
    const char *copy = copy_name(topology, name, "");
    topic = copy == NULL ? NULL : add_topic(topology, copy, TOPOLOGY_EXTERNAL);
    return topic != NULL && put(topology, &topology->topics_by_name, copy, topic) ? topic : NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t text_bytes = strlen(text);
    size_t end_bytes = strlen(end);
    return text_bytes >= end_bytes && strcmp(text + text_bytes - end_bytes, end) == 0;
}

static void add_internal_topic(mill_topology *topology, const char *name, const char *suffix, int32_t partitions)
{
    if (topology->error_code != 0 || !check_name(topology, "repartition topic", name))
        return;
    if (partitions < 0) {
        mill_topology_fail(topology, "repartition topic %s: %d partitions; give 1 or more, or 0 for as many as its input", name,
                           partitions);
        return;
    }
    const char *full = copy_name(topology, name, ends_with(name, suffix) ? "" : suffix);
    if (full == NULL)
        return;
    if (topology_find_topic(topology, full) != NULL) {
        mill_topology_fail(topology, "topic %s exists in this topology already: name the repartition otherwise", full);
        return;
    }
    struct topology_topic *topic = add_topic(topology, full, TOPOLOGY_REPARTITION);
    if (topic == NULL)
        return;
    topic->partitions = partitions;
    put(topology, &topology->topics_by_name, full, topic);
}

void mill_topology_add_repartition(mill_topology *topology, const char *name, int32_t partitions)
{
    add_internal_topic(topology, name, "-repartition", partitions);
}

void mill_topology_add_internal_topic(mill_topology *topology, const char *name, int32_t partitions)
{
    add_internal_topic(topology, name, "", partitions);
}

void mill_topology_copartition(mill_topology *topology, const char *const *topics, size_t topic_count)
{
    if (topology->error_code != 0)
        return;
    struct topology_copartition *group = make(topology, sizeof *group);
    if (group == NULL)
        return;
    for (size_t i = 0; i < topic_count; i++) {
        const struct topology_node *source = topics[i] == NULL ? NULL : topology_find_node(topology, topics[i]);
        bool is_source = source != NULL && source->kind == TOPOLOGY_SOURCE && topology_find_topic(topology, topics[i]) == NULL;
        for (size_t j = 0; is_source && j < source->topics.count; j++)
            if (!APPEND(topology, &group->topics, source->topics.at[j]))
                return;
        struct topology_topic *topic = is_source ? NULL : mention_topic(topology, topics[i]);
        if (!is_source && (topic == NULL || !APPEND(topology, &group->topics, topic)))
            return;
    }
    (void)APPEND(topology, &topology->copartitions, group);
}

/* ---- nodes --------------------------------------------------------------------------------------------------------------- */

static bool connect(mill_topology *topology, struct topology_node *node, const char *parent_name)
{
    struct topology_node *parent = parent_name == NULL ? NULL : topology_find_node(topology, parent_name);
    if (parent == NULL) {
        mill_topology_fail(topology, "%s: its parent %s is not in the topology: add parents first", node->name,
                           parent_name == NULL ? "(null)" : parent_name);
        return false;
    }
    if (parent->kind == TOPOLOGY_SINK) {
        mill_topology_fail(topology, "%s: its parent %s is a sink, which has no children", node->name, parent_name);
        return false;
    }
    if (parent->global) {
        mill_topology_fail(topology, "%s: its parent %s fills a global store, which nothing hangs below", node->name,
                           parent_name);
        return false;
    }
    return APPEND(topology, &node->parents, parent) && APPEND(topology, &parent->children, node);
}

/* A node of that name, not yet in the topology; NULL marks it. */
static struct topology_node *make_node(mill_topology *topology, const char *name, enum topology_node_kind kind)
{
    if (topology->error_code != 0 || !check_name(topology, "node", name))
        return NULL;
    if (topology_find_node(topology, name) != NULL) {
        mill_topology_fail(topology, "two nodes are called %s: name one otherwise", name);
        return NULL;
    }
    struct topology_node *node = make(topology, sizeof *node);
    if (node == NULL)
        return NULL;
    node->name = copy_name(topology, name, "");
    node->kind = kind;
    return node->name == NULL ? NULL : node;
}

/* Connects it and makes it part of the topology, as the last step: what it owns is the topology's from here on. */
static bool enter_node(mill_topology *topology, struct topology_node *node, const char *const *parents, size_t parent_count)
{
    if (node->kind != TOPOLOGY_SOURCE && parent_count == 0) {
        mill_topology_fail(topology, "%s has no parent: nothing would reach it", node->name);
        return false;
    }
    for (size_t i = 0; i < parent_count; i++)
        if (!connect(topology, node, parents[i]))
            return false;
    node->index = topology->nodes.count;
    return put(topology, &topology->nodes_by_name, node->name, node) && APPEND(topology, &topology->nodes, node);
}

static bool read_topic(mill_topology *topology, struct topology_node *node, const char *name)
{
    struct topology_topic *topic = mention_topic(topology, name);
    if (topic == NULL)
        return false;
    const struct topology_topic *over = topology_pattern_over(topology, name);
    if (over != NULL) {
        mill_topology_fail(topology,
                           "topic %s is read by %s and matches the pattern %s of %s: one source reads a topic, make the pattern "
                           "narrower",
                           name, node->name, over->name, over->source->name);
        return false;
    }
    if (topic->source != NULL) {
        mill_topology_fail(topology, "topic %s is read by %s and by %s: one source reads a topic, and both go on from it", name,
                           topic->source->name, node->name);
        return false;
    }
    topic->source = node;
    return APPEND(topology, &node->topics, topic);
}

void mill_topology_add_source(mill_topology *topology, const char *name, const char *const *topics, size_t topic_count,
                              const mill_source_options *options)
{
    struct topology_node *node = make_node(topology, name, TOPOLOGY_SOURCE);
    if (node == NULL)
        return;
    if (topic_count == 0)
        mill_topology_fail(topology, "source %s reads no topic", name);
    for (size_t i = 0; i < topic_count; i++)
        if (!read_topic(topology, node, topics[i]))
            return;
    if (options != NULL)
        node->source = *options;
    (void)enter_node(topology, node, NULL, 0);
}

/* No other source names a topic that it means. */
static bool is_apart(mill_topology *topology, const struct topology_topic *pattern)
{
    for (size_t i = 0; i < topology->topics.count; i++) {
        const struct topology_topic *other = topology->topics.at[i];
        if (other->kind == TOPOLOGY_PATTERN || other->source == NULL || !topology_pattern_matches(pattern->pattern, other->name))
            continue;
        mill_topology_fail(
            topology,
            "the pattern %s of %s matches the topic %s, which %s reads: one source reads a topic, make the pattern "
            "narrower",
            pattern->name, pattern->source->name, other->name, other->source->name);
        return false;
    }
    return true;
}

void mill_topology_add_source_pattern(mill_topology *topology, const char *name, const char *pattern,
                                      const mill_source_options *options)
{
    struct topology_node *node = make_node(topology, name, TOPOLOGY_SOURCE);
    struct error_text error = { "" };
    struct topology_pattern *compiled = NULL;
    if (node == NULL)
        return;
    if (topology_pattern_new(pattern, &compiled, &error) < 0) {
        mill_topology_fail(topology, "source %s: \"%.200s\" is no extended regular expression: %s", name,
                           pattern == NULL ? "" : pattern, error.text);
        return;
    }
    const char *text = copy_name(topology, pattern, "");
    struct topology_topic *topic = text == NULL ? NULL : add_topic(topology, text, TOPOLOGY_PATTERN);
    if (topic == NULL) {
        topology_pattern_free(compiled);
        return;
    }
    topic->pattern = compiled;
    topic->source = node;
    if (!is_apart(topology, topic) || !APPEND(topology, &node->topics, topic))
        return;
    if (options != NULL)
        node->source = *options;
    (void)enter_node(topology, node, NULL, 0);
}

void mill_topology_add_processor(mill_topology *topology, const char *name, mill_processor_supplier supplier,
                                 const char *const *parents, size_t parent_count)
{
    struct topology_node *node = make_node(topology, name, TOPOLOGY_PROCESSOR);
    if (node != NULL && (supplier.type == NULL || supplier.type->process == NULL)) {
        mill_topology_fail(topology, "processor %s has no process function", name);
        node = NULL;
    }
    if (node == NULL || !enter_node(topology, node, parents, parent_count))
        free_supplier(supplier);
    else
        node->supplier = supplier;
    /* Also after a mistake: they are ours to free. */
    for (size_t i = 0; i < supplier.store_count; i++)
        mill_topology_add_store(topology, supplier.stores[i], &name, 1);
}

void mill_topology_add_sink_of(mill_topology *topology, const char *name, const char *const *topics, size_t topic_count,
                               const mill_sink_options *options, const char *const *parents, size_t parent_count)
{
    struct topology_node *node = make_node(topology, name, TOPOLOGY_SINK);
    if (node == NULL)
        return;
    if (topic_count != 1 && (topic_count == 0 || options == NULL || options->choose_topic == NULL))
        mill_topology_fail(topology, "sink %s: %zu topics, and no choose_topic that says which one a record goes to", name,
                           topic_count);
    for (size_t i = 0; i < topic_count && topology->error_code == 0; i++) {
        struct topology_topic *topic = mention_topic(topology, topics[i]);
        if (topic == NULL || !APPEND(topology, &node->topics, topic))
            return;
    }
    if (options != NULL)
        node->sink = *options;
    if (topology->error_code == 0)
        (void)enter_node(topology, node, parents, parent_count);
}

void mill_topology_add_global_store(mill_topology *topology, mill_store_builder *builder, const char *source, const char *topic,
                                    const mill_source_options *options, const char *processor, mill_processor_supplier supplier)
{
    if (builder != NULL && builder->logging)
        mill_topology_fail(topology, "global store %s logs to a changelog: its topic %s is that already, switch logging off",
                           builder->name, topic);
    mill_topology_add_source(topology, source, &topic, 1, options);
    mill_topology_add_processor(topology, processor, supplier, &source, 1);
    const char *name = builder == NULL ? "" : builder->name;
    struct topology_store *store = NULL;
    mill_topology_add_store(topology, builder, &processor, 1);
    if (topology->error_code == 0)
        store = topology_find_store(topology, name);
    if (store == NULL)
        return;
    store->global = true;
    store->nodes.at[0]->global = true;
    store->nodes.at[0]->parents.at[0]->global = true;
}

void mill_topology_add_sink(mill_topology *topology, const char *name, const char *topic_name, const mill_sink_options *options,
                            const char *const *parents, size_t parent_count)
{
    mill_topology_add_sink_of(topology, name, &topic_name, 1, options, parents, parent_count);
}

/* ---- stores -------------------------------------------------------------------------------------------------------------- */

static bool enter_store(mill_topology *topology, mill_store_builder *builder)
{
    if (topology->error_code != 0 || !check_name(topology, "store", builder->name))
        return false;
    if (topology_find_store(topology, builder->name) != NULL) {
        mill_topology_fail(topology, "two stores are called %s: name one otherwise", builder->name);
        return false;
    }
    struct topology_store *store = make(topology, sizeof *store);
    const char *name = store == NULL ? NULL : copy_name(topology, builder->name, "");
    const char *changelog = name == NULL ? NULL : copy_name(topology, name, "-changelog");
    if (changelog == NULL)
        return false;
    store->name = name;
    store->builder = builder;
    if (builder->logging) {
        store->changelog = add_topic(topology, changelog, TOPOLOGY_CHANGELOG);
        if (store->changelog == NULL)
            return false;
        store->changelog->store = store;
    }
    return put(topology, &topology->stores_by_name, name, store) && APPEND(topology, &topology->stores, store);
}

static bool owns_builder(const mill_topology *topology, const mill_store_builder *builder)
{
    for (size_t i = 0; i < topology->stores.count; i++)
        if (topology->stores.at[i]->builder == builder)
            return true;
    return false;
}

void mill_topology_add_store(mill_topology *topology, mill_store_builder *builder, const char *const *processors,
                             size_t processor_count)
{
    if (builder == NULL) {
        mill_topology_fail(topology, "a store has no builder: there was no memory for it, or its arguments were refused");
        return;
    }
    if (!owns_builder(topology, builder) && !enter_store(topology, builder)) {
        free_builder(builder);
        return;
    }
    for (size_t i = 0; i < processor_count; i++)
        mill_topology_connect_store(topology, processors[i], builder->name);
}

void mill_topology_restore_from_source(mill_topology *topology, const char *store_name, const char *topic_name)
{
    if (topology->error_code != 0)
        return;
    struct topology_store *store = topology_find_store(topology, store_name);
    struct topology_topic *topic = topology_find_topic(topology, topic_name);
    if (store == NULL || topic == NULL || topic->source == NULL || store->changelog != NULL) {
        mill_topology_fail(topology, "store %s cannot be restored from topic %s: %s", store_name, topic_name,
                           store == NULL                            ? "there is no such store"
                           : topic == NULL || topic->source == NULL ? "no source reads it"
                                                                    : "it has a changelog, switch logging off");
        return;
    }
    store->restored_from_source = true;
    store->changelog = topic;
}

void mill_topology_connect_store(mill_topology *topology, const char *processor, const char *store_name)
{
    if (topology->error_code != 0)
        return;
    struct topology_node *node = processor == NULL ? NULL : topology_find_node(topology, processor);
    struct topology_store *store = store_name == NULL ? NULL : topology_find_store(topology, store_name);
    if (store == NULL) {
        mill_topology_fail(topology, "%s uses the store %s, which is not in the topology: mill_topology_add_store comes first",
                           processor == NULL ? "(null)" : processor, store_name == NULL ? "(null)" : store_name);
        return;
    }
    if (node == NULL || node->kind != TOPOLOGY_PROCESSOR) {
        mill_topology_fail(topology, "store %s: %s is not a processor of the topology", store_name,
                           processor == NULL ? "(null)" : processor);
        return;
    }
    if (store->global) {
        mill_topology_fail(topology, "%s: the store %s is global, every processor may read it: do not connect it", processor,
                           store_name);
        return;
    }
    for (size_t i = 0; i < node->stores.count; i++)
        if (node->stores.at[i] == store)
            return;
    if (APPEND(topology, &node->stores, store))
        (void)APPEND(topology, &store->nodes, node);
}

/* ---- failures ------------------------------------------------------------------------------------------------------------ */

void mill_topology_on_failure(mill_topology *topology, mill_failure_kind kind, mill_failure_handler handler, void *ctx)
{
    if ((unsigned)kind >= MILL_FAILURE_KINDS) {
        mill_topology_fail(topology, "there is no kind of failure %d", (int)kind);
        return;
    }
    topology->failure_handlers[kind] = (struct topology_failure_handler){ handler, ctx };
}

/* ---- the layer above ----------------------------------------------------------------------------------------------------- */

unsigned mill_topology_next_index(mill_topology *topology)
{
    return topology->next_index++;
}

void mill_topology_set_layer(mill_topology *topology, void *layer, void (*lower)(mill_topology *topology, void *layer),
                             void (*release)(void *layer))
{
    topology->layer = layer;
    topology->layer_lower = lower;
    topology->layer_release = release;
}

void *mill_topology_layer(const mill_topology *topology)
{
    return topology->layer;
}
