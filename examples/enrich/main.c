/*
 * Delays of flights by state and hour, from flights that only name airports: each is joined with the airport that it left.
 *
 *     topic airports          rows of CSV: iata,name,city,state,...; the record's key is the iata code. A global table
 *     topic flights           objects of JSON: {"date":"yyyy/mm/dd HH:MM","delay":minutes,"origin":iata,...}
 *       -> enriched-flights   origin -> state,delay: the flight joined with its airport
 *       -> delays             (state, hour) -> flights,sum of delays,largest delay
 *       -> late-flights       state -> state,delay: what came when its hour was closed already
 *
 * Event time is the flight's own date (taken as UTC), whenever it is read. Keys of `delays` are windowed (the key, then the
 * window's start as 8 bytes). Flights of another form are skipped and counted, those of unknown airports are left out.
 *
 *     enrich [--grace MINUTES] [-X name=value]...
 *
 * An hour takes flights until the newest is --grace (120) minutes past its end.
 */
#include <stdio.h>

#include <millstream/millstream.h>

#include "fields.h"
#include "flight.h"
#include "options.h"

enum { TEXT_BYTES = 80 };

/* A flight becomes origin -> delay at its own time. */
static int parse_flight(const mill_record *line, mill_emitter *out, void *ctx)
{
    struct flight flight;
    if (!flight_parse(line->value, &flight)) {
        mill_context_drop(mill_emitter_context(out), "malformed");
        return MILL_OK;
    }
    return mill_emit(out, &(mill_record){ .key = flight.origin, .value = flight.delay, .timestamp_ms = flight.time_ms });
}

static int origin(const mill_record *flight, mill_bytes *key, mill_context *context, void *ctx)
{
    *key = flight->key;
    return MILL_OK;
}

/* The delay and the airport's row: "state,delay", null when the row has no state. */
static int with_state(mill_bytes key, mill_bytes delay, mill_bytes airport, mill_bytes *result, mill_context *context, void *ctx)
{
    struct csv_row row = csv_row_of(airport);
    mill_bytes state = { 0 };
    for (int i = 0; i < 4; i++)
        if (!csv_next(&row, &state))
            return MILL_OK;
    size_t room = state.len + delay.len + 2;
    char *text = mill_context_alloc(context, room);
    if (text == NULL)
        return MILL_ENOMEM;
    int len =
        snprintf(text, room, "%.*s,%.*s", (int)state.len, (const char *)state.data, (int)delay.len, (const char *)delay.data);
    *result = mill_bytes_of(text, (size_t)len);
    return MILL_OK;
}

static bool is_known(const mill_record *flight, void *ctx)
{
    return !mill_is_null(flight->value);
}

static int state_of(const mill_record *flight, mill_bytes *key, mill_context *context, void *ctx)
{
    struct csv_row row = csv_row_of(flight->value);
    return csv_next(&row, key) ? MILL_OK : MILL_EINVALID;
}

static int no_flights(mill_bytes *aggregate, mill_context *context, void *ctx)
{
    *aggregate = mill_string("0,0,-999999");
    return MILL_OK;
}

/* "flights,sum,largest" and one more. */
static int add_flight(mill_bytes key, mill_bytes flight, mill_bytes *aggregate, mill_context *context, void *ctx)
{
    int64_t numbers[4] = { 0 }; /* flights, sum, largest; this one's delay */
    struct csv_row row = csv_row_of(*aggregate);
    mill_bytes field;
    for (int i = 0; i < 3; i++)
        if (!csv_next(&row, &field) || !number_parse(field, &numbers[i]))
            return mill_context_error(context, MILL_ECORRUPT, "the stored delays are no three numbers");
    row = csv_row_of(flight);
    if (!csv_next(&row, &field) || !csv_next(&row, &field) || !number_parse(field, &numbers[3]))
        return mill_context_error(context, MILL_ECORRUPT, "the flight is not state,delay");
    char *text = mill_context_alloc(context, TEXT_BYTES);
    if (text == NULL)
        return MILL_ENOMEM;
    int64_t largest = numbers[3] > numbers[2] ? numbers[3] : numbers[2];
    int len = snprintf(text, TEXT_BYTES, "%lld,%lld,%lld", (long long)numbers[0] + 1, (long long)(numbers[1] + numbers[3]),
                       (long long)largest);
    *aggregate = mill_bytes_of(text, (size_t)len);
    return MILL_OK;
}

static void build(mill_topology *topology, int64_t grace_ms)
{
    mill_global_table *airports = mill_topology_global_table(topology, "airports", NULL, mill_as("airports"));
    mill_stream *flights = mill_stream_flat_map(mill_topology_stream(topology, "flights", NULL), parse_flight, NULL);
    flights = mill_stream_join_global_table(flights, airports, origin, with_state, NULL, mill_joined_as("with-airport"));
    flights = mill_stream_filter(flights, is_known, NULL);
    mill_stream_to(flights, "enriched-flights");

    mill_grouped *by_state = mill_grouped_as(mill_stream_group_by(flights, state_of, NULL), "by-state");
    mill_windowed *hourly = mill_grouped_windowed_by(by_state, mill_window_tumbling(MILL_HOURS(1), grace_ms));
    mill_table *delays = mill_windowed_aggregate(hourly, no_flights, add_flight, NULL, mill_as("delays"));
    mill_table_to(delays, "delays");
    mill_stream_to(mill_windowed_late(delays), "late-flights");
}

int main(int argc, char **argv)
{
    static const char *const DEFAULTS[] = { "commit.interval.ms", "1000", NULL };
    int64_t grace_minutes = take_number(&argc, argv, "--grace", 120, INT32_MAX, "minutes that an hour waits for late flights");
    mill_topology *topology = mill_topology_new();
    build(topology, MILL_MINUTES(grace_minutes));
    return mill_main_with(argc, argv, "enrich", topology, DEFAULTS);
}
