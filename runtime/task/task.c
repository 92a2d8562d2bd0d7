/*
 * A task's making, processing and end; commit.c and restore.c have the rest of its life.
 *
 * The record path is task_process -> process_record -> mill_forward: it takes the head of an input, sets the record's place, and
 * pushes. Nothing there allocates, locks or looks up a name.
 */
#include "task/task.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "task/failure.h"
#include "task/task_internal.h"

enum { TASK_MEMORY_BYTES_MAX = 256 << 20, PATH_BYTES = 4096 };

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static mill_context *context_of(struct task *task, const struct topology_node *node)
{
    for (size_t i = 0; i < task->context_count; i++)
        if (task->contexts[i].node == node)
            return &task->contexts[i];
    return NULL;
}

/* A sink is a processor with its topic and options as the argument. */
static int make_sink(struct task *task, mill_context *context)
{
    const struct topology_topics *topics = &context->node->topics;
    struct sink_argument *argument = arena_alloc(&task->memory, sizeof *argument);
    struct task_topic **outputs = arena_alloc(&task->memory, topics->count * sizeof *outputs);
    if (argument == NULL || outputs == NULL)
        return MILL_ENOMEM;
    for (size_t i = 0; i < topics->count; i++) {
        outputs[i] = task->options.output(task->options.output_ctx, topics->at[i]);
        if (outputs[i] == NULL)
            return MILL_ENOMEM;
    }
    *argument = (struct sink_argument){ outputs, topics->count, &context->node->sink, task->options.partition };
    context->type = &sink_processor;
    context->process = sink_processor.process;
    context->self = arena_calloc(&task->memory, 1, sink_processor.self_bytes);
    return context->self ? sink_processor.init(context, context->self, argument) : MILL_ENOMEM;
}

static int make_contexts(struct task *task)
{
    const struct topology_nodes *nodes = &task->options.subtopology->nodes;
    task->contexts = arena_calloc(&task->memory, nodes->count, sizeof *task->contexts);
    if (task->contexts == NULL)
        return MILL_ENOMEM;
    task->context_count = nodes->count;
    for (size_t i = 0; i < nodes->count; i++)
        task->contexts[i] = (mill_context){ .task = task, .node = nodes->at[i] };
    for (size_t i = 0; i < nodes->count; i++) {
        mill_context *context = &task->contexts[i];
        const struct topology_node *node = context->node;
        context->child_count = node->children.count;
        context->children = arena_alloc(&task->memory, node->children.count * sizeof *context->children);
        if (context->children == NULL)
            return MILL_ENOMEM;
        for (size_t j = 0; j < node->children.count; j++)
            context->children[j] = context_of(task, node->children.at[j]);
        if (node->kind == TOPOLOGY_PROCESSOR) {
            context->type = node->supplier.type;
            context->fixed_key = node->supplier.fixed_key;
            context->process = context->fixed_key ? fixed_key_process : context->type->process;
            context->self = arena_alloc(&task->memory, context->type->self_bytes);
        }
        int code = node->kind == TOPOLOGY_SINK ? make_sink(task, context) : 0;
        if (code < 0 || (node->kind == TOPOLOGY_PROCESSOR && context->self == NULL))
            return MILL_ENOMEM;
    }
    return 0;
}

/* `given`: the topic's name, which a pattern does not tell; NULL: the topology says it. */
static int make_input(struct task *task, const struct topology_topic *topic, const char *given, int32_t partition)
{
    char *name = arena_alloc(&task->memory, TOPIC_NAME_MAX + 1);
    if (name == NULL)
        return MILL_ENOMEM;
    int code = 0;
    if (given != NULL)
        snprintf(name, TOPIC_NAME_MAX + 1, "%s", given);
    else
        code = topology_topic_name(topic, task->options.application_id, name);
    if (code < 0)
        return code;
    const struct topology_node *source = topic->source;
    struct task_input *input = &task->inputs[task->input_count];
    *input = (struct task_input){
        .topic = topic, .source = context_of(task, source), .source_reset = source->source.reset, .lag = -1
    };
    /* What comes from a repartition topic has been through an extractor already. */
    mill_source_options options = topic->kind == TOPOLOGY_REPARTITION ? (mill_source_options){ 0 } : source->source;
    input->is_checked = options.check != NULL;
    input->checked_offset = -1;
    record_queue_init(&input->queue, name, partition, &options);
    task->input_count++;
    return 0;
}

