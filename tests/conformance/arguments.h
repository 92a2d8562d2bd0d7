/* The command line of both programs. */
#ifndef CONFORMANCE_ARGUMENTS_H
#define CONFORMANCE_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

/* `--name 17`: true when `argument` is `name` and `value` (NULL: there is none) a whole number, which is then in `*number`. */
bool argument_number(const char *name, const char *argument, const char *value, uint64_t *number);

#endif
