/*
 * Fetching ahead. What an answer brings is cut into runs at once: a run is whole data batches that lie together in one buffer,
 * and each partition queues its runs until they are taken. Walking the batch headers is where a torn last batch is dropped,
 * checksums are verified (over TCP; bytes from this process were), and control batches and aborted transactions are left out.
 *
 * One fetch is out per broker. It names every partition there that has room; one that is full, paused or still looked up is
 * left out. Since the broker parks a fetch without data for fetch.max.wait.ms, leaving out has a price: a partition that gets
 * room a moment later would wait behind the parked fetch of idle ones. So a fetch is held back for HOLD_BACK_US while a partition
 * is full, and one that leaves some out, or while more are expected, waits at the broker for LEFT_OUT_WAIT_MS only.
 */
#include "client/consumer.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/trace.h"
#include "client/offset_lookup.h"
#include "record/batch.h"
#include "record/control.h"
#include "wire/api/fetch.h"
#include "wire/kafka_error.h"

enum {
    HOLD_BACK_US = 20 * 1000,
    LEFT_OUT_WAIT_MS = 20,
    ANSWER_PATIENCE_US = 2 * 1000 * 1000,
};

enum partition_state { LOOKING_UP, FETCHING, FAILED };

struct run {
    struct list link;
    struct slice slice; /* held */
    int64_t next_offset;
    int64_t high_watermark;
    int64_t log_start;
};

struct assigned {
    struct consumer_partition public; /* first: a handle is a pointer to it */
    struct consumer *consumer;
    struct list link;  /* in consumer.partitions */
    struct list ready; /* in consumer.ready while it has runs and is not paused */
    enum partition_state state;
    bool paused;
    int64_t start;        /* LOOKING_UP: which offset; a timestamp of ListOffsets */
    bool asked;           /* LOOKING_UP: the look-up that is out has it */
    int64_t position;     /* next to come out */
    int64_t fetch_offset; /* next to ask for */
    int32_t last_epoch;   /* leader epoch of the last batch fetched; -1 */
    int64_t high_watermark;
    int64_t last_stable;
    int64_t log_start;
    int64_t told_us; /* when the broker last answered about it */
    struct list runs;
    size_t buffered_bytes;
    struct fetch_item *item; /* in the fetch that is out */
    int64_t retry_at_us;
    int attempts;
};

struct fetch_item {
    struct assigned *partition; /* NULL: sought or unassigned since */
};

struct fetch_call {
    struct call call;
    struct consumer *consumer;
    struct list link;
    int32_t broker;
    bool left_out; /* some partition of the broker has no part in it, or more are expected when it is made */
    size_t count;
    struct fetch_item items[];
};

struct consumer {
    struct client *client;
    struct consumer_options options;
    const struct consumer_events *events;
    void *ctx;
    int lane;
    struct list partitions;
    struct list ready;
    struct list calls;
    struct metadata_listener listener;
    struct loop_timer timer; /* the next time to look what can be fetched or looked up */
    int64_t hold_until_us;
    size_t buffered_bytes;
    bool expects_more;
    bool passed; /* a position has moved over what does not come out, and `ready` was not called since */
    struct offset_lookup *lookup;
    struct assigned **looked_up; /* by index of the look-up's queries; NULL: sought or unassigned since */
    size_t looked_up_count;
};

static struct assigned *assigned_of(struct consumer_partition *partition)
{
    return (struct assigned *)partition;
}

/* Fetches and look-ups are started in the next turn of the loop, so that many changes make one request. */
static void wake(struct consumer *consumer, int64_t at_us)
{
    if (consumer->timer.at_us == 0 || at_us < consumer->timer.at_us)
        loop_timer_set(client_loop(consumer->client), &consumer->timer, at_us);
}

static void wake_now(struct consumer *consumer)
{
    wake(consumer, loop_now(client_loop(consumer->client)).monotonic_us);
}

static void partition_failed(struct assigned *partition, int code, const char *reason)
{
    struct consumer *consumer = partition->consumer;
    struct error_text text;
    partition->state = FAILED;
    error_set(&text, code, "reading %s-%d at offset %lld: %s", partition->public.topic->name, (int)partition->public.index,
              (long long)partition->fetch_offset, reason);
    trace_warn("client", "%s", text.text);
    if (consumer->events && consumer->events->failed)
        consumer->events->failed(consumer->ctx, &partition->public, code, text.text);
}