static bool is_global(const struct task *task)
{
    return task->options.subtopology->global;
}

static int32_t input_partitions(const struct task *task, const struct topology_topic *topic)
{
    return is_global(task) && task->options.partition_counts != NULL ? task->options.partition_counts[topic->index] : 1;
}

/* The dead letter topic is the user's and outside the topology. */
static int make_dead_letters(struct task *task)
{
    static const char property[] = "errors.dead.letter.queue.topic.name";
    const char *name = NULL;
    if (!is_global(task) && task->options.property != NULL)
        name = task->options.property(task->options.property_ctx, property);
    if (name == NULL || name[0] == '\0')
        return 0;
    struct topology_topic topic = { .name = name, .kind = TOPOLOGY_EXTERNAL };
    task->dead_letters = task->options.output(task->options.output_ctx, &topic);
    return task->dead_letters ? 0 : MILL_ENOMEM;
}

static int alloc_inputs(struct task *task, size_t count)
{
    task->inputs = arena_calloc(&task->memory, count, sizeof *task->inputs);
    task->ready.entries = arena_alloc(&task->memory, count * sizeof *task->ready.entries);
    task->offered = arena_calloc(&task->memory, count, sizeof *task->offered);
    return task->inputs && task->ready.entries && task->offered ? 0 : MILL_ENOMEM;
}

static int make_given_inputs(struct task *task)
{
    const struct task_options *options = &task->options;
    int code = alloc_inputs(task, options->source_count);
    for (size_t i = 0; code == 0 && i < options->source_count; i++)
        code = make_input(task, options->sources[i].topic, options->sources[i].name, options->partition);
    return code;
}

static int make_all_inputs(struct task *task)
{
    const struct topology_topics *topics = &task->options.subtopology->source_topics;
    size_t count = 0;
    for (size_t i = 0; i < topics->count; i++)
        count += (size_t)input_partitions(task, topics->at[i]);
    int code = alloc_inputs(task, count);
    for (size_t i = 0; i < topics->count; i++) {
        int32_t partitions = input_partitions(task, topics->at[i]);
        for (int32_t p = 0; code == 0 && p < partitions; p++)
            code = make_input(task, topics->at[i], NULL, is_global(task) ? p : task->options.partition);
    }
    return code;
}

static int append_to_changelog(mill_changelog *changelog, const mill_record *record)
{
    struct task_store *store = (struct task_store *)changelog;
    if (store->topic == NULL)
        return store->task->options.updated(store->task->options.updated_ctx, store->definition, record);
    return store->topic->ops->send(store->topic, store->partition, record);
}

/* The number of the task state of this type, made when the task opens. */
static size_t number_of_state(struct task *task, const mill_task_state_type *type)
{
    for (size_t i = 0; i < task->task_state_count; i++)
        if (task->task_state_types[i] == type)
            return i;
    task->task_state_types[task->task_state_count] = type;
    return task->task_state_count++;
}

static int alloc_stores(struct task *task, size_t count)
{
    task->stores = arena_calloc(&task->memory, count, sizeof *task->stores);
    task->store_state = arena_calloc(&task->memory, count, sizeof *task->store_state);
    task->positions = arena_calloc(&task->memory, count, sizeof *task->positions);
    task->task_states = arena_calloc(&task->memory, count, sizeof *task->task_states);
    task->task_state_types = arena_calloc(&task->memory, count, sizeof *task->task_state_types);
    bool all = task->stores && task->store_state && task->positions && task->task_states && task->task_state_types;
    return all ? 0 : MILL_ENOMEM;
}

