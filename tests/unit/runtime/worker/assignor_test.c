#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/prng.h"
#include "worker/assignor.h"

enum { MEMBERS_MAX = 8, TASKS_MAX = 24 };

static const struct task_name FOUR[] = { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 0, 3 } };

static struct assignor_member member(uint8_t process)
{
    struct assignor_member m = { .running_count = 0 };
    m.process_id[0] = process;
    return m;
}

static void tasks_are_shared_evenly(void **state)
{
    struct assignor_member members[] = { member(1), member(2) };
    size_t owners[4];
    size_t shares[2];
    assignor_assign(members, 2, FOUR, 4, owners, shares);
    assert_int_equal(shares[0], 2);
    assert_int_equal(shares[1], 2);
}

static void a_running_task_stays_where_it_is(void **state)
{
    struct assignor_member members[] = { member(1), member(2) };
    members[1].running = &FOUR[2];
    members[1].running_count = 2;
    size_t owners[4];
    size_t shares[2];
    assignor_assign(members, 2, FOUR, 4, owners, shares);
    assert_int_equal(owners[2], 1);
    assert_int_equal(owners[3], 1);
}

static void a_newcomer_gets_its_share_of_running_tasks(void **state)
{
    struct assignor_member members[] = { member(1), member(2) };
    members[0].running = FOUR;
    members[0].running_count = 4;
    size_t owners[4];
    size_t shares[2];
    assignor_assign(members, 2, FOUR, 4, owners, shares);
    assert_int_equal(owners[0], 0);
    assert_int_equal(owners[1], 0);
    assert_int_equal(shares[1], 2);
}

static void a_restarted_process_gets_the_tasks_whose_state_it_has(void **state)
{
    struct assignor_member members[] = { member(1), member(2) };
    members[1].stored = FOUR;
    members[1].stored_count = 2;
    size_t owners[4];
    size_t shares[2];
    assignor_assign(members, 2, FOUR, 4, owners, shares);
    assert_int_equal(owners[0], 1);
    assert_int_equal(owners[1], 1);
}

static void more_members_than_tasks_leaves_some_idle(void **state)
{
    struct assignor_member members[] = { member(1), member(2), member(3) };
    size_t owners[1];
    size_t shares[3];
    assignor_assign(members, 3, FOUR, 1, owners, shares);
    assert_int_equal(shares[0] + shares[1] + shares[2], 1);
}

/* Whatever the members claim: every task has one owner, and shares differ by at most one. */
static void any_claims_give_an_even_and_complete_assignment(void **state)
{
    const uint64_t seed = 7;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct prng prng;
    prng_init(&prng, seed);
    for (int round = 0; round < 5000; round++) {
        struct assignor_member members[MEMBERS_MAX];
        struct task_name tasks[TASKS_MAX];
        size_t member_count = 1 + prng_below(&prng, MEMBERS_MAX);
        size_t task_count = prng_below(&prng, TASKS_MAX + 1);
        for (size_t i = 0; i < task_count; i++)
            tasks[i] = (struct task_name){ (int32_t)(i % 3), (int32_t)(i / 3) };
        for (size_t m = 0; m < member_count; m++) {
            members[m] = member((uint8_t)prng_below(&prng, 3));
            size_t from = prng_below(&prng, task_count + 1);
            members[m].running = tasks + from;
            members[m].running_count = prng_below(&prng, task_count - from + 1);
            from = prng_below(&prng, task_count + 1);
            members[m].stored = tasks + from;
            members[m].stored_count = prng_below(&prng, task_count - from + 1);
        }
        size_t owners[TASKS_MAX];
        size_t shares[MEMBERS_MAX];
        size_t counted[MEMBERS_MAX] = { 0 };
        assignor_assign(members, member_count, tasks, task_count, owners, shares);
        for (size_t i = 0; i < task_count; i++) {
            assert_true(owners[i] < member_count);
            counted[owners[i]]++;
        }
        for (size_t m = 0; m < member_count; m++) {
            assert_int_equal(counted[m], shares[m]);
            assert_true(shares[m] >= task_count / member_count);
            assert_true(shares[m] <= (task_count + member_count - 1) / member_count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_are_shared_evenly),
        cmocka_unit_test(a_running_task_stays_where_it_is),
        cmocka_unit_test(a_newcomer_gets_its_share_of_running_tasks),
        cmocka_unit_test(a_restarted_process_gets_the_tasks_whose_state_it_has),
        cmocka_unit_test(more_members_than_tasks_leaves_some_idle),
        cmocka_unit_test(any_claims_give_an_even_and_complete_assignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
