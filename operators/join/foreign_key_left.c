/*
 * The left side of a foreign-key join, where the rows are that look at others: it subscribes to what a row looks at, and makes
 * the results of what it is told.
 *
 * Each change of a row sends what is needed and no more, after the rules of Kafka Streams 4.1 and later (KAFKA-18713): one answer
 * for each change, at most.
 *
 *                             inner                              left
 *      first foreign key      answer if there                    answer
 *      the same again         answer                             answer
 *      another one            old: delete; new: answer           old: delete; new: answer
 *      none any more          old: delete and answer             old: delete; null: answer
 *      row deleted            old: delete and answer             old: delete; null: answer
 *
 * With mill.compat=kafka the same key again asks an inner join for an answer only if the row is there, as in Kafka Streams: if it
 * was deleted just before, and the deletion's answer was to the value before this one, the result stays for ever. By default it
 * goes; in return a deletion may come of what was not there.
 *
 * A subscription to the null key is kept nowhere; its answer comes back from any partition and says that nothing is there.
 */
#include "base/murmur3.h"
#include "compat.h"
#include "join/foreign_key_wire.h"
#include "join/join.h"

/* ---- subscribing --------------------------------------------------------------------------------------------------------- */

struct subscribe {
    const struct foreign_key_argument *argument;
    bool as_kafka;
};

static int init_subscribe(mill_context *context, void *self, const void *argument)
{
    *(struct subscribe *)self = (struct subscribe){ argument, compat_is_kafka(context) };
    return 0;
}

static int foreign_key(mill_context *context, const struct foreign_key_argument *argument, const mill_record *update,
                       mill_bytes value, mill_bytes *key)
{
    *key = mill_null();
    if (mill_is_null(value))
        return 0;
    mill_record row = table_row(update, value);
    return argument->foreign_key(&row, key, context, argument->ctx);
}

static int send(mill_context *context, const mill_record *update, mill_bytes key, enum foreign_key_instruction instruction)
{
    uint8_t hash[MURMUR3_BYTES];
    struct subscription subscription = { .instruction = instruction,
                                         .primary_key = update->key,
                                         .partition = mill_context_partition(context) };
    if (!mill_is_null(update->value)) {
        murmur3_128(update->value, hash);
        subscription.hash = mill_bytes_of(hash, sizeof hash);
    }
    mill_record record = table_row(update, mill_null());
    record.key = key;
    int code = subscription_write(context, &subscription, &record.value);
    return code < 0 ? code : mill_forward(context, &record);
}

static int subscribe_left(mill_context *context, const mill_record *update, mill_bytes old_key, mill_bytes new_key)
{
    if (mill_is_null(update->value) && mill_is_null(update->old_value))
        return 0;
    int code = 0;
    if (!mill_is_null(old_key) && !mill_bytes_equal(old_key, new_key))
        code = send(context, update, old_key, SUBSCRIPTION_DELETE);
    return code < 0 ? code : send(context, update, new_key, SUBSCRIPTION_ANSWER);
}

static int subscribe_inner(mill_context *context, const mill_record *update, mill_bytes old_key, mill_bytes new_key,
                           bool as_kafka)
{
    if (!mill_is_null(update->value) && mill_is_null(new_key))
        mill_context_drop(context, "null-foreign-key");
    if (mill_is_null(new_key))
        return mill_is_null(old_key) ? 0 : send(context, update, old_key, SUBSCRIPTION_DELETE_AND_ANSWER);
    bool same = !mill_is_null(old_key) && mill_bytes_equal(old_key, new_key);
    if (mill_is_null(old_key) || (same && as_kafka))
        return send(context, update, new_key, SUBSCRIPTION_ANSWER_IF_THERE);
    int code = same ? 0 : send(context, update, old_key, SUBSCRIPTION_DELETE);
    return code < 0 ? code : send(context, update, new_key, SUBSCRIPTION_ANSWER);
}

static int process_subscribe(mill_context *context, void *self, const mill_record *record)
{
    const struct subscribe *subscribe = self;
    const struct foreign_key_argument *argument = subscribe->argument;
    if (argument->table_is_versioned && record->is_outdated) {
        mill_context_drop(context, "outdated");
        return 0;
    }
    mill_bytes old_key;
    mill_bytes new_key;
    int code = foreign_key(context, argument, record, record->old_value, &old_key);
    if (code >= 0)
        code = foreign_key(context, argument, record, record->value, &new_key);
    if (code < 0)
        return code;
    return argument->left ? subscribe_left(context, record, old_key, new_key)
                          : subscribe_inner(context, record, old_key, new_key, subscribe->as_kafka);
}

const mill_processor_type foreign_key_subscribe_type = {
    .name = "foreign-key-subscribe", .self_bytes = sizeof(struct subscribe), .init = init_subscribe, .process = process_subscribe
};

/* ---- results ------------------------------------------------------------------------------------------------------------- */

struct resolve {
    const struct foreign_key_argument *argument;
    struct table_reader *rows;
};

static int init_resolve(mill_context *context, void *self, const void *argument)
{
    struct resolve *resolve = self;
    resolve->argument = argument;
    int code = table_reader_open(context, resolve->argument->table, &resolve->rows);
    if (code >= 0)
        table_reader_read_forwarded(resolve->rows); /* an answer is to what was sent, not to what waits in a cache */
    return code;
}

/* True when the answer is to the value that the row has now. */
static bool is_current(mill_bytes value, mill_bytes hash)
{
    uint8_t current[MURMUR3_BYTES];
    if (mill_is_null(value) || mill_is_null(hash))
        return mill_is_null(value) && mill_is_null(hash);
    murmur3_128(value, current);
    return mill_bytes_equal(hash, mill_bytes_of(current, sizeof current));
}

static int process_resolve(mill_context *context, void *self, const mill_record *record)
{
    struct resolve *resolve = self;
    const struct foreign_key_argument *argument = resolve->argument;
    struct foreign_response response;
    if (mill_is_null(record->key) || !foreign_response_read(record->value, &response))
        return mill_context_error(context, MILL_ECORRUPT, "%s: a record of its topic is no response of a foreign-key join",
                                  mill_context_node_name(context));
    mill_bytes row;
    int64_t timestamp_ms;
    int found = table_reader_get(resolve->rows, record->key, &row, &timestamp_ms);
    if (found < 0)
        return found;
    if (!is_current(row, response.hash)) {
        mill_context_drop(context, "stale-response");
        return 0;
    }
    mill_record result = table_row(record, mill_null());
    int code = 0;
    if (!mill_is_null(response.value) || (argument->left && found))
        code = argument->joiner(record->key, row, response.value, &result.value, context, argument->ctx);
    return code < 0 ? code : mill_forward(context, &result);
}

static void close_resolve(mill_context *context, void *self)
{
    table_reader_close(((struct resolve *)self)->rows);
}

const mill_processor_type foreign_key_resolve_type = { .name = "foreign-key-resolve",
                                                       .self_bytes = sizeof(struct resolve),
                                                       .init = init_resolve,
                                                       .process = process_resolve,
                                                       .close = close_resolve };
