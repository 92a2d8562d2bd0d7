/* `millstream topic`: create, list, describe, delete. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/table.h"
#include "client/admin.h"

/* ---- create -------------------------------------------------------------------------------------------------------------- */

enum { CONFIGS_MAX = 64, CONFIG_NAME_BYTES = 128 };

/* The --config pairs; names are cut out of them into `names`. */
struct topic_configs {
    struct admin_config at[CONFIGS_MAX];
    char names[CONFIGS_MAX][CONFIG_NAME_BYTES];
    size_t count;
};

static bool read_configs(const struct cli *cli, struct topic_configs *configs)
{
    const char *pair;
    int at = 0;
    while ((pair = cli_next_option(cli, "config", &at)) != NULL) {
        const char *equals = strchr(pair, '=');
        if (equals == NULL || equals == pair || equals - pair >= CONFIG_NAME_BYTES || configs->count == CONFIGS_MAX) {
            cli_usage(cli, "--config %s: not NAME=VALUE", pair);
            return false;
        }
        char *name = configs->names[configs->count];
        memcpy(name, pair, (size_t)(equals - pair));
        name[equals - pair] = '\0';
        configs->at[configs->count++] = (struct admin_config){ name, equals + 1 };
    }
    return true;
}

/* What became of each topic, by a verb; with `if_exists_ok` one that exists already is as good as made. */
struct outcome {
    struct session *session;
    const char *verb;
    bool if_exists_ok;
};

