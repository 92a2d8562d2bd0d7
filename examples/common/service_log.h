/*
 * One line of the services' log: a CSV row with a JSON object in its last field.
 *
 *     Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log
 *     2023-01-29T09:35:38.387636821Z,...,ts-order-service-5b67c48447-mv5hb,...,"{""log"":""17:35:38.386 INFO  o.s...\n"",...}"
 */
#ifndef EXAMPLES_SERVICE_LOG_H
#define EXAMPLES_SERVICE_LOG_H

#include <millstream/bytes.h>

struct service_log_line {
    mill_bytes service; /* the pod's name less its last two '-' parts, which name replica set and pod */
    mill_bytes level;   /* the second word of the text: INFO, WARN, ERROR, ... */
    int64_t time_ms;    /* the Timestamp, UTC, since 1970-01-01; not before */
    mill_bytes trace_id;
    mill_bytes span_id;
};

/*
 * False: malformed (the header line too), `*entry` is left as it was. Fields are views into `line`, but `level` into `room`,
 * which has line.len bytes, or `line`. Any thread.
 */
bool service_log_parse(mill_bytes line, uint8_t *room, struct service_log_line *entry);

#endif
