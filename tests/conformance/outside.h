/*
 * What is outside of the application: a client over the network that feeds a case's records into its topics, and one that reads
 * what came out of it (rows.h). The topics are made by asking for them.
 *
 * Thread: that of the loop. What must not fail ends the process with a word.
 */
#ifndef CONFORMANCE_OUTSIDE_H
#define CONFORMANCE_OUTSIDE_H

#include "base/prng.h"
#include "client/client.h"
#include "client/consumer.h"
#include "client/producer.h"
#include "conformance/result.h"
#include "conformance/settled.h"

enum { PARTITIONS = 4, FEEDER_TOPICS_MAX = 10 };

struct feeder {
    const struct test_case *test;
    struct prng *prng;
    struct loop *loop;
    struct client *client;
    struct producer *producer;
    struct producer_topic *topics[FEEDER_TOPICS_MAX]; /* NULL: not an input */
    struct loop_timer timer;
    size_t sent, wanted; /* of the case's events */
    bool acknowledged;   /* all that are wanted */
};

/* `begin`: the first event to be sent. */
void feeder_open(struct feeder *feeder, struct loop *loop, const char *bootstrap_servers, const struct test_case *test,
                 struct prng *prng, size_t begin);
/* Sends the events before `wanted`, a few at a time at random moments, in order within each partition. */
void feeder_send_until(struct feeder *feeder, size_t wanted);
void feeder_close(struct feeder *feeder, void (*closed)(void *ctx), void *ctx);

struct reader {
    const struct test_case *test;
    struct result *result;
    void (*has_read)(void *ctx); /* NULL: nobody wants to know */
    void *ctx;
    struct consumer *consumer;
    struct consumer_partition *partitions[CASE_NODES_MAX * PARTITIONS];
    int nodes[CASE_NODES_MAX * PARTITIONS];
    size_t count;
};

/* Reads everything that is committed, from the beginning, into `result`. */
void reader_open(struct reader *reader, struct client *client, const struct test_case *test, struct result *result);
bool reader_has_all(const struct reader *reader); /* up to the ends as they are known */
void reader_close(struct reader *reader);

void must(bool holds, const char *text);

#endif
