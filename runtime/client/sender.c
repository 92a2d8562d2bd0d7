/*
 * Batches to their leaders, and what becomes of them: the producer's half that knows requests, errors and sequence numbers.
 *
 * Order. A partition's batches are in flight at one broker at a time; when one must go again nothing of the partition is sent
 * until all in flight are back. So the broker, which remembers five batches, always knows a batch that comes twice.
 *
 * The first batch under new numbers goes alone, until it is acknowledged: a broker that has never heard of a producer takes any
 * sequence, so a second batch behind a refused first one would be taken, and the first then be out of order for ever (seen with
 * Kafka 4.3, whose new topics refuse writes for a moment).
 *
 * Sequences. A partition numbers its batches under (producer id, epoch); the broker keeps that per partition, so epochs may
 * differ between partitions. `hole` says that a number will never arrive: once nothing is in flight, the queue is renumbered from
 * 0 under the next epoch (KIP-360), or under a new producer id when the broker has fenced the old one or its epochs are used up.
 *
 *     answer                              what it means here
 *     none, DUPLICATE_SEQUENCE_NUMBER     delivered
 *     OUT_OF_ORDER_SEQUENCE_NUMBER        of the batch awaited next: the broker lost what came before, a hole; else: an earlier
 *                                         batch failed, so this one waits its turn
 *     UNKNOWN_PRODUCER_ID                 the broker has forgotten us: a hole
 *     INVALID_PRODUCER_EPOCH              fenced: a hole, and a new producer id
 *     MESSAGE_TOO_LARGE, RECORD_LIST_...  of several records: two batches in its place, and smaller ones from now on
 *     retriable, connection, time-out     the same batch again, after a back-off
 *     any other, delivery time-out        the batch is lost, and leaves a hole
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/hash_map.h"
#include "base/trace.h"
#include "client/producer_internal.h"
#include "record/batch.h"
#include "wire/api/init_producer_id.h"
#include "wire/api/produce.h"
#include "wire/kafka_error.h"

/* With 12 a batch joins the transaction by itself (KIP-890), whose epoch then changes at each end. */
enum { TRANSACTIONAL_PRODUCE_VERSION = 11, JOINING_PRODUCE_VERSION = 12 };
enum { RETRY_TOLD_ATTEMPTS = 3, RETRY_TOLD_EVERY_US = 30 * 1000000 };

struct produce_call {
    struct call call;
    struct producer *producer;
    struct list link;
    struct list batches;
    size_t bytes;
    int32_t broker;
};

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

/* A person waits for records that do not go: not at the first hiccup, and not for each batch. */
static void tell_retrying(struct producer *producer, const struct producer_failure *failure, int attempts, struct io_time now)
{
    if (attempts < RETRY_TOLD_ATTEMPTS ||
        (producer->retry_told_us != 0 && now.monotonic_us - producer->retry_told_us < RETRY_TOLD_EVERY_US))
        return;
    producer->retry_told_us = now.monotonic_us;
    if (producer->events && producer->events->retrying)
        producer->events->retrying(producer->ctx, failure);
    else
        trace_warn("client", "%s", failure->text);
}

/* ---- the producer id ------------------------------------------------------------------------------------------------------- */

static int fill_init_producer_id(struct call *call, struct request *request)
{
    struct init_producer_id_request *body = request->body;
    body->transactional_id = mill_null();
    body->transaction_timeout_ms = INT32_MAX; /* without a transactional id it means nothing */
    return 0;
}

static void landed(struct batch *batch);
static void give_up(struct producer *producer, struct batch *batch, int code, const char *text);

static void producer_failed(struct producer *producer, int code, const char *text, struct io_time now)
{
    producer->error = error_set(&producer->error_text, code, "the producer cannot get a producer id: %s", text);
    while (!list_empty(&producer->batches)) {
        struct batch *batch = list_entry(producer->batches.next, struct batch, age);
        if (batch->in_flight)
            landed(batch);
        give_up(producer, batch, code, text);
    }
    producer_settled(producer, now);
}

