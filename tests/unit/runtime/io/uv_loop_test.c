#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "io/io.h"
#include "support/cmocka_all.h"

static struct work_threads *threads;
static struct loop *loop;

static int set_up(void **state)
{
    threads = work_threads_new(2, 1, 1);
    loop = uv_loop_new_with(threads);
    assert_non_null(loop);
    return 0;
}

static int tear_down(void **state)
{
    uv_loop_free(loop);
    work_threads_free(threads);
    return 0;
}

/* ---- timers ---------------------------------------------------------------------------------------------------------------- */

static int fired[8];
static int fired_count;
static bool finished;

static void note_fired(struct loop_timer *timer, struct io_time now)
{
    assert_int_equal(timer->at_us, 0);
    fired[fired_count++] = *(int *)timer->ctx;
    finished = fired_count == 3;
}

static void timers_fire_in_order_and_not_when_cancelled(void **state)
{
    int names[] = { 0, 1, 2, 3 };
    struct loop_timer timers[4] = { 0 };
    int64_t now = loop_now(loop).monotonic_us;
    const int64_t delays[] = { 3000, 1000, 2000, 1500 };
    for (int i = 0; i < 4; i++) {
        timers[i].fire = note_fired;
        timers[i].ctx = &names[i];
        loop_timer_set(loop, &timers[i], now + delays[i]);
    }
    loop_timer_cancel(loop, &timers[3]);
    loop_timer_set(loop, &timers[1], now + 2500);
    fired_count = 0;
    finished = false;
    loop_run(loop, &finished);
    assert_int_equal(fired[0], 2);
    assert_int_equal(fired[1], 1);
    assert_int_equal(fired[2], 0);
    assert_true(loop_now(loop).monotonic_us >= now + 3000);
}

static void fire_early(struct loop_timer *timer, struct io_time now)
{
    int64_t *due = timer->ctx;
    assert_true(now.monotonic_us >= *due);
    loop_stop(loop);
}

static void a_timer_never_fires_early(void **state)
{
    for (int i = 0; i < 20; i++) {
        struct loop_timer timer = { 0 };
        int64_t due = loop_now(loop).monotonic_us + 137 * i;
        timer.fire = fire_early;
        timer.ctx = &due;
        loop_timer_set(loop, &timer, due);
        loop_run(loop, NULL);
    }
}

static int turns;

static void set_again(struct loop_timer *timer, struct io_time now)
{
    turns++;
    loop_timer_set(loop, timer, now.monotonic_us);
}

static void stop_after(struct loop_timer *timer, struct io_time now)
{
    loop_stop(loop);
}

static void a_timer_that_sets_itself_to_now_starves_no_other(void **state)
{
    struct loop_timer busy = { .fire = set_again }, last = { .fire = stop_after };
    int64_t now = loop_now(loop).monotonic_us;
    turns = 0;
    loop_timer_set(loop, &busy, now);
    loop_timer_set(loop, &last, now + 1000);
    loop_run(loop, NULL);
    loop_timer_cancel(loop, &busy);
    assert_true(turns > 0);
}

static void set_to_the_past(struct loop_timer *timer, struct io_time now)
{
    loop_timer_set(loop, timer, 1);
}

static void a_timer_that_sets_itself_to_the_past_starves_no_other(void **state)
{
    struct loop_timer busy = { .fire = set_to_the_past }, last = { .fire = stop_after };
    int64_t now = loop_now(loop).monotonic_us;
    loop_timer_set(loop, &busy, now);
    loop_timer_set(loop, &last, now + 1000);
    assert_int_equal(loop_run(loop, NULL), 0);
    loop_timer_cancel(loop, &busy);
}

/* ---- wakeups --------------------------------------------------------------------------------------------------------------- */

static atomic_int signals_sent;
static int signals_seen;

static void see_signal(struct loop_wakeup *wakeup, struct io_time now)
{
    signals_seen = atomic_load(&signals_sent);
    if (signals_seen == 1000)
        loop_stop(loop);
}

static void *send_signals(void *ctx)
{
    for (int i = 0; i < 1000; i++) {
        atomic_fetch_add(&signals_sent, 1);
        loop_wakeup_signal(ctx);
    }
    return NULL;
}

static void the_last_signal_of_another_thread_is_always_seen(void **state)
{
    struct loop_wakeup wakeup = { .woken = see_signal };
    assert_int_equal(loop_wakeup_open(loop, &wakeup), 0);
    atomic_store(&signals_sent, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, send_signals, &wakeup);
    loop_run(loop, NULL);
    pthread_join(thread, NULL);
    assert_int_equal(signals_seen, 1000);
    loop_wakeup_close(&wakeup);
}

