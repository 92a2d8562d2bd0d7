/* The largest of each window. */
#include "unit/operators/pipeline.h"

#include <stdlib.h>

/* "item:score" */
static int rank(const mill_record *record, mill_bytes *item, int64_t *score, mill_context *context, void *ctx)
{
    const char *colon = mill_is_null(record->value) ? NULL : memchr(record->value.data, ':', record->value.len);
    if (colon == NULL)
        return 0;
    size_t len = (size_t)(colon - (const char *)record->value.data);
    *item = mill_bytes_of(record->value.data, len);
    *score = atoll(colon + 1);
    return 0;
}

/* A list as "b:9,a:4". */
static int show(const mill_record *record, mill_bytes *text, mill_context *context, void *ctx)
{
    char *to = mill_context_alloc(context, 256);
    assert_non_null(to);
    size_t len = 0;
    mill_bytes list = record->value;
    mill_bytes item;
    int64_t score;
    while (mill_top_next(&list, &item, &score))
        len += (size_t)snprintf(to + len, 256 - len, "%s%.*s:%lld", len == 0 ? "" : ",", (int)item.len, (const char *)item.data,
                                (long long)score);
    assert_int_equal(list.len, 0);
    *text = mill_bytes_of(to, len);
    return 0;
}

static struct pipeline ranking(mill_time_windows windows, mill_emit_strategy emit)
{
    struct pipeline p = pipeline_begin();
    mill_windowed *windowed = mill_grouped_windowed_by(mill_stream_group_by_key(pipeline_in(&p)), windows);
    mill_table *top = mill_windowed_top_n(mill_windowed_emit(windowed, emit), 2, rank, NULL, uncached("top"));
    mill_stream_to(mill_stream_map_values(mill_table_to_stream(top), show, NULL), "out");
    pipeline_shows(&p, windows.size_ms, false);
    pipeline_start(&p);
    return p;
}

static void the_largest_stay(void **state)
{
    struct pipeline p = ranking(mill_window_tumbling(10, 0), MILL_EMIT_ON_WINDOW_UPDATE);
    step(&p, "k", "a:4", 1, "k[0,10)=a:4@1");
    step(&p, "k", "b:9", 2, "k[0,10)=b:9,a:4@2");
    step(&p, "k", "c:5", 3, "k[0,10)=b:9,c:5@3");
    step(&p, "k", "d:1", 4, "k[0,10)=b:9,c:5@4");
    step(&p, "k", "c:12", 5, "k[0,10)=c:12,b:9@5");
    step(&p, "k", "a:9", 6, "k[0,10)=c:12,a:9@6"); /* equal scores: by bytes */
    step(&p, "j", "z:-3", 7, "j[0,10)=z:-3@7");
    step(&p, "k", "y:1", 12, "k[10,20)=y:1@12");
    step(&p, "k", "nothing", 13, "");
    step(&p, "k", NULL, 13, "");
    expect_dropped(&p, "null-item", 2);
    pipeline_end(&p);
}

static void they_go_on_once_on_close(void **state)
{
    struct pipeline p = ranking(mill_window_tumbling(10, 0), MILL_EMIT_ON_WINDOW_CLOSE);
    step(&p, "k", "a:4", 1, "");
    step(&p, "k", "b:9", 2, "");
    step(&p, "k", "a:1", 12, "k[0,10)=b:9,a:4@2");
    pipeline_end(&p);
}

static void each_sliding_window_has_its_own(void **state)
{
    struct pipeline p = ranking(mill_window_sliding(10, 50), MILL_EMIT_ON_WINDOW_UPDATE);
    step(&p, "k", "a:4", 20, "k[10,20)=a:4@20");
    step(&p, "k", "b:9", 25, "k[21,31)=b:9@25 k[15,25)=b:9,a:4@25");
    pipeline_end(&p);
}

static void what_is_no_list_ends(void **state)
{
    mill_bytes item;
    int64_t score;
    for (size_t len = 0; len < 13; len++) {
        mill_bytes list = mill_bytes_of("\0\0\0\0\0\0\0\1\0\0\0\1x", len);
        assert_false(mill_top_next(&list, &item, &score));
    }
    mill_bytes list = mill_null();
    assert_false(mill_top_next(&list, &item, &score));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_stay),
        cmocka_unit_test(they_go_on_once_on_close),
        cmocka_unit_test(each_sliding_window_has_its_own),
        cmocka_unit_test(what_is_no_list_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
