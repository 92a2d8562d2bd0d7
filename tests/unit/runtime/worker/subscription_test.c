#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "millstream/error.h"
#include "worker/subscription.h"

static const struct task_name RUNNING[] = { { 0, 1 }, { 2, 3 } };
static const struct task_name STORED[] = { { 4, 5 } };

struct fixture {
    struct buffer out;
    struct arena arena;
    struct assignor_member member;
};

static int set_up(void **state)
{
    static struct fixture f;
    buffer_init(&f.out, 1 << 20);
    arena_init(&f.arena, 1024, 1 << 20);
    f.member = (struct assignor_member){
        .process_id = { 1, 2, 3 }, .running = RUNNING, .running_count = 2, .stored = STORED, .stored_count = 1
    };
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    buffer_release(&f->out);
    arena_release(&f->arena);
    return 0;
}

static void a_subscription_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(subscription_encode(&f->out, (const char *const[]){ "a", "b" }, 2, &f->member), 0);
    struct assignor_member read;
    assert_int_equal(subscription_decode(buffer_bytes(&f->out), &f->arena, &read), 0);
    assert_memory_equal(read.process_id, f->member.process_id, PROCESS_ID_BYTES);
    assert_int_equal(read.running_count, 2);
    assert_int_equal(read.running[1].partition, 3);
    assert_int_equal(read.stored_count, 1);
    assert_int_equal(read.stored[0].subtopology, 4);
}

static void an_assignment_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    const struct assigned_partition partitions[] = { { "a", 0 }, { "a", 1 }, { "b", 0 } };
    assert_int_equal(assignment_encode(&f->out, partitions, 3, &f->member), 0);
    struct assignor_member read;
    struct assigned_partitions assigned;
    assert_int_equal(assignment_decode(buffer_bytes(&f->out), &f->arena, &read, &assigned), 0);
    assert_int_equal(read.running_count, 2);
    assert_int_equal(assigned.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(assigned.at[i].topic, partitions[i].topic);
        assert_int_equal(assigned.at[i].partition, partitions[i].partition);
    }
}

static void the_wish_to_stop_all_comes_through_both_ways(void **state)
{
    struct fixture *f = *state;
    struct assignor_member read;
    f->member.error = ASSIGNOR_SHUTDOWN_REQUESTED;
    assert_int_equal(subscription_encode(&f->out, NULL, 0, &f->member), 0);
    assert_int_equal(subscription_decode(buffer_bytes(&f->out), &f->arena, &read), 0);
    assert_int_equal(read.error, ASSIGNOR_SHUTDOWN_REQUESTED);
    buffer_clear(&f->out);
    assert_int_equal(assignment_encode(&f->out, NULL, 0, &f->member), 0);
    assert_int_equal(assignment_decode(buffer_bytes(&f->out), &f->arena, &read, NULL), 0);
    assert_int_equal(read.error, ASSIGNOR_SHUTDOWN_REQUESTED);
}

static void what_an_earlier_version_wrote_has_no_such_wish(void **state)
{
    struct fixture *f = *state;
    enum { USER_DATA_LEN_AT = 6, OWNED_PARTITIONS_BYTES = 4, ERROR_BYTES = 4 };
    f->member.error = ASSIGNOR_SHUTDOWN_REQUESTED;
    assert_int_equal(subscription_encode(&f->out, NULL, 0, &f->member), 0);
    uint8_t *error = f->out.data + f->out.len - OWNED_PARTITIONS_BYTES - ERROR_BYTES;
    memmove(error, error + ERROR_BYTES, OWNED_PARTITIONS_BYTES);
    f->out.data[USER_DATA_LEN_AT + 3] -= ERROR_BYTES;
    f->out.len -= ERROR_BYTES;
    struct assignor_member read;
    assert_int_equal(subscription_decode(buffer_bytes(&f->out), &f->arena, &read), 0);
    assert_int_equal(read.stored_count, 1);
    assert_int_equal(read.error, ASSIGNOR_OK);
}

static void a_cut_subscription_is_refused_at_every_length(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(subscription_encode(&f->out, (const char *const[]){ "a" }, 1, &f->member), 0);
    struct assignor_member read;
    /* The last field of ConsumerProtocol (owned partitions, 4 bytes) is not ours to need. */
    for (size_t len = 0; len + 4 < f->out.len; len++)
        assert_int_equal(subscription_decode(mill_bytes_of(f->out.data, len), &f->arena, &read), MILL_ECORRUPT);
}

static void a_count_beyond_the_bytes_is_refused_before_allocating(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(subscription_encode(&f->out, NULL, 0, &f->member), 0);
    /* version 2, topics 4, length of user data 4, magic 4, version 1, process id 16: the count of running tasks. */
    memset(f->out.data + 31, 0xff, 4);
    struct assignor_member read;
    assert_int_equal(subscription_decode(buffer_bytes(&f->out), &f->arena, &read), MILL_ECORRUPT);
}

static void user_data_of_another_program_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(subscription_encode(&f->out, NULL, 0, &f->member), 0);
    f->out.data[10] = 'X';
    struct assignor_member read;
    assert_int_equal(subscription_decode(buffer_bytes(&f->out), &f->arena, &read), MILL_ECORRUPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_subscription_comes_back_as_it_was),
        TEST(an_assignment_comes_back_as_it_was),
        TEST(a_cut_subscription_is_refused_at_every_length),
        TEST(a_count_beyond_the_bytes_is_refused_before_allocating),
        TEST(user_data_of_another_program_is_refused),
        TEST(the_wish_to_stop_all_comes_through_both_ways),
        TEST(what_an_earlier_version_wrote_has_no_such_wish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
