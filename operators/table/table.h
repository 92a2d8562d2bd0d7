/* The operators on tables; their updates carry the value before in `old_value`. */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include "millstream/processor.h"

/* A table's updates as the records of a stream. Takes no argument. */
extern const mill_processor_type to_stream_type;

#endif
