/* The first of equal records within a time: deduplicate.c. */
#ifndef AGGREGATE_DEDUPLICATE_H
#define AGGREGATE_DEDUPLICATE_H

#include "millstream/stores.h"
#include "millstream/stream.h"

struct deduplicate_argument {
    const char *store; /* a sliding store, whose retention is more than `within_ms`: by how much, a record may be late */
    int64_t within_ms;
    mill_mapper id; /* NULL: the key alone */
    void *ctx;
    const char *const *late; /* the name of the child that gets late records, or NULL */
};
extern const mill_processor_type deduplicate_type;

#endif
