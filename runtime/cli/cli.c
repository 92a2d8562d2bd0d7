#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/edit_distance.h"
#include "base/trace.h"
#include "cli/commands.h"
#include "millstream/error.h"

enum { HELP_COLUMN = 36, PROPERTY_COLUMN = 46, NAME_BYTES = 64 };

/* ---- telling ------------------------------------------------------------------------------------------------------------- */

static bool output_failure_told;

static void tell(const char *try_this, const char *format, va_list arguments)
{
    fflush(stdout);
    fputs("millstream: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    if (try_this != NULL && try_this[0] != '\0')
        fprintf(stderr, "Try: %s\n", try_this);
}

void cli_error(const char *try_this, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(try_this, format, arguments);
    va_end(arguments);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    char try_this[NAME_BYTES + 32];
    snprintf(try_this, sizeof try_this, "millstream help %s", cli->command->name);
    va_list arguments;
    va_start(arguments, format);
    tell(try_this, format, arguments);
    va_end(arguments);
    return CLI_USAGE;
}

bool cli_flush(void)
{
    bool failed = fflush(stdout) != 0;
    int why = failed ? errno : 0;
    if (!failed && !ferror(stdout))
        return true;
    struct pollfd output = { .fd = STDOUT_FILENO };
    bool unread = why == EPIPE || (poll(&output, 1, 0) > 0 && (output.revents & POLLERR));
    if (!unread && !output_failure_told)
        cli_error(NULL, "standard output: %s", failed ? strerror(why) : "not everything could be written");
    output_failure_told = true;
    return false;
}

int cli_exit_code(int code)
{
    switch (code) {
    case 0:
        return CLI_OK;
    case MILL_EINVALID:
        return CLI_USAGE;
    case MILL_ENOTFOUND:
        return CLI_NOT_FOUND;
    case MILL_ETIMEOUT:
    case MILL_ECONNECTION:
    case MILL_EREFUSED:
        return CLI_TIMEOUT;
    default:
        return CLI_FAILED;
    }
}

/* ---- help ---------------------------------------------------------------------------------------------------------------- */

static void print_options(const struct cli_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        char left[NAME_BYTES];
        char letter[] = { '-', options->letter, ',', ' ', '\0' };
        snprintf(left, sizeof left, "  %s--%s%s%s", options->letter ? letter : "    ", options->name, options->value ? " " : "",
                 options->value ? options->value : "");
        printf("%-*s %s\n", HELP_COLUMN, left, options->doc);
    }
}

void cli_print_properties(const struct cli_command *command)
{
    if (command == NULL || command->properties == NULL)
        return;
    const struct config_table *table = command->properties();
    puts("\nProperties, for -X:");
    for (size_t i = 0; i < table->count; i++) {
        const struct config_key *key = &table->keys[i];
        const char *value = key->default_value;
        printf("  %-*s %s", PROPERTY_COLUMN, key->name, key->doc);
        printf(value && value[0] ? " [%s]\n" : "\n", value);
    }
}

static void print_command(const struct cli_command *command)
{
    printf("Usage: millstream %s%s%s [OPTION]...\n\n%s\n", command->name, command->arguments[0] ? " " : "", command->arguments,
           command->summary);
    if (command->options != NULL) {
        puts("\nOptions:");
        print_options(command->options);
    }
    puts("\nOptions of every command:");
    print_options(cli_common_options);
    if (command->example != NULL)
        printf("\nExample:\n  %s\n", command->example);
}

void cli_print_help(const struct cli_command *command)
{
    if (command != NULL) {
        print_command(command);
        return;
    }
    puts("Usage: millstream COMMAND [ARGUMENT]... [OPTION]...\n\n"
         "Works with Millstream's broker and any other that speaks Kafka's protocol.\n\nCommands:");
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        char left[NAME_BYTES];
        snprintf(left, sizeof left, "  %s %s", cli_commands[i]->name, cli_commands[i]->arguments);
        printf("%-*s %s\n", HELP_COLUMN, left, cli_commands[i]->summary);
    }
    puts("\nMore about one: millstream help COMMAND\n"
         "Exit status: 0 done, 1 failed, 2 usage, 3 not found, 4 timed out or no broker, 5 condition not met.");
}