static void told_topics(void *ctx, int code, const char *text, const struct admin_topic_result *results, size_t count,
                        struct io_time now)
{
    struct outcome *outcome = ctx;
    outcome->session->operation = NULL;
    int first = CLI_OK;
    bool unanswered = code == MILL_ETIMEOUT || code == MILL_ECONNECTION;
    if ((count == 0 && code < 0) || unanswered) {
        session_fail(outcome->session, code, text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_done = results[i].code == 0 || (outcome->if_exists_ok && results[i].code == MILL_EEXISTS);
        if (is_done)
            printf("%s %s\n", results[i].name, results[i].code == 0 ? outcome->verb : "is there");
        else
            cli_error(results[i].code == MILL_EEXISTS ? "--if-not-exists" : NULL, "%s: %s", results[i].name, results[i].text);
        if (!is_done && first == CLI_OK)
            first = cli_exit_code(results[i].code);
    }
    session_finish(outcome->session, first);
}

static int create(const struct cli *cli, const struct topic_configs *configs, int32_t partitions, int16_t replicas)
{
    struct session session;
    struct outcome outcome = { &session, "created", cli_option(cli, "if-not-exists") != NULL };
    int code = session_open(&session, cli, NULL);
    struct admin_new_topic *topics = mem_calloc((size_t)cli->argument_count, sizeof *topics);
    for (int i = 0; topics != NULL && i < cli->argument_count; i++)
        topics[i] = (struct admin_new_topic){ cli->arguments[i], partitions, replicas, configs->at, configs->count };
    if (code == CLI_OK) {
        if (topics != NULL)
            session.operation = admin_create_topics(session.client, topics, (size_t)cli->argument_count,
                                                    cli_option(cli, "dry-run") != NULL, told_topics, &outcome);
        if (session.operation == NULL)
            session_fail(&session, MILL_ENOMEM, "");
        code = session_run(&session);
    }
    mem_free(topics);
    return session_close(&session, code);
}

static int run_create(const struct cli *cli)
{
    static struct topic_configs configs;
    int64_t partitions = -1;
    int64_t replicas = -1;
    if (!cli_number(cli, "partitions", 1, 100000, &partitions) || !cli_number(cli, "replication-factor", 1, 1000, &replicas) ||
        !read_configs(cli, &configs))
        return CLI_USAGE;
    return create(cli, &configs, (int32_t)partitions, (int16_t)replicas);
}

static const struct cli_option create_options[] = {
    { "partitions", 'p', "N", "How many; default the broker's num.partitions." },
    { "replication-factor", 'r', "N", "How many copies; default the broker's." },
    { "config", 'c', "NAME=VALUE", "A topic property such as retention.ms=-1; may be repeated." },
    { "if-not-exists", 0, NULL, "It is fine when the topic is there." },
    { "dry-run", 0, NULL, "Let the broker check it, create nothing." },
    { NULL },
};

const struct cli_command command_topic_create = {
    .name = "topic create",
    .arguments = "TOPIC...",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "Creates topics.",
    .options = create_options,
    .example = "millstream topic create access-log --partitions 4 --config retention.ms=-1",
    .properties = session_properties,
    .run = run_create,
};

/* ---- list and describe --------------------------------------------------------------------------------------------------- */

struct listing {
    struct session *session;
    struct table table;
    enum table_format format;
    bool with_internal;
    int code;
};

static void end_listing(struct listing *listing)
{
    bool printed = table_print(&listing->table, listing->format);
    session_finish(listing->session, listing->code != CLI_OK || printed ? listing->code : CLI_FAILED);
}

static void listed(void *ctx, int code, const char *text, const struct admin_topic *topics, size_t count, struct io_time now)
{
    struct listing *listing = ctx;
    listing->session->operation = NULL;
    if (code < 0) {
        session_fail(listing->session, code, text);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (!topics[i].internal || listing->with_internal)
            table_add(&listing->table, "%s\t%d\t%d", topics[i].name, (int)topics[i].partition_count,
                      topics[i].partition_count > 0 ? (int)topics[i].partitions[0].replica_count : 0);
    end_listing(listing);
}

static void looked_up(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now)
{
    struct listing *listing = ctx;
    listing->session->lookup = NULL;
    for (size_t i = 0; i + 1 < count; i += 2) {
        const struct client_topic *topic = queries[i].topic;
        const struct client_partition *partition = &topic->partitions[queries[i].partition];
        char start[24], end[24], records[24];
        bool known = queries[i].code == 0 && queries[i + 1].code == 0;
        snprintf(start, sizeof start, known ? "%" PRId64 : "-", queries[i].offset);
        snprintf(end, sizeof end, known ? "%" PRId64 : "-", queries[i + 1].offset);
        snprintf(records, sizeof records, known ? "%" PRId64 : "-", queries[i + 1].offset - queries[i].offset);
        table_add(&listing->table, "%s\t%d\t%d\t%d\t%s\t%s\t%s", topic->name, (int)queries[i].partition, (int)partition->leader,
                  (int)partition->leader_epoch, start, end, records);
    }
    end_listing(listing);
}

static void described(void *ctx, int code, const char *text, const struct admin_topic *topics, size_t count, struct io_time now)
{
    struct listing *listing = ctx;
    struct session *session = listing->session;
    session->operation = NULL;
    size_t partitions = 0;
    if (count == 0 && code < 0) {
        session_fail(session, code, text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (topics[i].code < 0) {
            cli_error("millstream topic list", "%s: %s", topics[i].name, mill_error_text(topics[i].code));
            listing->code = cli_exit_code(topics[i].code);
        }
        partitions += (size_t)topics[i].partition_count;
    }
    struct offset_query *queries = mem_calloc(2 * partitions + 1, sizeof *queries);
    size_t filled = 0;
    for (size_t i = 0; queries != NULL && i < count; i++) {
        struct client_topic *topic = client_topic(session->client, topics[i].name);
        for (int32_t p = 0; topic != NULL && p < topics[i].partition_count; p++) {
            queries[filled++] = (struct offset_query){ .topic = topic, .partition = p, .timestamp_ms = OFFSET_AT_START };
            queries[filled++] = (struct offset_query){ .topic = topic, .partition = p, .timestamp_ms = OFFSET_AT_END };
        }
    }
    if (filled > 0)
        session->lookup = offset_lookup_start(session->client, queries, filled, false, looked_up, listing);
    if (filled == 0)
        end_listing(listing);
    else if (session->lookup == NULL)
        session_fail(session, MILL_ENOMEM, "");
    mem_free(queries);
}

static int run_listing(const struct cli *cli, const struct table_column *columns, size_t column_count, bool describe)
{
    struct session session;
    struct listing listing = { .session = &session, .with_internal = cli_option(cli, "internal") != NULL };
    if (!table_format_of(cli, &listing.format))
        return CLI_USAGE;
    int code = session_open(&session, cli, (const char *const[]){ "allow.auto.create.topics", "false", NULL });
    table_init(&listing.table, columns, column_count);
    if (code == CLI_OK) {
        session.operation = admin_describe_topics(session.client, describe ? cli->arguments : NULL, (size_t)cli->argument_count,
                                                  describe ? described : listed, &listing);
        if (session.operation == NULL)
            session_fail(&session, MILL_ENOMEM, "");
        code = session_run(&session);
    }
    code = session_close(&session, code);
    table_release(&listing.table);
    return code;
}

static int run_list(const struct cli *cli)
{
    static const struct table_column COLUMNS[] = { { "TOPIC", false }, { "PARTITIONS", true }, { "REPLICAS", true } };
    return run_listing(cli, COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0], false);
}

static int run_describe(const struct cli *cli)
{
    static const struct table_column COLUMNS[] = { { "TOPIC", false }, { "PARTITION", true }, { "LEADER", true },
                                                   { "EPOCH", true },  { "LOG START", true }, { "LOG END", true },
                                                   { "RECORDS", true } };
    return run_listing(cli, COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0], true);
}

static const struct cli_option list_options[] = {
    { "internal", 0, NULL, "With the broker's own topics." },
    { NULL },
};

const struct cli_command command_topic_list = {
    .name = "topic list",
    .arguments = "",
    .summary = "Lists topics.",
    .options = list_options,
    .properties = session_properties,
    .run = run_list,
};

const struct cli_command command_topic_describe = {
    .name = "topic describe",
    .arguments = "TOPIC...",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "Shows partitions with leaders and offsets.",
    .example = "millstream topic describe access-log",
    .properties = session_properties,
    .run = run_describe,
};

/* ---- delete -------------------------------------------------------------------------------------------------------------- */

static int run_delete(const struct cli *cli)
{
    struct session session;
    struct outcome outcome = { &session, "deleted", false };
    if (cli_option(cli, "execute") == NULL) {
        for (int i = 0; i < cli->argument_count; i++)
            printf("%s would be deleted with all its records\n", cli->arguments[i]);
        fputs("Nothing was deleted: add --execute to do it.\n", stderr);
        return CLI_OK;
    }
    int code = session_open(&session, cli, NULL);
    if (code == CLI_OK) {
        session.operation =
            admin_delete_topics(session.client, cli->arguments, (size_t)cli->argument_count, told_topics, &outcome);
        if (session.operation == NULL)
            session_fail(&session, MILL_ENOMEM, "");
        code = session_run(&session);
    }
    return session_close(&session, code);
}

static const struct cli_option delete_options[] = {
    { "execute", 0, NULL, "Do it; without, only say what would be done." },
    { NULL },
};

const struct cli_command command_topic_delete = {
    .name = "topic delete",
    .arguments = "TOPIC...",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "Deletes topics with their records; shows what it would do unless --execute is given.",
    .options = delete_options,
    .properties = session_properties,
    .run = run_delete,
};
