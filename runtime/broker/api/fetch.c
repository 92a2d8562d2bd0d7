/*
 * Fetch: whole batches from each partition, up to its high watermark, in the order asked and within the limits asked. With
 * read_committed up to the last stable offset, and with the list of aborted transactions that the reader is to leave out.
 *
 * With less than min_bytes to give, and no error, the call is parked: it watches its partitions and looks again when one moves or
 * when max_wait is over. The first batch comes even when it is larger than every limit (KIP-74). Sessions are declined with id 0,
 * which every client takes for "send the full list again".
 *
 *     read part after part -> enough, an error, or no time left -> answer
 *              ^                    | no
 *              +--- woken --------- parked
 */
#include "wire/api/fetch.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "broker/internal.h"
#include "log/txn_index.h"

enum { READ_SLICES_MAX = 512 }; /* batches of the hot tail for one partition in one answer */

struct fetch_state;

struct fetch_part {
    const struct fetch_request_partition *asked;
    struct fetch_response_partition *out;
    mill_bytes topic;
    struct wire_uuid topic_id;
    struct slice *slices; /* in the request's arena; held while slice_count is above 0 */
    size_t slice_count;
    size_t slice_capacity;
    size_t bytes;
    struct partition_watch watch;
};

struct fetch_state {
    struct call *call;
    struct fetch_part *parts;
    size_t part_count;
    size_t at; /* the part being read */
    bool in_loop;
    bool has_error;
    size_t bytes;
    size_t bytes_left;
    int64_t deadline_us;
    struct loop_timer timer;
    struct turn_task again;
    struct partition_read read;
    struct slice scratch[READ_SLICES_MAX];
};

static void read_parts(struct fetch_state *state, struct io_time now);

/* ---- answer ---------------------------------------------------------------------------------------------------------------- */

static void drop_slices(struct fetch_part *part)
{
    for (size_t i = 0; i < part->slice_count; i++)
        shared_buffer_drop(part->slices[i].buffer);
    part->slice_count = 0;
    part->bytes = 0;
}

/* The request holds the buffers from here on, until it is freed behind the answer. */
static bool hand_over(struct call *call, struct fetch_part *part)
{
    bool kept = true;
    for (size_t i = 0; i < part->slice_count; i++)
        if (part->slices[i].buffer && request_keep(call->message, part->slices[i].buffer) != 0)
            kept = false;
    part->out->records = (struct wire_records){ part->slices, (int32_t)part->slice_count, part->bytes };
    drop_slices(part);
    return kept;
}

static void stop_waiting(struct fetch_state *state)
{
    state->call->hurry = NULL;
    loop_timer_cancel(state->call->broker->loop, &state->timer);
    turn_cancel(&state->again);
    for (size_t i = 0; i < state->part_count; i++)
        partition_watch_stop(&state->parts[i].watch);
}

static void answer(struct fetch_state *state, struct io_time now)
{
    bool kept = true;
    stop_waiting(state);
    for (size_t i = 0; i < state->part_count; i++)
        kept &= hand_over(state->call, &state->parts[i]);
    metric_add(state->call->broker->meters.bytes_out, (int64_t)state->bytes);
    if (kept)
        call_reply(state->call, now);
    else
        call_fail(state->call, MILL_ENOMEM, now);
}

/* ---- parked ---------------------------------------------------------------------------------------------------------------- */

static struct partition *find_partition(struct fetch_state *state, const struct fetch_part *part, int16_t *error)
{
    struct topic *topic;
    *error = metadata_find(&state->call->broker->metadata, part->topic, part->topic_id, &topic);
    if (*error != KAFKA_NONE)
        return NULL;
    struct partition *partition = topic_partition(topic, part->asked->partition);
    *error = partition ? KAFKA_NONE : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    return partition;
}

static void look_again(struct turn_task *task, struct io_time now)
{
    struct fetch_state *state = task->ctx;
    stop_waiting(state);
    for (size_t i = 0; i < state->part_count; i++)
        drop_slices(&state->parts[i]);
    state->at = 0;
    read_parts(state, now);
}

static void partition_moved(struct partition_watch *watch, struct io_time now)
{
    struct fetch_state *state = watch->ctx;
    turn_add(&state->call->broker->turn, &state->again);
}

static void time_is_over(struct loop_timer *timer, struct io_time now)
{
    struct fetch_state *state = timer->ctx;
    answer(state, now);
}

