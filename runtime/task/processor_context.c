#include "task/processor_context.h"

#include <stdarg.h>
#include <stdio.h>

#include "task/failure.h"
#include "task/task_internal.h"

int fixed_key_process(mill_context *context, void *self, const mill_record *record)
{
    const mill_record *before = context->fixed_record;
    context->fixed_record = record;
    int code = context->type->process(context, self, record);
    context->fixed_record = before;
    return code;
}

static __attribute__((noinline)) int check_key(mill_context *context, const mill_record *record)
{
    const mill_record *fixed = context->fixed_record;
    if (fixed == NULL)
        return mill_context_error(context, MILL_EINVALID, "a processor with a fixed key cannot forward from a punctuator");
    if (mill_is_null(fixed->key) != mill_is_null(record->key) || !mill_bytes_equal(fixed->key, record->key))
        return mill_context_error(context, MILL_EINVALID,
                                  "a processor with a fixed key has forwarded another one: use mill_stream_process");
    return 0;
}

static inline int forward_to(mill_context *child, const mill_record *record)
{
    int code = child->process(child, child->self, record);
    return __builtin_expect(code < 0, 0) ? task_judge(child, MILL_FAILURE_PROCESSING, record, code) : 0;
}

int mill_forward(mill_context *context, const mill_record *record)
{
    int code = __builtin_expect(context->fixed_key, 0) ? check_key(context, record) : 0;
    for (size_t i = 0; i < context->child_count && code == 0; i++)
        code = forward_to(context->children[i], record);
    return code;
}

int mill_forward_to_index(mill_context *context, size_t child, const mill_record *record)
{
    if (child >= context->child_count)
        return mill_context_error(context, MILL_ENOTFOUND, "there is no child number %zu, only %zu children", child,
                                  context->child_count);
    int code = context->fixed_key ? check_key(context, record) : 0;
    return code < 0 ? code : forward_to(context->children[child], record);
}

int mill_forward_to(mill_context *context, const char *child, const mill_record *record)
{
    for (size_t i = 0; i < context->child_count; i++)
        if (strcmp(context->children[i]->node->name, child) == 0)
            return mill_forward_to_index(context, i, record);
    return mill_context_error(context, MILL_ENOTFOUND, "there is no child named %s", child);
}

const mill_header *mill_record_header(const mill_record *record, const char *key)
{
    for (size_t i = record->header_count; i > 0; i--)
        if (mill_bytes_equal(record->headers[i - 1].key, mill_string(key)))
            return &record->headers[i - 1];
    return NULL;
}

int mill_record_add_header(mill_context *context, mill_record *record, const char *key, mill_bytes value)
{
    mill_header *headers = mill_context_alloc(context, (record->header_count + 1) * sizeof *headers);
    if (headers == NULL)
        return MILL_ENOMEM;
    if (record->header_count > 0)
        memcpy(headers, record->headers, record->header_count * sizeof *headers);
    headers[record->header_count++] = (mill_header){ mill_string(key), value };
    record->headers = headers;
    return 0;
}

int mill_record_remove_headers(mill_context *context, mill_record *record, const char *key)
{
    mill_header *headers = mill_context_alloc(context, record->header_count * sizeof *headers);
    if (headers == NULL)
        return MILL_ENOMEM;
    size_t kept = 0;
    for (size_t i = 0; i < record->header_count; i++)
        if (!mill_bytes_equal(record->headers[i].key, mill_string(key)))
            headers[kept++] = record->headers[i];
    record->headers = headers;
    record->header_count = kept;
    return 0;
}

const char *mill_context_child_name(const mill_context *context, size_t child)
{
    return child < context->child_count ? context->children[child]->node->name : NULL;
}

size_t mill_context_child_count(const mill_context *context)
{
    return context->child_count;
}

mill_record_metadata mill_context_metadata(const mill_context *context)
{
    const struct task *task = context->task;
    if (task->current == NULL)
        return (mill_record_metadata){ NULL, -1, -1 };
    return (mill_record_metadata){ task->current->queue.topic, task->current->queue.partition, task->current_offset };
}

int64_t mill_context_stream_time_ms(const mill_context *context)
{
    return context->task->stream_time_ms;
}

int64_t mill_context_wall_time_ms(const mill_context *context)
{
    return context->task->now.wall_ms;
}