static struct task_store *make_store(struct task *task, const struct topology_store *definition)
{
    struct task_store *store = &task->stores[task->store_count];
    *store = (struct task_store){ .changelog = { append_to_changelog },
                                  .task = task,
                                  .definition = definition,
                                  .partition = task->options.partition,
                                  .position = { .leader_epoch = -1, .offset = -1 } };
    task->store_state[task->store_count++] = number_of_state(task, definition->builder->task_state);
    return store;
}

static const struct task_input *input_of(struct task *task, const struct topology_topic *topic)
{
    for (size_t i = 0; i < task->input_count; i++)
        if (task->inputs[i].topic == topic)
            return &task->inputs[i];
    return NULL;
}

static int make_stores(struct task *task)
{
    const struct topology_stores *stores = &task->options.subtopology->stores;
    int code = alloc_stores(task, stores->count + (is_global(task) ? task->input_count : 0));
    for (size_t i = 0; code == 0 && i < stores->count; i++) {
        struct task_store *store = make_store(task, stores->at[i]);
        if (stores->at[i]->restored_from_source)
            store->source = input_of(task, stores->at[i]->changelog);
        /* Without a partition of that number there is nothing to restore, and never will be. */
        bool is_there = store->source != NULL || !stores->at[i]->restored_from_source;
        if (stores->at[i]->changelog != NULL && is_there) {
            store->topic = task->options.output(task->options.output_ctx, stores->at[i]->changelog);
            code = store->topic == NULL ? MILL_ENOMEM : 0;
        }
    }
    for (size_t i = 0; code == 0 && is_global(task) && i < task->input_count; i++)
        code = task_keep_position(task, &task->inputs[i], make_store);
    return code;
}

int task_new(const struct task_options *options, struct task **made)
{
    struct task *task = mem_calloc(1, sizeof *task);
    if (task == NULL)
        return MILL_ENOMEM;
    task->options = *options;
    task->stream_time_ms = task->committed_stream_time_ms = -1;
    if (options->subtopology->global)
        snprintf(task->id, sizeof task->id, "global");
    else
        snprintf(task->id, sizeof task->id, "%zu_%d", options->subtopology->id, (int)options->partition);
    arena_init(&task->memory, 64 << 10, TASK_MEMORY_BYTES_MAX);
    arena_init(&task->record_memory, 16 << 10, RECORD_MEMORY_BYTES_MAX);
    punctuation_init(&task->punctuation);
    int code = make_contexts(task);
    if (code == 0)
        code = make_dead_letters(task);
    if (code == 0)
        code = options->sources != NULL ? make_given_inputs(task) : make_all_inputs(task);
    if (code == 0)
        code = make_stores(task);
    if (code < 0) {
        task_free(task, false);
        return code;
    }
    *made = task;
    return 0;
}

void task_free(struct task *task, bool clean)
{
    if (task == NULL)
        return;
    task_close_processors(task);
    for (size_t i = 0; i < task->task_state_count; i++)
        if (task->task_states[i] != NULL)
            task->task_states[i]->ops->close(task->task_states[i], clean);
    for (size_t i = 0; i < task->input_count; i++)
        record_queue_release(&task->inputs[i].queue);
    punctuation_release(&task->punctuation);
    arena_release(&task->record_memory);
    arena_release(&task->memory);
    mem_free(task);
}

/* ---- opening --------------------------------------------------------------------------------------------------------------- */

static void drop_for_store(void *ctx, const char *reason)
{
    task_count_drop(ctx, reason, 1);
}

static int open_task_state(struct task *task, size_t index, const char *directory)
{
    const mill_task_state_type *type = task->task_state_types[index];
    mill_task_state_options options = { .disk = task->options.disk,
                                        .directory = directory,
                                        .task_id = task->id,
                                        .memory = task->options.memory,
                                        .shared = is_global(task),
                                        .property = task->options.property,
                                        .property_ctx = task->options.property_ctx,
                                        .drop_ctx = task,
                                        .dropped = drop_for_store };
    int code = type->open(type, &options, &task->task_states[index]);
    if (code < 0)
        return error_set(&task->error, code, "task %s: the %s state in %s does not open: %s", task->id, type->name, directory,
                         mill_error_text(code));
    return 0;
}

