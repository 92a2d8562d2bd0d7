/*
 * A command line: what a command declares about itself, and what the user gave it.
 *
 * One table (commands.c) feeds dispatch, checks and help. Arguments and options may come in any order; `--name value`,
 * `--name=value` and `-n value` are the same, `--` ends options. What goes wrong is told on standard error, with a last line
 * that says what to try; results go to standard output.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

/* What a command returns, and the program with it. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NOT_FOUND = 3,
    CLI_TIMEOUT = 4, /* also: no broker could be reached */
    CLI_UNMET = 5,   /* a condition that was asked for does not hold */
};

struct cli;

struct cli_option {
    const char *name;  /* without dashes; NULL ends a table */
    char letter;       /* 0: none */
    const char *value; /* what it takes, for help; NULL: a flag */
    const char *doc;
};

struct cli_command {
    const char *name;      /* one word or two: "topic create" */
    const char *arguments; /* for help: "TOPIC..." */
    int arguments_min;
    int arguments_max; /* -1: any number */
    const char *summary;
    const struct cli_option *options;               /* beside cli_common_options; may be NULL */
    const char *example;                            /* NULL: none */
    const struct config_table *(*properties)(void); /* what -X takes, for help; NULL: nothing of its own */
    int (*run)(const struct cli *cli);
};

/* Ended by one without a name. */
extern const struct cli_command *const cli_commands[];
extern const struct cli_option cli_common_options[];

enum { CLI_ARGUMENTS_MAX = 4096 };

struct cli_given {
    const struct cli_option *option;
    const char *value; /* NULL: a flag */
};

struct cli {
    const struct cli_command *command;
    const char *const *arguments; /* as is the next, parts of argv; ended by NULL */
    int argument_count;
    const struct cli_given *given;
    int given_count;
};

/* The program: finds the command, checks what was given, runs it. */
int cli_main(int argc, char **argv);

/* The value of an option (the last one given; "" for a flag), or NULL. */
const char *cli_option(const struct cli *cli, const char *name);

/* The next value of an option that may be repeated: start with *at = 0; NULL at the end. */
const char *cli_next_option(const struct cli *cli, const char *name, int *at);

/*
 * The number of an option, `*value` unchanged when it was not given. False: it is no number from `min` to `max`, which was
 * told.
 */
bool cli_number(const struct cli *cli, const char *name, int64_t min, int64_t max, int64_t *value);

/* A duration in milliseconds: "250ms", "10s", "5m", "2h", "7d"; a bare number is milliseconds. False: it is none. */
bool cli_parse_duration(const char *text, int64_t *milliseconds);

/* Tells an error, in one line, and what to try ("" or NULL: nothing). */
void cli_error(const char *try_this, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As cli_error with "Try: millstream help <command>"; returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Everything printed is out. False: it could not be written, which is told (but for a pipe that nobody reads any more); whoever
 * has results to print then fails.
 */
bool cli_flush(void);

/* The exit code for a MILL_E* code. */
int cli_exit_code(int code);

/* Prints all commands, or one in full but for its properties. */
void cli_print_help(const struct cli_command *command);
void cli_print_properties(const struct cli_command *command); /* nothing when it has none */

#endif
