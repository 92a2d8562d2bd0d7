/* The one table of commands. */
#include "cli/commands.h"

const struct cli_command *const cli_commands[] = {
    &command_broker,
    &command_topic_create,
    &command_topic_list,
    &command_topic_describe,
    &command_topic_delete,
    &command_produce,
    &command_consume,
    &command_group_list,
    &command_group_describe,
    &command_top,
    &command_version,
    &command_help,
    NULL,
};

const struct cli_option cli_common_options[] = {
    { "bootstrap-server", 'b', "HOST:PORT", "The broker; default $MILLSTREAM_BOOTSTRAP_SERVERS, else 127.0.0.1:9092." },
    { "property", 'X', "NAME=VALUE", "A property under Kafka's name; may be repeated." },
    { "output", 'o', "FORMAT", "table, tsv or json; default a table on a terminal, else tsv." },
    { "verbose", 'v', NULL, "Tell on standard error what happens." },
    { "help", 'h', NULL, "This text." },
    { NULL },
};
