/*
 * Results in rows: a table for eyes, tab-separated lines for pipes, JSON for programs. `--output` chooses; otherwise a table on
 * a terminal, else tab-separated lines.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/arena.h"
#include "cli/cli.h"

enum table_format { TABLE_PRETTY, TABLE_TSV, TABLE_JSON };

/* False: --output names no format, which was told. */
bool table_format_of(const struct cli *cli, enum table_format *format);

enum { TABLE_COLUMNS_MAX = 12 };

struct table_column {
    const char *title; /* "LOG END": log_end in JSON */
    bool is_number;    /* right-aligned; in JSON a number, or null when it is "-" */
};

struct table {
    const struct table_column *columns;
    size_t column_count;
    struct arena arena;
    struct table_row *first, *last;
    bool failed; /* no memory for a row */
};

struct table_row {
    struct table_row *next;
    const char *cells[];
};

/* `columns` is static. */
void table_init(struct table *table, const struct table_column *columns, size_t column_count);
void table_release(struct table *table);

/*
 * Adds a row: its cells in order, separated by tabs in the format. Other control characters (names come from strangers) are
 * printed as '?'.
 */
void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints all rows on standard output; false when there was no memory for one, which was told. */
bool table_print(const struct table *table, enum table_format format);

#endif
