#include "access_log.h"

#include "civil_time.h"

/* A time as logged: "10/Oct/2000:13:55:36 -0700". */
enum { DATE_BYTES = 11, CLOCK_AT = 12, ZONE_AT = 21, TIME_BYTES = 26 };

static int month_number(const uint8_t *at)
{
    static const char NAMES[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (memcmp(at, NAMES + i * 3, 3) == 0)
            return i + 1;
    return 0;
}

static int64_t parse_date(const uint8_t *at, bool *bad)
{
    int day = civil_two_digits(at, bad);
    int month = month_number(at + 3);
    int year = civil_two_digits(at + 7, bad) * 100 + civil_two_digits(at + 9, bad);
    *bad |= at[2] != '/' || at[6] != '/' || !civil_is_date(year, month, day);
    return *bad ? 0 : civil_days(year, month, day) * CIVIL_DAY_MS;
}

/* As parse_date; remembers the last date, because a log stays on one day for thousands of lines. */
static int64_t parse_date_again(const uint8_t *at, bool *bad)
{
    static _Thread_local struct {
        uint8_t text[DATE_BYTES];
        int64_t ms;
    } last = { "01/Jan/1970", 0 };
    if (memcmp(at, last.text, DATE_BYTES) == 0)
        return last.ms;
    int64_t ms = parse_date(at, bad);
    if (!*bad) {
        memcpy(last.text, at, DATE_BYTES);
        last.ms = ms;
    }
    return ms;
}

/* TIME_BYTES at `at`. -1: this is no time, or one before 1970. */
static int64_t parse_time(const uint8_t *at)
{
    bool bad = false;
    int64_t local = parse_date_again(at, &bad) + civil_clock_ms(at + CLOCK_AT, &bad);
    int zone_hours = civil_two_digits(at + ZONE_AT + 1, &bad);
    int zone_minutes = civil_two_digits(at + ZONE_AT + 3, &bad);
    bool west = at[ZONE_AT] == '-';
    bad |= (at[DATE_BYTES] != ':') | (at[ZONE_AT - 1] != ' ') | (!west & (at[ZONE_AT] != '+')) | (zone_minutes > 59);
    int64_t zone_ms = (int64_t)(zone_hours * 60 + zone_minutes) * 60000;
    int64_t utc = west ? local + zone_ms : local - zone_ms;
    return bad || utc < 0 ? -1 : utc;
}

/* Behind the field at `at`, which ends with a blank; NULL: it is empty or the line ends before. */
static const uint8_t *skip_field(const uint8_t *at, const uint8_t *end)
{
    if (end - at >= 2 && at[0] == '-' && at[1] == ' ') /* nearly every ident and user */
        return at + 2;
    const uint8_t *blank = memchr(at, ' ', (size_t)(end - at));
    return blank == NULL || blank == at ? NULL : blank + 1;
}

/* Digits or one dash, with a blank, a carriage return or the end of the line behind them: where they end, or NULL. */
static const uint8_t *skip_number(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *start = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    if (at == start && at < end && *at == '-')
        at++;
    return at > start && (at == end || *at == ' ' || *at == '\r') ? at : NULL;
}

static bool has_status_and_size(const uint8_t *at, const uint8_t *end)
{
    if (at == end || *at != ' ')
        return false;
    const uint8_t *status_end = skip_number(at + 1, end);
    bool is_status = status_end != NULL && (status_end - at == 4 || at[1] == '-');
    return is_status && status_end < end && *status_end == ' ' && skip_number(status_end + 1, end) != NULL;
}

static bool is_escaped(const uint8_t *at, const uint8_t *start)
{
    const uint8_t *first = at;
    while (first > start && first[-1] == '\\')
        first--;
    return (at - first) % 2 == 1;
}

/* The quote that ends the request which starts at `at`, or NULL. */
static const uint8_t *request_end(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *start = at;
    const uint8_t *quote;
    while ((quote = memchr(at, '"', (size_t)(end - at))) != NULL) {
        if (has_status_and_size(quote + 1, end) && !is_escaped(quote, start))
            return quote;
        at = quote + 1;
    }
    return NULL;
}

/* Where the last " HTTP/" begins, `end` when there is none. */
static const uint8_t *protocol_start(const uint8_t *start, const uint8_t *end)
{
    static const char PROTOCOL[] = " HTTP/";
    ptrdiff_t len = sizeof PROTOCOL - 1;
    if (end - start < len)
        return end;
    for (const uint8_t *at = end - len; at >= start; at--)
        if (*at == ' ' && memcmp(at, PROTOCOL, len) == 0)
            return at;
    return end;
}

static mill_bytes page_of(const uint8_t *request, const uint8_t *end)
{
    const uint8_t *blank = request; /* methods are short */
    while (blank < end && *blank != ' ')
        blank++;
    if (blank == end)
        return mill_string("-");
    const uint8_t *target = blank + 1;
    const uint8_t *target_end = protocol_start(target, end);
    const uint8_t *question = memchr(target, '?', (size_t)(target_end - target));
    return mill_bytes_of(target, (size_t)((question ? question : target_end) - target));
}

bool access_log_parse(mill_bytes line, struct access_log_line *hit)
{
    const uint8_t *at = line.data;
    const uint8_t *end = line.data + line.len;
    if (mill_is_null(line) || (at = skip_field(at, end)) == NULL)
        return false;
    mill_bytes client = mill_bytes_of(line.data, (size_t)(at - 1 - line.data));
    for (int i = 0; i < 2; i++) /* ident and user */
        if ((at = skip_field(at, end)) == NULL)
            return false;

    /* [time] "r" s b */
    if (end - at < TIME_BYTES + 4 || at[0] != '[' || memcmp(at + 1 + TIME_BYTES, "] \"", 3) != 0)
        return false;
    int64_t time_ms = parse_time(at + 1);
    const uint8_t *request = at + TIME_BYTES + 4;
    const uint8_t *quote = time_ms < 0 ? NULL : request_end(request, end);
    if (quote == NULL)
        return false;
    *hit = (struct access_log_line){ client, page_of(request, quote), time_ms };
    return true;
}