/* ---- what was given ------------------------------------------------------------------------------------------------------ */

const char *cli_next_option(const struct cli *cli, const char *name, int *at)
{
    while (*at < cli->given_count) {
        const struct cli_given *given = &cli->given[(*at)++];
        if (strcmp(given->option->name, name) == 0)
            return given->value ? given->value : "";
    }
    return NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    const char *last = NULL;
    const char *value;
    int at = 0;
    while ((value = cli_next_option(cli, name, &at)) != NULL)
        last = value;
    return last;
}

bool cli_number(const struct cli *cli, const char *name, int64_t min, int64_t max, int64_t *value)
{
    const char *text = cli_option(cli, name);
    if (text == NULL)
        return true;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max) {
        cli_usage(cli, "--%s %s: not a number from %lld to %lld", name, text, (long long)min, (long long)max);
        return false;
    }
    *value = number;
    return true;
}

bool cli_parse_duration(const char *text, int64_t *milliseconds)
{
    static const struct {
        const char *unit;
        int64_t milliseconds;
    } UNITS[] = { { "", 1 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || number < 0)
        return false;
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
        if (strcmp(end, UNITS[i].unit) == 0 && number <= INT64_MAX / UNITS[i].milliseconds) {
            *milliseconds = number * UNITS[i].milliseconds;
            return true;
        }
    return false;
}

/* ---- parsing ------------------------------------------------------------------------------------------------------------- */

struct parser {
    struct cli cli;
    const char *arguments[CLI_ARGUMENTS_MAX + 1];
    struct cli_given given[CLI_ARGUMENTS_MAX];
};

static const struct cli_option *find_in(const struct cli_option *options, const char *name, size_t len, char letter)
{
    for (; options != NULL && options->name != NULL; options++)
        if (letter ? options->letter == letter : strlen(options->name) == len && memcmp(options->name, name, len) == 0)
            return options;
    return NULL;
}

static const struct cli_option *find_option(const struct cli *cli, const char *name, size_t len, char letter)
{
    const struct cli_option *option = find_in(cli->command->options, name, len, letter);
    return option ? option : find_in(cli_common_options, name, len, letter);
}

/* Takes the option at argv[at]; returns how many words it took, or a negative number when it is none, which was told. */
static int take_option(struct parser *parser, char **argv, int at)
{
    struct cli *cli = &parser->cli;
    const char *word = argv[at];
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t len = is_long ? strcspn(name, "=") : 1;
    const struct cli_option *option = find_option(cli, name, len, is_long ? '\0' : name[0]);
    if (option == NULL)
        return cli_usage(cli, "%.*s: no such option of '%s'", (int)(name + len - word), word, cli->command->name), -1;
    const char *value = name[len] == '\0' ? NULL : name + len + is_long;
    if (option->value == NULL && value != NULL)
        return cli_usage(cli, "--%s takes no value", option->name), -1;
    bool takes_next = option->value != NULL && value == NULL;
    if (takes_next && argv[at + 1] == NULL)
        return cli_usage(cli, "--%s needs %s", option->name, option->value), -1;
    parser->given[cli->given_count++] = (struct cli_given){ option, takes_next ? argv[at + 1] : value };
    return 1 + takes_next;
}

static int parse(struct parser *parser, char **argv)
{
    struct cli *cli = &parser->cli;
    bool options_end = false;
    for (int at = 0; argv[at] != NULL;) {
        if (cli->given_count == CLI_ARGUMENTS_MAX || cli->argument_count == CLI_ARGUMENTS_MAX)
            return cli_usage(cli, "too many arguments");
        bool is_option = !options_end && argv[at][0] == '-' && argv[at][1] != '\0';
        if (!is_option) {
            parser->arguments[cli->argument_count++] = argv[at++];
        } else if (strcmp(argv[at], "--") == 0) {
            options_end = true;
            at++;
        } else {
            int taken = take_option(parser, argv, at);
            if (taken < 0)
                return CLI_USAGE;
            at += taken;
        }
    }
    return CLI_OK;
}

static int check_count(const struct cli *cli)
{
    const struct cli_command *command = cli->command;
    if (cli->argument_count < command->arguments_min)
        return cli_usage(cli, "%s needs %s", command->name, command->arguments);
    if (command->arguments_max >= 0 && cli->argument_count > command->arguments_max)
        return cli_usage(cli, "%s: one argument too many", cli->arguments[command->arguments_max]);
    return CLI_OK;
}

/* ---- dispatch ------------------------------------------------------------------------------------------------------------ */

/* How many words of argv are the name of `command`; 0: it is another. */
static int matches(const struct cli_command *command, char **argv)
{
    const char *blank = strchr(command->name, ' ');
    size_t first = blank ? (size_t)(blank - command->name) : strlen(command->name);
    if (argv[0] == NULL || strlen(argv[0]) != first || memcmp(argv[0], command->name, first) != 0)
        return 0;
    if (blank == NULL)
        return 1;
    return argv[1] != NULL && strcmp(argv[1], blank + 1) == 0 ? 2 : 0;
}

static const struct cli_command *find_command(char **argv, int *words)
{
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        if ((*words = matches(cli_commands[i], argv)) > 0)
            return cli_commands[i];
    return NULL;
}

/* The command that may have been meant, or NULL. */
static const char *nearest_command(char **argv)
{
    char pair[NAME_BYTES];
    snprintf(pair, sizeof pair, "%s %s", argv[0], argv[1] ? argv[1] : "");
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        const char *name = cli_commands[i]->name;
        const char *given = strchr(name, ' ') ? pair : argv[0];
        size_t distance = edit_distance(given, name);
        if (distance <= edit_distance_max(given) && distance < best) {
            best = distance;
            nearest = name;
        }
    }
    return nearest;
}

