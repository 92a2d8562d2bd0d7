/* Every command, one cmd_*.c each (those of one thing share a file). */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct cli_command command_broker;
extern const struct cli_command command_topic_create;
extern const struct cli_command command_topic_list;
extern const struct cli_command command_topic_describe;
extern const struct cli_command command_topic_delete;
extern const struct cli_command command_produce;
extern const struct cli_command command_consume;
extern const struct cli_command command_group_list;
extern const struct cli_command command_group_describe;
extern const struct cli_command command_top;
extern const struct cli_command command_version;
extern const struct cli_command command_help;

#endif
