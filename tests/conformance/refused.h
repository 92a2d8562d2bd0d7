/*
 * Topologies that both sides refuse to make. Such a case shows only that both refuse it, so few of them are enough: one case of
 * REFUSED_KEPT may be one. What is missed here is not wrong, only dull.
 */
#ifndef CONFORMANCE_REFUSED_H
#define CONFORMANCE_REFUSED_H

#include "conformance/case.h"

enum { REFUSED_KEPT = 100 };

bool case_is_refused(const struct test_case *test);

#endif
