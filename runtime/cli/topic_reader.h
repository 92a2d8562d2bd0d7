/*
 * Reads a topic's records from a start on, over all partitions or one.
 *
 *     describe the topic -> look up starts and ends -> read ... until topic_reader_close
 *
 * Thread: the session's loop.
 */
#ifndef CLI_TOPIC_READER_H
#define CLI_TOPIC_READER_H

#include "cli/session.h"
#include "client/admin.h"
#include "client/consumer.h"
#include "record/batch_reader.h"

enum topic_start_kind {
    TOPIC_START_BEGINNING,
    TOPIC_START_END,
    TOPIC_START_OFFSET,  /* `number` */
    TOPIC_START_BACK,    /* `number` records before each partition's end */
    TOPIC_START_TIME_MS, /* the first record at or after `number` */
};

struct topic_start {
    enum topic_start_kind kind;
    int64_t number;
};

/* "beginning", "end", "42", "-10" (ten before the end), "@1456000000000" (a time). False: none of these. */
bool topic_start_parse(const char *text, struct topic_start *start);

struct topic_reader_events {
    /* One record; its bytes and headers are valid for the call. False: no more now; topic_reader_close is next. */
    bool (*record)(void *ctx, int32_t partition, const struct batch_record *record);
    /* All that has come was given out. */
    void (*idle)(void *ctx, struct io_time now);
};

struct topic_reader {
    struct session *session;
    const char *topic;
    struct topic_start start;
    int32_t partition;    /* -1: all */
    bool waits_for_topic; /* else a topic that is not there fails the session with MILL_ENOTFOUND */
    const struct topic_reader_events *events;
    void *ctx;

    struct admin_operation *describing; /* the reader's, from here */
    struct offset_lookup *looking_up;
    struct loop_timer retry;
    struct client_topic *handle;
    struct consumer *consumer;
    struct consumer_options options;
    struct batch_reader batches;
    struct arena headers;
    struct consumer_partition **partitions;
    int64_t *ends; /* as of the start, by position in `partitions` */
    size_t partition_count;
    bool stopped;
};

/* The first group of fields is set. Events begin in a later turn. Errors finish the session. */
void topic_reader_open(struct topic_reader *reader);
void topic_reader_close(struct topic_reader *reader); /* harmless on one that was not opened */

/* Whether every partition has been read to where it ended at the start; false before that is known. */
bool topic_reader_at_end(const struct topic_reader *reader);

/* Records not yet read as far as is known, over all partitions. */
int64_t topic_reader_lag(const struct topic_reader *reader);

#endif
