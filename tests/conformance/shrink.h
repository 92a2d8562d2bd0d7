/* Makes a case that shows a difference small: without the events, operators and numbers that it does not need. */
#ifndef CONFORMANCE_SHRINK_H
#define CONFORMANCE_SHRINK_H

#include "conformance/case.h"

/* Whether a smaller case still shows it. */
typedef bool (*shrink_check)(void *ctx, const struct test_case *test);

/* Changes `test`, which passes the check, to one that is smaller and passes, too. At most `checks` calls. */
void shrink_case(struct test_case *test, shrink_check check, void *ctx, int checks);

#endif
