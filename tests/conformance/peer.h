/*
 * The other side: a JVM with Peer.java, which gets cases and answers results in the same order. It reads ahead, so that several
 * cases may be on their way.
 */
#ifndef CONFORMANCE_PEER_H
#define CONFORMANCE_PEER_H

#include "conformance/case.h"
#include "conformance/result.h"

struct peer {
    FILE *to;
    FILE *from;
    int process;
};

/* `classpath`: the classes of java/ and Kafka Streams; `directory`: for its stores. 0, or -1 with a word on standard error. */
int peer_start(struct peer *peer, const char *classpath, const char *directory);

/* -1: it did not end well, which is said on standard error. */
int peer_stop(struct peer *peer);

int peer_send(struct peer *peer, const struct test_case *test);

/* The result of the case that was sent first. -1: the peer has died. */
int peer_receive(struct peer *peer, struct result *result);

#endif