static void on_producer_id(struct call *call, const struct answer *answer, struct io_time now)
{
    struct producer *producer = call->ctx;
    const struct init_producer_id_response *body = answer->body;
    if (body && body->error_code == 0) {
        producer->producer_id = body->producer_id;
        producer->producer_epoch = body->producer_epoch;
        producer->id_attempts = 0;
        sender_drain(producer, now);
        return;
    }
    enum error_action action = body ? client_error_action(body->error_code) : ERROR_RETRY;
    if (answer->code == MILL_EUNSUPPORTED || answer->code == MILL_EACCESS) {
        producer_failed(producer, answer->code, answer->text, now);
    } else if (action == ERROR_FATAL) {
        producer_failed(producer, kafka_error_to_mill(body->error_code), kafka_error_text(body->error_code), now);
    } else {
        loop_timer_set(client_loop(producer->client), &producer->id_timer,
                       now.monotonic_us + client_retry_backoff_us(producer->client, producer->id_attempts++));
        int code = body ? kafka_error_to_mill(body->error_code) : answer->code;
        struct producer_failure failure = { "", -1, 0, code, producer->error_text.text };
        error_set(&producer->error_text, code, "the broker gives no producer id yet, nothing can be sent before: %s%s%s",
                  body ? kafka_error_name(body->error_code) : "", body ? ": " : "",
                  body ? kafka_error_text(body->error_code) : answer->text);
        tell_retrying(producer, &failure, producer->id_attempts, now);
    }
}

static void on_id_timer(struct loop_timer *timer, struct io_time now)
{
    sender_want_id(timer->ctx);
}

void sender_want_id(struct producer *producer)
{
    if (!is_transactional(producer) && producer->producer_id < 0 && producer->error == 0 &&
        !client_call_pending(&producer->id_call))
        client_call(producer->client, &producer->id_call, (struct route){ .kind = ROUTE_ANY });
}

/* ---- sequences ------------------------------------------------------------------------------------------------------------- */

/*
 * A broker in this process stamps offsets into the batch that it was sent, and may hold on to it: from then on the bytes are
 * others' too, and what is sent again, or changed, is a copy. 0 or MILL_ENOMEM.
 */
static int unshare(struct batch *batch)
{
    if (atomic_load(&batch->bytes->holders) == 1)
        return 0;
    struct shared_buffer *copy = shared_buffer_new(batch->bytes->capacity);
    if (!copy)
        return MILL_ENOMEM;
    copy->len = batch->bytes->len;
    memcpy(copy->data, batch->bytes->data, batch->bytes->len);
    batch_stamp(copy->data, 0, -1);
    shared_buffer_drop(batch->bytes);
    batch->bytes = copy;
    return 0;
}

int sender_stamp(struct batch *batch, int64_t producer_id, int16_t producer_epoch, int32_t sequence)
{
    if (unshare(batch) < 0)
        return MILL_ENOMEM;
    struct batch_header header;
    int code = batch_header_decode(mill_bytes_of(batch->bytes->data, batch->bytes->len), &header);
    mill_assert(code == 0); /* our own writer made it */
    header.producer_id = batch->producer_id = producer_id;
    header.producer_epoch = batch->producer_epoch = producer_epoch;
    header.base_sequence = batch->sequence = sequence;
    batch_header_encode(&header, batch->bytes->data);
    batch_seal(batch->bytes->data, batch->bytes->len);
    return 0;
}

/*
 * Gives the partition its numbers: the producer's when it has none, else the next epoch. False: a producer id or memory must come
 * first. Nothing is in flight.
 */