static void hurry(struct call *call, struct io_time now)
{
    answer(call->state, now);
}

static void park(struct fetch_state *state)
{
    struct call *call = state->call;
    for (size_t i = 0; i < state->part_count; i++) {
        int16_t error;
        struct partition *partition = find_partition(state, &state->parts[i], &error);
        if (partition)
            partition_watch_start(partition, &state->parts[i].watch);
    }
    call->hurry = hurry;
    loop_timer_set(call->broker->loop, &state->timer, state->deadline_us);
}

static bool has_to_wait(const struct fetch_state *state, struct io_time now)
{
    const struct fetch_request *request = state->call->request;
    return !state->has_error && (int64_t)state->bytes < request->min_bytes && now.monotonic_us < state->deadline_us &&
           state->part_count > 0 && state->call->broker->state == BROKER_OPEN;
}

/* ---- read ------------------------------------------------------------------------------------------------------------------ */

static bool keep_slices(struct fetch_state *state, struct fetch_part *part)
{
    size_t count = state->read.log.slice_count;
    if (count > part->slice_capacity) {
        struct slice *grown = arena_alloc(state->call->arena, count * sizeof *grown);
        if (!grown)
            return false;
        part->slices = grown;
        part->slice_capacity = count;
    }
    if (count > 0)
        memcpy(part->slices, state->scratch, count * sizeof *part->slices);
    part->slice_count = count;
    part->bytes = state->read.log.bytes;
    return true;
}

static int by_first_offset(const void *a, const void *b)
{
    const struct fetch_response_aborted_transaction *x = a;
    const struct fetch_response_aborted_transaction *y = b;
    return x->first_offset < y->first_offset ? -1 : x->first_offset > y->first_offset;
}

/* Those that have batches among what was read, by their first offsets: readers take them off the list as they go on. */
static bool list_aborted(struct fetch_state *state, struct fetch_part *part)
{
    const struct partition *partition = state->read.partition;
    int64_t from = part->asked->fetch_offset;
    int64_t below = state->read.log.next_offset;
    int32_t count = 0;
    size_t at = 0;
    while (below > from && partition_next_aborted(partition, from, below, &at))
        count++;
    part->out->aborted_transactions.count = 0;
    if (count == 0)
        return true;
    struct fetch_response_aborted_transaction *items = fetch_response_aborted_transaction_array(state->call->arena, count);
    if (!items)
        return false;
    at = 0;
    for (int32_t i = 0; i < count; i++) {
        const struct aborted_txn *txn = partition_next_aborted(partition, from, below, &at);
        items[i].producer_id = txn->producer_id;
        items[i].first_offset = txn->first_offset;
    }
    qsort(items, (size_t)count, sizeof *items, by_first_offset);
    part->out->aborted_transactions.items = items;
    part->out->aborted_transactions.count = count;
    return true;
}

static void part_is_read(struct partition_read *read, struct io_time now)
{
    struct fetch_state *state = read->ctx;
    struct fetch_part *part = &state->parts[state->at++];
    part->out->error_code = read->error;
    part->out->high_watermark = read->high_watermark;
    part->out->last_stable_offset = read->last_stable_offset;
    part->out->log_start_offset = read->log_start;
    if (read->error != KAFKA_NONE) {
        state->has_error = true;
    } else if ((read->read_committed && !list_aborted(state, part)) || !keep_slices(state, part)) {
        log_read_release(&read->log);
        state->call->starved = true;
        state->has_error = true;
    } else {
        state->bytes += part->bytes;
        state->bytes_left -= part->bytes < state->bytes_left ? part->bytes : state->bytes_left;
    }
    if (!state->in_loop)
        read_parts(state, now);
}

static void read_part(struct fetch_state *state, struct io_time now)
{
    const struct fetch_request *request = state->call->request;
    struct fetch_part *part = &state->parts[state->at];
    int16_t error;
    struct partition *partition = find_partition(state, part, &error);
    if (!partition) {
        part->out->error_code = error;
        part->out->high_watermark = -1;
        state->has_error = true;
        state->at++;
        return;
    }
    size_t limit = part->asked->partition_max_bytes < 0 ? 0 : (size_t)part->asked->partition_max_bytes;
    state->read = (struct partition_read){
        .log = { .offset = part->asked->fetch_offset,
                 .bytes_max = limit < state->bytes_left ? limit : state->bytes_left,
                 .first_always = state->bytes == 0,
                 .slices = state->scratch,
                 .slices_max = READ_SLICES_MAX },
        .read_committed = request->isolation_level == 1,
        .current_leader_epoch = part->asked->current_leader_epoch,
        .done = part_is_read,
        .ctx = state,
    };
    partition_read(partition, &state->read, now);
}

