/*
 * The test driver: a topology run by the real task, with no broker, no threads, no disk and a manual clock.
 *
 *     mill_test_driver *driver = mill_test_driver_new(topology, NULL, 0);
 *     mill_test_driver_pipe(driver, "words", &(mill_record){ .value = mill_string("hello"), .timestamp_ms = 10 });
 *     mill_record out;
 *     while (mill_test_driver_read(driver, "counts", &out) == 1) ...
 *
 * The whole topology runs as one task over topics of one partition, as in Kafka Streams' TopologyTestDriver: a piped record is
 * processed to its end, through repartition topics and topics that are written and read again, and then committed, so that caches
 * forward after every record. A record of a global table is in it when the pipe returns, before any other is processed.
 * Stream-time punctuation happens by itself, wall-clock punctuation with the clock. Output topics and changelogs keep what was
 * written until it is read.
 *
 * Functions return 0 or a MILL_E* code with text in mill_test_driver_error. Thread: one at a time.
 */
#ifndef MILLSTREAM_TEST_DRIVER_H
#define MILLSTREAM_TEST_DRIVER_H

#include "millstream/topology.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_test_driver mill_test_driver;

/*
 * `properties`: name, value, ..., NULL as for an application ("application.id" is "test" if not given), or NULL. The topology
 * outlives the driver. NULL: no memory. A driver made from a faulty topology or setting fails every call with that error.
 */
MILL_API mill_test_driver *mill_test_driver_new(mill_topology *topology, const char *const *properties, int64_t wall_time_ms);
MILL_API void mill_test_driver_free(mill_test_driver *driver);

/* What went wrong last; "" when nothing. Lives until the next call. */
MILL_API const char *mill_test_driver_error(const mill_test_driver *driver);

/* One record into a source topic; processed and committed on return. */
MILL_API MILL_MUST_USE int mill_test_driver_pipe(mill_test_driver *driver, const char *topic, const mill_record *record);

/*
 * The next record of a topic: 1 and *record, valid until the driver's next call; 0 when there is none. Internal topics by full
 * name.
 */
MILL_API int mill_test_driver_read(mill_test_driver *driver, const char *topic, mill_record *record);

/* Moves the wall clock; wall-clock punctuators fire, then a commit. */
MILL_API MILL_MUST_USE int mill_test_driver_advance(mill_test_driver *driver, int64_t milliseconds);

/*
 * Whether a commit follows each record (the default), or only mill_test_driver_commit; then caches coalesce as they do in an
 * application. What a commit writes to topics that the topology itself reads is processed at once, for the next commit.
 */
MILL_API void mill_test_driver_auto_commit(mill_test_driver *driver, bool on);
MILL_API MILL_MUST_USE int mill_test_driver_commit(mill_test_driver *driver);

/* Closes the task and opens it again. Input goes on from the last commit; what was piped but not committed is read again. */
typedef enum mill_test_restart {
    MILL_RESTART_CLEAN,      /* after a commit, stores closed in order */
    MILL_RESTART_CRASH,      /* nothing is committed or flushed: stores are as on disk, the changelog's tail is replayed */
    MILL_RESTART_STATE_LOST, /* like a crash, and the stores are gone: the whole changelog is replayed */
} mill_test_restart;
MILL_API MILL_MUST_USE int mill_test_driver_restart(mill_test_driver *driver, mill_test_restart how);

/* A store of the topology, for the calls of stores.h between records; NULL: none of that name. Gone with a restart. */
MILL_API mill_store *mill_test_driver_store(mill_test_driver *driver, const char *name);

/* Records skipped for this reason ("late", "null-key", ...), NULL: for any. */
MILL_API int64_t mill_test_driver_dropped(const mill_test_driver *driver, const char *reason);

#ifdef __cplusplus
}
#endif
#endif
