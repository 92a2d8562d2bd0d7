/*
 * Two streams joined within windows: the cases of Kafka Streams' rules, those that are quirks under both settings, and random
 * records against a model that only knows the rules.
 */
#include "unit/operators/pipeline.h"

#include <stdlib.h>

#include "base/prng.h"
#include "support/rounds.h"
#include "support/temp_dir.h"

static int plus(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    *result = mill_is_null(left) ? mill_string("~") : left;
    int code = concatenate(result, mill_string("+"), context, NULL);
    return code < 0 ? code : concatenate(result, mill_is_null(right) ? mill_string("~") : right, context, NULL);
}

enum kind { INNER, LEFT, OUTER };

static mill_stream *join(enum kind kind, mill_stream *a, mill_stream *b, mill_join_windows windows)
{
    mill_joined as = mill_joined_as(NULL);
    return kind == INNER  ? mill_stream_join(a, b, plus, NULL, windows, as)
           : kind == LEFT ? mill_stream_left_join(a, b, plus, NULL, windows, as)
                          : mill_stream_outer_join(a, b, plus, NULL, windows, as);
}

static mill_stream *of(struct pipeline *p, const char *topic)
{
    return mill_topology_stream(p->topology, topic, NULL);
}

static struct pipeline build(enum kind kind, mill_join_windows windows)
{
    struct pipeline p = pipeline_begin();
    mill_stream *a = of(&p, "A");
    mill_stream_to(join(kind, a, of(&p, "B"), windows), "out");
    return p;
}

static struct pipeline begin(enum kind kind, mill_join_windows windows)
{
    struct pipeline p = build(kind, windows);
    pipeline_start(&p);
    return p;
}

static struct pipeline begin_as_kafka(enum kind kind, mill_join_windows windows)
{
    struct pipeline p = build(kind, windows);
    p.driver = mill_test_driver_new(p.topology, (const char *[]){ "mill.compat", "kafka", NULL }, 0);
    assert_non_null(p.driver);
    return p;
}

/* A record into A or B, and what comes out of it. */
static void on(struct pipeline *p, const char *topic, const char *key, const char *value, int64_t timestamp_ms, const char *text)
{
    pipeline_pipe(p, topic, key, value, timestamp_ms);
    expect(p, text);
}

/* ---- inner --------------------------------------------------------------------------------------------------------------- */

/* Case 21. */
static void pairs_within_the_window_come_in_order_of_time(void **state)
{
    struct pipeline p = begin(INNER, mill_join_within(10, 0));
    on(&p, "A", "k", "a1", 0, "");
    on(&p, "B", "k", "b1", 10, "k=a1+b1@10");
    on(&p, "B", "k", "b2", 11, "");
    on(&p, "A", "k", "a2", 5, "k=a2+b1@10 k=a2+b2@11");
    on(&p, "A", "j", "a3", 5, "");
    on(&p, "A", "k", NULL, 5, "");
    on(&p, "A", NULL, "a4", 5, "");
    expect_dropped(&p, "null-value", 1);
    expect_dropped(&p, "null-key", 1);
    pipeline_end(&p);
}

/* Case 22. */
static void a_late_record_joins_what_is_kept(void **state)
{
    struct pipeline p = begin(INNER, mill_join_within(10, 0));
    on(&p, "A", "k", "a1", 20, "");
    on(&p, "A", "k", "a2", 30, "");
    on(&p, "B", "k", "b1", 40, "k=a2+b1@40");
    on(&p, "B", "k", "b4", 21, "k=a1+b4@21 k=a2+b4@30");
    pipeline_end(&p);
}

/* Case 23. */
static void the_bounds_may_differ(void **state)
{
    mill_join_windows windows = { .before_ms = 0, .after_ms = 10 };
    struct pipeline p = begin(INNER, windows);
    on(&p, "A", "k", "a", 10, "");
    on(&p, "B", "k", "b1", 9, "");
    on(&p, "B", "k", "b2", 10, "k=a+b2@10");
    on(&p, "B", "k", "b3", 20, "k=a+b3@20");
    on(&p, "B", "k", "b4", 21, "");
    pipeline_end(&p);
}