const char *task_prefixed_name(struct arena *arena, const char *prefix, const char *name)
{
    size_t prefix_len = strlen(prefix);
    size_t len = strlen(name);
    char *text = arena_alloc(arena, prefix_len + len + 1);
    if (text == NULL)
        return NULL;
    memcpy(text, prefix, prefix_len);
    memcpy(text + prefix_len, name, len + 1);
    return text;
}

/* Only what a changelog may have, and what expires, needs its time again after a restart. */
static int name_time(struct task *task, struct task_store *store)
{
    const mill_store_ops *ops = store->store->ops;
    const mill_store_builder *builder = store->definition->builder;
    bool expires = builder->retention_ms > 0 && builder->kind != MILL_STORE_VERSIONED;
    if (store->topic == NULL || !expires || ops->stream_time_ms == NULL || ops->resume_at == NULL)
        return 0;
    store->time_name = task_prefixed_name(&task->memory, TASK_STORE_TIME, builder->name);
    return store->time_name == NULL ? MILL_ENOMEM : 0;
}

static int add_store(struct task *task, size_t i)
{
    struct task_store *store = &task->stores[i];
    mill_task_state *state = task->task_states[task->store_state[i]];
    store->restored = store->topic == NULL;
    bool told = (store->topic != NULL && store->source == NULL) || (store->definition->global && task->options.updated != NULL);
    int code = state->ops->add_store(state, store->definition->builder, told ? &store->changelog : NULL, &store->store);
    if (code == 0)
        code = state->ops->position(state, store->store, &store->position);
    if (code < 0)
        return error_set(&task->error, code, "task %s, store %s: %s", task->id, store->definition->name,
                         state->ops->error(state));
    return name_time(task, store) < 0 ? error_set(&task->error, MILL_ENOMEM, "task %s: no memory to open it", task->id) : 0;
}

int task_open(struct task *task, struct io_time now)
{
    mill_assert(task->state == TASK_CREATED);
    task->now = now;
    task->idle_known_us = INT64_MIN / 2;
    task->wall_offset_ms = now.wall_ms - now.monotonic_us / 1000;
    char *directory = arena_alloc(&task->memory, PATH_BYTES);
    if (directory == NULL)
        return error_set(&task->error, MILL_ENOMEM, "task %s: no memory to open it", task->id);
    const char *root = task->options.state_directory ? task->options.state_directory : "";
    if (snprintf(directory, PATH_BYTES, "%s/%s", root, task->id) >= PATH_BYTES)
        return error_set(&task->error, MILL_ETOOLARGE, "task %s: the path of state.dir is too long", task->id);
    if (task->options.disk != NULL && task->store_count > 0) {
        int code = disk_make_directories(task->options.disk, directory);
        if (code < 0)
            return error_set(&task->error, code, "task %s: %s cannot be made: %s", task->id, directory, mill_error_text(code));
    }
    for (size_t i = 0; i < task->task_state_count; i++) {
        int code = open_task_state(task, i, directory);
        if (code < 0)
            return code;
    }
    for (size_t i = 0; i < task->store_count; i++) {
        int code = add_store(task, i);
        if (code < 0)
            return code;
    }
    task->state = TASK_RESTORING;
    return 0;
}

int task_wipe(struct task *task)
{
    for (size_t i = 0; i < task->task_state_count; i++) {
        mill_task_state *state = task->task_states[i];
        int code = state ? state->ops->wipe(state) : 0;
        if (code < 0)
            return error_set(&task->error, code, "task %s: %s", task->id, state->ops->error(state));
    }
    return 0;
}

