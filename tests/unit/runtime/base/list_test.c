#include "base/list.h"

#include "support/cmocka_all.h"

struct item {
    int number;
    struct list link;
};

static struct item items[5];
static struct list list;

static int set_up(void **state)
{
    list_init(&list);
    for (int i = 0; i < 5; i++) {
        items[i].number = i;
        list_push_back(&list, &items[i].link);
    }
    return 0;
}

/* The numbers in the list as decimal digits, read forwards; checked against reading backwards. */
static int digits(struct list *head)
{
    int forwards = 0, backwards = 0, place = 1;
    list_for_each (node, head)
        forwards = forwards * 10 + list_entry(node, struct item, link)->number;
    for (struct list *node = head->prev; node != head; node = node->prev, place *= 10)
        backwards += list_entry(node, struct item, link)->number * place;
    assert_int_equal(forwards, backwards);
    return forwards;
}

static void items_leave_from_anywhere_and_twice_is_harmless(void **state)
{
    list_remove(&items[2].link);
    list_remove(&items[2].link);
    assert_int_equal(digits(&list), 134); /* 0, 1, 3, 4 */
    assert_ptr_equal(list_pop_front(&list), &items[0].link);
    list_for_each_safe (node, &list)
        list_remove(node);
    assert_true(list_empty(&list));
    assert_null(list_pop_front(&list));
}

static void one_list_moves_behind_another(void **state)
{
    struct list other;
    list_init(&other);
    list_move_all(&list, &other);
    assert_int_equal(digits(&list), 1234);
    list_remove(&items[4].link);
    list_push_back(&other, &items[4].link);
    list_move_all(&other, &list);
    assert_int_equal(digits(&other), 40123);
    assert_true(list_empty(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(items_leave_from_anywhere_and_twice_is_harmless, set_up),
        cmocka_unit_test_setup(one_list_moves_behind_another, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
