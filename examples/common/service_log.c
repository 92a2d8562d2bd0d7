#include "service_log.h"

#include "civil_time.h"
#include "fields.h"

enum { TIMESTAMP, TIME_UNIX_NANO, NODE, POD_NAME, CONTAINER, TRACE_ID, SPAN_ID, LOG, COLUMNS };

/*
 * "2023-01-29T09:35:38.387636821Z": any number of decimals, of which three count; with or without the Z. -1: not of this form.
 */
static int64_t parse_timestamp(mill_bytes text)
{
    enum { CLOCK_AT = 11, DECIMALS_AT = 20 };
    const uint8_t *at = text.data;
    if (text.len < DECIMALS_AT - 1 || (text.len >= DECIMALS_AT && at[DECIMALS_AT - 1] != '.' && at[DECIMALS_AT - 1] != 'Z'))
        return -1;
    bool bad = at[4] != '-' || at[7] != '-' || at[10] != 'T';
    int year = civil_two_digits(at, &bad) * 100 + civil_two_digits(at + 2, &bad);
    int month = civil_two_digits(at + 5, &bad);
    int day = civil_two_digits(at + 8, &bad);
    int64_t clock_ms = civil_clock_ms(at + CLOCK_AT, &bad);
    int64_t unit_ms = 100;
    for (size_t i = DECIMALS_AT; i < text.len && at[i] >= '0' && at[i] <= '9'; i++, unit_ms /= 10)
        clock_ms += (at[i] - '0') * unit_ms;
    if (bad || !civil_is_date(year, month, day) || year < 1970)
        return -1;
    return civil_days(year, month, day) * CIVIL_DAY_MS + clock_ms;
}

/* Without its last two '-' parts; null when it has less than three. */
static mill_bytes service_of(mill_bytes pod)
{
    size_t len = pod.len;
    for (int parts = 0; parts < 2; parts++) {
        while (len > 0 && pod.data[len - 1] != '-')
            len--;
        if (len <= 1)
            return mill_null();
        len--;
    }
    return mill_bytes_of(pod.data, len);
}

/* The word behind the clock "HH:MM:SS.mmm ". */
static mill_bytes level_of(mill_bytes text)
{
    const uint8_t *end = text.data + text.len;
    const uint8_t *blank = memchr(text.data, ' ', text.len);
    if (blank == NULL)
        return mill_null();
    const uint8_t *word = blank + 1;
    const uint8_t *word_end = word;
    while (word_end < end && *word_end >= 'A' && *word_end <= 'Z')
        word_end++;
    return word_end == word ? mill_null() : mill_bytes_of(word, (size_t)(word_end - word));
}

bool service_log_parse(mill_bytes line, uint8_t *room, struct service_log_line *entry)
{
    mill_bytes fields[COLUMNS];
    mill_bytes text;
    size_t count = 0;
    struct csv_row row = csv_row_of(line);
    while (count < COLUMNS && csv_next(&row, &fields[count]))
        count++;
    if (count < COLUMNS || !row.done || row.failed || !json_member(csv_unquote(fields[LOG], room), "log", &text))
        return false;
    struct service_log_line parsed = { .service = service_of(fields[POD_NAME]),
                                       .level = level_of(text),
                                       .time_ms = parse_timestamp(fields[TIMESTAMP]),
                                       .trace_id = fields[TRACE_ID],
                                       .span_id = fields[SPAN_ID] };
    if (mill_is_null(parsed.service) || mill_is_null(parsed.level) || parsed.time_ms < 0)
        return false;
    *entry = parsed;
    return true;
}
