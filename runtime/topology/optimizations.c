/* The settings of a topology: what layers above may optimize, and whether they may make names up. */
#include <string.h>

#include "topology/topology.h"

static const struct {
    const char *name;
    unsigned flags;
} OPTIMIZATIONS[] = {
    { "none", 0 },
    { "all", MILL_REUSE_SOURCE_TOPICS | MILL_MERGE_REPARTITION_TOPICS | MILL_SINGLE_STORE_SELF_JOIN },
    { "reuse.ktable.source.topics", MILL_REUSE_SOURCE_TOPICS },
    { "merge.repartition.topics", MILL_MERGE_REPARTITION_TOPICS },
    { "single.store.self.join", MILL_SINGLE_STORE_SELF_JOIN },
};

static bool add(mill_topology *topology, const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof OPTIMIZATIONS / sizeof OPTIMIZATIONS[0]; i++)
        if (strlen(OPTIMIZATIONS[i].name) == len && memcmp(OPTIMIZATIONS[i].name, name, len) == 0) {
            topology->optimizations |= OPTIMIZATIONS[i].flags;
            return true;
        }
    return false;
}

void mill_topology_optimize(mill_topology *topology, const char *optimizations)
{
    topology->optimizations = 0;
    const char *at = optimizations;
    for (;;) {
        at += strspn(at, " ");
        size_t len = strcspn(at, ",");
        size_t trimmed = len;
        while (trimmed > 0 && at[trimmed - 1] == ' ')
            trimmed--;
        if (!add(topology, at, trimmed)) {
            mill_topology_fail(topology,
                               "topology.optimization: \"%.*s\" is none of none, all, reuse.ktable.source.topics, "
                               "merge.repartition.topics, single.store.self.join",
                               (int)trimmed, at);
            return;
        }
        at += len;
        if (*at == '\0')
            return;
        at++;
    }
}

unsigned mill_topology_optimizations(const mill_topology *topology)
{
    return topology->optimizations;
}

void mill_topology_require_names(mill_topology *topology, bool required)
{
    topology->requires_names = required;
}

bool mill_topology_requires_names(const mill_topology *topology)
{
    return topology->requires_names;
}