static void start_round(struct fetch_state *state)
{
    const struct fetch_request *request = state->call->request;
    int64_t most = config_int(&state->call->broker->config, "fetch.max.bytes");
    int64_t asked = request->max_bytes < 0 ? 0 : request->max_bytes;
    state->bytes = 0;
    state->bytes_left = (size_t)(asked < most ? asked : most);
    state->has_error = false;
}

static void read_parts(struct fetch_state *state, struct io_time now)
{
    if (state->at == 0)
        start_round(state);
    /* A read that is answered at once comes back inside this loop, one from the disk starts it again. */
    state->in_loop = true;
    while (state->at < state->part_count) {
        size_t before = state->at;
        read_part(state, now);
        if (state->at == before) {
            state->in_loop = false;
            return;
        }
    }
    state->in_loop = false;
    if (has_to_wait(state, now))
        park(state);
    else
        answer(state, now);
}

/* ---- begin ----------------------------------------------------------------------------------------------------------------- */

static bool shape_topic(struct fetch_state *state, const struct fetch_request_topic *asked, struct fetch_response_topic *out,
                        struct fetch_part *parts)
{
    const struct fetch_request *request = state->call->request;
    int32_t count = asked->partitions.count;
    out->topic = asked->topic;
    out->topic_id = asked->topic_id;
    out->partitions.items = fetch_response_partition_array(state->call->arena, count);
    out->partitions.count = out->partitions.items ? count : 0;
    for (int32_t i = 0; out->partitions.items && i < count; i++) {
        struct fetch_response_partition *answered = &out->partitions.items[i];
        answered->partition_index = asked->partitions.items[i].partition;
        answered->aborted_transactions.count = request->isolation_level == 1 ? 0 : -1;
        parts[i] = (struct fetch_part){
            .asked = &asked->partitions.items[i], .out = answered, .topic = asked->topic, .topic_id = asked->topic_id
        };
        list_init(&parts[i].watch.link);
        parts[i].watch.moved = partition_moved;
        parts[i].watch.ctx = state;
    }
    return out->partitions.items != NULL;
}

static bool shape(struct fetch_state *state)
{
    const struct fetch_request *request = state->call->request;
    struct fetch_response *response = state->call->response;
    for (int32_t i = 0; i < request->topics.count; i++)
        state->part_count += (size_t)request->topics.items[i].partitions.count;
    state->parts = arena_alloc(state->call->arena, state->part_count * sizeof *state->parts);
    response->responses.items = fetch_response_topic_array(state->call->arena, request->topics.count);
    if (!state->parts || !response->responses.items)
        return false;
    response->responses.count = request->topics.count;
    struct fetch_part *parts = state->parts;
    for (int32_t i = 0; i < request->topics.count; i++) {
        if (!shape_topic(state, &request->topics.items[i], &response->responses.items[i], parts))
            return false;
        parts += request->topics.items[i].partitions.count;
    }
    return true;
}

void handle_fetch(struct call *call, struct io_time now)
{
    const struct fetch_request *request = call->request;
    struct fetch_response *response = call->response;
    if (request->session_id != 0) {
        response->error_code = KAFKA_FETCH_SESSION_ID_NOT_FOUND;
        call_reply(call, now);
        return;
    }
    struct fetch_state *state = arena_alloc(call->arena, sizeof *state);
    if (!state) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    memset(state, 0, offsetof(struct fetch_state, scratch));
    state->call = call;
    if (!shape(state)) {
        call_fail(call, MILL_ENOMEM, now);
        return;
    }
    int64_t wait_ms = request->max_wait_ms < 0 ? 0 : request->max_wait_ms;
    state->deadline_us = now.monotonic_us + wait_ms * 1000;
    state->timer = (struct loop_timer){ .fire = time_is_over, .ctx = state };
    turn_task_init(&state->again, look_again, state);
    call->state = state;
    read_parts(state, now);
}
