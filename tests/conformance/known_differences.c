#include "conformance/known_differences.h"

const struct known_difference KNOWN_DIFFERENCES[KNOWN_DIFFERENCES_MAX] = { { 0 } };
const size_t KNOWN_DIFFERENCE_COUNT = 0;

const struct known_difference *known_difference_of(const struct test_case *test)
{
    for (size_t i = 0; i < KNOWN_DIFFERENCE_COUNT; i++)
        if (KNOWN_DIFFERENCES[i].applies(test))
            return &KNOWN_DIFFERENCES[i];
    return NULL;
}