const char *mill_context_application_id(const mill_context *context)
{
    return context->task->options.application_id;
}

const char *mill_context_task_id(const mill_context *context)
{
    return context->task->id;
}

int32_t mill_context_partition(const mill_context *context)
{
    return context->task->options.partition;
}

const char *mill_context_node_name(const mill_context *context)
{
    return context->node->name;
}

const char *mill_context_property(const mill_context *context, const char *name)
{
    const struct task_options *options = &context->task->options;
    return options->property ? options->property(options->property_ctx, name) : NULL;
}

void *mill_context_alloc(mill_context *context, size_t size)
{
    return arena_alloc(&context->task->record_memory, size);
}

mill_memory_mark mill_context_mark(const mill_context *context)
{
    struct arena_mark mark = arena_mark(&context->task->record_memory);
    return (mill_memory_mark){ { mark.first, mark.next, mark.current, mark.at, mark.end }, mark.bytes_used };
}

void mill_context_rewind(mill_context *context, mill_memory_mark mark)
{
    struct arena_mark to = { mark.places[0], mark.places[1], mark.places[2], mark.places[3], mark.places[4], mark.bytes };
    arena_rewind(&context->task->record_memory, to);
}

void mill_context_drop(mill_context *context, const char *reason)
{
    task_count_drop(context->task, reason, 1);
}

void mill_context_request_commit(mill_context *context)
{
    context->task->commit_requested = true;
}

int mill_context_error(mill_context *context, int code, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (context->task->failed == NULL)
        context->task->failed = context;
    return error_set(&context->task->error, code, "%s", text);
}

bool mill_context_remembered(const mill_context *context, const char *name, int64_t *number)
{
    return task_remembered(context->task, name, number);
}

int mill_context_remember(mill_context *context, const char *name, int64_t number)
{
    struct remembered_number *remembered;
    int code = task_remember(context->task, name, &remembered);
    if (remembered != NULL)
        remembered->number = number;
    return code;
}

int mill_context_keep(mill_context *context, const char *name, int64_t *number)
{
    struct remembered_number *remembered;
    const char *kept = task_prefixed_name(&context->task->record_memory, TASK_KEPT, name);
    if (kept == NULL)
        return MILL_ENOMEM;
    int code = task_remember(context->task, kept, &remembered);
    if (remembered == NULL)
        return code;
    if (remembered->number >= 0)
        *number = remembered->number;
    remembered->kept = number;
    return 0;
}

/* Looked up now and then: who looks less often than that, or hears less, cannot know what was in between. */
enum { IDLE_GAP_US = 5 * 1000 * 1000 };

int64_t mill_context_idle_ms(mill_context *context)
{
    struct task *task = context->task;
    int64_t now_us = task->now.monotonic_us;
    bool always = true;
    for (size_t i = 0; i < task->input_count; i++) {
        const struct task_input *input = &task->inputs[i];
        if (input->lag != 0 || input->queue.bytes > 0 || input->told_until_us < now_us)
            return 0;
        always &= input->told_until_us == INT64_MAX;
    }
    if (now_us - task->idle_known_us > IDLE_GAP_US && !always)
        task->idle_since_us = now_us;
    task->idle_known_us = now_us;
    return always ? INT64_MAX : (now_us - task->idle_since_us) / 1000;
}

mill_store *mill_context_store(mill_context *context, const char *name)
{
    const struct topology_stores *stores = &context->node->stores;
    for (size_t i = 0; i < stores->count; i++)
        if (strcmp(stores->at[i]->name, name) == 0)
            return task_find_store(context->task, name);
    const struct task_options *options = &context->task->options;
    return options->global_store ? options->global_store(options->global_store_ctx, name) : NULL;
}

mill_punctuator *mill_context_schedule(mill_context *context, int64_t interval_ms, mill_punctuation type,
                                       int (*punctuate)(mill_context *context, void *self, int64_t timestamp_ms))
{
    struct task *task = context->task;
    return punctuation_schedule(&task->punctuation, context, interval_ms, type, task_wall_ms(task), punctuate);
}

void mill_punctuator_cancel(mill_punctuator *punctuator)
{
    punctuation_cancel(&punctuator->context->task->punctuation, punctuator);
}
