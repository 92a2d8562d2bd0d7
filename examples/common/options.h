/* An example's own option, taken out of the arguments before mill_main reads the rest. */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * `name` NUMBER, 0..max, wherever it stands; `value` without it. Ends the program with 2 and a word on standard error when it
 * is no such number.
 */
static inline int64_t take_number(int *argc, char **argv, const char *name, int64_t value, int64_t max)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], name) != 0)
            continue;
        char *end = "";
        value = i + 1 < *argc ? strtoll(argv[i + 1], &end, 10) : -1;
        if (value < 0 || value > max || *end != '\0') {
            fprintf(stderr, "%s: %s needs a number from 0 to %lld\n", argv[0], name, (long long)max);
            exit(2);
        }
        for (*argc -= 2; i < *argc; i++)
            argv[i] = argv[i + 2];
        argv[*argc] = NULL;
        break;
    }
    return value;
}

#endif
