#include "worker/subscription.h"

#include "base/bytes.h"
#include "millstream/error.h"
#include "wire/group_records.h"

enum { VERSION = 1, MESSAGE_VERSION = 1, USER_DATA_BYTES_MAX = 16 << 20 };

static const char MAGIC[4] = { 'M', 'I', 'L', 'L' };

static void append_tasks(struct buffer *out, const struct task_name *tasks, size_t count)
{
    buffer_append_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        buffer_append_u32(out, (uint32_t)tasks[i].subtopology);
        buffer_append_u32(out, (uint32_t)tasks[i].partition);
    }
}

static void append_user_data(struct buffer *out, const struct assignor_member *member)
{
    buffer_append(out, MAGIC, sizeof MAGIC);
    buffer_append_u8(out, VERSION);
    buffer_append(out, member->process_id, PROCESS_ID_BYTES);
    append_tasks(out, member->running, member->running_count);
    append_tasks(out, member->stored, member->stored_count);
    buffer_append_u32(out, (uint32_t)member->error);
}

static int read_tasks(struct byte_reader *reader, struct arena *arena, const struct task_name **tasks, size_t *count)
{
    *count = byte_reader_u32(reader);
    if (reader->failed || *count > byte_reader_left(reader) / sizeof(struct task_name))
        return MILL_ECORRUPT;
    struct task_name *read = arena_alloc(arena, *count * sizeof *read);
    if (read == NULL)
        return MILL_ENOMEM;
    for (size_t i = 0; i < *count; i++) {
        read[i].subtopology = (int32_t)byte_reader_u32(reader);
        read[i].partition = (int32_t)byte_reader_u32(reader);
    }
    *tasks = read;
    return 0;
}

static int read_user_data(mill_bytes data, struct arena *arena, struct assignor_member *member)
{
    struct byte_reader reader = byte_reader_of(data);
    const uint8_t *magic = byte_reader_take(&reader, sizeof MAGIC);
    uint8_t version = byte_reader_u8(&reader);
    const uint8_t *process_id = byte_reader_take(&reader, PROCESS_ID_BYTES);
    if (reader.failed || memcmp(magic, MAGIC, sizeof MAGIC) != 0 || version != VERSION)
        return MILL_ECORRUPT;
    memcpy(member->process_id, process_id, PROCESS_ID_BYTES);
    int code = read_tasks(&reader, arena, &member->running, &member->running_count);
    if (code == 0)
        code = read_tasks(&reader, arena, &member->stored, &member->stored_count);
    member->error = ASSIGNOR_OK;
    if (code == 0 && byte_reader_left(&reader) > 0 && byte_reader_u32(&reader) == ASSIGNOR_SHUTDOWN_REQUESTED)
        member->error = ASSIGNOR_SHUTDOWN_REQUESTED;
    return code;
}

/* A ConsumerProtocol message begins with its version, which is not part of the schema. */
static int append_message(struct buffer *out, const struct wire_message *message, const void *value)
{
    buffer_append_u16(out, MESSAGE_VERSION);
    int code = wire_append(message, MESSAGE_VERSION, value, out, NULL);
    return out->failed ? MILL_ENOMEM : code;
}

static int read_message(mill_bytes bytes, const struct wire_message *message, struct arena *arena, void *value)
{
    struct byte_reader reader = byte_reader_of(bytes);
    int16_t version = (int16_t)byte_reader_u16(&reader);
    if (reader.failed || version < 0)
        return MILL_ECORRUPT;
    /* A newer version only adds fields behind those that we know. */
    if (version > message->version_max)
        version = message->version_max;
    int code = wire_decode(message, version, &reader, NULL, arena, value, NULL);
    return code < 0 && code != MILL_ENOMEM ? MILL_ECORRUPT : code;
}

int subscription_encode(struct buffer *out, const char *const *topics, size_t topic_count, const struct assignor_member *member)
{
    struct arena arena;
    struct buffer user_data;
    arena_init(&arena, 4096, USER_DATA_BYTES_MAX);
    buffer_init(&user_data, USER_DATA_BYTES_MAX);
    append_user_data(&user_data, member);
    struct consumer_protocol_subscription subscription;
    consumer_protocol_subscription_init(&subscription);
    subscription.topics.items = arena_calloc(&arena, topic_count + 1, sizeof *subscription.topics.items);
    subscription.topics.count = (int32_t)topic_count;
    int code = user_data.failed || subscription.topics.items == NULL ? MILL_ENOMEM : 0;
    for (size_t i = 0; code == 0 && i < topic_count; i++)
        subscription.topics.items[i] = mill_string(topics[i]);
    subscription.user_data = buffer_bytes(&user_data);
    if (code == 0)
        code = append_message(out, &consumer_protocol_subscription_message, &subscription);
    buffer_release(&user_data);
    arena_release(&arena);
    return code;
}

