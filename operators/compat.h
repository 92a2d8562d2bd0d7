/* mill.compat: whether operators follow Kafka Streams also where its users call the result a defect. */
#ifndef COMPAT_H
#define COMPAT_H

#include <stdbool.h>
#include <string.h>

#include "millstream/processor.h"

/* True for mill.compat=kafka. Ask in `init`. */
static inline bool compat_is_kafka(const mill_context *context)
{
    const char *compat = mill_context_property(context, "mill.compat");
    return compat != NULL && strcmp(compat, "kafka") == 0;
}

#endif
