/*
 * A record: what flows through a topology.
 *
 * Every pointer is borrowed and valid for the call that it was passed to, unless that call says otherwise.
 */
#ifndef MILLSTREAM_RECORD_H
#define MILLSTREAM_RECORD_H

#include "millstream/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mill_header {
    mill_bytes key;   /* never null */
    mill_bytes value; /* may be null */
} mill_header;

typedef struct mill_record {
    mill_bytes key;
    mill_bytes value;
    int64_t timestamp_ms; /* event time, since 1970-01-01 UTC */
    const mill_header *headers;
    size_t header_count;
    /* Between table operators only: the key's value before this update, where a node below asked for it; else null. */
    mill_bytes old_value;
    /* Below versioned tables only: a newer value of the key is known, this update is history. */
    bool is_outdated;
} mill_record;

#define MILL_SECONDS(n) ((int64_t)(n)*1000)
#define MILL_MINUTES(n) (MILL_SECONDS(n) * 60)
#define MILL_HOURS(n)   (MILL_MINUTES(n) * 60)
#define MILL_DAYS(n)    (MILL_HOURS(n) * 24)

#ifdef __cplusplus
}
#endif
#endif