static int unknown_command(char **argv)
{
    size_t len = strlen(argv[0]);
    bool is_first_word = false;
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        is_first_word |= strncmp(cli_commands[i]->name, argv[0], len) == 0 && cli_commands[i]->name[len] == ' ';
    if (is_first_word && argv[1] == NULL) {
        cli_error("millstream help", "%s needs a second word", argv[0]);
    } else {
        const char *nearest = nearest_command(argv);
        cli_error("millstream help", "%s%s%s: no such command%s%s%s", argv[0], is_first_word ? " " : "",
                  is_first_word ? argv[1] : "", nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    }
    return CLI_USAGE;
}

static bool asks_for_help(char **argv)
{
    for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
        if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0)
            return true;
    return false;
}

static int run_command(int argc, char **argv)
{
    static struct parser parser;
    if (argc < 2) {
        cli_print_help(NULL);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) /* as every program has it */
        return command_version.run(NULL);
    int words = 0;
    const struct cli_command *command = find_command(argv + 1, &words);
    if (asks_for_help(argv + 1)) {
        cli_print_help(command);
        cli_print_properties(command);
        return CLI_OK;
    }
    if (command == NULL)
        return unknown_command(argv + 1);
    parser = (struct parser){ .cli = { .command = command, .arguments = parser.arguments, .given = parser.given } };
    int code = parse(&parser, argv + 1 + words);
    if (code == CLI_OK)
        code = check_count(&parser.cli);
    if (code == CLI_OK && cli_option(&parser.cli, "verbose") != NULL)
        trace_set_level(TRACE_INFO);
    return code == CLI_OK ? command->run(&parser.cli) : code;
}

int cli_main(int argc, char **argv)
{
    output_failure_told = false;
    int code = run_command(argc, argv);
    return cli_flush() || code != CLI_OK ? code : CLI_FAILED;
}
