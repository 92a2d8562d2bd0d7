/* An example's own option, taken out of the arguments before mill_main reads the rest. */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/*
 * `name` NUMBER, 0..max, wherever it stands; `value` without it. Ends the program with 2 and a word on standard error when it
 * is no such number. When --help is among the arguments it prints the option and what it is, before mill_main prints the rest.
 */
static inline int64_t take_number(int *argc, char **argv, const char *name, int64_t value, int64_t max, const char *doc)
{
    if (asks_for_help(*argc, argv))
        printf("  %s NUMBER  %s [%lld]\n", name, doc, (long long)value);
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], name) != 0)
            continue;
        char *end = "";
        value = i + 1 < *argc ? strtoll(argv[i + 1], &end, 10) : -1;
        if (value < 0 || value > max || *end != '\0') {
            fprintf(stderr, "%s: %s needs a number from 0 to %lld\nTry: %s --help\n", argv[0], name, (long long)max, argv[0]);
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
