/*
 * Topics by pattern: POSIX extended regular expressions over whole names, as Kafka Streams' Pattern#matches. An expression may be
 * asked by several threads at once, which POSIX promises of regexec.
 */
#include <regex.h>
#include <stdio.h>

#include "base/alloc.h"
#include "topology/topology.h"

enum { PATTERN_BYTES_MAX = 4096 };

struct topology_pattern {
    regex_t regex;
};

int topology_pattern_new(const char *text, struct topology_pattern **made, struct error_text *error)
{
    char whole[PATTERN_BYTES_MAX + 8];
    if (text == NULL || text[0] == '\0')
        return error_set(error, MILL_EINVALID, "it is empty");
    if (strlen(text) > PATTERN_BYTES_MAX)
        return error_set(error, MILL_EINVALID, "it is longer than %d bytes", PATTERN_BYTES_MAX);
    struct topology_pattern *pattern = mem_calloc(1, sizeof *pattern);
    if (pattern == NULL)
        return error_set(error, MILL_ENOMEM, "no memory for it");
    snprintf(whole, sizeof whole, "^(%s)$", text);
    int code = regcomp(&pattern->regex, whole, REG_EXTENDED | REG_NOSUB);
    if (code == 0) {
        *made = pattern;
        return 0;
    }
    char reason[128];
    regerror(code, &pattern->regex, reason, sizeof reason);
    mem_free(pattern);
    return error_set(error, code == REG_ESPACE ? MILL_ENOMEM : MILL_EINVALID, "%s", reason);
}

void topology_pattern_free(struct topology_pattern *pattern)
{
    if (pattern == NULL)
        return;
    regfree(&pattern->regex);
    mem_free(pattern);
}

bool topology_pattern_matches(const struct topology_pattern *pattern, const char *name)
{
    return strncmp(name, "__", 2) != 0 && regexec(&pattern->regex, name, 0, NULL, 0) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t text_bytes = strlen(text);
    size_t end_bytes = strlen(end);
    return text_bytes >= end_bytes && strcmp(text + text_bytes - end_bytes, end) == 0;
}

/* Those of an earlier shape of the topology included. */
static bool is_own_internal(const mill_topology *topology, const char *application_id, const char *name)
{
    size_t id_bytes = strlen(application_id);
    if (strncmp(name, application_id, id_bytes) != 0 || name[id_bytes] != '-')
        return false;
    for (size_t i = 0; i < topology->topics.count; i++) {
        const struct topology_topic *topic = topology->topics.at[i];
        bool is_internal = topic->kind == TOPOLOGY_REPARTITION || topic->kind == TOPOLOGY_CHANGELOG;
        if (is_internal && strcmp(topic->name, name + id_bytes + 1) == 0)
            return true;
    }
    return ends_with(name, "-changelog") || ends_with(name, "-repartition");
}

static const struct topology_topic *pattern_from(const mill_topology *topology, size_t from, const char *name)
{
    for (size_t i = from; i < topology->topics.count; i++) {
        const struct topology_topic *topic = topology->topics.at[i];
        if (topic->kind == TOPOLOGY_PATTERN && topology_pattern_matches(topic->pattern, name))
            return topic;
    }
    return NULL;
}

const struct topology_topic *topology_pattern_over(const mill_topology *topology, const char *name)
{
    return pattern_from(topology, 0, name);
}

const struct topology_topic *topology_pattern_of(const mill_topology *topology, const char *application_id, const char *name)
{
    return is_own_internal(topology, application_id, name) ? NULL : topology_pattern_over(topology, name);
}

const struct topology_topic *topology_second_pattern_of(const mill_topology *topology, const struct topology_topic *first,
                                                        const char *name)
{
    return pattern_from(topology, first->index + 1, name);
}

bool topology_has_patterns(const mill_topology *topology)
{
    for (size_t i = 0; i < topology->topics.count; i++)
        if (topology->topics.at[i]->kind == TOPOLOGY_PATTERN)
            return true;
    return false;
}

bool topology_is_copartitioned(const mill_topology *topology, const struct topology_topic *pattern)
{
    for (size_t i = 0; i < topology->copartitions.count; i++)
        for (size_t j = 0; j < topology->copartitions.at[i]->topics.count; j++)
            if (topology->copartitions.at[i]->topics.at[j] == pattern)
                return true;
    return false;
}
