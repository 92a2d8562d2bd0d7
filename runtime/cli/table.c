#include "cli/table.h"

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TABLE_BYTES_MAX = 256 << 20, ROW_BYTES_MAX = 8192, KEY_BYTES = 64 };

bool table_format_of(const struct cli *cli, enum table_format *format)
{
    static const char *const NAMES[] = { "table", "tsv", "json" };
    const char *name = cli_option(cli, "output");
    *format = isatty(STDOUT_FILENO) ? TABLE_PRETTY : TABLE_TSV;
    if (name == NULL)
        return true;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(name, NAMES[i]) == 0) {
            *format = (enum table_format)i;
            return true;
        }
    cli_usage(cli, "--output %s: neither table, tsv nor json", name);
    return false;
}

void table_init(struct table *table, const struct table_column *columns, size_t column_count)
{
    *table = (struct table){ .columns = columns, .column_count = column_count };
    arena_init(&table->arena, 16384, TABLE_BYTES_MAX);
}

void table_release(struct table *table)
{
    arena_release(&table->arena);
}

static void hide_controls(char *text)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            *text = '?';
}

void table_add(struct table *table, const char *format, ...)
{
    char text[ROW_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len >= 0)
        hide_controls(text);
    struct table_row *row = arena_calloc(&table->arena, 1, sizeof *row + table->column_count * sizeof row->cells[0]);
    char *cells = len < 0 || row == NULL ? NULL : arena_string(&table->arena, mill_string(text));
    if (cells == NULL) {
        table->failed = true;
        return;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        char *tab = i + 1 < table->column_count ? strchr(cells, '\t') : NULL;
        row->cells[i] = cells;
        cells = tab ? tab + 1 : cells + strlen(cells);
        if (tab != NULL)
            *tab = '\0';
    }
    if (table->last != NULL)
        table->last->next = row;
    else
        table->first = row;
    table->last = row;
}

/* How many columns of a terminal a text takes: its characters, not its bytes. */
static int width(const char *text)
{
    int characters = 0;
    for (; *text != '\0'; text++)
        characters += ((unsigned char)*text & 0xc0) != 0x80;
    return characters;
}

static void print_cell(const struct table *table, size_t i, const char *text, const int *widths)
{
    int padding = widths[i] - width(text);
    bool is_last = i + 1 == table->column_count;
    printf("%*s%s%*s", table->columns[i].is_number ? padding : 0, "", text, table->columns[i].is_number || is_last ? 0 : padding,
           "");
    fputs(is_last ? "\n" : "  ", stdout);
}

static void print_pretty(const struct table *table)
{
    int widths[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->column_count; i++) {
        widths[i] = width(table->columns[i].title);
        for (const struct table_row *row = table->first; row != NULL; row = row->next)
            widths[i] = width(row->cells[i]) > widths[i] ? width(row->cells[i]) : widths[i];
    }
    for (size_t i = 0; i < table->column_count; i++)
        print_cell(table, i, table->columns[i].title, widths);
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        for (size_t i = 0; i < table->column_count; i++)
            print_cell(table, i, row->cells[i], widths);
}

static void print_tsv(const struct table *table)
{
    for (const struct table_row *row = table->first; row != NULL; row = row->next)
        for (size_t i = 0; i < table->column_count; i++)
            printf("%s%c", row->cells[i], i + 1 < table->column_count ? '\t' : '\n');
}

static void json_key(const char *title, char key[KEY_BYTES])
{
    size_t len = 0;
    for (; title[len] != '\0' && len + 1 < KEY_BYTES; len++)
        key[len] = title[len] == ' ' || title[len] == '-' ? '_' : (char)tolower((unsigned char)title[len]);
    key[len] = '\0';
}

static json_t *json_cell(const struct table_column *column, const char *text)
{
    if (!column->is_number)
        return json_string(text);
    char *end;
    long long number = strtoll(text, &end, 10);
    return end == text || *end != '\0' ? json_null() : json_integer(number);
}

static bool print_json(const struct table *table)
{
    json_t *rows = json_array();
    bool done = rows != NULL;
    for (const struct table_row *row = table->first; row != NULL; row = row->next) {
        json_t *object = json_object();
        for (size_t i = 0; i < table->column_count; i++) {
            char key[KEY_BYTES];
            json_key(table->columns[i].title, key);
            done &= json_object_set_new(object, key, json_cell(&table->columns[i], row->cells[i])) == 0;
        }
        done &= json_array_append_new(rows, object) == 0;
    }
    done = done && json_dumpf(rows, stdout, JSON_INDENT(2)) == 0;
    puts("");
    json_decref(rows);
    return done;
}

bool table_print(const struct table *table, enum table_format format)
{
    bool done = !table->failed;
    if (format == TABLE_JSON)
        done &= print_json(table);
    else if (format == TABLE_TSV)
        print_tsv(table);
    else
        print_pretty(table);
    if (!done)
        cli_error(NULL, "no memory for all rows");
    return done;
}