static bool renumber(struct producer *producer, struct producer_partition *partition)
{
    int64_t id = partition->producer_id;
    int16_t epoch = (int16_t)(partition->producer_epoch + 1);
    mill_assert(!is_transactional(producer) || id < 0); /* its epochs are the coordinator's to give */
    if (id >= 0 && partition->producer_epoch == INT16_MAX) {
        if (producer->producer_id == id)
            producer->producer_id = -1;
        id = -1;
    }
    if (id < 0) {
        id = producer->producer_id;
        epoch = producer->producer_epoch;
    }
    if (id < 0) {
        sender_want_id(producer);
        return false;
    }
    int32_t sequence = 0;
    list_for_each (node, &partition->queue) {
        struct batch *batch = list_entry(node, struct batch, link);
        if (sender_stamp(batch, id, epoch, sequence) < 0)
            return false; /* what is stamped already is stamped again, the same way */
        sequence = sequence_after(sequence, batch->record_count);
    }
    partition->producer_id = id;
    partition->producer_epoch = epoch;
    partition->established = false;
    partition->hole = false;
    partition->sequence_next = sequence;
    partition->sequence_awaited = 0;
    return true;
}

/* ---- queues ---------------------------------------------------------------------------------------------------------------- */

static void expect_expiry(struct producer *producer, const struct batch *batch)
{
    if (producer->expiry_timer.at_us == 0)
        loop_timer_set(client_loop(producer->client), &producer->expiry_timer, batch->deadline_us);
}

void sender_queue(struct producer *producer, struct batch *batch)
{
    struct producer_partition *partition = batch->partition;
    if (list_empty(&partition->queue))
        list_push_back(&producer->ready, &partition->ready);
    list_push_back(&partition->queue, &batch->link);
    expect_expiry(producer, batch);
}

/* Back to its place among the others. */
static void requeue(struct producer *producer, struct batch *batch)
{
    struct producer_partition *partition = batch->partition;
    if (list_empty(&partition->queue))
        list_push_back(&producer->ready, &partition->ready);
    struct list *after = partition->queue.next;
    while (after != &partition->queue && list_entry(after, struct batch, link)->number < batch->number)
        after = after->next;
    list_push_back(after, &batch->link); /* before `after`: a circular list has no ends */
    partition->recovering = true;
}

static void give_up(struct producer *producer, struct batch *batch, int code, const char *text)
{
    struct producer_partition *partition = batch->partition;
    if (batch->producer_id >= 0)
        partition->hole = true;
    if (!batch->in_flight && partition->queue.next == &batch->link && partition->queue.prev == &batch->link)
        list_remove(&partition->ready);
    producer_batch_lost(producer, batch, code, "%s", text);
}

/* Its time is up: what kept it from being acknowledged is told, where that is known. */
static void expire(struct producer *producer, struct batch *batch, const char *last_error, struct io_time now)
{
    struct error_text text;
    int64_t waited_us = now.monotonic_us - batch->deadline_us + producer->options.delivery_timeout_ms * 1000;
    if (last_error == NULL && producer->producer_id < 0 && producer->error_text.text[0] != '\0')
        last_error = producer->error_text.text;
    error_set(&text, MILL_ETIMEOUT, "expired after %lld ms (delivery.timeout.ms), %s%s", (long long)(waited_us / 1000),
              last_error != NULL ? "last error: " : "",
              last_error != NULL ? last_error : "never sent: is the broker reachable, has the partition a leader?");
    give_up(producer, batch, MILL_ETIMEOUT, text.text);
}

static void on_expiry(struct loop_timer *timer, struct io_time now)
{
    struct producer *producer = timer->ctx;
    list_for_each_safe (node, &producer->batches) {
        struct batch *batch = list_entry(node, struct batch, age);
        if (batch->deadline_us > now.monotonic_us) {
            loop_timer_set(client_loop(producer->client), timer, batch->deadline_us);
            break;
        }
        if (!batch->in_flight) /* else its answer decides */
            expire(producer, batch, batch->partition->last_error, now);
    }
    producer_settled(producer, now);
    sender_drain(producer, now);
}