/* Case 24, a quirk: nothing is kept in Kafka Streams when window and grace are 0. */
static void equal_times_meet_in_a_window_of_nothing(void **state)
{
    struct pipeline p = begin(INNER, mill_join_within(0, 0));
    on(&p, "A", "k", "a", 5, "");
    on(&p, "B", "k", "b", 5, "k=a+b@5");
    pipeline_end(&p);
    p = begin_as_kafka(INNER, mill_join_within(0, 0));
    on(&p, "A", "k", "a", 5, "");
    on(&p, "B", "k", "b", 5, "");
    pipeline_end(&p);
    p = begin_as_kafka(INNER, mill_join_within(0, 10));
    on(&p, "A", "k", "a", 5, "");
    on(&p, "B", "k", "b", 5, "k=a+b@5");
    pipeline_end(&p);
}

/* A quirk: the partner at the far end. */
static void a_partner_as_old_as_the_window_is_reached(void **state)
{
    mill_join_windows windows = { .before_ms = 0, .after_ms = 10 };
    struct pipeline p = begin(INNER, windows);
    on(&p, "A", "k", "a1", 10, "");
    on(&p, "A", "k", "a2", 20, "");
    on(&p, "B", "k", "b", 20, "k=a1+b@20 k=a2+b@20");
    pipeline_end(&p);
    p = begin_as_kafka(INNER, windows);
    on(&p, "A", "k", "a1", 10, "");
    on(&p, "A", "k", "a2", 20, "");
    on(&p, "B", "k", "b", 20, "k=a2+b@20");
    pipeline_end(&p);
}

/* At least once: the changelogs may be ahead of the results, and those must not be lost. */
static void what_a_crash_brings_again_still_meets_its_partners(void **state)
{
    for (int how = MILL_RESTART_CRASH; how <= MILL_RESTART_STATE_LOST; how++) {
        struct pipeline p = begin(LEFT, mill_join_within(10, 0));
        on(&p, "B", "k", "b", 5, "");
        mill_test_driver_auto_commit(p.driver, false);
        on(&p, "A", "k", "a", 5, "k=a+b@5");
        on(&p, "B", "x", "x", 500, "");
        on(&p, "A", "y", "y", 600, "");
        pipeline_ok(&p, mill_test_driver_restart(p.driver, (mill_test_restart)how));
        expect(&p, "k=a+b@5");
        expect_dropped(&p, NULL, 0);
        pipeline_end(&p);
    }
}

/* ---- left and outer ------------------------------------------------------------------------------------------------------ */

/* Case 25. */
static void what_is_unmatched_comes_when_its_window_is_over(void **state)
{
    struct pipeline p = begin(LEFT, mill_join_within(10, 0));
    on(&p, "A", "a", "a", 0, "");
    on(&p, "B", "a", "b", 0, "a=a+b@0");
    on(&p, "A", "j", "j", 10, "");
    on(&p, "A", "z", "z1", 20, "");
    on(&p, "A", "z", "z2", 21, "j=j+~@10");
    on(&p, "A", "z", "z3", 60, "z=z1+~@20 z=z2+~@21");
    pipeline_end(&p);
}

/* Case 26. */
static void grace_holds_it_back(void **state)
{
    struct pipeline p = begin(LEFT, mill_join_within(10, 5));
    on(&p, "A", "k", "k", 10, "");
    on(&p, "B", "x", "x", 25, "");
    on(&p, "B", "x", "x", 26, "k=k+~@10");
    pipeline_end(&p);
}

