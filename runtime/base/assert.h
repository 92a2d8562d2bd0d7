/*
 * mill_assert: our own mistakes, in every build.
 *
 * One condition a line. Data from disk, network or user is never asserted: it is checked and answered with an error.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/* Prints the place and the condition to standard error and aborts. */
_Noreturn void assert_fail(const char *file, int line, const char *condition);

#define mill_assert(condition) ((condition) ? (void)0 : assert_fail(__FILE__, __LINE__, #condition))

#endif
