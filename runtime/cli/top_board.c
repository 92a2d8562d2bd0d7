#include "cli/top_board.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "millstream/record.h"

enum { NAME_COLUMNS_MIN = 20, NUMBER_COLUMNS = 12, COLUMNS = 5, NUMBER_BYTES = 32 };

/* The page that stands for all of them, as page_views writes it. */
static const char WHOLE_SITE[] = "?site";

struct top_page {
    mill_bytes name; /* lies behind the struct */
    int64_t views;
    int64_t hour_ms; /* the latest hour with views, which has hour_views */
    int64_t hour_views;
    int64_t visitors_hour_ms;
    int64_t visitors;
    int64_t visitors_max; /* of any hour */
};

void top_board_init(struct top_board *board)
{
    *board = (struct top_board){ .hour_ms = -1, .minute_ms = -1, .site_visitors_hour_ms = -1 };
    hash_map_init(&board->pages);
    hash_map_init(&board->young);
    hash_map_init(&board->old);
}

void top_board_release(struct top_board *board)
{
    const struct hash_map_entry *entry;
    size_t at = 0;
    while ((entry = hash_map_next(&board->pages, &at)) != NULL)
        mem_free(entry->value);
    hash_map_release(&board->pages);
    hash_map_release(&board->young);
    hash_map_release(&board->old);
}

/* ---- adding -------------------------------------------------------------------------------------------------------------- */

/* Remembers a window's count; returns by how much it grew. */
static int64_t growth(struct top_board *board, mill_bytes key, int64_t count)
{
    if (hash_map_count(&board->young) >= TOP_WINDOWS_KEPT) {
        hash_map_release(&board->old);
        board->old = board->young;
        hash_map_init(&board->young);
    }
    void *last = hash_map_get(&board->young, key);
    if (last == NULL)
        last = hash_map_get(&board->old, key);
    board->failed |= hash_map_put(&board->young, key, (void *)(intptr_t)count, NULL) < 0;
    return count - (int64_t)(intptr_t)last;
}

static struct top_page *find_page(struct top_board *board, mill_bytes name)
{
    struct top_page *page = hash_map_get(&board->pages, name);
    if (page != NULL)
        return page;
    page = mem_calloc(1, sizeof *page + name.len);
    if (page == NULL || hash_map_put(&board->pages, name, page, NULL) < 0) {
        mem_free(page);
        board->failed = true;
        return NULL;
    }
    memcpy(page + 1, name.data, name.len);
    page->name = mill_bytes_of(page + 1, name.len);
    page->hour_ms = -1;
    page->visitors_hour_ms = -1;
    return page;
}

static void see_time(struct top_board *board, int64_t start_ms)
{
    int64_t hour_ms = start_ms - start_ms % MILL_HOURS(1);
    if (start_ms > board->minute_ms)
        board->minute_ms = start_ms;
    if (hour_ms > board->hour_ms) {
        board->hour_ms = hour_ms;
        board->hour_views = 0;
    }
}

void top_board_add_views(struct top_board *board, mill_bytes key, mill_bytes value)
{
    mill_windowed_key window = { 0 };
    int64_t count = 0;
    if (!mill_time_window_read(key, MILL_MINUTES(1), &window) || !mill_int64_read(value, &count) || count <= 0)
        return;
    struct top_page *page = find_page(board, window.key);
    if (page == NULL)
        return;
    int64_t more = growth(board, key, count);
    int64_t hour_ms = window.start_ms - window.start_ms % MILL_HOURS(1);
    see_time(board, window.start_ms);
    if (hour_ms > page->hour_ms) {
        page->hour_ms = hour_ms;
        page->hour_views = 0;
    }
    page->views += more;
    board->views += more;
    page->hour_views += hour_ms == page->hour_ms ? more : 0;
    board->hour_views += hour_ms == board->hour_ms ? more : 0;
}

void top_board_add_visitors(struct top_board *board, mill_bytes key, mill_bytes value)
{
    mill_windowed_key window = { 0 };
    int64_t count = 0;
    if (!mill_time_window_read(key, MILL_HOURS(1), &window) || !mill_int64_read(value, &count))
        return;
    if (mill_bytes_equal(window.key, mill_string(WHOLE_SITE))) {
        board->site_visitors_max = count > board->site_visitors_max ? count : board->site_visitors_max;
        if (window.start_ms >= board->site_visitors_hour_ms) {
            board->site_visitors_hour_ms = window.start_ms;
            board->site_visitors = count;
        }
        return;
    }
    struct top_page *page = find_page(board, window.key);
    if (page == NULL)
        return;
    page->visitors_max = count > page->visitors_max ? count : page->visitors_max;
    if (window.start_ms >= page->visitors_hour_ms) {
        page->visitors_hour_ms = window.start_ms;
        page->visitors = count;
    }
}

