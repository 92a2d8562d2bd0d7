#include "flight.h"

#include "civil_time.h"
#include "fields.h"

enum { DATE_BYTES = 16, HOUR_MS = 60 * 60 * 1000, MINUTE_MS = 60 * 1000 };

/* "yyyy/mm/dd HH:MM" */
static bool parse_date(mill_bytes text, int64_t *time_ms)
{
    const uint8_t *at = text.data;
    if (text.len != DATE_BYTES || at[4] != '/' || at[7] != '/' || at[10] != ' ' || at[13] != ':')
        return false;
    bool bad = false;
    int64_t year = civil_two_digits(at, &bad) * 100 + civil_two_digits(at + 2, &bad);
    int month = civil_two_digits(at + 5, &bad);
    int day = civil_two_digits(at + 8, &bad);
    int hours = civil_two_digits(at + 11, &bad);
    int minutes = civil_two_digits(at + 14, &bad);
    if (bad || hours > 23 || minutes > 59 || year < 1970 || !civil_is_date(year, month, day))
        return false;
    *time_ms = civil_days(year, month, day) * CIVIL_DAY_MS + (int64_t)hours * HOUR_MS + (int64_t)minutes * MINUTE_MS;
    return true;
}

bool flight_parse(mill_bytes object, struct flight *flight)
{
    mill_bytes date;
    int64_t minutes;
    return json_member(object, "date", &date) && parse_date(date, &flight->time_ms) &&
           json_member(object, "origin", &flight->origin) && json_member(object, "delay", &flight->delay) &&
           number_parse(flight->delay, &minutes);
}