static void back_off(struct assigned *partition, struct io_time now)
{
    partition->retry_at_us = now.monotonic_us + client_retry_backoff_us(partition->consumer->client, partition->attempts++);
}

/* ---- runs: from an answer to the receiver ---------------------------------------------------------------------------------- */

static void drop_runs(struct assigned *partition)
{
    for (struct list *node; (node = list_pop_front(&partition->runs));) {
        struct run *run = list_entry(node, struct run, link);
        shared_buffer_drop(run->slice.buffer);
        mem_free(run);
    }
    partition->consumer->buffered_bytes -= partition->buffered_bytes;
    partition->buffered_bytes = 0;
    list_remove(&partition->ready);
}

/* Queues [from, end) of the slice. 0 or MILL_ENOMEM. */
static int add_run(struct assigned *partition, const struct slice *slice, const uint8_t *from, const uint8_t *end)
{
    struct run *run = mem_calloc(1, sizeof *run);
    if (!run)
        return MILL_ENOMEM;
    run->slice.bytes = mill_bytes_of(from, (size_t)(end - from));
    run->slice.buffer = slice->buffer;
    if (slice->buffer) {
        shared_buffer_hold(slice->buffer);
    } else { /* only lives as long as the answer */
        run->slice.buffer = shared_buffer_new(run->slice.bytes.len);
        if (!run->slice.buffer) {
            mem_free(run);
            return MILL_ENOMEM;
        }
        memcpy(run->slice.buffer->data, from, run->slice.bytes.len);
        run->slice.buffer->len = (uint32_t)run->slice.bytes.len;
        run->slice.bytes.data = run->slice.buffer->data;
    }
    run->next_offset = partition->fetch_offset;
    run->high_watermark = partition->high_watermark;
    run->log_start = partition->log_start;
    list_push_back(&partition->runs, &run->link);
    partition->buffered_bytes += run->slice.bytes.len;
    partition->consumer->buffered_bytes += run->slice.bytes.len;
    return 0;
}

/* Transactions that were aborted somewhere in the answer. */
struct aborted {
    const struct fetch_response_aborted_transaction *list;
    int32_t count;
    uint8_t *phases; /* enum aborted_phase, by index */
};

enum aborted_phase { NOT_BEGUN, OPEN, ENDED };

static void aborted_begin_until(struct aborted *aborted, int64_t last_offset)
{
    for (int32_t i = 0; i < aborted->count; i++)
        if (aborted->phases[i] == NOT_BEGUN && aborted->list[i].first_offset <= last_offset)
            aborted->phases[i] = OPEN;
}

static bool aborted_has(const struct aborted *aborted, int64_t producer_id)
{
    for (int32_t i = 0; i < aborted->count; i++)
        if (aborted->phases[i] == OPEN && aborted->list[i].producer_id == producer_id)
            return true;
    return false;
}

/* A marker ends what its producer has open. */
static void aborted_end(struct aborted *aborted, int64_t producer_id)
{
    for (int32_t i = 0; i < aborted->count; i++)
        if (aborted->phases[i] == OPEN && aborted->list[i].producer_id == producer_id)
            aborted->phases[i] = ENDED;
}

static bool is_left_out(struct aborted *aborted, const struct batch_header *header)
{
    aborted_begin_until(aborted, batch_last_offset(header));
    if (batch_is_control(header)) {
        aborted_end(aborted, header->producer_id);
        return true;
    }
    return batch_is_transactional(header) && aborted_has(aborted, header->producer_id);
}

/* A run that is being gathered from a slice. */
struct gathering {
    const uint8_t *from; /* NULL: none */
    const uint8_t *end;
    int64_t offset; /* fetch_offset and last_epoch before it */
    int32_t epoch;
};

/* Queues what is gathered; without memory for it, goes back to where it began. 0 or MILL_ENOMEM. */
static int gathered(struct assigned *partition, const struct slice *slice, struct gathering *run)
{
    int code = run->from ? add_run(partition, slice, run->from, run->end) : 0;
    if (code < 0) {
        partition->fetch_offset = run->offset;
        partition->last_epoch = run->epoch;
    }
    run->from = NULL;
    return code;
}

