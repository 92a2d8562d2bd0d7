/*
 * Faults that the runner can put into its own side, to see that the tester finds them. They are put around our operators, between
 * the case and the calls of stream.h, never into what is shipped. Two break down one of both sides, which must not pass either.
 */
#ifndef CONFORMANCE_FAULTS_H
#define CONFORMANCE_FAULTS_H

/* X(name, what it does) */
#define CONFORMANCE_FAULTS(X)                                            \
    X(CRASH, "our side dies")                                            \
    X(PEER_KILLED, "Kafka Streams' side dies")                           \
    X(TIMESTAMP, "results have the record's timestamp, not the largest") \
    X(GRACE, "grace is a millisecond longer")                            \
    X(NULL_VALUE, "a null value is aggregated")                          \
    X(TOMBSTONE, "a table's tombstones are not forwarded")               \
    X(WINDOW_END, "windows end a millisecond late")                      \
    X(SWAPPED, "a reducer gets its arguments swapped")                   \
    X(NULL_KEY, "records with a null key are dropped at the source")     \
    X(COMMIT, "caches are flushed with every second record only")        \
    X(ORDER, "the results of one record come in the opposite order")

enum fault {
    FAULT_NONE,
#define CONFORMANCE_FAULT_ENUM(name, text) FAULT_##name,
    CONFORMANCE_FAULTS(CONFORMANCE_FAULT_ENUM)
#undef CONFORMANCE_FAULT_ENUM
        FAULT_COUNT
};

const char *fault_text(enum fault fault);

#endif
