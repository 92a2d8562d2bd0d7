/*
 * librdkafka's transactional producer and its read_committed consumer:  rdkafka_txn_program HOST:PORT
 *
 * Commit, abort, offsets in the transaction, a zombie. Prints a line for each, ends with 1 at the first that is wrong.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

enum { TIMEOUT_MS = 30000, QUIET_MS = 1500 };

static const char *server;

static void check(const char *what, bool ok)
{
    printf("%s: %s\n", ok ? "ok" : "FAILED", what);
    if (!ok)
        exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char error[256];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) {
        printf("FAILED: %s\n", error);
        exit(1);
    }
}

static rd_kafka_t *new_client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char error[256];
    set(conf, "bootstrap.servers", server);
    rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof error);
    check("a client", client != NULL);
    return client;
}

static bool done(rd_kafka_error_t *error)
{
    bool ok = error == NULL;
    if (error) {
        printf("   %s\n", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
    return ok;
}

static rd_kafka_t *new_producer(const char *id)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "transactional.id", id);
    set(conf, "transaction.timeout.ms", "10000");
    rd_kafka_t *producer = new_client(RD_KAFKA_PRODUCER, conf);
    check("a producer inits its transactions", done(rd_kafka_init_transactions(producer, TIMEOUT_MS)));
    return producer;
}

static void send_value(rd_kafka_t *producer, const char *value)
{
    rd_kafka_resp_err_t code =
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("rd-txn"), RD_KAFKA_V_VALUE((void *)value, strlen(value)),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    check("a record is taken", code == RD_KAFKA_RESP_ERR_NO_ERROR);
}

static rd_kafka_t *new_consumer(const char *group, const char *isolation)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", group);
    set(conf, "isolation.level", isolation);
    set(conf, "enable.auto.commit", "false");
    set(conf, "auto.offset.reset", "earliest");
    rd_kafka_t *consumer = new_client(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, "rd-txn", 0);
    topics->elems[0].offset = RD_KAFKA_OFFSET_BEGINNING;
    check("a consumer is assigned", rd_kafka_assign(consumer, topics) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(topics);
    return consumer;
}

/* All values, "a b ", until nothing comes for a while. */
static const char *read_all(const char *isolation)
{
    static char values[4096];
    rd_kafka_t *consumer = new_consumer("readers", isolation);
    values[0] = '\0';
    for (rd_kafka_message_t *message; (message = rd_kafka_consumer_poll(consumer, values[0] ? QUIET_MS : 10000)) != NULL;) {
        size_t len = strlen(values);
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            snprintf(values + len, sizeof values - len, "%.*s ", (int)message->len, (const char *)message->payload);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return values;
}

static bool send_offset(rd_kafka_t *producer, rd_kafka_t *consumer, int64_t offset)
{
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer);
    rd_kafka_topic_partition_list_add(offsets, "rd-txn", 0)->offset = offset;
    bool ok = done(rd_kafka_send_offsets_to_transaction(producer, offsets, group, TIMEOUT_MS));
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(offsets);
    return ok;
}

static int64_t committed(rd_kafka_t *consumer)
{
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(offsets, "rd-txn", 0);
    check("offsets are fetched", rd_kafka_committed(consumer, offsets, TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    int64_t offset = offsets->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(offsets);
    return offset;
}

static void commit_and_abort(rd_kafka_t *producer, rd_kafka_t *consumer)
{
    check("begin", done(rd_kafka_begin_transaction(producer)));
    send_value(producer, "a");
    send_value(producer, "b");
    check("offsets in the transaction", send_offset(producer, consumer, 5));
    check("commit", done(rd_kafka_commit_transaction(producer, TIMEOUT_MS)));
    check("the offset counts", committed(consumer) == 5);
    check("begin", done(rd_kafka_begin_transaction(producer)));
    send_value(producer, "x");
    rd_kafka_flush(producer, TIMEOUT_MS);
    check("offsets in the transaction", send_offset(producer, consumer, 9));
    check("abort", done(rd_kafka_abort_transaction(producer, TIMEOUT_MS)));
    check("the offset does not count", committed(consumer) == 5);
    check("begin", done(rd_kafka_begin_transaction(producer)));
    send_value(producer, "c");
    check("commit", done(rd_kafka_commit_transaction(producer, TIMEOUT_MS)));
}

static void fence(rd_kafka_t *old)
{
    check("begin", done(rd_kafka_begin_transaction(old)));
    send_value(old, "zombie");
    rd_kafka_flush(old, TIMEOUT_MS);
    rd_kafka_t *young = new_producer("rd");
    rd_kafka_error_t *error = rd_kafka_commit_transaction(old, TIMEOUT_MS);
    check("a zombie is fenced", error && rd_kafka_error_is_fatal(error));
    rd_kafka_error_destroy(error);
    check("begin", done(rd_kafka_begin_transaction(young)));
    send_value(young, "d");
    check("commit", done(rd_kafka_commit_transaction(young, TIMEOUT_MS)));
    rd_kafka_destroy(young);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    server = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    rd_kafka_t *producer = new_producer("rd");
    rd_kafka_t *consumer = new_consumer("rd-group", "read_committed");
    commit_and_abort(producer, consumer);
    fence(producer);
    check("read_committed sees what was committed", strcmp(read_all("read_committed"), "a b c d ") == 0);
    check("read_uncommitted sees all", strcmp(read_all("read_uncommitted"), "a b x c zombie d ") == 0);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    rd_kafka_destroy(producer);
    return 0;
}
