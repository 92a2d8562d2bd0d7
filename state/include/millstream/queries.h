/*
 * Interactive queries: the rows of a store, from any thread of the program.
 *
 *      mill_query query = mill_query_of("page-views");
 *      query.key = mill_string("/index.html");
 *      mill_rows *rows;
 *      if (mill_query_run(app, &query, &rows) == 0)
 *          while (mill_rows_next(rows, &row))
 *              ...
 *      mill_rows_free(rows);
 *
 * Rows are copies of what the stores of this process hold at the moments when their tasks come to answer (mill_app_query in
 * app.h, which also takes a function of your own): what the operators see, committed or not. A large answer is collected in
 * slices between which records are processed: each row is right, but not all are of one moment. Rows come task by task, within
 * a task in the store's order.
 */
#ifndef MILLSTREAM_QUERIES_H
#define MILLSTREAM_QUERIES_H

#include "millstream/app.h"
#include "millstream/stores.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What is asked. With a `key`: key-value its value; window, sliding, join its windows with from_ms <= start <= to_ms; session
 * those with end >= from_ms and start <= to_ms; versioned what was valid at some time from from_ms to to_ms (both alike: as of
 * then); set the size of the one that starts at from_ms, as 8 bytes big-endian. Without: key-value all keys in from..to, or with
 * the prefix; window, sliding, join as above, session those with from_ms <= end <= to_ms. Others need a key: MILL_EUNSUPPORTED.
 */
typedef struct mill_query {
    const char *store;
    mill_bytes key;  /* null: many keys */
    mill_bytes from; /* inclusive, as `to`; null is open */
    mill_bytes to;
    mill_bytes prefix; /* null: none; excludes from and to */
    int64_t from_ms;
    int64_t to_ms;
    mill_order order;
    size_t limit; /* rows at most */
} mill_query;

/* All rows of the store, ascending. */
MILL_API mill_query mill_query_of(const char *store);

typedef struct mill_rows mill_rows;

typedef struct mill_row {
    mill_bytes key;
    mill_bytes value;
    int64_t timestamp_ms;    /* of a version: valid from */
    int64_t window_start_ms; /* as in mill_store_entry; of a version: valid from */
    int64_t window_end_ms;   /* as in mill_store_entry; of a version: valid to, INT64_MAX for the latest */
    int32_t partition;       /* of the task; -1: of a global store */
} mill_row;

/* Asks and waits. Results as mill_app_query; `*rows` is the caller's when 0, NULL else. The query is only read. */
MILL_API MILL_MUST_USE int mill_query_run(mill_app *app, const mill_query *query, mill_rows **rows);

MILL_API size_t mill_rows_count(const mill_rows *rows);
/* False at the end. The row's bytes live as long as `rows`. */
MILL_API bool mill_rows_next(mill_rows *rows, mill_row *row);
MILL_API void mill_rows_free(mill_rows *rows); /* NULL is a no-op */

#ifdef __cplusplus
}
#endif
#endif
