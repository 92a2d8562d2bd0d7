/*
 * A flight, as one JSON object: {"date":"yyyy/mm/dd HH:MM","delay":minutes,"origin":iata,"destination":iata,...}
 */
#ifndef EXAMPLES_FLIGHT_H
#define EXAMPLES_FLIGHT_H

#include <millstream/bytes.h>

struct flight {
    int64_t time_ms;  /* its date, taken as UTC */
    mill_bytes delay; /* minutes, as it stands there */
    mill_bytes origin;
};

/* False: it lacks one of them, or is no whole object. Views of `object`. */
bool flight_parse(mill_bytes object, struct flight *flight);

#endif
