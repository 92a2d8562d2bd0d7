/* Store builders: recipes that the topology owns. */
#include "base/alloc.h"
#include "millstream/stores.h"
#include "state/task_states.h"

enum { PROPERTIES_MAX = 32 };

struct builder {
    mill_store_builder head;
    char *name;
    char *properties[2 * PROPERTIES_MAX + 1]; /* name, value, ..., NULL */
    size_t property_count;
};

static void free_builder(mill_store_builder *head)
{
    struct builder *builder = (struct builder *)head;
    for (size_t i = 0; i < 2 * builder->property_count; i++)
        mem_free(builder->properties[i]);
    mem_free(builder->name);
    mem_free(builder);
}

static mill_store_builder *new_builder(const char *name, mill_store_kind kind, int64_t retention_ms, int64_t window_size_ms)
{
    struct builder *builder = mem_calloc(1, sizeof *builder);
    if (builder == NULL)
        return NULL;
    builder->name = name == NULL ? NULL : mem_strdup(name);
    if (builder->name == NULL) {
        mem_free(builder);
        return NULL;
    }
    builder->head = (mill_store_builder){ .name = builder->name,
                                          .kind = kind,
                                          .task_state = &TASK_STATE_LMDB,
                                          .logging = true,
                                          .retention_ms = retention_ms,
                                          .window_size_ms = window_size_ms,
                                          .free = free_builder };
    return &builder->head;
}

mill_store_builder *mill_key_value_store(const char *name)
{
    return new_builder(name, MILL_STORE_KEY_VALUE, 0, 0);
}

mill_store_builder *mill_window_store(const char *name, int64_t retention_ms, int64_t window_size_ms)
{
    return new_builder(name, MILL_STORE_WINDOW, retention_ms, window_size_ms);
}

mill_store_builder *mill_set_store(const char *name, int64_t retention_ms, int64_t window_size_ms)
{
    return new_builder(name, MILL_STORE_SET, retention_ms, window_size_ms);
}

mill_store_builder *mill_sliding_store(const char *name, int64_t retention_ms, int64_t window_size_ms)
{
    return new_builder(name, MILL_STORE_SLIDING, retention_ms, window_size_ms);
}

mill_store_builder *mill_session_store(const char *name, int64_t retention_ms)
{
    return new_builder(name, MILL_STORE_SESSION, retention_ms, 0);
}

mill_store_builder *mill_join_store(const char *name, int64_t retention_ms, int64_t window_size_ms)
{
    return new_builder(name, MILL_STORE_JOIN, retention_ms, window_size_ms);
}

mill_store_builder *mill_versioned_store(const char *name, int64_t history_retention_ms)
{
    return new_builder(name, MILL_STORE_VERSIONED, history_retention_ms, 0);
}

mill_store_builder *mill_store_in_memory(mill_store_builder *builder)
{
    if (builder != NULL)
        builder->task_state = &TASK_STATE_MEMORY;
    return builder;
}

mill_store_builder *mill_store_with_caching(mill_store_builder *builder, bool caching)
{
    if (builder != NULL)
        builder->caching = caching;
    return builder;
}

mill_store_builder *mill_store_with_logging(mill_store_builder *builder, bool logging)
{
    if (builder != NULL)
        builder->logging = logging;
    return builder;
}

mill_store_builder *mill_store_with_changelog_property(mill_store_builder *head, const char *name, const char *value)
{
    struct builder *builder = (struct builder *)head;
    if (builder == NULL)
        return NULL;
    char *name_copy = builder->property_count < PROPERTIES_MAX ? mem_strdup(name) : NULL;
    char *value_copy = name_copy == NULL ? NULL : mem_strdup(value);
    if (value_copy == NULL) {
        mem_free(name_copy);
        free_builder(head);
        return NULL;
    }
    builder->properties[2 * builder->property_count] = name_copy;
    builder->properties[2 * builder->property_count + 1] = value_copy;
    builder->property_count++;
    builder->head.changelog_properties = (const char *const *)builder->properties;
    return head;
}

mill_store_builder *mill_store_with_changelog_header(mill_store_builder *builder, const mill_header *header)
{
    if (builder != NULL)
        builder->changelog_header = header;
    return builder;
}