/* Case 27, the quirk of KAFKA-19536. */
static void what_comes_late_within_the_grace_waits_like_all_others(void **state)
{
    struct pipeline p = begin(LEFT, mill_join_within(10, 5));
    on(&p, "A", "z", "z", 14, "");
    on(&p, "A", "k", "k", 2, "");
    on(&p, "B", "k", "b", 12, "k=k+b@12");
    on(&p, "A", "j", "j", 1, "");
    on(&p, "A", "z", "y", 17, "j=j+~@1");
    on(&p, "B", "j", "late", 3, "");
    expect_dropped(&p, "late", 1);
    pipeline_end(&p);
    p = begin_as_kafka(LEFT, mill_join_within(10, 5));
    on(&p, "A", "z", "z", 14, "");
    on(&p, "A", "k", "k", 2, "k=k+~@2");
    on(&p, "B", "k", "b", 12, "k=k+b@12");
    pipeline_end(&p);
}

/* Case 28. */
static void released_together_they_come_by_time_then_right_before_left_then_key(void **state)
{
    struct pipeline p = begin(OUTER, mill_join_within(10, 0));
    on(&p, "A", "k", "l1", 1, "");
    on(&p, "A", "a", "l2", 2, "");
    on(&p, "B", "m", "r2", 2, "");
    on(&p, "B", "c", "r1", 1, "");
    on(&p, "A", "z", "z", 100, "c=~+r1@1 k=l1+~@1 m=~+r2@2 a=l2+~@2");
    pipeline_end(&p);
}

/* Case 29. */
static void a_null_key_comes_out_alone_at_once(void **state)
{
    struct pipeline p = begin(LEFT, mill_join_within(10, 0));
    on(&p, "A", NULL, "v", 5, "~=v+~@5");
    on(&p, "B", NULL, "v", 5, "");
    expect_dropped(&p, "null-key", 1);
    on(&p, "A", "k", "k", 10, "");
    on(&p, "B", NULL, "v", 50, "");        /* moves time, and releases nothing */
    on(&p, "A", "j", "j", 40, "");         /* not at the head of time */
    on(&p, "B", "x", "x", 50, "k=k+~@10"); /* j is open until 50 */
    pipeline_end(&p);
    p = begin(OUTER, mill_join_within(10, 0));
    on(&p, "B", NULL, "v", 5, "~=~+v@5");
    on(&p, "B", NULL, NULL, 5, "");
    expect_dropped(&p, NULL, 1);
    pipeline_end(&p);
}

/* Case 13, the left join. */
static void the_store_of_the_unmatched_is_looked_at_once_an_interval(void **state)
{
    for (int as_kafka = 0; as_kafka < 2; as_kafka++) {
        struct pipeline p = build(LEFT, mill_join_within(10, 0));
        p.driver = mill_test_driver_new(p.topology,
                                        (const char *[]){ "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", "1000",
                                                          "mill.compat", as_kafka ? "kafka" : "none", NULL },
                                        0);
        on(&p, "A", "a", "a", 0, "");
        on(&p, "A", "b", "b", 20, "");
        pipeline_ok(&p, mill_test_driver_advance(p.driver, 999));
        on(&p, "A", "c", "c", 40, "");
        pipeline_ok(&p, mill_test_driver_advance(p.driver, 1));
        on(&p, "A", "d", "d", 39, "");
        on(&p, "A", "e", "e", 60, "a=a+~@0 b=b+~@20 d=d+~@39 c=c+~@40");
        pipeline_end(&p);
    }
}

/* A quirk: Kafka Streams asks by the bound of the side whose record asks. */
static void bounds_that_differ_release_on_either_side(void **state)
{
    mill_join_windows windows = { .before_ms = 0, .after_ms = 50 };
    struct pipeline p = begin(OUTER, windows);
    on(&p, "B", "k", "b", 10, "");
    on(&p, "A", "x", "x", 20, "k=~+b@10");
    pipeline_end(&p);
    p = begin_as_kafka(OUTER, windows);
    on(&p, "B", "k", "b", 10, "");
    on(&p, "A", "x", "x", 20, "");
    on(&p, "B", "y", "y", 21, "k=~+b@10");
    pipeline_end(&p);
}

static void several_of_one_key_and_time_come_in_their_order(void **state)
{
    struct pipeline p = begin(LEFT, mill_join_within(10, 0));
    on(&p, "A", "k", "1", 5, "");
    on(&p, "A", "k", "2", 5, "");
    on(&p, "A", "k", "3", 30, "k=1+~@5 k=2+~@5");
    pipeline_end(&p);
}

