#include "task/sink.h"

#include "record/default_partitioner.h"
#include "task/failure.h"

enum { STICKY_RECORDS = 1000, TIME_WINDOW_BYTES = 8, SESSION_WINDOW_BYTES = 16 };

struct sink {
    struct task_topic *const *topics;
    size_t topic_count;
    const mill_sink_options *options;
    int32_t sticky_partition;
    int32_t sticky_left;
};

mill_bytes sink_partition_key(mill_key_form form, mill_bytes key)
{
    size_t suffix = form == MILL_KEY_TIME_WINDOWED      ? TIME_WINDOW_BYTES
                    : form == MILL_KEY_SESSION_WINDOWED ? SESSION_WINDOW_BYTES
                                                        : 0;
    return key.len >= suffix ? mill_bytes_of(key.data, key.len - suffix) : key;
}

static int sink_init(mill_context *context, void *self, const void *argument)
{
    struct sink *sink = self;
    const struct sink_argument *given = argument;
    sink->topics = given->topics;
    sink->topic_count = given->topic_count;
    sink->options = given->options;
    sink->sticky_partition = given->first_partition;
    sink->sticky_left = STICKY_RECORDS;
    return 0;
}

static int32_t next_sticky(struct sink *sink, int32_t count)
{
    if (--sink->sticky_left <= 0) {
        sink->sticky_left = STICKY_RECORDS;
        sink->sticky_partition++;
    }
    if (sink->sticky_partition >= count)
        sink->sticky_partition %= count;
    return sink->sticky_partition;
}

static int32_t choose_partition(struct sink *sink, const struct task_topic *topic, const mill_record *record)
{
    int32_t count = topic->partition_count;
    int32_t chosen = -1;
    if (sink->options->partitioner != NULL)
        chosen = sink->options->partitioner(sink->options->partitioner_ctx, topic->name, record, count);
    if (chosen >= 0 || count <= 0)
        return chosen;
    if (count == 1)
        return 0;
    if (mill_is_null(record->key))
        return next_sticky(sink, count);
    return default_partition(sink_partition_key(sink->options->key_form, record->key), count);
}

static int write_to(mill_context *context, struct task_topic *topic, int32_t partition, const mill_record *record)
{
    if (partition < 0 || partition >= topic->partition_count)
        return mill_context_error(context, MILL_EINVALID, "topic %s has %d partitions, and the partitioner chose %d", topic->name,
                                  topic->partition_count, partition);
    int code = topic->ops->send(topic, partition, record);
    if (code == 0)
        return 0;
    return mill_context_error(context, code, "topic %s, partition %d: a record of %zu bytes was not accepted: %s", topic->name,
                              partition, record->key.len + record->value.len, mill_error_text(code));
}

static int multicast(mill_context *context, struct sink *sink, struct task_topic *topic, const mill_record *record)
{
    int32_t count = topic->partition_count;
    int32_t *partitions = mill_context_alloc(context, (size_t)count * sizeof *partitions);
    if (partitions == NULL)
        return MILL_ENOMEM;
    size_t chosen = sink->options->multicast(sink->options->multicast_ctx, topic->name, record, count, partitions);
    if (chosen > (size_t)count)
        return mill_context_error(context, MILL_EINVALID, "topic %s has %d partitions, and the partitioner chose %zu of them",
                                  topic->name, count, chosen);
    if (chosen == 0)
        mill_context_drop(context, "no-partition");
    int code = 0;
    for (size_t i = 0; i < chosen && code == 0; i++)
        code = write_to(context, topic, partitions[i], record);
    return code;
}

static int write(mill_context *context, struct sink *sink, const mill_record *record)
{
    size_t choice = 0;
    if (sink->topic_count > 1)
        choice = sink->options->choose_topic(sink->options->choose_topic_ctx, record);
    if (choice >= sink->topic_count)
        return mill_context_error(context, MILL_EINVALID, "topic number %zu of %zu was chosen", choice, sink->topic_count);
    struct task_topic *topic = sink->topics[choice];
    if (sink->options->multicast != NULL)
        return multicast(context, sink, topic, record);
    return write_to(context, topic, choose_partition(sink, topic, record), record);
}

static int sink_process(mill_context *context, void *self, const mill_record *record)
{
    int code = write(context, self, record);
    while (code < 0 && (code = task_judge(context, MILL_FAILURE_PRODUCTION, record, code)) == 1)
        code = write(context, self, record);
    return code;
}

const mill_processor_type sink_processor = {
    .name = "sink",
    .self_bytes = sizeof(struct sink),
    .init = sink_init,
    .process = sink_process,
};
