/*
 * One span of a trace, as a CSV row:
 *
 *     TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration
 */
#ifndef EXAMPLES_SPAN_H
#define EXAMPLES_SPAN_H

#include <millstream/bytes.h>

struct span {
    mill_bytes trace_id;
    mill_bytes span_id;
    mill_bytes operation;
    int64_t time_ms; /* its start */
};

/* False: malformed (the header line too), `*span` is left as it was. Views of `row`. */
bool span_parse(mill_bytes row, struct span *span);

#endif
