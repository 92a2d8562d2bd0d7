/*
 * Fields of CSV rows and JSON objects, found by walking the text once: no copy, no allocation, no tree.
 *
 *     struct csv_row row = csv_row_of(line);
 *     while (csv_next(&row, &field)) ...
 *     if (row.failed) ...                       the row is broken; fields before the fault came out
 *
 * Results are views into what was given. Nothing here looks beyond its end. Any thread.
 */
#ifndef EXAMPLES_FIELDS_H
#define EXAMPLES_FIELDS_H

#include <millstream/bytes.h>

/* ---- CSV as in RFC 4180: fields between commas, quoted ones with "" for each quote inside -------------------------------- */

struct csv_row {
    const uint8_t *at;
    const uint8_t *end;
    bool done;
    bool failed;
};

/* A row without its line end (one carriage return at the end is passed over). A quoted field may hold line ends. */
struct csv_row csv_row_of(mill_bytes row);

/*
 * The next field, without its outer quotes; those inside are still doubled (csv_unquote). False at the end of the row, and
 * where a quoted field has no end or has something else than a comma behind it: `failed`.
 */
bool csv_next(struct csv_row *row, mill_bytes *field);

/* The same field with single quotes, in `room`, which has field.len bytes; the field itself when it has none. */
mill_bytes csv_unquote(mill_bytes field, uint8_t *room);

/* ---- JSON ---------------------------------------------------------------------------------------------------------------- */

/*
 * The value of a member of `object`, as it stands there: a string between its quotes, escapes unresolved; a number, true, false
 * or null as text; an object or array with its brackets. The first one of that name; names are compared as they stand. False:
 * no such member, or `object` is not one whole object (what is nested in it is only checked for its brackets).
 */
bool json_member(mill_bytes object, const char *name, mill_bytes *value);

/* ---- numbers ------------------------------------------------------------------------------------------------------------- */

/* A whole number of at most 15 digits, perhaps with a minus before them. */
bool number_parse(mill_bytes text, int64_t *number);

#endif
