/*
 * The right side of a foreign-key join, where the rows are that others look at: it keeps who looks at which of them, answers when
 * one begins to, and tells all of them when a row changes.
 *
 * A response goes to the partition where the left row is. That is told to the sink's partitioner in `old_value`, which between
 * these nodes is free.
 */
#include "base/bytes.h"
#include "join/foreign_key_wire.h"
#include "join/join.h"

static int corrupt(mill_context *context)
{
    return mill_context_error(context, MILL_ECORRUPT, "%s: a record of its topic is no subscription of a foreign-key join",
                              mill_context_node_name(context));
}

/* `cause` with the time of the response. `room` is overwritten with it. */
static int respond(mill_context *context, struct buffer *room, const mill_record *cause, const struct subscription *to,
                   mill_bytes value)
{
    struct foreign_response response = { .hash = to->hash, .value = value };
    uint8_t partition[4];
    mill_record record = table_row(cause, mill_null());
    record.key = to->primary_key;
    write_u32_be(partition, (uint32_t)to->partition);
    record.old_value = mill_bytes_of(partition, sizeof partition);
    int code = foreign_response_write(room, &response, &record.value);
    return code < 0 ? code : mill_forward(context, &record);
}

int32_t foreign_key_partition(void *ctx, const char *topic, const mill_record *record, int32_t partition_count)
{
    if (record->old_value.len != 4)
        return -1;
    int32_t partition = (int32_t)read_u32_be(record->old_value.data);
    return partition >= partition_count ? -1 : partition;
}

/* ---- who looks at what --------------------------------------------------------------------------------------------------- */

struct receive {
    mill_store *subscriptions;
};

static int init_receive(mill_context *context, void *self, const void *argument)
{
    const struct foreign_key_argument *join = argument;
    return node_store_open(context, join->subscriptions, &((struct receive *)self)->subscriptions);
}

static int keep(mill_context *context, struct receive *receive, const mill_record *record,
                const struct subscription *subscription)
{
    bool goes = subscription->instruction == SUBSCRIPTION_DELETE || subscription->instruction == SUBSCRIPTION_DELETE_AND_ANSWER;
    mill_bytes key;
    int code = subscription_key_write(context, record->key, subscription->primary_key, &key);
    if (code < 0)
        return code;
    return mill_key_value_put(receive->subscriptions, key, goes ? mill_null() : record->value, record->timestamp_ms);
}

static int process_receive(mill_context *context, void *self, const mill_record *record)
{
    struct subscription subscription;
    if (!subscription_read(record->value, &subscription))
        return corrupt(context);
    if (mill_is_null(record->key) && subscription.instruction != SUBSCRIPTION_ANSWER) {
        mill_context_drop(context, "null-foreign-key");
        return 0;
    }
    int code = mill_is_null(record->key) ? 0 : keep(context, self, record, &subscription);
    return code < 0 ? code : mill_forward(context, record);
}

const mill_processor_type foreign_key_receive_type = {
    .name = "foreign-key-receive", .self_bytes = sizeof(struct receive), .init = init_receive, .process = process_receive
};

/* ---- answers to those that begin to look --------------------------------------------------------------------------------- */

struct answer {
    struct table_reader *rows;
    struct buffer response;
};

static int init_answer(mill_context *context, void *self, const void *argument)
{
    struct answer *answer = self;
    buffer_init(&answer->response, SIZE_MAX / 2);
    int code = table_reader_open(context, ((const struct foreign_key_argument *)argument)->other, &answer->rows);
    if (code >= 0)
        table_reader_read_forwarded(answer->rows); /* what a cache holds since is told when it is forwarded, if it is */
    return code;
}

static int process_answer(mill_context *context, void *self, const mill_record *record)
{
    struct answer *answer = self;
    struct subscription subscription;
    if (!subscription_read(record->value, &subscription))
        return corrupt(context);
    mill_bytes row = mill_null();
    int64_t row_ms;
    int found = mill_is_null(record->key) ? 0 : table_reader_get(answer->rows, record->key, &row, &row_ms);
    if (found < 0)
        return found;
    bool answers = subscription.instruction == SUBSCRIPTION_ANSWER || subscription.instruction == SUBSCRIPTION_DELETE_AND_ANSWER;
    if (!answers && (!found || subscription.instruction == SUBSCRIPTION_DELETE))
        return 0;
    if (subscription.instruction == SUBSCRIPTION_DELETE_AND_ANSWER)
        row = mill_null();
    mill_record cause = *record;
    if (found && row_ms > cause.timestamp_ms)
        cause.timestamp_ms = row_ms;
    return respond(context, &answer->response, &cause, &subscription, row);
}

static void close_answer(mill_context *context, void *self)
{
    struct answer *answer = self;
    table_reader_close(answer->rows);
    buffer_release(&answer->response);
}

const mill_processor_type foreign_key_answer_type = { .name = "foreign-key-answer",
                                                      .self_bytes = sizeof(struct answer),
                                                      .init = init_answer,
                                                      .process = process_answer,
                                                      .close = close_answer };

/* ---- changes of what is looked at ---------------------------------------------------------------------------------------- */

struct tell {
    const struct foreign_key_argument *argument;
    mill_store *subscriptions;
    struct buffer response;
};

static int init_tell(mill_context *context, void *self, const void *argument)
{
    struct tell *tell = self;
    tell->argument = argument;
    buffer_init(&tell->response, SIZE_MAX / 2);
    return node_store_open(context, tell->argument->subscriptions, &tell->subscriptions);
}

static int tell_one(mill_context *context, struct tell *tell, const mill_record *change, const mill_store_entry *kept)
{
    mill_bytes foreign_key;
    mill_bytes primary_key;
    struct subscription subscription;
    if (!subscription_key_read(kept->key, &foreign_key, &primary_key) || !subscription_read(kept->value, &subscription))
        return mill_context_error(context, MILL_ECORRUPT, "%s: its store holds what is no subscription of a foreign-key join",
                                  mill_context_node_name(context));
    subscription.primary_key = primary_key;
    return respond(context, &tell->response, change, &subscription, change->value);
}

static int process_tell(mill_context *context, void *self, const mill_record *record)
{
    struct tell *tell = self;
    if (mill_is_null(record->key)) {
        mill_context_drop(context, "null-key");
        return 0;
    }
    if (tell->argument->other_is_versioned && record->is_outdated) {
        mill_context_drop(context, "outdated");
        return 0;
    }
    mill_bytes prefix;
    mill_store_iterator *iterator;
    int code = subscription_key_write(context, record->key, mill_null(), &prefix);
    if (code >= 0)
        code = mill_key_value_prefix(tell->subscriptions, prefix, MILL_FORWARD, &iterator);
    if (code < 0)
        return code;
    mill_store_entry kept;
    while ((code = mill_store_iterator_next(iterator, &kept)) == 1) {
        code = tell_one(context, tell, record, &kept);
        if (code < 0)
            break;
    }
    mill_store_iterator_close(iterator);
    return code;
}

static void close_tell(mill_context *context, void *self)
{
    buffer_release(&((struct tell *)self)->response);
}

const mill_processor_type foreign_key_tell_type = {
    .name = "foreign-key-tell", .self_bytes = sizeof(struct tell), .init = init_tell, .process = process_tell, .close = close_tell
};