int task_init_processors(struct task *task)
{
    for (size_t i = 0; i < task->context_count; i++) {
        mill_context *context = &task->contexts[i];
        if (context->node->kind != TOPOLOGY_PROCESSOR)
            continue;
        memset(context->self, 0, context->type->self_bytes);
        context->initialised = true;
        int code = context->type->init ? context->type->init(context, context->self, context->node->supplier.argument) : 0;
        if (code < 0) {
            if (task->failed == NULL)
                task->failed = context;
            return task_fail(task, code);
        }
    }
    return 0;
}

void task_close_processors(struct task *task)
{
    for (size_t i = 0; i < task->context_count; i++) {
        mill_context *context = &task->contexts[i];
        if (context->initialised && context->type->close)
            context->type->close(context, context->self);
        context->initialised = false;
    }
    for (size_t i = 0; i < task->remembered_count; i++)
        task->remembered[i].kept = NULL;
}

int task_restored(struct task *task, struct io_time now)
{
    mill_assert(task->state == TASK_RESTORING);
    for (size_t i = 0; i < task->store_count; i++)
        mill_assert(task->stores[i].restored);
    for (size_t i = 0; i < task->store_count; i++)
        task->stores[i].acknowledged_before = task_acknowledged_end(&task->stores[i]);
    task->now = now;
    /* Stream time goes on from the partition times of the last commit. */
    for (size_t i = 0; i < task->input_count; i++)
        if (task->inputs[i].queue.partition_time_ms > task->stream_time_ms)
            task->stream_time_ms = task->inputs[i].queue.partition_time_ms;
    task->committed_stream_time_ms = task->stream_time_ms;
    memcpy(task->committed_drops, task->drops, sizeof task->drops);
    int code = task_init_processors(task);
    if (code == 0)
        task->state = TASK_RUNNING;
    return code;
}

/* ---- processing ------------------------------------------------------------------------------------------------------------ */

void task_describe_failure(const struct task *task, int code, struct error_text *text)
{
    if (text->text[0] == '\0')
        error_set(text, code, "%s", mill_error_text(code));
    if (task->current != NULL)
        error_prefix(text, code, "record at topic %s, partition %d, offset %lld", task->current->queue.topic,
                     task->current->queue.partition, (long long)task->current_offset);
    if (task->failed != NULL)
        error_prefix(text, code, "operator %s", task->failed->node->name);
    error_prefix(text, code, "task %s", task->id);
}

int task_fail(struct task *task, int code)
{
    task_describe_failure(task, code, &task->error);
    task->failed = NULL;
    task->judged = false;
    task->current = NULL;
    return code;
}

static int call_punctuator(void *ctx, mill_punctuator *punctuator, int64_t time_ms)
{
    struct task *task = ctx;
    task->commit_needed = true;
    task->punctuation_time_ms = time_ms;
    int code = punctuator->punctuate(punctuator->context, punctuator->context->self, time_ms);
    if (code < 0 || task->judged)
        code = task_judge(punctuator->context, MILL_FAILURE_PROCESSING, NULL, code < 0 ? code : MILL_EUSER);
    arena_clear(&task->record_memory);
    return code;
}

static void prepare_children(const mill_context *node, const mill_record *const *ahead, size_t count)
{
    for (size_t i = 0; i < node->child_count; i++) {
        mill_context *child = node->children[i];
        if (child->type->prepare)
            child->type->prepare(child, child->self, ahead, count);
        if (child->type->passes_on)
            prepare_children(child, ahead, count);
    }
}

/*
 * Tells the nodes that get the source's records as they are what comes next, each record once, so that they may prefetch: a block
 * of records while the block before it is processed, because what is asked for right before its use comes too late.
 */
static void prepare(struct task *task, struct task_input *input)
{
    const struct record_queue *queue = &input->queue;
    const mill_record *ahead[2 * PREPARE_BLOCK];
    size_t count = 0;
    size_t first = queue->at == 0 ? 0 : queue->at + PREPARE_BLOCK;
    for (size_t i = first; i < queue->count && i < queue->at + 2 * PREPARE_BLOCK; i++)
        ahead[count++] = &queue->records[i].record;
    if (count > 0)
        prepare_children(input->source, ahead, count);
}