static int plus_but_x(mill_bytes key, mill_bytes left, mill_bytes right, mill_bytes *result, mill_context *context, void *ctx)
{
    if (mill_bytes_equal(left, mill_string("x")) || mill_bytes_equal(right, mill_string("x")))
        return mill_context_error(context, MILL_EINVALID, "x joins nothing");
    return plus(key, left, right, result, context, ctx);
}

/* A left join whose joiner fails for x, which is skipped. */
static struct pipeline begin_without_x(void)
{
    struct pipeline p = pipeline_begin();
    mill_stream *a = of(&p, "A");
    mill_join_windows windows = mill_join_within(10, 0);
    mill_stream_to(mill_stream_left_join(a, of(&p, "B"), plus_but_x, NULL, windows, mill_joined_as(NULL)), "out");
    pipeline_start_with(&p, (const char *[]){ "processing.exception.handler", "continue", NULL });
    return p;
}

static void one_that_the_joiner_fails_for_holds_up_no_other(void **state)
{
    struct pipeline p = begin_without_x();
    on(&p, "A", "k", "x", 0, "");
    on(&p, "A", "k", "y", 0, "");
    on(&p, "A", "j", "a", 9, "");
    on(&p, "A", "z", "b", 15, "k=y+~@0"); /* fails at x, as which it counts */
    expect_dropped(&p, "processing-error", 1);
    on(&p, "B", "j", "c", 16, "j=a+c@16");
    on(&p, "A", "z", "d", 40, "");
    on(&p, "A", "z", "e", 80, "z=d+~@40");
    expect_dropped(&p, "processing-error", 1);
    pipeline_end(&p);
}

static void who_meets_only_one_that_the_joiner_fails_for_is_unmatched(void **state)
{
    struct pipeline p = begin_without_x();
    on(&p, "A", "k", "a", 0, "");
    on(&p, "B", "k", "x", 5, "");
    expect_dropped(&p, "processing-error", 1);
    on(&p, "A", "z", "b", 30, "k=a+~@0");
    pipeline_end(&p);
}

/* The largest timestamps of all: what lies beyond them is never reached. */
static void the_end_of_time_is_a_time(void **state)
{
    for (int compat = 0; compat < 2; compat++) {
        struct pipeline p = compat ? begin_as_kafka(OUTER, mill_join_within(10, 5)) : begin(OUTER, mill_join_within(10, 5));
        const int64_t last = INT64_MAX;
        on(&p, "A", "k", "a", last - 2, compat ? "k=a+~@9223372036854775805" : "");
        on(&p, "B", "k", "b", last - 1, compat ? "k=~+b@9223372036854775806" : "k=a+b@9223372036854775806");
        on(&p, "A", "k", "c", last, compat ? "k=c+~@9223372036854775807" : "k=c+b@9223372036854775807");
        on(&p, "A", "j", "d", 0, "j=d+~@0");
        pipeline_end(&p);
    }
}

/* ---- itself -------------------------------------------------------------------------------------------------------------- */

static struct pipeline begin_self(mill_join_windows windows, bool one_store)
{
    struct pipeline p = pipeline_begin();
    mill_topology_optimize(p.topology, one_store ? "single.store.self.join" : "none");
    mill_stream *a = of(&p, "A");
    mill_stream_to(join(INNER, a, a, windows), "out");
    pipeline_start(&p);
    return p;
}

/* Case 30. */
static void a_stream_meets_itself_in_two_stores_or_one(void **state)
{
    for (int one_store = 0; one_store < 2; one_store++) {
        struct pipeline p = begin_self(mill_join_within(10, 0), one_store != 0);
        on(&p, "A", "k", "a", 0, "k=a+a@0");
        on(&p, "A", "k", "b", 5, "k=b+a@5 k=a+b@5 k=b+b@5");
        on(&p, "A", "k", "c", 3, "k=c+a@3 k=c+b@5 k=a+c@3 k=c+c@3 k=b+c@5");
        pipeline_end(&p);
    }
}