void sender_drop_all(struct producer *producer)
{
    while (!list_empty(&producer->lingering)) {
        struct producer_partition *partition = list_entry(producer->lingering.next, struct producer_partition, lingering);
        list_remove(&partition->lingering);
        batch_writer_clear(&partition->writer);
        producer->buffered_bytes -= partition->open_bytes;
        partition->open_bytes = 0;
    }
    list_for_each_safe (node, &producer->batches) {
        struct batch *batch = list_entry(node, struct batch, age);
        if (!batch->in_flight)
            producer_batch_gone(producer, batch);
    }
    while (!list_empty(&producer->ready))
        list_pop_front(&producer->ready);
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

static void delivered(struct producer *producer, struct batch *batch, int64_t base_offset)
{
    struct producer_partition *partition = batch->partition;
    partition->established = true;
    if (batch->number >= partition->number_awaited) { /* in-process, a request of one partition may overtake one of many */
        partition->sequence_awaited = sequence_after(batch->sequence, batch->record_count);
        partition->number_awaited = batch->number + 1;
    }
    if (base_offset >= 0 && base_offset + batch->record_count > partition->acknowledged_end)
        partition->acknowledged_end = base_offset + batch->record_count;
    if (partition->last_error != NULL) {
        mem_free(partition->last_error);
        partition->last_error = NULL;
    }
    producer_batch_gone(producer, batch);
}

static void try_again(struct producer *producer, struct batch *batch, int code, const char *text, struct io_time now)
{
    if (transaction_drops(producer)) {
        producer_batch_gone(producer, batch);
        return;
    }
    if (now.monotonic_us >= batch->deadline_us) {
        expire(producer, batch, text, now);
        return;
    }
    struct producer_partition *partition = batch->partition;
    partition->retry_at_us = now.monotonic_us + client_retry_backoff_us(producer->client, batch->attempts++);
    requeue(producer, batch);
    /* What becomes of those behind the first follows from that. */
    if (batch->sequence != partition->sequence_awaited && partition->last_error != NULL)
        return;
    mem_free(partition->last_error);
    partition->last_error = mem_strdup(text); /* without memory it is not told, that is all */
    struct error_text full;
    const char *topic = partition->topic->handle->name;
    struct producer_failure failure = { topic, partition->index, batch->record_count, code, full.text };
    error_set(&full, code, "producing to %s-%d fails (attempt %d) and is tried again for %lld s: %s", topic,
              (int)partition->index, batch->attempts, (long long)((batch->deadline_us - now.monotonic_us + 999999) / 1000000),
              text);
    tell_retrying(producer, &failure, batch->attempts, now);
}

/*
 * A transaction's sequence numbers cannot be mended: all goes again after an abort, under the next epoch. A batch that was
 * refused because an earlier one failed waits its turn here, too.
 */
static void refused_in_transaction(struct producer *producer, struct batch *batch, int16_t error, const char *text,
                                   struct io_time now)
{
    const struct producer_partition *partition = batch->partition;
    bool out_of_turn = error == KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER && batch->sequence != partition->sequence_awaited &&
                       batch->number >= partition->number_awaited;
    if (out_of_turn || transaction_drops(producer)) {
        try_again(producer, batch, kafka_error_to_mill(error), text, now);
        return;
    }
    give_up(producer, batch, kafka_error_to_mill(error), text);
    if (error == KAFKA_PRODUCER_FENCED)
        transaction_fenced(producer, text, now);
}

/* max.message.bytes of the topic may be less than our batches have (batch.size): Kafka's own producer splits them, too. */
static void too_large(struct producer *producer, struct batch *batch, struct io_time now)
{
    struct producer_partition *partition = batch->partition;
    struct batch *behind;
    size_t whole = batch->bytes->len;
    size_t half;
    if (batch_split(producer, batch, &behind, &half) < 0) {
        try_again(producer, batch, MILL_ENOMEM, "no memory to split a batch that is too large for its topic", now);
        return;
    }
    requeue(producer, batch);
    requeue(producer, behind);
    if (half >= partition->writer.bytes_target)
        return;
    partition->writer.bytes_target = half;
    trace_info("client",
               "%s-%d takes no batch of %zu bytes (max.message.bytes, segment.bytes): it is split, and new ones have %zu",
               partition->topic->handle->name, (int)partition->index, whole, half);
}

static void refused(struct producer *producer, struct batch *batch, const struct produce_response_partition *answer,
                    struct io_time now)
{
    struct producer_partition *partition = batch->partition;
    int16_t error = answer->error_code;
    int code = kafka_error_to_mill(error);
    enum error_action action = client_error_action(error);
    trace_debug("client", "producing to %s-%d: %s", partition->topic->handle->name, (int)partition->index,
                kafka_error_name(error));
    struct error_text text;
    error_set(&text, code, "%s: %s%s%.*s", kafka_error_name(error), kafka_error_text(error),
              mill_is_null(answer->error_message) ? "" : "; the broker says: ", (int)answer->error_message.len,
              (const char *)answer->error_message.data);
    bool is_too_large = error == KAFKA_MESSAGE_TOO_LARGE || error == KAFKA_RECORD_LIST_TOO_LARGE;
    if (is_too_large && batch->record_count > 1 && !transaction_drops(producer)) {
        too_large(producer, batch, now);
        return;
    }
    if (is_transactional(producer) && action == ERROR_FATAL) {
        refused_in_transaction(producer, batch, error, text.text, now);
        return;
    }
    switch (error) {
    case KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER:
        if (batch->number < partition->number_awaited) {
            give_up(producer, batch, code, "the broker took a later batch first; whether this one is written is not known");
            return;
        }
        partition->hole |= batch->sequence == partition->sequence_awaited;
        try_again(producer, batch, code, text.text, now);
        return;
    case KAFKA_INVALID_PRODUCER_EPOCH:
        if (producer->producer_id == batch->producer_id)
            producer->producer_id = -1;
        partition->producer_id = -1;
        partition->hole = true;
        try_again(producer, batch, code, text.text, now);
        return;
    case KAFKA_UNKNOWN_PRODUCER_ID:
        partition->hole = true;
        try_again(producer, batch, code, text.text, now);
        return;
    default:
        break;
    }
    if (action == ERROR_REFRESH) {
        client_refresh(producer->client);
        client_learn_leader(producer->client, partition->topic->handle, partition->index, answer->current_leader.leader_id,
                            answer->current_leader.leader_epoch);
    }
    if (action != ERROR_FATAL) {
        try_again(producer, batch, code, text.text, now);
        return;
    }
    give_up(producer, batch, code, text.text);
}

/* It is no longer in flight; the caller decides its fate. */
static void landed(struct batch *batch)
{
    struct producer_partition *partition = batch->partition;
    list_remove(&batch->link);
    batch->in_flight = false;
    partition->in_flight--;
    if (partition->in_flight == 0)
        partition->recovering = false;
}

static struct batch *find_batch(struct produce_call *call, const struct produce_response_topic *topic, int16_t version,
                                int32_t index)
{
    list_for_each (node, &call->batches) {
        struct batch *batch = list_entry(node, struct batch, link);
        const struct client_topic *handle = batch->partition->topic->handle;
        bool same = version >= 13 ? wire_uuid_equal(handle->id, topic->topic_id)
                                  : mill_bytes_equal(topic->name, mill_string(handle->name));
        if (same && batch->partition->index == index)
            return batch;
    }
    return NULL;
}

static void take_answers(struct producer *producer, struct produce_call *call, const struct produce_response *body,
                         int16_t version, struct io_time now)
{
    for (int32_t i = 0; i < body->responses.count; i++) {
        const struct produce_response_topic *topic = &body->responses.items[i];
        for (int32_t j = 0; j < topic->partition_responses.count; j++) {
            const struct produce_response_partition *answer = &topic->partition_responses.items[j];
            struct batch *batch = find_batch(call, topic, version, answer->index);
            if (!batch)
                continue;
            landed(batch);
            if (answer->error_code == 0 || answer->error_code == KAFKA_DUPLICATE_SEQUENCE_NUMBER)
                delivered(producer, batch, answer->error_code == 0 ? answer->base_offset : -1);
            else
                refused(producer, batch, answer, now);
        }
    }
}

static struct producer_broker *broker_of(struct producer *producer, int32_t id)
{
    for (size_t i = 0; i < producer->broker_count; i++)
        if (producer->brokers[i].id == id)
            return &producer->brokers[i];
    struct producer_broker *grown = mem_realloc(producer->brokers, (producer->broker_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    producer->brokers = grown;
    grown[producer->broker_count] = (struct producer_broker){ .id = id };
    return &grown[producer->broker_count++];
}

static void on_produced(struct call *base, const struct answer *answer, struct io_time now)
{
    struct produce_call *call = base->ctx;
    struct producer *producer = call->producer;
    broker_of(producer, call->broker)->in_flight--; /* made when the request was */
    list_remove(&call->link);
    if (answer->body)
        take_answers(producer, call, answer->body, answer->version, now);
    else if (answer->code != MILL_ENOMEM)
        client_refresh(producer->client);
    /* What has no answer of its own: the connection failed, or the broker left it out. */
    while (!list_empty(&call->batches)) {
        struct batch *batch = list_entry(call->batches.next, struct batch, link);
        landed(batch);
        if (answer->code == MILL_EUNSUPPORTED || answer->code == MILL_ETOOLARGE || answer->code == MILL_EACCESS)
            give_up(producer, batch, answer->code, answer->text);
        else
            try_again(producer, batch, answer->code, answer->body ? "the broker left it out of its answer" : answer->text, now);
    }
    mem_free(call);
    producer_settled(producer, now);
    transaction_landed(producer, now);
    sender_drain(producer, now);
}

/* ---- requests -------------------------------------------------------------------------------------------------------------- */

/* Counts the batches of each topic and gives topics their places. Returns how many topics. */
static int32_t lay_out(struct produce_call *call)
{
    int32_t topics = 0;
    list_for_each (node, &call->batches)
        list_entry(node, struct batch, link)->partition->topic->fill_slot = -1;
    list_for_each (node, &call->batches) {
        struct producer_topic *topic = list_entry(node, struct batch, link)->partition->topic;
        if (topic->fill_slot < 0) {
            topic->fill_slot = topics++;
            topic->fill_count = 0;
        }
        topic->fill_count++;
    }
    return topics;
}

static int fill_produce(struct call *base, struct request *request)
{
    struct produce_call *call = base->ctx;
    struct produce_request *body = request->body;
    int32_t topics = lay_out(call);
    body->transactional_id = mill_string(call->producer->options.transactional_id);
    body->acks = -1;
    body->timeout_ms = (int32_t)client_get_options(call->producer->client)->request_timeout_ms;
    body->topic_data.items = produce_request_topic_array(&request->arena, topics);
    if (!body->topic_data.items)
        return MILL_ENOMEM;
    body->topic_data.count = topics;
    list_for_each (node, &call->batches) {
        struct batch *batch = list_entry(node, struct batch, link);
        struct producer_topic *topic = batch->partition->topic;
        struct produce_request_topic *into = &body->topic_data.items[topic->fill_slot];
        if (into->partition_data.count == 0) {
            into->name = mill_string(topic->handle->name);
            into->topic_id = topic->handle->id;
            into->partition_data.items = produce_request_partition_array(&request->arena, topic->fill_count);
        }
        struct slice *slice = arena_alloc(&request->arena, sizeof *slice);
        bool again = batch->attempts > 0;
        if (!into->partition_data.items || !slice || (again && unshare(batch) < 0) || request_keep(request, batch->bytes) < 0)
            return MILL_ENOMEM;
        *slice = (struct slice){ mill_bytes_of(batch->bytes->data, batch->bytes->len), batch->bytes };
        into->partition_data.items[into->partition_data.count++] = (struct produce_request_partition){
            .index = batch->partition->index,
            .records = { .slices = slice, .count = 1, .len = batch->bytes->len },
        };
    }
    return 0;
}

static void not_before(int64_t at_us, int64_t *later_us)
{
    if (*later_us == 0 || at_us < *later_us)
        *later_us = at_us;
}

/* May the partition's first batch go now? Sets `*later_us` when only time is missing. */
static bool sendable(struct producer *producer, struct producer_partition *partition, struct io_time now, int64_t *later_us)
{
    bool alone = partition->recovering || !partition->established;
    if (partition->in_flight >= (alone ? 1 : producer->options.in_flight_max))
        return false;
    if (partition->retry_at_us > now.monotonic_us) {
        not_before(partition->retry_at_us, later_us);
        return false;
    }
    if (partition->producer_id >= 0 && !partition->hole)
        return true;
    return partition->in_flight == 0 && renumber(producer, partition);
}

/* The request being built for the partition's leader, NULL when it must wait. Sets `*later_us` as above. */
static struct produce_call *call_for(struct producer *producer, struct producer_partition *partition, size_t bytes,
                                     struct io_time now, int64_t *later_us)
{
    int32_t leader = client_leader(producer->client, partition->topic->handle, partition->index);
    struct producer_broker *broker = leader < 0 ? NULL : broker_of(producer, leader);
    if (!broker || broker->in_flight >= producer->options.in_flight_max)
        return NULL;
    if (partition->in_flight > 0 && partition->in_flight_at != leader)
        return NULL; /* later batches must not pass those that the old leader may still answer */
    struct produce_call *call = broker->building;
    if (call)
        return call->bytes + bytes <= (size_t)producer->options.request_bytes_max ? call : NULL;
    call = mem_calloc(1, sizeof *call);
    if (!call) {
        not_before(now.monotonic_us + client_retry_backoff_us(producer->client, 0), later_us);
        return NULL;
    }
    call->call = (struct call){ .api_key = API_PRODUCE, .fill = fill_produce, .done = on_produced, .ctx = call };
    call->producer = producer;
    call->broker = leader;
    list_init(&call->batches);
    broker->building = call;
    return call;
}

static void add_batch(struct produce_call *call, struct producer_partition *partition)
{
    struct batch *batch = list_entry(list_pop_front(&partition->queue), struct batch, link);
    if (list_empty(&partition->queue))
        list_remove(&partition->ready);
    list_push_back(&call->batches, &batch->link);
    call->bytes += batch->bytes->len;
    batch->in_flight = true;
    partition->in_flight++;
    partition->in_flight_at = call->broker;
    if (wire_uuid_is_zero(partition->topic->handle->id))
        call->call.version_max = 12; /* later versions know topics by id alone */
    const struct producer *producer = partition->topic->producer;
    if (is_transactional(producer))
        call->call.version_max = producer->transaction.joins_by_itself ? JOINING_PRODUCE_VERSION : TRANSACTIONAL_PRODUCE_VERSION;
}

/* One request to each broker that has something to get. Whether any was sent. */
static bool drain_once(struct producer *producer, struct io_time now, int64_t *later_us)
{
    list_for_each_safe (node, &producer->ready) {
        struct producer_partition *partition = list_entry(node, struct producer_partition, ready);
        if (!transaction_admits(producer, partition) || !sendable(producer, partition, now, later_us))
            continue;
        size_t bytes = list_entry(partition->queue.next, struct batch, link)->bytes->len;
        struct produce_call *call = call_for(producer, partition, bytes, now, later_us);
        if (call)
            add_batch(call, partition);
    }
    bool sent = false;
    for (size_t i = 0; i < producer->broker_count; i++) {
        struct produce_call *call = producer->brokers[i].building;
        if (!call)
            continue;
        producer->brokers[i].building = NULL;
        producer->brokers[i].in_flight++;
        list_push_back(&producer->calls, &call->link);
        client_call(producer->client, &call->call,
                    (struct route){ .kind = ROUTE_BROKER, .broker = call->broker, .lane = producer->lane });
        sent = true;
    }
    return sent;
}

void sender_drain(struct producer *producer, struct io_time now)
{
    if (list_empty(&producer->ready) || producer->error < 0)
        return;
    if (transaction_drops(producer)) {
        sender_drop_all(producer);
        producer_settled(producer, now);
        return;
    }
    if (producer->producer_id < 0)
        sender_want_id(producer);
    int64_t later_us = 0;
    while (drain_once(producer, now, &later_us) && !list_empty(&producer->ready))
        later_us = 0;
    transaction_add_partitions(producer);
    if (later_us != 0)
        loop_timer_set(client_loop(producer->client), &producer->retry_timer, later_us);
}

static void on_retry(struct loop_timer *timer, struct io_time now)
{
    sender_drain(timer->ctx, now);
}

/* ---- metadata and life ----------------------------------------------------------------------------------------------------- */

/* Nothing that waits for a topic which we may not write to, or which cannot exist, will ever go. */
static void lose_topic(struct producer *producer, struct producer_topic *topic)
{
    for (int32_t i = 0; i < topic->partition_capacity; i++) {
        struct producer_partition *partition = topic->partitions[i];
        while (partition && !list_empty(&partition->queue))
            give_up(producer, list_entry(partition->queue.next, struct batch, link), topic->handle->code,
                    mill_error_text(topic->handle->code));
    }
}

static void on_metadata(void *ctx, int code, const char *text, struct io_time now)
{
    struct producer *producer = ctx;
    size_t at = 0;
    const struct hash_map_entry *entry;
    while ((entry = hash_map_next(&producer->topics, &at))) {
        struct producer_topic *topic = entry->value;
        if (topic->handle->code == MILL_EACCESS || topic->handle->code == MILL_EINVALID)
            lose_topic(producer, topic);
    }
    producer_settled(producer, now);
    sender_drain(producer, now);
}

void sender_init(struct producer *producer)
{
    struct loop_timer retry = { .fire = on_retry, .ctx = producer };
    struct loop_timer expiry = { .fire = on_expiry, .ctx = producer };
    struct loop_timer id = { .fire = on_id_timer, .ctx = producer };
    list_init(&producer->ready);
    list_init(&producer->calls);
    producer->retry_timer = retry;
    producer->expiry_timer = expiry;
    producer->id_timer = id;
    producer->producer_id = -1;
    producer->id_call =
        (struct call){ .api_key = API_INIT_PRODUCER_ID, .fill = fill_init_producer_id, .done = on_producer_id, .ctx = producer };
    producer->listener = (struct metadata_listener){ .changed = on_metadata, .ctx = producer };
    client_listen(producer->client, &producer->listener);
}

void sender_release(struct producer *producer)
{
    struct loop *loop = client_loop(producer->client);
    client_unlisten(&producer->listener);
    client_cancel(&producer->id_call);
    loop_timer_cancel(loop, &producer->id_timer);
    loop_timer_cancel(loop, &producer->retry_timer);
    loop_timer_cancel(loop, &producer->expiry_timer);
    for (struct list *node; (node = list_pop_front(&producer->calls));) {
        struct produce_call *call = list_entry(node, struct produce_call, link);
        client_cancel(&call->call);
        while (!list_empty(&call->batches)) /* they lie in producer->batches too */
            list_pop_front(&call->batches);
        mem_free(call);
    }
    mem_free(producer->brokers);
    producer->brokers = NULL;
}