static int process_record(struct task *task, struct task_input *input, struct batch_record *head)
{
    if (input->queue.at % PREPARE_BLOCK == 0)
        prepare(task, input);
    task->current = input;
    task->current_offset = head->offset;
    if (head->record.timestamp_ms > task->stream_time_ms)
        task->stream_time_ms = head->record.timestamp_ms;
    int code = mill_forward(input->source, &head->record);
    if (__builtin_expect(code < 0 || task->judged, 0))
        return task_fail(task, code < 0 ? code : MILL_EUSER);
    record_queue_take(&input->queue);
    task->current = NULL;
    if (task->record_memory.bytes_used > 0)
        arena_clear(&task->record_memory);
    if (__builtin_expect(task->punctuation.next_stream_ms <= task->stream_time_ms, 0)) {
        code = punctuation_fire(&task->punctuation, MILL_PUNCTUATE_STREAM_TIME, task->stream_time_ms, call_punctuator, task);
        if (code < 0)
            return task_fail(task, code);
    }
    return 0;
}

/* Passes over heads that the source's check refuses, as far as the handler lets it. */
static struct batch_record *checked_head(struct task *task, struct task_input *input, struct batch_record *head, int *code)
{
    const mill_source_options *options = &input->source->node->source;
    while (head != NULL && head->offset != input->checked_offset) {
        int refused = options->check(options->check_ctx, &head->record);
        if (refused >= 0) {
            input->checked_offset = head->offset;
            break;
        }
        task->current = input;
        task->current_offset = head->offset;
        *code = task_judge(input->source, MILL_FAILURE_DESERIALIZATION, &head->record, refused);
        if (*code < 0) {
            *code = task_fail(task, *code);
            return NULL;
        }
        task->current = NULL;
        task->commit_needed = true;
        record_queue_pass_over(&input->queue);
        head = record_queue_head(&input->queue, task->now.wall_ms, code);
    }
    return head;
}

static struct batch_record *input_head(struct task *task, struct task_input *input, int *code)
{
    struct batch_record *head = record_queue_head(&input->queue, task->now.wall_ms, code);
    if (input->is_checked && head != NULL) {
        head = checked_head(task, input, head, code);
        if (*code < 0 && task->error.text[0] != '\0')
            return NULL;
    }
    if (__builtin_expect(input->queue.skipped > 0, 0)) {
        task_count_drop(task, "negative-timestamp", input->queue.skipped);
        input->queue.skipped = 0;
        task->commit_needed = true; /* else it would be read and counted again, if nothing else ever comes */
    }
    if (*code < 0)
        error_set(&task->error, *code, "task %s: %s", task->id, input->queue.error.text);
    return head;
}

/*
 * Puts every input that has a head into `ready`. Returns false when one that has none may yet get records older than the others'.
 */
static bool offer_heads(struct task *task, int *code)
{
    bool complete = true;
    for (size_t i = 0; i < task->input_count; i++) {
        struct task_input *input = &task->inputs[i];
        if (task->offered[i])
            continue;
        struct batch_record *head = input_head(task, input, code);
        if (*code < 0)
            return false;
        if (head != NULL) {
            partition_group_offer(&task->ready, i, head->record.timestamp_ms);
            task->offered[i] = true;
            input->empty_since_us = 0;
            continue;
        }
        if (task->options.max_task_idle_ms < 0)
            continue;
        if (input->lag != 0) {
            complete = false; /* the broker has more, or has not said that it has not (KIP-695) */
            continue;
        }
        if (input->empty_since_us == 0)
            input->empty_since_us = task->now.monotonic_us;
        if (task->now.monotonic_us < input->empty_since_us + task->options.max_task_idle_ms * 1000)
            complete = false;
    }
    return complete;
}