static void must_not_wake(struct loop_wakeup *wakeup, struct io_time now)
{
    fail();
}

static void stop_loop(struct loop_wakeup *wakeup, struct io_time now)
{
    loop_stop(loop);
}

static void a_closed_wakeup_stays_silent(void **state)
{
    struct loop_wakeup closed = { .woken = must_not_wake }, last = { .woken = stop_loop };
    loop_wakeup_open(loop, &closed);
    loop_wakeup_open(loop, &last);
    loop_wakeup_signal(&closed);
    loop_wakeup_close(&closed);
    loop_wakeup_signal(&closed);
    loop_wakeup_signal(&last);
    loop_run(loop, NULL);
    loop_wakeup_close(&last);
}

static void signal_itself(struct loop_wakeup *wakeup, struct io_time now)
{
    loop_wakeup_signal(wakeup);
}

static void a_wakeup_that_signals_itself_starves_no_timer(void **state)
{
    struct loop_wakeup chatty = { .woken = signal_itself };
    struct loop_timer last = { .fire = stop_after };
    loop_wakeup_open(loop, &chatty);
    loop_wakeup_signal(&chatty);
    loop_timer_set(loop, &last, loop_now(loop).monotonic_us + 1000);
    loop_run(loop, NULL);
    loop_wakeup_close(&chatty);
}

/* ---- work ------------------------------------------------------------------------------------------------------------------ */

struct counted_work {
    struct work_item item;
    pthread_t ran_on;
    int result;
};

static int works_done;

static void run_work(struct work_item *item)
{
    struct counted_work *work = item->ctx;
    work->ran_on = pthread_self();
    work->result++;
}

static void work_done(struct work_item *item, struct io_time now)
{
    struct counted_work *work = item->ctx;
    assert_int_equal(work->result, 1);
    assert_false(pthread_equal(work->ran_on, pthread_self()));
    finished = ++works_done == 300;
}

static void every_item_runs_elsewhere_and_is_done_here(void **state)
{
    static struct counted_work works[300];
    memset(works, 0, sizeof works);
    works_done = 0;
    finished = false;
    for (int i = 0; i < 300; i++) {
        works[i].item = (struct work_item){ .run = run_work, .done = work_done, .ctx = &works[i] };
        loop_work_submit(loop, (enum work_class)(i % WORK_CLASSES), &works[i].item);
    }
    loop_run(loop, &finished);
    assert_int_equal(works_done, 300);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void wait_at_gate(struct work_item *item)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void open_gate(struct work_item *item, struct io_time now)
{
    pthread_mutex_unlock(&gate);
}

static void finish(struct work_item *item, struct io_time now)
{
    finished = true;
}

static void nothing(struct work_item *item)
{
}

static void a_blocked_class_holds_up_no_other(void **state)
{
    struct work_item blocked = { .run = wait_at_gate, .done = finish }, other = { .run = nothing, .done = open_gate };
    finished = false;
    pthread_mutex_lock(&gate);
    loop_work_submit(loop, WORK_BACKGROUND, &blocked);
    loop_work_submit(loop, WORK_SYNC, &other);
    loop_run(loop, &finished);
}

/* ---- the rest -------------------------------------------------------------------------------------------------------------- */

static void a_stop_before_the_run_ends_it_at_once(void **state)
{
    loop_stop(loop);
    assert_int_equal(loop_run(loop, NULL), 0);
    bool already = true;
    assert_int_equal(loop_run(loop, &already), 0);
}

static void random_bytes_differ(void **state)
{
    uint8_t a[32] = { 0 }, b[32] = { 0 };
    assert_int_equal(loop_random(loop, a, sizeof a), 0);
    assert_int_equal(loop_random(loop, b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
}

static void without_memory_there_is_no_loop_and_no_threads(void **state)
{
    for (uint64_t nth = 1; nth <= 4; nth++) {
        mem_fail_at(nth, 0);
        struct work_threads *none = work_threads_new(1, 1, 1);
        mem_fail_at(0, 0);
        assert_null(none);
    }
    mem_fail_at(1, 0);
    struct loop *none = uv_loop_new_with(NULL);
    mem_fail_at(0, 0);
    assert_null(none);
    uv_loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_in_order_and_not_when_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_never_fires_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_that_sets_itself_to_now_starves_no_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_that_sets_itself_to_the_past_starves_no_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_signal_of_another_thread_is_always_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closed_wakeup_stays_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wakeup_that_signals_itself_starves_no_timer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_item_runs_elsewhere_and_is_done_here, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_blocked_class_holds_up_no_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_before_the_run_ends_it_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_bytes_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_there_is_no_loop_and_no_threads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