/* The walk over one slice of an answer. Moves fetch_offset behind every whole batch. 0 or an error of batch.h, or MILL_ENOMEM. */
static int cut_slice(struct assigned *partition, const struct slice *slice, struct aborted *aborted, bool check_crc)
{
    mill_bytes region = slice->bytes;
    mill_bytes batch;
    struct batch_header header;
    struct gathering run = { NULL };
    int code;
    while ((code = batch_next(&region, &batch, &header)) == 1) {
        bool seen = batch_last_offset(&header) < partition->fetch_offset;
        if (!seen && check_crc && (code = batch_check(batch, &header)) < 0)
            break;
        if (seen || is_left_out(aborted, &header)) {
            if (gathered(partition, slice, &run) < 0)
                return MILL_ENOMEM;
        } else {
            if (!run.from)
                run = (struct gathering){ batch.data, NULL, partition->fetch_offset, partition->last_epoch };
            run.end = batch.data + batch.len;
        }
        if (!seen) {
            partition->fetch_offset = batch_next_offset(&header);
            partition->last_epoch = header.leader_epoch;
        }
    }
    return gathered(partition, slice, &run) < 0 ? MILL_ENOMEM : code;
}

/*
 * What was read over without a run of its own belongs to the last run, or is behind us if there is none.
 */
static void settle_position(struct assigned *partition)
{
    if (list_empty(&partition->runs)) {
        partition->position = partition->fetch_offset;
        partition->consumer->passed = true;
    } else {
        list_entry(partition->runs.prev, struct run, link)->next_offset = partition->fetch_offset;
    }
}

static void list_as_ready(struct assigned *partition)
{
    if (!list_empty(&partition->runs) && !partition->paused && list_empty(&partition->ready))
        list_push_back(&partition->consumer->ready, &partition->ready);
}

/* Ends with the partition's failure, if any: its owner may unassign it then. */
static void take_records(struct assigned *partition, const struct fetch_response_partition *answer, bool check_crc,
                         struct io_time now)
{
    struct aborted aborted = { .list = answer->aborted_transactions.items };
    if (partition->consumer->options.read_committed && answer->aborted_transactions.count > 0) {
        aborted.count = answer->aborted_transactions.count;
        aborted.phases = mem_calloc((size_t)aborted.count, 1);
        if (!aborted.phases) {
            back_off(partition, now);
            return;
        }
    }
    int64_t before = partition->fetch_offset;
    int code = 0;
    for (int32_t i = 0; i < answer->records.count && code == 0; i++)
        code = cut_slice(partition, &answer->records.slices[i], &aborted, check_crc);
    mem_free(aborted.phases);
    bool moved = partition->fetch_offset != before;
    if (moved) {
        settle_position(partition);
        list_as_ready(partition);
        list_remove(&partition->link); /* the others come first in the next fetch */
        list_push_back(&partition->consumer->partitions, &partition->link);
    }
    if (code == MILL_ENOMEM)
        back_off(partition, now);
    else if (code == 0 || (code == MILL_ETRUNCATED && moved)) /* the next fetch brings a torn batch whole */
        partition->attempts = 0;
    else if (code == MILL_ETRUNCATED)
        partition_failed(partition, MILL_ETOOLARGE, "the broker did not send a whole batch; raise max.partition.fetch.bytes");
    else
        partition_failed(partition, code, "a record batch fails its check; the broker's log, or the way here, is damaged");
}

static bool is_full(const struct consumer *consumer, const struct assigned *partition)
{
    return partition->buffered_bytes >= (size_t)consumer->options.partition_bytes_max ||
           consumer->buffered_bytes >= (size_t)consumer->options.fetch_bytes_max;
}

static void take_run(struct assigned *partition, struct fetched *fetched)
{
    struct run *run = list_entry(list_pop_front(&partition->runs), struct run, link);
    bool was_full = is_full(partition->consumer, partition);
    *fetched = (struct fetched){
        .partition = &partition->public,
        .batches = run->slice,
        .first_offset = partition->position,
        .next_offset = run->next_offset,
        .high_watermark = run->high_watermark,
        .log_start = run->log_start,
    };
    partition->position = run->next_offset;
    partition->buffered_bytes -= run->slice.bytes.len;
    partition->consumer->buffered_bytes -= run->slice.bytes.len;
    mem_free(run);
    if (list_empty(&partition->runs))
        list_remove(&partition->ready);
    if (was_full && !is_full(partition->consumer, partition))
        wake_now(partition->consumer);
}

bool consumer_next(struct consumer *consumer, struct fetched *fetched)
{
    struct list *node = list_pop_front(&consumer->ready);
    if (!node)
        return false;
    struct assigned *partition = list_entry(node, struct assigned, ready);
    list_push_back(&consumer->ready, node); /* its next turn */
    take_run(partition, fetched);
    return true;
}

