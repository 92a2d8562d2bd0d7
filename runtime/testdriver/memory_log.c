#include "testdriver/memory_log.h"

#include "base/alloc.h"

enum { BATCH_BYTES_MAX = 256 << 20, HEADERS_BYTES_MAX = 64 << 20 };

void memory_log_init(struct memory_log *log)
{
    hash_map_init(&log->topics);
    batch_writer_init(&log->writer, 1, BATCH_BYTES_MAX);
    batch_reader_init(&log->reader, BATCH_BYTES_MAX);
    arena_init(&log->headers, 1024, HEADERS_BYTES_MAX);
}

static void free_topic(struct memory_topic *topic)
{
    for (size_t i = 0; i < topic->end; i++)
        shared_buffer_drop(topic->batches[i]);
    mem_free(topic->batches);
    mem_free(topic->names);
    mem_free((char *)topic->output.name);
    mem_free(topic);
}

void memory_log_release(struct memory_log *log)
{
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&log->topics, &at)) != NULL)
        free_topic(entry->value);
    hash_map_release(&log->topics);
    mem_free(log->order);
    batch_writer_release(&log->writer);
    batch_reader_release(&log->reader);
    arena_release(&log->headers);
}

static int send_record(struct task_topic *topic, int32_t partition, const mill_record *record)
{
    return memory_log_append((struct memory_topic *)topic, record);
}

static int64_t acknowledged_end(struct task_topic *topic, int32_t partition)
{
    return (int64_t)((struct memory_topic *)topic)->end;
}

static const struct task_output_ops OUTPUT_OPS = { send_record, acknowledged_end };

struct memory_topic *memory_log_topic(struct memory_log *log, const char *name)
{
    struct memory_topic *topic = hash_map_get(&log->topics, mill_string(name));
    if (topic != NULL)
        return topic;
    topic = mem_calloc(1, sizeof *topic);
    char *own_name = mem_strdup(name);
    if (topic == NULL || own_name == NULL || hash_map_put(&log->topics, mill_string(name), topic, NULL) < 0) {
        mem_free(own_name);
        mem_free(topic);
        return NULL;
    }
    topic->output = (struct task_topic){ &OUTPUT_OPS, own_name, 1 };
    topic->log = log;
    return topic;
}

static int make_room_in_order(struct memory_log *log)
{
    if (log->count < log->capacity)
        return 0;
    size_t capacity = log->capacity ? log->capacity * 2 : 64;
    struct memory_topic **order = mem_realloc(log->order, capacity * sizeof *order);
    if (order == NULL)
        return MILL_ENOMEM;
    log->order = order;
    log->capacity = capacity;
    return 0;
}

static int make_room(struct memory_topic *topic)
{
    int code = make_room_in_order(topic->log);
    if (code < 0 || topic->end < topic->capacity)
        return code;
    size_t capacity = topic->capacity ? topic->capacity * 2 : 16;
    struct shared_buffer **batches = mem_realloc(topic->batches, capacity * sizeof *batches);
    if (batches == NULL)
        return MILL_ENOMEM;
    topic->batches = batches;
    topic->capacity = capacity;
    return 0;
}

int memory_log_append(struct memory_topic *topic, const mill_record *record)
{
    struct batch_writer *writer = &topic->log->writer;
    struct batch_options options = BATCH_OPTIONS_PLAIN;
    options.base_offset = (int64_t)topic->end;
    options.leader_epoch = 0;
    mill_bytes batch;
    int code = make_room(topic);
    if (code == 0)
        code = batch_writer_append(writer, record);
    if (code == 0)
        code = batch_writer_finish(writer, &options, &batch);
    if (code == 0)
        code = batch_writer_take(writer, &topic->batches[topic->end]);
    if (code < 0) {
        batch_writer_clear(writer);
        return code;
    }
    topic->end++;
    topic->log->order[topic->log->count++] = topic;
    return 0;
}

/* The record at an offset, valid until the next one is read: 1, or an error. */
static int read_at(struct memory_topic *topic, size_t offset, mill_record *record)
{
    struct memory_log *log = topic->log;
    const struct shared_buffer *buffer = topic->batches[offset];
    struct batch_record read;
    arena_clear(&log->headers);
    int code = batch_reader_open(&log->reader, mill_bytes_of(buffer->data, buffer->len), true);
    if (code == 0)
        code = batch_reader_next(&log->reader, &read);
    if (code == 1 && batch_record_load_headers(&read, &log->headers) < 0)
        code = MILL_ENOMEM;
    if (code != 1)
        return code < 0 ? code : MILL_ECORRUPT;
    *record = read.record;
    return 1;
}

int memory_log_read(struct memory_topic *topic, mill_record *record)
{
    int code = topic->read == topic->end ? 0 : read_at(topic, topic->read, record);
    topic->read += code == 1;
    return code;
}

int memory_log_match(struct memory_topic *topic, struct memory_topic *pattern)
{
    mill_record record;
    const char **names = mem_realloc(pattern->names, (pattern->end + 1) * sizeof *names);
    if (names == NULL)
        return MILL_ENOMEM;
    pattern->names = names;
    pattern->names[pattern->end] = topic->output.name;
    int code = read_at(topic, topic->matched, &record);
    if (code == 1)
        code = memory_log_append(pattern, &record);
    topic->matched += code == 0;
    return code;
}

struct record_run memory_log_run(const struct memory_topic *topic, size_t offset)
{
    struct shared_buffer *buffer = topic->batches[offset];
    shared_buffer_hold(buffer);
    return (struct record_run){ .batches = { mill_bytes_of(buffer->data, buffer->len), buffer },
                                .first_offset = (int64_t)offset,
                                .next_offset = (int64_t)offset + 1 };
}
