/* Our side: a case through the DSL and the test driver. */
#ifndef CONFORMANCE_RUN_H
#define CONFORMANCE_RUN_H

#include "conformance/case.h"
#include "conformance/faults.h"
#include "conformance/result.h"

/* Initializes `result`, which the caller releases. */
void run_case(const struct test_case *test, enum fault fault, struct result *result);

#endif