bool consumer_next_of(struct consumer_partition *handle, struct fetched *fetched)
{
    struct assigned *partition = assigned_of(handle);
    if (list_empty(&partition->runs))
        return false;
    take_run(partition, fetched);
    return true;
}

/* ---- offsets that must be looked up ---------------------------------------------------------------------------------------- */

/* The partition's place is no longer what the requests that are out were made for. */
static void forget_requests(struct assigned *partition)
{
    struct consumer *consumer = partition->consumer;
    if (partition->item)
        partition->item->partition = NULL;
    partition->item = NULL;
    for (size_t i = 0; i < consumer->looked_up_count; i++)
        if (consumer->looked_up[i] == partition)
            consumer->looked_up[i] = NULL;
    partition->asked = false;
}

static void start_at(struct assigned *partition, int64_t start)
{
    enum offset_reset reset = partition->consumer->options.offset_reset;
    forget_requests(partition);
    drop_runs(partition);
    partition->last_epoch = -1;
    partition->retry_at_us = 0;
    partition->attempts = 0;
    partition->state = LOOKING_UP;
    partition->position = -1;
    partition->fetch_offset = -1;
    if (start >= 0) {
        partition->state = FETCHING;
        partition->position = start;
        partition->fetch_offset = start;
    } else if (start == CONSUMER_BY_POLICY && reset != OFFSET_RESET_NONE) {
        partition->start = reset == OFFSET_RESET_EARLIEST ? OFFSET_AT_START : OFFSET_AT_END;
    } else if (start < CONSUMER_NOWHERE) {
        partition->start = start - consumer_since(0);
    } else {
        partition->start = start; /* by the policy "none": fails in the next turn */
    }
    wake_now(partition->consumer);
}

/* By the policy, or failed when there is none. */
static void reset_offset(struct assigned *partition, int code, const char *reason)
{
    if (partition->consumer->options.offset_reset == OFFSET_RESET_NONE) {
        drop_runs(partition);
        partition_failed(partition, code, reason);
        return;
    }
    trace_warn("client", "reading %s-%d at offset %lld: %s; going on by auto.offset.reset", partition->public.topic->name,
               (int)partition->public.index, (long long)partition->fetch_offset, reason);
    start_at(partition, CONSUMER_BY_POLICY);
}

static void take_looked_up(struct assigned *partition, const struct offset_query *query, struct io_time now)
{
    struct consumer *consumer = partition->consumer;
    partition->asked = false;
    if (query->code == 0 && query->offset >= 0) {
        partition->state = FETCHING;
        partition->position = query->offset;
        partition->fetch_offset = query->offset;
        partition->attempts = 0;
        if (consumer->events && consumer->events->positioned)
            consumer->events->positioned(consumer->ctx, &partition->public, query->offset);
    } else if (query->code == 0 && partition->start >= 0) {
        partition->start = OFFSET_AT_END; /* nothing is as young as that */
    } else if (query->code == MILL_EACCESS || query->code == MILL_EUNSUPPORTED) {
        partition_failed(partition, query->code, "its offsets cannot be listed");
    } else {
        back_off(partition, now);
    }
}

static void on_looked_up(void *ctx, int code, struct offset_query *queries, size_t count, struct io_time now)
{
    struct consumer *consumer = ctx;
    consumer->lookup = NULL;
    for (size_t i = 0; i < count; i++) {
        struct assigned *partition = consumer->looked_up[i];
        consumer->looked_up[i] = NULL;
        if (partition)
            take_looked_up(partition, &queries[i], now);
    }
    wake_now(consumer);
}

/* The owner may change the assignment when told, so each time the search begins anew. */
static bool fail_one_without_policy(struct consumer *consumer)
{
    list_for_each (node, &consumer->partitions) {
        struct assigned *partition = list_entry(node, struct assigned, link);
        bool has_no_start = partition->start == CONSUMER_BY_POLICY || partition->start == CONSUMER_NOWHERE;
        if (partition->state != LOOKING_UP || !has_no_start)
            continue;
        partition_failed(partition, MILL_ENOTFOUND, "no offset is committed and auto.offset.reset is none");
        return true;
    }
    return false;
}

static bool wants_lookup(const struct assigned *partition, struct io_time now)
{
    return partition->state == LOOKING_UP && !partition->asked && partition->retry_at_us <= now.monotonic_us;
}

