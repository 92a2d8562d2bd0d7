/*
 * Calendar dates as days, and digits as numbers, for times written in text. No tables, no locale, no time zone database.
 */
#ifndef EXAMPLES_CIVIL_TIME_H
#define EXAMPLES_CIVIL_TIME_H

#include <stdbool.h>
#include <stdint.h>

enum { CIVIL_DAY_MS = 24 * 60 * 60 * 1000 };

/*
 * Days from 1970-01-01 to a date of the Gregorian calendar; `month` 1..12, year from 0. The year begins in March here, so that
 * the leap day is its last, and 153 days make five months (31, 30, 31, 30, 31).
 */
static inline int64_t civil_days(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static inline bool civil_is_date(int64_t year, int month, int day)
{
    static const uint8_t DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= DAYS[month - 1] + (month == 2 && leap);
}

/* Two digits as a number; `*bad` turns true when they are none. */
static inline int civil_two_digits(const uint8_t *at, bool *bad)
{
    unsigned tens = (unsigned)at[0] - '0';
    unsigned ones = (unsigned)at[1] - '0';
    *bad |= (tens > 9) | (ones > 9);
    return (int)(tens * 10 + ones);
}

/* hh:mm:ss as milliseconds of the day; a leap second counts as the next. */
static inline int64_t civil_clock_ms(const uint8_t *at, bool *bad)
{
    int hours = civil_two_digits(at, bad);
    int minutes = civil_two_digits(at + 3, bad);
    int seconds = civil_two_digits(at + 6, bad);
    *bad |= (at[2] != ':') | (at[5] != ':') | (hours > 23) | (minutes > 59) | (seconds > 60);
    return ((int64_t)hours * 3600 + minutes * 60 + seconds) * 1000;
}

#endif
