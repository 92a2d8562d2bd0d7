/*
 * The test driver's topics: one partition each, record batches in memory.
 *
 * Each record is one batch, written and read by the real writer and reader, so that a topology meets the same bytes here as on a
 * broker.
 *
 * Thread: one at a time.
 */
#ifndef TESTDRIVER_MEMORY_LOG_H
#define TESTDRIVER_MEMORY_LOG_H

#include "base/arena.h"
#include "base/hash_map.h"
#include "record/batch_reader.h"
#include "record/batch_writer.h"
#include "task/task.h"

struct memory_topic {
    struct task_topic output; /* first: what tasks write to */
    struct memory_log *log;
    struct shared_buffer **batches; /* by offset */
    size_t end;
    size_t capacity;
    size_t read;        /* the next one for memory_log_read */
    size_t matched;     /* how many a source by pattern has got */
    const char **names; /* of a pattern: the topics that its records were written to, by offset */
};

struct memory_log {
    struct hash_map topics;
    struct memory_topic **order; /* whose record each one was, since the log began */
    size_t count;
    size_t capacity;
    struct batch_writer writer;
    struct batch_reader reader;
    struct arena headers; /* of the record read last */
};

void memory_log_init(struct memory_log *log);
void memory_log_release(struct memory_log *log);

/* The topic, made on first use. NULL: no memory. */
struct memory_topic *memory_log_topic(struct memory_log *log, const char *name);

int memory_log_append(struct memory_topic *topic, const mill_record *record);

/* Copies the next unmatched record of `topic` to a pattern's, with its name. */
int memory_log_match(struct memory_topic *topic, struct memory_topic *pattern);

/* 1 and the next unread record, valid until the next call; 0 at the end. */
int memory_log_read(struct memory_topic *topic, mill_record *record);

/* The batch at an offset below `end` as a run for a queue; holds its buffer. */
struct record_run memory_log_run(const struct memory_topic *topic, size_t offset);

#endif