static int start_lookup(struct consumer *consumer, size_t count, struct io_time now)
{
    struct offset_query *queries = mem_calloc(count, sizeof *queries);
    struct assigned **looked_up = mem_realloc(consumer->looked_up, count * sizeof *looked_up);
    if (looked_up)
        consumer->looked_up = looked_up;
    if (!queries || !looked_up) {
        mem_free(queries);
        return MILL_ENOMEM;
    }
    size_t filled = 0;
    list_for_each (node, &consumer->partitions) {
        struct assigned *partition = list_entry(node, struct assigned, link);
        if (!wants_lookup(partition, now))
            continue;
        consumer->looked_up[filled] = partition;
        queries[filled++] = (struct offset_query){ .topic = partition->public.topic,
                                                   .partition = partition->public.index,
                                                   .timestamp_ms = partition->start };
    }
    consumer->looked_up_count = filled;
    consumer->lookup =
        offset_lookup_start(consumer->client, queries, filled, consumer->options.read_committed, on_looked_up, consumer);
    for (size_t i = 0; consumer->lookup && i < filled; i++)
        consumer->looked_up[i]->asked = true;
    mem_free(queries);
    return consumer->lookup ? 0 : MILL_ENOMEM;
}

/* One look-up is out at a time. */
static void look_up(struct consumer *consumer, struct io_time now)
{
    while (fail_one_without_policy(consumer))
        continue;
    size_t count = 0;
    list_for_each (node, &consumer->partitions)
        count += wants_lookup(list_entry(node, struct assigned, link), now);
    if (consumer->lookup || count == 0)
        return;
    if (start_lookup(consumer, count, now) < 0) {
        consumer->looked_up_count = 0;
        wake(consumer, now.monotonic_us + client_retry_backoff_us(consumer->client, 0));
    }
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

/* The log was cut below what we have read: the epoch that we read under ends earlier there. */
static void take_truncation(struct assigned *partition, const struct fetch_response_diverging_epoch *told)
{
    if (told->end_offset >= partition->fetch_offset) {
        partition->last_epoch = told->epoch;
        return;
    }
    if (partition->consumer->options.offset_reset == OFFSET_RESET_NONE) {
        partition_failed(partition, MILL_EOUTOFRANGE, "the log was truncated below this offset (unclean leader election)");
        return;
    }
    trace_warn("client", "reading %s-%d at offset %lld: the log was truncated to %lld (unclean leader election); going on there",
               partition->public.topic->name, (int)partition->public.index, (long long)partition->fetch_offset,
               (long long)told->end_offset);
    int64_t position = partition->position < told->end_offset ? partition->position : told->end_offset;
    start_at(partition, position);
}

static void take_error(struct assigned *partition, const struct fetch_response_partition *answer, struct io_time now)
{
    int16_t error = answer->error_code;
    enum error_action action = client_error_action(error);
    if (error == KAFKA_OFFSET_OUT_OF_RANGE) {
        reset_offset(partition, MILL_EOUTOFRANGE, "the log does not have it");
    } else if (error == KAFKA_TOPIC_AUTHORIZATION_FAILED) {
        partition_failed(partition, MILL_EACCESS, kafka_error_text(error));
    } else if (error == KAFKA_CORRUPT_MESSAGE) {
        partition_failed(partition, MILL_ECORRUPT, "the broker says that its log is damaged there");
    } else if (action == ERROR_FATAL && error != KAFKA_UNKNOWN_SERVER_ERROR) {
        partition_failed(partition, kafka_error_to_mill(error), kafka_error_text(error));
    } else {
        if (action == ERROR_REFRESH) {
            client_refresh(partition->consumer->client);
            client_learn_leader(partition->consumer->client, partition->public.topic, partition->public.index,
                                answer->current_leader.leader_id, answer->current_leader.leader_epoch);
        }
        back_off(partition, now);
    }
}

static void take_partition(struct assigned *partition, const struct fetch_response_partition *answer, bool check_crc,
                           struct io_time now)
{
    if (answer->error_code != 0) {
        take_error(partition, answer, now);
        return;
    }
    partition->told_us = now.monotonic_us;
    partition->high_watermark = answer->high_watermark;
    partition->last_stable = answer->last_stable_offset;
    if (answer->log_start_offset >= 0)
        partition->log_start = answer->log_start_offset;
    if (answer->diverging_epoch.end_offset >= 0) {
        take_truncation(partition, &answer->diverging_epoch);
        return;
    }
    take_records(partition, answer, check_crc, now);
}

/* The item that an answer is for; answers mostly come in the order of the request, so it is the one at *at. */
static struct assigned *take_item(struct fetch_call *call, const struct fetch_response_topic *topic, int16_t version,
                                  int32_t index, size_t *at)
{
    for (size_t i = 0; i < call->count; i++, (*at)++) {
        struct fetch_item *item = &call->items[*at % call->count];
        struct assigned *partition = item->partition;
        if (!partition || partition->public.index != index)
            continue;
        const struct client_topic *handle = partition->public.topic;
        if (version >= 13 ? !wire_uuid_equal(handle->id, topic->topic_id)
                          : !mill_bytes_equal(mill_string(handle->name), topic->topic))
            continue;
        item->partition = NULL;
        partition->item = NULL;
        return partition;
    }
    return NULL;
}

static void take_answer(struct fetch_call *call, const struct answer *answer, struct io_time now)
{
    const struct fetch_response *body = answer->body;
    bool check_crc = answer->frame && call->consumer->options.check_crcs;
    size_t at = 0;
    for (int32_t i = 0; i < body->responses.count; i++) {
        const struct fetch_response_topic *topic = &body->responses.items[i];
        for (int32_t j = 0; j < topic->partitions.count; j++) {
            const struct fetch_response_partition *told = &topic->partitions.items[j];
            struct assigned *partition = take_item(call, topic, answer->version, told->partition_index, &at);
            if (partition)
                take_partition(partition, told, check_crc, now);
        }
    }
}

static void on_fetched(struct call *base, const struct answer *answer, struct io_time now)
{
    struct fetch_call *call = base->ctx;
    struct consumer *consumer = call->consumer;
    const struct fetch_response *body = answer->body;
    bool refused = body && body->error_code != 0;
    bool had_nothing = list_empty(&consumer->ready);
    list_remove(&call->link);
    if (!body)
        client_refresh(consumer->client);
    if (body && !refused)
        take_answer(call, answer, now);
    for (size_t i = 0; i < call->count; i++) {
        struct assigned *partition = call->items[i].partition;
        if (!partition)
            continue;
        partition->item = NULL; /* left out of the answer, or there is none */
        back_off(partition, now);
        if (answer->code == MILL_EUNSUPPORTED || answer->code == MILL_EACCESS)
            partition_failed(partition, answer->code, answer->text);
    }
    mem_free(call);
    wake_now(consumer);
    bool news = consumer->passed || (had_nothing && !list_empty(&consumer->ready));
    consumer->passed = false;
    if (news && consumer->events && consumer->events->ready)
        consumer->events->ready(consumer->ctx, now);
}

/* ---- requests -------------------------------------------------------------------------------------------------------------- */

static struct fetch_request_topic *topic_entry_of(struct fetch_request *body, const char *name)
{
    for (int32_t i = body->topics.count; i-- > 0;)
        if (body->topics.items[i].topic.data == (const uint8_t *)name) /* one handle, one name */
            return &body->topics.items[i];
    return NULL;
}

static int fill_fetch(struct call *base, struct request *request)
{
    struct fetch_call *call = base->ctx;
    struct consumer *consumer = call->consumer;
    const struct consumer_options *options = &consumer->options;
    struct fetch_request *body = request->body;
    int64_t wait_ms = call->left_out && options->fetch_wait_ms > LEFT_OUT_WAIT_MS ? LEFT_OUT_WAIT_MS : options->fetch_wait_ms;
    body->max_wait_ms = (int32_t)wait_ms;
    body->min_bytes = (int32_t)options->fetch_bytes_min;
    body->max_bytes = (int32_t)options->fetch_bytes_max;
    body->isolation_level = options->read_committed ? 1 : 0;
    if (request->api_version >= 11)
        body->rack_id = mill_string(options->rack ? options->rack : "");
    body->topics.items = fetch_request_topic_array(&request->arena, (int32_t)call->count);
    if (!body->topics.items)
        return MILL_ENOMEM;
    for (size_t i = 0; i < call->count; i++) {
        struct assigned *partition = call->items[i].partition;
        if (!partition)
            continue;
        const struct client_topic *handle = partition->public.topic;
        struct fetch_request_topic *topic = topic_entry_of(body, handle->name);
        if (!topic) {
            topic = &body->topics.items[body->topics.count++];
            topic->topic = mill_string(handle->name);
            topic->topic_id = handle->id;
            topic->partitions.items = fetch_request_partition_array(&request->arena, (int32_t)(call->count - i));
            if (!topic->partitions.items)
                return MILL_ENOMEM;
        }
        struct fetch_request_partition *into = &topic->partitions.items[topic->partitions.count++];
        into->partition = partition->public.index;
        into->fetch_offset = partition->fetch_offset;
        into->partition_max_bytes = (int32_t)options->partition_bytes_max;
        if (partition->public.index < handle->partition_count)
            into->current_leader_epoch = handle->partitions[partition->public.index].leader_epoch;
        if (request->api_version >= 12)
            into->last_fetched_epoch = partition->last_epoch;
    }
    return 0;
}

enum fetch_wish { NOT_NOW, FULL, WANTED };

static enum fetch_wish wish_of(const struct consumer *consumer, const struct assigned *partition)
{
    if (partition->state != FETCHING || partition->item || partition->paused)
        return NOT_NOW;
    return is_full(consumer, partition) ? FULL : WANTED;
}

static bool fetch_is_out(const struct consumer *consumer, int32_t broker)
{
    list_for_each (node, &consumer->calls)
        if (list_entry(node, struct fetch_call, link)->broker == broker)
            return true;
    return false;
}

static void add_item(struct fetch_call *call, struct assigned *partition)
{
    struct fetch_item *item = &call->items[call->count++];
    item->partition = partition;
    partition->item = item;
    if (wire_uuid_is_zero(partition->public.topic->id))
        call->call.version_max = 12; /* later versions know topics by id alone */
}

/* A fetch of all that `broker` leads and that has room; its first such partition is `first`. */
static void fetch_from(struct consumer *consumer, int32_t broker, struct io_time now)
{
    size_t count = 0;
    list_for_each (node, &consumer->partitions)
        count++;
    struct fetch_call *call = mem_calloc(1, sizeof *call + count * sizeof call->items[0]);
    if (!call) {
        wake(consumer, now.monotonic_us + client_retry_backoff_us(consumer->client, 0));
        return;
    }
    call->call = (struct call){ .api_key = API_FETCH, .fill = fill_fetch, .done = on_fetched, .ctx = call };
    call->consumer = consumer;
    call->broker = broker;
    call->left_out = consumer->expects_more;
    list_for_each (node, &consumer->partitions) {
        struct assigned *partition = list_entry(node, struct assigned, link);
        if (partition->state == FAILED ||
            client_leader(consumer->client, partition->public.topic, partition->public.index) != broker)
            continue;
        if (wish_of(consumer, partition) == WANTED && partition->retry_at_us <= now.monotonic_us)
            add_item(call, partition);
        else
            call->left_out = true;
    }
    list_push_back(&consumer->calls, &call->link);
    client_call(consumer->client, &call->call, (struct route){ .kind = ROUTE_BROKER, .broker = broker, .lane = consumer->lane });
}

/* Whether to wait a moment for full partitions to be consumed, rather than to park a fetch without them. */
static bool hold_back(struct consumer *consumer, bool any_full, struct io_time now)
{
    if (!any_full) {
        consumer->hold_until_us = 0;
        return false;
    }
    if (consumer->hold_until_us == 0)
        consumer->hold_until_us = now.monotonic_us + HOLD_BACK_US;
    if (now.monotonic_us >= consumer->hold_until_us)
        return false;
    wake(consumer, consumer->hold_until_us);
    return true;
}

static void fetch(struct consumer *consumer, struct io_time now)
{
    bool any_full = false;
    list_for_each (node, &consumer->partitions)
        any_full |= wish_of(consumer, list_entry(node, struct assigned, link)) == FULL;
    if (hold_back(consumer, any_full, now))
        return;
    list_for_each (node, &consumer->partitions) {
        struct assigned *partition = list_entry(node, struct assigned, link);
        if (wish_of(consumer, partition) != WANTED)
            continue;
        if (partition->retry_at_us > now.monotonic_us) {
            wake(consumer, partition->retry_at_us);
            continue;
        }
        int32_t leader = client_leader(consumer->client, partition->public.topic, partition->public.index);
        if (leader >= 0 && !fetch_is_out(consumer, leader)) {
            fetch_from(consumer, leader, now);
            consumer->hold_until_us = 0;
        }
    }
}

static void on_timer(struct loop_timer *timer, struct io_time now)
{
    struct consumer *consumer = timer->ctx;
    look_up(consumer, now);
    fetch(consumer, now);
    list_for_each (node, &consumer->partitions) {
        const struct assigned *partition = list_entry(node, struct assigned, link);
        if (partition->state == LOOKING_UP && !partition->asked && partition->retry_at_us > now.monotonic_us)
            wake(consumer, partition->retry_at_us);
    }
}

static void on_metadata(void *ctx, int code, const char *text, struct io_time now)
{
    wake_now(ctx);
}

/* ---- assignment ------------------------------------------------------------------------------------------------------------ */

void consumer_expect(struct consumer *consumer, bool more)
{
    consumer->expects_more = more;
}

struct consumer_partition *consumer_assign(struct consumer *consumer, struct client_topic *topic, int32_t index, int64_t start)
{
    struct assigned *partition = mem_calloc(1, sizeof *partition);
    if (!partition)
        return NULL;
    partition->public.topic = topic;
    partition->public.index = index;
    partition->consumer = consumer;
    partition->high_watermark = -1;
    partition->last_stable = -1;
    partition->log_start = -1;
    list_init(&partition->ready);
    list_init(&partition->runs);
    list_push_back(&consumer->partitions, &partition->link);
    start_at(partition, start);
    return &partition->public;
}

void consumer_unassign(struct consumer_partition *handle)
{
    struct assigned *partition = assigned_of(handle);
    forget_requests(partition);
    drop_runs(partition);
    list_remove(&partition->link);
    mem_free(partition);
}

void consumer_seek(struct consumer_partition *handle, int64_t start)
{
    start_at(assigned_of(handle), start);
}

void consumer_pause(struct consumer_partition *handle)
{
    struct assigned *partition = assigned_of(handle);
    partition->paused = true;
    list_remove(&partition->ready);
}

void consumer_resume(struct consumer_partition *handle)
{
    struct assigned *partition = assigned_of(handle);
    if (!partition->paused)
        return;
    partition->paused = false;
    if (!list_empty(&partition->runs))
        list_push_back(&partition->consumer->ready, &partition->ready);
    wake_now(partition->consumer);
}

int64_t consumer_position(const struct consumer_partition *handle)
{
    return ((const struct assigned *)handle)->position;
}

int64_t consumer_high_watermark(const struct consumer_partition *handle)
{
    return ((const struct assigned *)handle)->high_watermark;
}

int64_t consumer_log_start(const struct consumer_partition *handle)
{
    return ((const struct assigned *)handle)->log_start;
}

int64_t consumer_lag(const struct consumer_partition *handle)
{
    const struct assigned *partition = (const struct assigned *)handle;
    int64_t end = partition->consumer->options.read_committed ? partition->last_stable : partition->high_watermark;
    if (end < 0 || partition->position < 0)
        return -1;
    return end > partition->position ? end - partition->position : 0;
}

int64_t consumer_told_until_us(const struct consumer_partition *handle)
{
    const struct assigned *partition = (const struct assigned *)handle;
    bool is_held_back = partition->consumer->options.read_committed && partition->last_stable < partition->high_watermark;
    return is_held_back ? 0 : partition->told_us + partition->consumer->options.fetch_wait_ms * 1000 + ANSWER_PATIENCE_US;
}

size_t consumer_buffered_bytes(const struct consumer *consumer)
{
    return consumer->buffered_bytes;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

struct consumer *consumer_new(struct client *client, const struct consumer_options *options, const struct consumer_events *events,
                              void *ctx)
{
    struct consumer *consumer = mem_calloc(1, sizeof *consumer);
    if (!consumer)
        return NULL;
    consumer->client = client;
    consumer->options = *options;
    consumer->events = events;
    consumer->ctx = ctx;
    consumer->lane = client_lane_new(client);
    list_init(&consumer->partitions);
    list_init(&consumer->ready);
    list_init(&consumer->calls);
    consumer->timer = (struct loop_timer){ .fire = on_timer, .ctx = consumer };
    consumer->listener = (struct metadata_listener){ .changed = on_metadata, .ctx = consumer };
    client_listen(client, &consumer->listener);
    return consumer;
}

void consumer_free(struct consumer *consumer)
{
    if (!consumer)
        return;
    client_unlisten(&consumer->listener);
    offset_lookup_cancel(consumer->lookup);
    consumer->lookup = NULL;
    while (!list_empty(&consumer->partitions))
        consumer_unassign(&list_entry(consumer->partitions.next, struct assigned, link)->public);
    for (struct list *node; (node = list_pop_front(&consumer->calls));) {
        struct fetch_call *call = list_entry(node, struct fetch_call, link);
        client_cancel(&call->call);
        mem_free(call);
    }
    loop_timer_cancel(client_loop(consumer->client), &consumer->timer);
    client_lane_close(consumer->client, consumer->lane);
    mem_free(consumer->looked_up);
    mem_free(consumer);
}