int task_line_up(struct task *task, struct io_time now)
{
    int code = 0;
    task->now = now;
    if (task->input_count > 1)
        offer_heads(task, &code);
    return code;
}

static int process_one_input(struct task *task, size_t max, bool (*hold)(void *ctx), void *ctx)
{
    struct task_input *input = &task->inputs[0];
    size_t done = 0;
    int code = 0;
    while (done < max) {
        struct batch_record *head = input_head(task, input, &code);
        if (head == NULL)
            break;
        code = process_record(task, input, head);
        if (code < 0)
            break;
        done++;
        if (hold != NULL && hold(ctx))
            break;
    }
    task->processed += (int64_t)done;
    return code < 0 ? code : (int)done;
}

static int process_by_time(struct task *task, size_t max, bool (*hold)(void *ctx), void *ctx)
{
    size_t done = 0;
    int code = 0;
    while (done < max && offer_heads(task, &code) && task->ready.count > 0) {
        size_t chosen = partition_group_poll(&task->ready);
        struct task_input *input = &task->inputs[chosen];
        task->offered[chosen] = false;
        struct batch_record *head = input_head(task, input, &code);
        code = process_record(task, input, head);
        if (code < 0)
            break;
        done++;
        if (hold != NULL && hold(ctx))
            break;
    }
    task->processed += (int64_t)done;
    return code < 0 ? code : (int)done;
}

static void trim_stores(struct task *task)
{
    for (size_t s = 0; s < task->task_state_count; s++)
        if (task->task_states[s]->ops->trim != NULL)
            task->task_states[s]->ops->trim(task->task_states[s]);
}

int task_process(struct task *task, size_t max, bool (*hold)(void *ctx), void *ctx, struct io_time now)
{
    mill_assert(task->state == TASK_RUNNING);
    task->now = now;
    trim_stores(task);
    int done = task->input_count == 1 ? process_one_input(task, max, hold, ctx) : process_by_time(task, max, hold, ctx);
    if (done > 0)
        task->commit_needed = true;
    return done;
}

void task_pass(struct task *task, struct task_input *input, int64_t offset)
{
    task->commit_needed |= record_queue_pass(&input->queue, offset);
}

int64_t task_idle_until_us(const struct task *task)
{
    int64_t until = INT64_MAX;
    if (task->ready.count == 0 || task->options.max_task_idle_ms < 0)
        return until;
    for (size_t i = 0; i < task->input_count; i++) {
        const struct task_input *input = &task->inputs[i];
        int64_t at = input->empty_since_us + task->options.max_task_idle_ms * 1000;
        if (input->empty_since_us > 0 && at < until)
            until = at;
    }
    return until;
}

int task_punctuate(struct task *task, struct io_time now)
{
    task->now = now;
    int64_t wall_ms = task_wall_ms(task);
    if (task->state != TASK_RUNNING || task->punctuation.next_wall_ms > wall_ms)
        return 0;
    int fired = punctuation_fire(&task->punctuation, MILL_PUNCTUATE_WALL_CLOCK, wall_ms, call_punctuator, task);
    return fired < 0 ? task_fail(task, fired) : fired;
}

int64_t task_next_punctuation_us(const struct task *task)
{
    int64_t at_ms = task->punctuation.next_wall_ms;
    return at_ms > INT64_MAX / 4000 ? INT64_MAX : (at_ms - task->wall_offset_ms) * 1000; /* thousands of years are never */
}

/* ---- asking ---------------------------------------------------------------------------------------------------------------- */

void task_count_drop(struct task *task, const char *reason, int64_t count)
{
    for (size_t i = 0; i < DROP_REASONS_MAX; i++) {
        struct drop_count *drop = &task->drops[i];
        if (drop->reason == NULL)
            drop->reason = reason;
        /* More reasons than room: the last counts for all of them, so that the sum stays true. */
        if (drop->reason != reason && strcmp(drop->reason, reason) != 0 && i + 1 < DROP_REASONS_MAX)
            continue;
        drop->count += count;
        return;
    }
}

