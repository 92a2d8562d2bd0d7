#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "metrics/metrics.h"

static void a_name_is_one_metric(void **state)
{
    struct metrics *metrics = metrics_new();
    struct metric *requests = metrics_get(metrics, METRIC_COUNTER, "requests_total");
    metric_add(requests, 2);
    metric_add(metrics_get(metrics, METRIC_COUNTER, "requests_total"), 3);
    assert_ptr_equal(requests, metrics_get(metrics, METRIC_COUNTER, "requests_total"));
    assert_int_equal(atomic_load(&requests->value), 5);
    metrics_free(metrics);
}

static void append(void *ctx, const char *name, enum metric_kind kind, int64_t value)
{
    char *text = ctx;
    snprintf(text + strlen(text), 100, "%s%s=%lld ", name, kind == METRIC_GAUGE ? "(gauge)" : "", (long long)value);
}

static void all_are_walked_in_the_order_of_making(void **state)
{
    char text[200] = "";
    struct metrics *metrics = metrics_new();
    metric_add(metrics_get(metrics, METRIC_COUNTER, "b"), 1);
    metric_set(metrics_get(metrics, METRIC_GAUGE, "a"), -7);
    metrics_each(metrics, append, text);
    assert_string_equal(text, "b=1 a(gauge)=-7 ");
    metrics_free(metrics);
}

static void without_memory_nothing_is_counted_and_nothing_breaks(void **state)
{
    struct metrics *metrics = metrics_new();
    for (uint64_t nth = 1; nth <= 2; nth++) {
        mem_fail_at(nth, 0);
        struct metric *metric = metrics_get(metrics, METRIC_COUNTER, "x");
        mem_fail_at(0, 0);
        assert_null(metric);
        metric_add(metric, 1);
    }
    assert_non_null(metrics_get(metrics, METRIC_COUNTER, "x"));
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_one_metric),
        cmocka_unit_test(all_are_walked_in_the_order_of_making),
        cmocka_unit_test(without_memory_nothing_is_counted_and_nothing_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