/* ---- headers, errors, restarts ------------------------------------------------------------------------------------------- */

static void expect_header(struct pipeline *p, const char *value, size_t count)
{
    mill_record record;
    assert_int_equal(mill_test_driver_read(p->driver, "out", &record), 1);
    assert_int_equal(record.header_count, count);
    if (count > 0)
        assert_true(mill_bytes_equal(record.headers[0].value, mill_string(value)));
}

static void a_pair_has_the_headers_of_whichever_came_last(void **state)
{
    for (int as_kafka = 0; as_kafka < 2; as_kafka++) {
        struct pipeline p = as_kafka ? begin_as_kafka(OUTER, mill_join_within(1, 0)) : begin(OUTER, mill_join_within(1, 0));
        mill_header header = { mill_string("h"), mill_string("later") };
        mill_record record = { mill_string("k"), mill_string("v"), 5, &header, 1, mill_null() };
        pipeline_pipe(&p, "A", "k", "v", 5);
        pipeline_ok(&p, mill_test_driver_pipe(p.driver, "B", &record));
        expect_header(&p, "later", 1);
        pipeline_pipe(&p, "A", "alone", "v", 5);
        record.timestamp_ms = 50;
        pipeline_ok(&p, mill_test_driver_pipe(p.driver, "B", &record));
        expect_header(&p, "later", as_kafka ? 1 : 0);
        pipeline_end(&p);
    }
}

static void windows_that_cannot_be_are_an_error(void **state)
{
    static const mill_join_windows WRONG[] = { { .before_ms = -6, .after_ms = 5 },
                                               { .after_ms = 5, .grace_ms = -1 },
                                               { .after_ms = INT64_MAX } };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        struct pipeline p = build(INNER, WRONG[i]);
        assert_non_null(strstr(mill_topology_error(p.topology), "cannot be"));
        mill_topology_free(p.topology);
    }
}

static void what_is_kept_survives(mill_test_restart how)
{
    struct temp_dir directory;
    temp_dir_init(&directory);
    struct pipeline p = build(OUTER, mill_join_within(10, 5));
    p.driver = mill_test_driver_new(p.topology, (const char *[]){ "state.dir", directory.path, NULL }, 0);
    on(&p, "A", "k", "a1", 0, "");
    on(&p, "A", "k", "a2", 0, "");
    on(&p, "B", "j", "b", 3, "");
    pipeline_ok(&p, mill_test_driver_restart(p.driver, how));
    on(&p, "B", "k", "b", 5, "k=a1+b@5 k=a2+b@5");
    pipeline_ok(&p, mill_test_driver_restart(p.driver, how));
    on(&p, "A", "x", "x", 2, ""); /* time goes on: this is not at its head */
    on(&p, "A", "x", "x", 30, "x=x+~@2 j=~+b@3");
    pipeline_end(&p);
    temp_dir_release(&directory);
}

static void both_sides_and_the_unmatched_survive_restarts(void **state)
{
    what_is_kept_survives(MILL_RESTART_CLEAN);
    what_is_kept_survives(MILL_RESTART_CRASH);
    what_is_kept_survives(MILL_RESTART_STATE_LOST);
}

/* ---- against a model ----------------------------------------------------------------------------------------------------- */

enum { RECORDS = 300, KEYS = 4 };

struct model_record {
    bool right;
    int key;
    int64_t time_ms;
    bool kept;
    bool met;
    bool alone;
};

struct model {
    enum kind kind;
    mill_join_windows windows;
    struct model_record records[RECORDS];
    int count;
    int64_t stream_time_ms;
    int64_t store_time_ms[2];
    char text[1 << 14];
};

static int64_t ahead(const struct model *model, bool right)
{
    return right ? model->windows.before_ms : model->windows.after_ms;
}

static bool is_outer(const struct model *model, bool right)
{
    return model->kind == OUTER || (model->kind == LEFT && !right);
}

