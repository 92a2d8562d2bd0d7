/*
 * What becomes of a record that cannot be read, processed or written.
 *
 * Without more the first such record ends its stream thread, with an error that names operator, topic, partition and offset;
 * nothing of it is committed, and a restart reads it again. A handler, or one of Kafka Streams' properties, may say otherwise:
 *
 *      deserialization.exception.handler     a source's `check` refused it: LogAndFailExceptionHandler, LogAndContinue...
 *      processing.exception.handler          an operator failed (KIP-1033): LogAndFailProcessingExceptionHandler, ...
 *      production.exception.handler          it could not be written (KIP-210): DefaultProductionExceptionHandler
 *      errors.dead.letter.queue.topic.name   where these three send what they skip, or fail at (KIP-1034), but for what the
 *                                            broker refuses; not with a handler of your own, which is asked in their place
 *
 * The properties also take `fail` and `continue`. A record that is skipped is counted ("deserialization-error",
 * "processing-error", "production-error").
 *
 * Going on means: the operator that failed counts as done with the record, and those beside and above it go on as if it had
 * answered 0. What it did before it failed stays done, to its stores and to what it had forwarded: an operator that must do all
 * or nothing checks first and writes last. Failing means: nothing since the last commit counts; the stores go back to it.
 *
 * What the broker refuses (larger than max.message.bytes, a timestamp that the topic does not take, no right to write) is told
 * when its batch comes back, without the source record. At least once, going on means that these records are lost: no dead letter
 * is sent. Exactly once they are part of a transaction, which is committed with all of its records or not at all: the production
 * handler is asked, but whatever it answers the thread ends, with an error that names the topic and what to do.
 *
 * Troubles of the machine (no memory, the disk, a lost broker, a fenced producer, a store that is damaged) are no record's fault
 * and never reach a handler.
 */
#ifndef MILLSTREAM_ERRORS_H
#define MILLSTREAM_ERRORS_H

#include "millstream/topology.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mill_failure_kind {
    MILL_FAILURE_DESERIALIZATION,
    MILL_FAILURE_PROCESSING,
    MILL_FAILURE_PRODUCTION,
    MILL_FAILURE_KINDS
} mill_failure_kind;

typedef enum mill_failure_answer {
    MILL_ANSWER_FAIL,
    MILL_ANSWER_CONTINUE,
    MILL_ANSWER_RETRY /* production alone: write it once more, now; elsewhere as FAIL */
} mill_failure_answer;

/* Valid for the call, with all it points to. */
typedef struct mill_failure {
    mill_failure_kind kind;
    int code;         /* what the callback returned */
    const char *text; /* in words, with task, operator, topic, partition and offset */
    const char *task_id;
    const char *node;  /* the operator that failed; the source or sink for the other kinds */
    const char *topic; /* of the source record, with the next two; NULL, -1, -1 in a punctuator or a commit */
    int32_t partition;
    int64_t offset;
    const mill_record *record; /* what the operator was given; NULL in a punctuator, and for a batch lost on its way */
    mill_bytes source_key;     /* as they were read; null where `topic` is NULL */
    mill_bytes source_value;
    int64_t timestamp_ms; /* of the record, or the punctuator's time */
    int64_t record_count; /* 1; more for a batch that was lost on its way to the broker: none of them can be retried */
} mill_failure;

typedef mill_failure_answer (*mill_failure_handler)(void *ctx, const mill_failure *failure);

/* Asks `handler` in place of the property. Thread: called on stream threads, several at once if there are several. */
MILL_API void mill_topology_on_failure(mill_topology *topology, mill_failure_kind kind, mill_failure_handler handler, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