static void restore_drop(void *ctx, mill_bytes reason, int64_t count)
{
    struct task *task = ctx;
    const char *text = arena_string(&task->memory, reason);
    if (text == NULL)
        return;
    int64_t known = task_dropped(task, text);
    if (count > known)
        task_count_drop(task, text, count - known);
}

static struct remembered_number *find_remembered(struct task *task, mill_bytes name)
{
    for (size_t i = 0; i < task->remembered_count; i++)
        if (mill_bytes_equal(name, mill_string(task->remembered[i].name)))
            return &task->remembered[i];
    return NULL;
}

bool task_remembered(struct task *task, const char *name, int64_t *number)
{
    struct remembered_number *found = find_remembered(task, mill_string(name));
    if (found == NULL || found->number < 0)
        return false;
    found->is_claimed = true;
    *number = found->number;
    return true;
}

int task_remember(struct task *task, const char *name, struct remembered_number **remembered)
{
    *remembered = find_remembered(task, mill_string(name));
    if (*remembered != NULL)
        (*remembered)->is_claimed = true;
    if (*remembered != NULL || task->remembered_count == OFFSET_METADATA_NUMBERS_MAX)
        return 0;
    const char *copy = arena_string(&task->memory, mill_string(name));
    if (copy == NULL)
        return MILL_ENOMEM;
    *remembered = &task->remembered[task->remembered_count++];
    **remembered = (struct remembered_number){ .name = copy, .number = -1, .committed = -1, .is_claimed = true };
    return 0;
}

static void restore_number(void *ctx, mill_bytes name, int64_t number)
{
    struct task *task = ctx;
    struct remembered_number *known = find_remembered(task, name);
    if (known == NULL && task->remembered_count < OFFSET_METADATA_NUMBERS_MAX) {
        const char *text = arena_string(&task->memory, name);
        if (text == NULL)
            return;
        known = &task->remembered[task->remembered_count++];
        *known = (struct remembered_number){ .name = text, .number = -1 };
    }
    if (known != NULL && number > known->number)
        *known = (struct remembered_number){ .name = known->name, .number = number, .committed = number, .is_committed = true };
}

void task_forget_metadata(struct task *task)
{
    memset(task->drops, 0, sizeof task->drops);
    task->remembered_count = 0;
    task->resumes = false;
}

void task_restore_metadata(struct task *task, mill_bytes metadata)
{
    task->resumes |= metadata.len > 0;
    offset_metadata_drops(metadata, restore_drop, task);
    offset_metadata_numbers(metadata, restore_number, task);
}

int64_t task_dropped(const struct task *task, const char *reason)
{
    int64_t sum = 0;
    for (size_t i = 0; i < DROP_REASONS_MAX && task->drops[i].reason != NULL; i++)
        if (reason == NULL || strcmp(task->drops[i].reason, reason) == 0)
            sum += task->drops[i].count;
    return sum;
}

const struct drop_count *task_drop_at(const struct task *task, size_t i)
{
    return i < DROP_REASONS_MAX && task->drops[i].reason != NULL ? &task->drops[i] : NULL;
}

const char *task_id(const struct task *task)
{
    return task->id;
}

const char *task_error(const struct task *task)
{
    return task->error.text;
}

struct task_input *task_inputs(struct task *task, size_t *count)
{
    *count = task->input_count;
    return task->inputs;
}

struct task_store *task_stores(struct task *task, size_t *count)
{
    *count = task->store_count;
    return task->stores;
}

mill_store *task_find_store(struct task *task, const char *name)
{
    for (size_t i = 0; i < task->store_count; i++)
        if (strcmp(task->stores[i].definition->name, name) == 0)
            return task->stores[i].store;
    return NULL;
}

bool task_commit_requested(const struct task *task)
{
    return task->commit_requested;
}

int64_t task_stream_time_ms(const struct task *task)
{
    return task->stream_time_ms;
}

int64_t task_processed(const struct task *task)
{
    return task->processed;
}