static bool closed(const struct model *model, const struct model_record *record)
{
    return record->time_ms + ahead(model, record->right) + model->windows.grace_ms < model->stream_time_ms;
}

static void put_out(struct model *model, int key, int left, int right, int64_t time_ms)
{
    char names[2][12] = { "~", "~" };
    if (left >= 0)
        snprintf(names[0], sizeof names[0], "%d", left);
    if (right >= 0)
        snprintf(names[1], sizeof names[1], "%d", right);
    size_t len = strlen(model->text);
    snprintf(model->text + len, sizeof model->text - len, "%s%c=%s+%s@%lld", len == 0 ? "" : " ", 'a' + key, names[0], names[1],
             (long long)time_ms);
}

static void put_out_alone(struct model *model, int i)
{
    struct model_record *record = &model->records[i];
    record->alone = true;
    put_out(model, record->key, record->right ? -1 : i, record->right ? i : -1, record->time_ms);
}

static bool comes_before(const struct model_record *a, const struct model_record *b)
{
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms;
    if (a->right != b->right)
        return a->right;
    return a->key != b->key ? a->key < b->key : a < b;
}

static void release(struct model *model)
{
    for (;;) {
        int first = -1;
        for (int i = 0; i < model->count; i++) {
            const struct model_record *record = &model->records[i];
            if (!is_outer(model, record->right) || record->met || record->alone || !closed(model, record))
                continue;
            if (first < 0 || comes_before(record, &model->records[first]))
                first = i;
        }
        if (first < 0)
            return;
        put_out_alone(model, first);
    }
}

static bool can_meet(const struct model *model, const struct model_record *record, const struct model_record *other)
{
    const struct model_record *left = record->right ? other : record;
    const struct model_record *right = record->right ? record : other;
    int64_t kept_from_ms =
        model->store_time_ms[other->right] - model->windows.before_ms - model->windows.after_ms - model->windows.grace_ms;
    return other->kept && other->right != record->right && other->key == record->key && other->time_ms >= kept_from_ms &&
           right->time_ms >= left->time_ms - model->windows.before_ms &&
           right->time_ms <= left->time_ms + model->windows.after_ms && !(is_outer(model, other->right) && closed(model, other));
}

static void meet_all(struct model *model, int at)
{
    struct model_record *record = &model->records[at];
    for (int64_t time_ms = 0; time_ms <= model->stream_time_ms; time_ms++)
        for (int i = 0; i < at; i++) {
            struct model_record *other = &model->records[i];
            if (other->time_ms != time_ms || !can_meet(model, record, other))
                continue;
            record->met = other->met = true;
            int64_t later_ms = other->time_ms > record->time_ms ? other->time_ms : record->time_ms;
            put_out(model, record->key, record->right ? i : at, record->right ? at : i, later_ms);
        }
}

static const char *model_takes(struct model *model, bool right, int key, int64_t time_ms)
{
    int at = model->count;
    struct model_record *record = &model->records[at];
    *record = (struct model_record){ .right = right, .key = key, .time_ms = time_ms };
    model->text[0] = '\0';
    if (time_ms > model->stream_time_ms)
        model->stream_time_ms = time_ms;
    if (time_ms == model->stream_time_ms)
        release(model);
    model->count++;
    meet_all(model, at);
    if (!record->met && is_outer(model, right) && closed(model, record))
        put_out_alone(model, at);
    int64_t *store_time_ms = &model->store_time_ms[right];
    int64_t kept_ms = model->windows.before_ms + model->windows.after_ms + model->windows.grace_ms;
    record->kept = time_ms >= *store_time_ms - kept_ms;
    if (time_ms > *store_time_ms)
        *store_time_ms = time_ms;
    return model->text;
}

