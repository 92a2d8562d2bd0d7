#include "span.h"

#include "fields.h"

enum { TRACE_ID, SPAN_ID, PARENT_ID, POD_NAME, OPERATION_NAME, START_TIME, END_TIME, DURATION, COLUMNS };

enum { NANO_DIGITS_MAX = 19, NANOS_PER_MS = 1000000 };

/* Nanoseconds since 1970 as milliseconds; -1: no such number. */
static int64_t parse_nanos(mill_bytes text)
{
    uint64_t nanos = 0;
    if (text.len == 0 || text.len > NANO_DIGITS_MAX)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        nanos = nanos * 10 + (uint64_t)(text.data[i] - '0');
    }
    return (int64_t)(nanos / NANOS_PER_MS);
}

bool span_parse(mill_bytes line, struct span *span)
{
    mill_bytes fields[COLUMNS];
    size_t count = 0;
    struct csv_row row = csv_row_of(line);
    while (count < COLUMNS && csv_next(&row, &fields[count]))
        count++;
    int64_t time_ms = count < COLUMNS || !row.done || row.failed ? -1 : parse_nanos(fields[START_TIME]);
    if (time_ms < 0)
        return false;
    *span = (struct span){ fields[TRACE_ID], fields[SPAN_ID], fields[OPERATION_NAME], time_ms };
    return true;
}
