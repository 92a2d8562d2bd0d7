#include "task/failure.h"

#include <stdio.h>

#include "base/trace.h"
#include "record/default_partitioner.h"
#include "task/task_internal.h"

enum { DEAD_LETTER_HEADERS = 6 };

/* By kind. */
static const char *const PROPERTIES[MILL_FAILURE_KINDS] = { "deserialization.exception.handler", "processing.exception.handler",
                                                            "production.exception.handler" };
static const char *const REASONS[MILL_FAILURE_KINDS] = { "deserialization-error", "processing-error", "production-error" };

bool failure_is_a_records(int code)
{
    switch (code) {
    case MILL_ENOMEM:
    case MILL_ECORRUPT:
    case MILL_EIO:
    case MILL_EDISKFULL:
    case MILL_ELOCKED:
    case MILL_ECLOSED:
    case MILL_EAGAIN:
    case MILL_ETIMEOUT:
    case MILL_ECONNECTION:
    case MILL_EREFUSED:
    case MILL_EFENCED:
        return false;
    default:
        return true;
    }
}

static bool is_set(const char *const *property)
{
    return *property != NULL && **property != '\0';
}

mill_failure_answer failure_ask(const mill_topology *topology, const char *(*property)(void *ctx, const char *name),
                                void *property_ctx, const mill_failure *failure)
{
    const struct topology_failure_handler *own = &topology->failure_handlers[failure->kind];
    if (own->handler != NULL)
        return own->handler(own->ctx, failure);
    const char *value = property ? property(property_ctx, PROPERTIES[failure->kind]) : NULL;
    bool goes_on = is_set(&value) && (strcmp(value, "continue") == 0 || strstr(value, "Continue") != NULL);
    return goes_on ? MILL_ANSWER_CONTINUE : MILL_ANSWER_FAIL;
}

/* ---- the dead letter topic ------------------------------------------------------------------------------------------------- */

static mill_header header_of(const char *key, const char *text)
{
    return (mill_header){ mill_string(key), mill_string(text) };
}

/* Kafka Streams' record: key and value as they were read, what happened in its headers. */
static int send_dead_letter(struct task *task, const mill_failure *failure)
{
    char partition[16];
    char offset[24];
    char where[ERROR_TEXT_BYTES];
    snprintf(partition, sizeof partition, "%d", (int)failure->partition);
    snprintf(offset, sizeof offset, "%lld", (long long)failure->offset);
    snprintf(where, sizeof where, "at operator %s of task %s", failure->node, failure->task_id);
    const mill_header headers[DEAD_LETTER_HEADERS] = {
        header_of("__streams.errors.exception", mill_error_text(failure->code)),
        header_of("__streams.errors.message", failure->text),
        header_of("__streams.errors.stacktrace", where),
        header_of("__streams.errors.topic", failure->topic), /* null in a punctuator, as are key and value */
        header_of("__streams.errors.partition", partition),
        header_of("__streams.errors.offset", offset),
    };
    mill_record letter = { .key = failure->source_key,
                           .value = failure->source_value,
                           .timestamp_ms = failure->timestamp_ms,
                           .headers = headers,
                           .header_count = DEAD_LETTER_HEADERS };
    struct task_topic *topic = task->dead_letters;
    int32_t to = mill_is_null(letter.key) ? (task->options.partition % topic->partition_count)
                                          : default_partition(letter.key, topic->partition_count);
    return topic->ops->send(topic, to, &letter);
}

/* ---- judging --------------------------------------------------------------------------------------------------------------- */

/* The record that is being processed, as it was read. */
static const mill_record *source_record(const struct task *task)
{
    const struct record_queue *queue = task->current ? &task->current->queue : NULL;
    return queue != NULL && queue->at < queue->count ? &queue->records[queue->at].record : NULL;
}

static mill_failure describe(struct task *task, mill_context *node, mill_failure_kind kind, const mill_record *record, int code)
{
    const mill_record *source = source_record(task);
    int64_t time_ms = source ? source->timestamp_ms : task->punctuation_time_ms;
    return (mill_failure){
        .kind = kind,
        .code = code,
        .task_id = task->id,
        .node = node->node->name,
        .topic = task->current ? task->current->queue.topic : NULL,
        .partition = task->current ? task->current->queue.partition : -1,
        .offset = task->current ? task->current_offset : -1,
        .record = record,
        .source_key = source ? source->key : mill_null(),
        .source_value = source ? source->value : mill_null(),
        .timestamp_ms = record ? record->timestamp_ms : time_ms,
        .record_count = 1,
    };
}

static bool uses_dead_letters(const struct task *task, mill_failure_kind kind)
{
    return task->dead_letters != NULL && task->options.topology->failure_handlers[kind].handler == NULL;
}

static int go_on(struct task *task, const mill_failure *failure)
{
    trace_warn("streams", "a record is skipped: %s", failure->text);
    task_count_drop(task, REASONS[failure->kind], 1);
    task->failed = NULL;
    task->error.text[0] = '\0';
    return 0;
}

int task_judge(mill_context *node, mill_failure_kind kind, const mill_record *record, int code)
{
    struct task *task = node->task;
    if (task->failed == NULL)
        task->failed = node;
    /* Kafka Streams asks nobody about global tables, either, but whether their records can be read. */
    bool is_global = task->options.subtopology->global && kind == MILL_FAILURE_PROCESSING;
    if (task->judged || is_global || !failure_is_a_records(code)) {
        task->judged = true;
        return code;
    }
    mill_failure failure = describe(task, node, kind, record, code);
    struct error_text text = task->error;
    task_describe_failure(task, code, &text);
    failure.text = text.text;
    mill_failure_answer answer =
        failure_ask(task->options.topology, task->options.property, task->options.property_ctx, &failure);
    if (answer == MILL_ANSWER_RETRY && kind == MILL_FAILURE_PRODUCTION) {
        task->failed = NULL;
        task->error.text[0] = '\0';
        return 1;
    }
    int sent = uses_dead_letters(task, kind) ? send_dead_letter(task, &failure) : 0;
    if (answer == MILL_ANSWER_CONTINUE && sent == 0)
        return go_on(task, &failure);
    if (answer == MILL_ANSWER_CONTINUE)
        error_prefix(&task->error, sent, "topic %s takes no dead letter (%s)", task->dead_letters->name, mill_error_text(sent));
    task->judged = true;
    return code;
}