static void compare_with_model(struct prng *prng, enum kind kind)
{
    static struct model model;
    int64_t before = (int64_t)prng_below(prng, 25) - 5;
    int64_t after = (int64_t)prng_below(prng, 25) - (before < 0 ? -before : before < 5 ? before : 5);
    mill_join_windows windows = { before, after < -before ? -before : after, (int64_t)prng_below(prng, 20) };
    model = (struct model){ .kind = kind, .windows = windows, .stream_time_ms = -1, .store_time_ms = { -1, -1 } };
    struct pipeline p = begin(kind, windows);
    uint64_t spread = 1 + prng_below(prng, 60);
    for (int i = 0; i < RECORDS; i++) {
        bool right = prng_below(prng, 2) != 0;
        int key = (int)prng_below(prng, KEYS);
        int64_t time_ms = i / 2 + (int64_t)prng_below(prng, spread);
        char key_text[2] = { (char)('a' + key), '\0' };
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        pipeline_pipe(&p, right ? "B" : "A", key_text, value, time_ms);
        const char *expected = model_takes(&model, right, key, time_ms);
        if (strcmp(pipeline_read(&p, "out"), expected) != 0)
            fail_msg("kind %d, windows %lld %lld %lld, record %d: \"%s\", the model says \"%s\"", kind,
                     (long long)windows.before_ms, (long long)windows.after_ms, (long long)windows.grace_ms, i, p.text, expected);
    }
    for (int i = 0; i < model.count; i++)
        assert_false(model.records[i].met && model.records[i].alone);
    pipeline_end(&p);
}

static void random_records_come_out_as_the_rules_say(void **state)
{
    uint64_t seed = test_seed(20);
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    for (int i = 0; i < test_rounds(24); i++)
        for (enum kind kind = INNER; kind <= OUTER; kind++)
            compare_with_model(&prng, kind);
}

/* Two values of one time are two entries there: that the second is open is seen at its time, and so is when to look again. */
static void as_kafka_the_last_entry_looked_at_may_be_of_the_same_time(void **state)
{
    mill_join_windows windows = { .before_ms = 13, .after_ms = 7, .grace_ms = 29 };
    struct pipeline p = begin_as_kafka(OUTER, windows);
    on(&p, "B", "c", "", 3, "");
    on(&p, "A", "e", "z", 7, "");
    on(&p, "A", "e", "x", 7, "");
    on(&p, "A", "d", "", 11, "");
    on(&p, "A", "b", "dy", 42, "");
    on(&p, "A", "e", "ed", 46, "c=~+@3 e=z+~@7 e=x+~@7");
    pipeline_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_kafka_the_last_entry_looked_at_may_be_of_the_same_time),
        cmocka_unit_test(pairs_within_the_window_come_in_order_of_time),
        cmocka_unit_test(a_late_record_joins_what_is_kept),
        cmocka_unit_test(the_bounds_may_differ),
        cmocka_unit_test(one_that_the_joiner_fails_for_holds_up_no_other),
        cmocka_unit_test(who_meets_only_one_that_the_joiner_fails_for_is_unmatched),
        cmocka_unit_test(the_end_of_time_is_a_time),
        cmocka_unit_test(equal_times_meet_in_a_window_of_nothing),
        cmocka_unit_test(a_partner_as_old_as_the_window_is_reached),
        cmocka_unit_test(what_a_crash_brings_again_still_meets_its_partners),
        cmocka_unit_test(what_is_unmatched_comes_when_its_window_is_over),
        cmocka_unit_test(grace_holds_it_back),
        cmocka_unit_test(what_comes_late_within_the_grace_waits_like_all_others),
        cmocka_unit_test(released_together_they_come_by_time_then_right_before_left_then_key),
        cmocka_unit_test(a_null_key_comes_out_alone_at_once),
        cmocka_unit_test(the_store_of_the_unmatched_is_looked_at_once_an_interval),
        cmocka_unit_test(bounds_that_differ_release_on_either_side),
        cmocka_unit_test(several_of_one_key_and_time_come_in_their_order),
        cmocka_unit_test(a_stream_meets_itself_in_two_stores_or_one),
        cmocka_unit_test(a_pair_has_the_headers_of_whichever_came_last),
        cmocka_unit_test(windows_that_cannot_be_are_an_error),
        cmocka_unit_test(both_sides_and_the_unmatched_survive_restarts),
        cmocka_unit_test(random_records_come_out_as_the_rules_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
