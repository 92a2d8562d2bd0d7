/* Patterns over names: what they match, beside regcomp where both understand one, and what is refused. The seed is printed. */
#include "support/cmocka_all.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "broker/name_pattern.h"
#include "support/rounds.h"

enum { RUNS = 20000 };

static struct name_pattern pattern;

static bool matches(const char *text, const char *name)
{
    if (!name_pattern_compile(&pattern, mill_string(text)))
        fail_msg("%s is refused", text);
    return name_pattern_matches(&pattern, mill_string(name));
}

static bool is_refused(const char *text)
{
    return !name_pattern_compile(&pattern, mill_string(text));
}

static void a_pattern_covers_the_whole_name(void **state)
{
    assert_true(matches("app", "app"));
    assert_false(matches("app", "app-1"));
    assert_false(matches("app", "my-app"));
    assert_true(matches("app.*", "app-1"));
    assert_true(matches("^app.*$", "app-1"));
    assert_true(matches("a|b$", "a"));
    assert_true(matches("", ""));
    assert_false(matches("", "a"));
}

static void groups_alternatives_and_repetitions_mean_what_they_mean(void **state)
{
    assert_true(matches("(ab|c)+d?", "abcab"));
    assert_true(matches("(?:ab|c)*?d", "d"));
    assert_false(matches("(ab|c)+d?", "abd-"));
    assert_true(matches("((a*)*)*", "aaa"));
    assert_true(matches("a|b|c|", ""));
    assert_true(matches("a|b|c|", "c"));
}

static void sets_classes_and_escapes_mean_what_they_mean(void **state)
{
    assert_true(matches("[a-c_]+", "ab_c"));
    assert_false(matches("[a-c_]+", "abd"));
    assert_true(matches("[^a-c]", "d"));
    assert_true(matches("[]a-]+", "a]-"));
    assert_true(matches("[\\d.]+", "1.2"));
    assert_true(matches("[\\\\a]+", "a\\"));
    assert_true(matches("app-\\d+", "app-42"));
    assert_false(matches("app-\\d+", "app-x"));
    assert_true(matches("\\w+\\.\\S\\W\\s\\D", "a_1.x- z"));
    assert_true(matches("a\\$", "a$"));
    assert_true(matches("a\\\\$", "a\\"));
}

static void a_character_is_one_of_utf_8(void **state)
{
    assert_true(matches("K.ln", "K\xc3\xb6ln"));
    assert_true(matches("K[\xc3\xa4-\xc3\xbc]ln", "K\xc3\xb6ln"));
    assert_false(matches("K[\xc3\xa4-\xc3\xa5]ln", "K\xc3\xb6ln"));
    assert_true(matches("\xc3\xb6?x", "x"));
    assert_true(matches(".\\D", "\xff\xc3"));
}

static void what_is_none_or_costs_too_much_is_refused(void **state)
{
    const char *const refused[] = { "(",     ")",   "a)|(b", "[",    "[a",        "[^",      "[b-a]",   "[[:alpha:]]",
                                    "*",     "a**", "a+++",  "a{2}", "a{1,1000}", "(a)\\1",  "\\",      "\\pL",
                                    "(?=a)", "a^b", "(a$)b", "|*",   "(*)",       "[a-\\d]", "\\Qa\\E", "[\\p]" };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!is_refused(refused[i]))
            fail_msg("%s is taken", refused[i]);
    char nested[NAME_PATTERN_BYTES_MAX + 2];
    memset(nested, '(', sizeof nested);
    assert_false(name_pattern_compile(&pattern, mill_bytes_of(nested, NAME_PATTERN_BYTES_MAX)));
    memset(nested, 'a', sizeof nested);
    assert_true(name_pattern_compile(&pattern, mill_bytes_of(nested, NAME_PATTERN_BYTES_MAX)));
    assert_false(name_pattern_compile(&pattern, mill_bytes_of(nested, NAME_PATTERN_BYTES_MAX + 1)));
}

/* Each of these takes a matcher that goes back, or one that copies what is repeated, longer than anybody waits. */
static void no_pattern_is_slow(void **state)
{
    static char name[30000];
    static char text[NAME_PATTERN_BYTES_MAX];
    memset(name, 'a', sizeof name);
    assert_true(name_pattern_compile(&pattern, mill_string("(a*)*(a*)*(a|aa)+(.*.*)*b")));
    assert_false(name_pattern_matches(&pattern, mill_bytes_of(name, sizeof name)));
    memset(text, '(', 80);
    text[80] = 'a';
    for (int i = 0; i < 80; i++)
        memcpy(text + 81 + 2 * i, ")+", 2);
    assert_true(name_pattern_compile(&pattern, mill_bytes_of(text, 241)));
    assert_true(name_pattern_matches(&pattern, mill_bytes_of(name, sizeof name)));
    memset(text, '*', sizeof text);
    for (int i = 0; i < NAME_PATTERN_BYTES_MAX; i += 2)
        text[i] = 'a';
    assert_true(name_pattern_compile(&pattern, mill_bytes_of(text, 248)));
    assert_true(name_pattern_matches(&pattern, mill_bytes_of(name, sizeof name)));
    memset(text, '|', sizeof text);
    assert_true(name_pattern_compile(&pattern, mill_bytes_of(text, NAME_PATTERN_BYTES_MAX)));
    assert_false(name_pattern_matches(&pattern, mill_bytes_of(name, 1)));
}

static void compare(struct prng *prng, const char *text)
{
    char whole[64];
    regex_t expected;
    snprintf(whole, sizeof whole, "^(%s)$", text);
    if (regcomp(&expected, whole, REG_EXTENDED | REG_NOSUB) != 0)
        fail_msg("%s is taken, regcomp refuses it", text);
    for (int i = 0; i < 20; i++) {
        char name[8] = "";
        for (uint64_t at = 0, len = prng_below(prng, sizeof name); at < len; at++)
            name[at] = "abc"[prng_below(prng, 3)];
        if (name_pattern_matches(&pattern, mill_string(name)) != (regexec(&expected, name, 0, NULL, 0) == 0))
            fail_msg("%s beside %s", text, name);
    }
    regfree(&expected);
}

static void random_patterns_match_what_regcomp_says(void **state)
{
    const char *const pieces[] = { "a", "b", "c", ".", "(", ")", "|", "*", "+", "?", "[ab]", "[^a]", "(a|b)", "a*" };
    struct prng prng;
    uint64_t seed = test_seed(1);
    int taken = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    prng_init(&prng, seed);
    for (int i = 0; i < test_rounds(RUNS); i++) {
        char text[48] = "";
        bool is_lazy = false; /* means something else there */
        for (uint64_t count = 1 + prng_below(&prng, 8); count > 0; count--)
            strcat(text, pieces[prng_below(&prng, sizeof pieces / sizeof *pieces)]);
        for (size_t at = 1; text[at]; at++)
            is_lazy |= text[at] == '?' && strchr("*+?(", text[at - 1]) != NULL;
        if (is_lazy || !name_pattern_compile(&pattern, mill_string(text)))
            continue;
        taken++;
        compare(&prng, text);
    }
    assert_true(taken > test_rounds(RUNS) / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_covers_the_whole_name),
        cmocka_unit_test(groups_alternatives_and_repetitions_mean_what_they_mean),
        cmocka_unit_test(sets_classes_and_escapes_mean_what_they_mean),
        cmocka_unit_test(a_character_is_one_of_utf_8),
        cmocka_unit_test(what_is_none_or_costs_too_much_is_refused),
        cmocka_unit_test(no_pattern_is_slow),
        cmocka_unit_test(random_patterns_match_what_regcomp_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
