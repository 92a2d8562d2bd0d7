/* `millstream help` and `millstream version`. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static int run_help(const struct cli *cli)
{
    if (cli->argument_count == 0) {
        cli_print_help(NULL);
        return CLI_OK;
    }
    char name[128];
    snprintf(name, sizeof name, "%s%s%s", cli->arguments[0], cli->argument_count > 1 ? " " : "",
             cli->argument_count > 1 ? cli->arguments[1] : "");
    size_t found = 0;
    const struct cli_command *last = NULL; /* commands of one first word have the same properties */
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        size_t len = strlen(name);
        bool is_it = strncmp(cli_commands[i]->name, name, len) == 0 && (cli_commands[i]->name[len] | ' ') == ' ';
        if (is_it && found++ > 0)
            puts("");
        if (is_it)
            cli_print_help(last = cli_commands[i]);
    }
    cli_print_properties(last);
    if (found > 0)
        return CLI_OK;
    cli_error("millstream help", "%s: no such command", name);
    return CLI_USAGE;
}

const struct cli_command command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .arguments_max = 2,
    .summary = "Explains the commands, or one.",
    .run = run_help,
};

static int run_version(const struct cli *cli)
{
    printf("millstream %s\n", MILLSTREAM_VERSION);
    return CLI_OK;
}

const struct cli_command command_version = {
    .name = "version",
    .arguments = "",
    .summary = "Prints the version.",
    .run = run_version,
};
