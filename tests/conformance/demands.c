#include "conformance/demands.h"

#include <inttypes.h>
#include <stdio.h>

#include "conformance/operators.h"
#include "conformance/settled.h"

void count_operators(const struct test_case *test, uint64_t uses[OPERATORS_MAX])
{
    bool used[OPERATORS_MAX] = { false };
    for (size_t i = 0; i < test->node_count; i++)
        used[test->nodes[i].type] = true;
    for (size_t i = 0; i < OPERATOR_COUNT; i++)
        uses[i] += used[i];
}

bool has_come(uint64_t times, const char *what)
{
    if (times == 0)
        printf("FAILED: never came: %s\n", what);
    return times > 0;
}

bool operators_have_come(const uint64_t uses[OPERATORS_MAX])
{
    bool all = true;
    for (size_t i = 0; i < OPERATOR_COUNT; i++)
        all &= !settled_knows(i) || has_come(uses[i], OPERATORS[i].name);
    return all;
}

bool were_as_many(uint64_t cases, uint64_t wanted)
{
    if (cases < wanted)
        printf("FAILED: %" PRIu64 " cases, not %" PRIu64 "\n", cases, wanted);
    return cases >= wanted;
}

void tell_breakdown(uint64_t number, uint64_t seed, const char *how)
{
    printf("BREAKDOWN in case %" PRIu64 " of seed %" PRIu64 ": %s; again: --only %" PRIu64 " --seed %" PRIu64 "\n", number, seed,
           how, number, seed);
}