/* ---- showing ------------------------------------------------------------------------------------------------------------- */

static int by_views(const void *left, const void *right)
{
    const struct top_page *a = *(const struct top_page *const *)left;
    const struct top_page *b = *(const struct top_page *const *)right;
    if (a->views != b->views)
        return a->views < b->views ? 1 : -1;
    return mill_bytes_compare(a->name, b->name);
}

/* 1234567 as "1,234,567". */
static void write_number(struct buffer *out, int64_t number)
{
    char digits[NUMBER_BYTES];
    char text[NUMBER_BYTES * 2];
    int len = snprintf(digits, sizeof digits, "%" PRId64, number);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        text[at++] = digits[i];
        if (digits[i] != '-' && i + 1 < len && (len - i - 1) % 3 == 0)
            text[at++] = ',';
    }
    for (size_t i = at; i < NUMBER_COLUMNS; i++)
        buffer_append_u8(out, ' ');
    buffer_append(out, text, at);
}

static void write_word(struct buffer *out, const char *word)
{
    char text[NUMBER_COLUMNS * 2];
    int len = snprintf(text, sizeof text, "%*s", NUMBER_COLUMNS, word);
    buffer_append(out, text, (size_t)len);
}

/* Exactly `columns` columns: names come from strangers, so anything but plain ASCII is shown as '?'. */
static void write_name(struct buffer *out, mill_bytes name, int columns)
{
    for (int i = 0; i < columns; i++) {
        bool is_cut = i + 1 == columns && name.len > (size_t)columns;
        uint8_t byte = (size_t)i < name.len ? name.data[i] : ' ';
        buffer_append_u8(out, is_cut ? '~' : byte < ' ' || byte > '~' ? '?' : byte);
    }
}

static void write_row(struct buffer *out, mill_bytes name, int name_columns, const int64_t numbers[COLUMNS - 1])
{
    write_name(out, name, name_columns);
    for (int i = 0; i < COLUMNS - 1; i++)
        write_number(out, numbers[i]);
    buffer_append_u8(out, '\n');
}

static void write_page(const struct top_board *board, const struct top_page *page, int name_columns, struct buffer *out)
{
    int64_t hour_views = page->hour_ms == board->hour_ms ? page->hour_views : 0;
    int64_t visitors = page->visitors_hour_ms == board->hour_ms ? page->visitors : 0;
    write_row(out, page->name, name_columns, (const int64_t[]){ page->views, hour_views, visitors, page->visitors_max });
}

void top_board_write(const struct top_board *board, size_t rows, int columns, struct buffer *out)
{
    static const char *const TITLES[] = { "views", "this hour", "visitors", "most/hour" };
    int name_columns = columns - (COLUMNS - 1) * NUMBER_COLUMNS;
    if (name_columns < NAME_COLUMNS_MIN)
        name_columns = NAME_COLUMNS_MIN;
    const struct top_page **pages = mem_alloc((hash_map_count(&board->pages) + 1) * sizeof *pages);
    size_t count = 0;
    size_t at = 0;
    const struct hash_map_entry *entry;
    while (pages != NULL && (entry = hash_map_next(&board->pages, &at)) != NULL)
        pages[count++] = entry->value;
    if (count > 0)
        qsort(pages, count, sizeof *pages, by_views);

    write_name(out, mill_string("page"), name_columns);
    for (size_t i = 0; i < sizeof TITLES / sizeof TITLES[0]; i++)
        write_word(out, TITLES[i]);
    buffer_append_u8(out, '\n');
    int64_t site_visitors = board->site_visitors_hour_ms == board->hour_ms ? board->site_visitors : 0;
    write_row(out, mill_string("whole site"), name_columns,
              (const int64_t[]){ board->views, board->hour_views, site_visitors, board->site_visitors_max });
    for (size_t i = 0; i < rows && i < count; i++)
        write_page(board, pages[i], name_columns, out);
    mem_free(pages);
}
