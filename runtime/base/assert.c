/* Where a failed mill_assert ends. Written with plain stdio: nothing of ours can be trusted any more. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void assert_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "millstream: %s:%d: assertion failed: %s. This is a bug in Millstream; please report it with this line.\n",
            file, line, condition);
    abort();
}
