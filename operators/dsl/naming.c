/*
 * Names as Kafka Streams generates them: a prefix and one counter for the whole topology, whose every step must be the same as
 * its, or the stores and topics of an application that moves here would be called otherwise.
 *
 * Naming an operator does not spare its number (Kafka Streams burns it, to keep the names below stable), but for custom
 * processors, which give it back.
 */
#include "dsl/dsl.h"

#include <stdio.h>

static unsigned next_index(struct dsl *dsl)
{
    if (dsl->has_spare_index)
        dsl->has_spare_index = false;
    else
        dsl->last_index = mill_topology_next_index(dsl->topology);
    return dsl->last_index;
}

const char *dsl_next_name(struct dsl *dsl, const char *prefix)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%010u", next_index(dsl));
    return dsl_join(dsl, prefix, digits);
}

void dsl_rename(struct dsl *dsl, struct dsl_node *node, const char *name)
{
    const char *copy = dsl_copy(dsl, name);
    if (copy == NULL)
        return;
    node->name = copy;
    if (node->returns_index && node->index == dsl->last_index)
        dsl->has_spare_index = true;
    node->returns_index = false;
}

bool dsl_is_generated(const char *name)
{
    size_t len = strlen(name);
    if (strncmp(name, "KSTREAM", 7) != 0 || len < 7 + 1 + 10 || name[len - 11] != '-')
        return false;
    return strspn(name + len - 10, "0123456789") == 10;
}

mill_stream *mill_stream_as(mill_stream *stream, const char *name)
{
    if (stream != NULL)
        dsl_rename(stream->dsl, stream->node, name);
    return stream;
}

mill_grouped *mill_grouped_as(mill_grouped *grouped, const char *name)
{
    if (grouped == NULL)
        return NULL;
    grouped->name = dsl_copy(grouped->dsl, name);
    if (grouped->key_select != NULL)
        dsl_rename(grouped->dsl, grouped->key_select, name);
    return grouped;
}

/* ---- explicit names ------------------------------------------------------------------------------------------------------ */

/* Ten digits behind a '-', before any of these ends. */
static bool ends_with_number(const char *name)
{
    static const char *const ends[] = { "", "-repartition", "-topic" };
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t end = strlen(ends[i]);
        if (len < end + 11 || strcmp(name + len - end, ends[i]) != 0 || name[len - end - 11] != '-')
            continue;
        if (strspn(name + len - end - 10, "0123456789") == 10)
            return strncmp(name, "KSTREAM-", 8) == 0 || strncmp(name, "KTABLE-", 7) == 0 || strstr(name, "-STATE-STORE-") != NULL;
    }
    return false;
}

struct generated {
    char text[400];
    size_t len;
};

static void list(struct generated *generated, const char *what, const char *name)
{
    if (!ends_with_number(name) || generated->len >= sizeof generated->text)
        return;
    int added = snprintf(generated->text + generated->len, sizeof generated->text - generated->len, "%s%s %s",
                         generated->len == 0 ? "" : ", ", what, name);
    generated->len += added > 0 ? (size_t)added : 0;
}

void dsl_check_names(struct dsl *dsl)
{
    struct generated generated = { .len = 0 };
    for (size_t i = 0; i < dsl->node_count; i++) {
        const struct dsl_node *node = dsl->nodes[i];
        if (node->own_store != NULL)
            list(&generated, "store", node->own_store->materialized.name);
        if (node->declares_repartition || node->declares_internal)
            list(&generated, "topic", node->topics[0]);
    }
    if (generated.len > 0)
        mill_topology_fail(dsl->topology, "generated names are refused (ensure.explicit.internal.resource.naming), so name: %s",
                           generated.text);
}
