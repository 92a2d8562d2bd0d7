/*
 * What is asked of many settled cases beside that none differs (partitions.c, threads.c): that each operator whose results are
 * settled was in one of them, and each thing that may happen has happened. What did not come is told.
 */
#ifndef CONFORMANCE_DEMANDS_H
#define CONFORMANCE_DEMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "conformance/case.h"

/* From so many cases on it is no accident when one does not come: the operators take turns (settled_make). */
enum { MANY_CASES = 1000, OPERATORS_MAX = 128 };

/* Adds one to the operators of a case. */
void count_operators(const struct test_case *test, uint64_t uses[OPERATORS_MAX]);

/* False, with a word on standard output, when it came 0 times. */
bool has_come(uint64_t times, const char *what);

/* The same of all operators that are ever settled. */
bool operators_have_come(const uint64_t uses[OPERATORS_MAX]);

/* False, with a word on standard output, when there were fewer cases. */
bool were_as_many(uint64_t cases, uint64_t wanted);

/* The case in which a process has died, and how to repeat it. */
void tell_breakdown(uint64_t number, uint64_t seed, const char *how);

#endif