/* Consecutive partitions of one topic share an element. */
static int group_by_topic(struct arena *arena, const struct assigned_partition *partitions, size_t count,
                          struct consumer_protocol_assignment *assignment)
{
    struct consumer_protocol_assignment_assigned_partition *topics =
        consumer_protocol_assignment_assigned_partition_array(arena, (int32_t)count);
    int32_t *indexes = arena_alloc(arena, (count + 1) * sizeof *indexes);
    if (topics == NULL || indexes == NULL)
        return MILL_ENOMEM;
    int32_t topic_count = 0;
    for (size_t i = 0; i < count; i++) {
        indexes[i] = partitions[i].partition;
        if (i == 0 || strcmp(partitions[i].topic, partitions[i - 1].topic) != 0) {
            topics[topic_count].topic = mill_string(partitions[i].topic);
            topics[topic_count].partitions = (struct wire_int32s){ &indexes[i], 0 };
            topic_count++;
        }
        topics[topic_count - 1].partitions.count++;
    }
    assignment->assigned_partitions.items = topics;
    assignment->assigned_partitions.count = topic_count;
    return 0;
}

int assignment_encode(struct buffer *out, const struct assigned_partition *partitions, size_t partition_count,
                      const struct assignor_member *tasks)
{
    struct arena arena;
    struct buffer user_data;
    arena_init(&arena, 4096, USER_DATA_BYTES_MAX);
    buffer_init(&user_data, USER_DATA_BYTES_MAX);
    append_user_data(&user_data, tasks);
    struct consumer_protocol_assignment assignment;
    consumer_protocol_assignment_init(&assignment);
    assignment.user_data = buffer_bytes(&user_data);
    int code = user_data.failed ? MILL_ENOMEM : group_by_topic(&arena, partitions, partition_count, &assignment);
    if (code == 0)
        code = append_message(out, &consumer_protocol_assignment_message, &assignment);
    buffer_release(&user_data);
    arena_release(&arena);
    return code;
}

int subscription_decode(mill_bytes bytes, struct arena *arena, struct assignor_member *member)
{
    struct consumer_protocol_subscription subscription;
    int code = read_message(bytes, &consumer_protocol_subscription_message, arena, &subscription);
    return code < 0 ? code : read_user_data(subscription.user_data, arena, member);
}

static int read_partitions(const struct consumer_protocol_assignment *assignment, struct arena *arena,
                           struct assigned_partitions *partitions)
{
    size_t total = 0;
    for (int32_t i = 0; i < assignment->assigned_partitions.count; i++)
        total += (size_t)assignment->assigned_partitions.items[i].partitions.count;
    struct assigned_partition *at = arena_alloc(arena, (total + 1) * sizeof *at);
    *partitions = (struct assigned_partitions){ at, 0 };
    for (int32_t i = 0; at != NULL && i < assignment->assigned_partitions.count; i++) {
        const struct consumer_protocol_assignment_assigned_partition *topic = &assignment->assigned_partitions.items[i];
        const char *name = arena_string(arena, topic->topic);
        if (name == NULL)
            return MILL_ENOMEM;
        for (int32_t j = 0; j < topic->partitions.count; j++)
            at[partitions->count++] = (struct assigned_partition){ name, topic->partitions.items[j] };
    }
    return at != NULL ? 0 : MILL_ENOMEM;
}

int assignment_decode(mill_bytes bytes, struct arena *arena, struct assignor_member *tasks,
                      struct assigned_partitions *partitions)
{
    struct consumer_protocol_assignment assignment;
    int code = read_message(bytes, &consumer_protocol_assignment_message, arena, &assignment);
    if (code == 0)
        code = read_user_data(assignment.user_data, arena, tasks);
    return code == 0 && partitions != NULL ? read_partitions(&assignment, arena, partitions) : code;
}
