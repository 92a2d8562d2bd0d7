/*
 * ListTransactions: the ids that there are, filtered by state, producer, age and pattern.
 *
 * A pattern is a regular expression that covers the whole id (KIP-1152), here a POSIX extended one: RE2's classes like \\d are
 * not known, nor is counted repetition.
 */
#include "wire/api/list_transactions.h"

#include <regex.h>
#include <stdio.h>

#include "base/alloc.h"
#include "broker/internal.h"

struct filter {
    const struct list_transactions_request *request;
    regex_t pattern;
    bool has_pattern;
    int64_t now_ms;
};

enum { PATTERN_BYTES_MAX = 249, PATTERN_DEPTH_MAX = 8 };

/* A stranger's pattern: regcomp recurses with each parenthesis, and copies what is repeated as often as repetitions meet. */
static bool is_affordable(mill_bytes pattern)
{
    int depth = 0;
    bool escaped = false;
    bool repeated = false;
    for (size_t i = 0; i < pattern.len; i++) {
        uint8_t c = pattern.data[i];
        bool repeats = !escaped && (c == '*' || c == '+' || c == '?');
        bool refers_back = escaped && c >= '0' && c <= '9';
        depth += !escaped && c == '(' ? 1 : !escaped && c == ')' ? -1 : 0;
        if (refers_back || (repeats && repeated) || (!escaped && c == '{') || depth > PATTERN_DEPTH_MAX)
            return false;
        repeated = repeats;
        escaped = !escaped && c == '\\';
    }
    return pattern.len <= PATTERN_BYTES_MAX;
}

static int16_t make_filter(struct filter *filter, struct call *call, struct io_time now)
{
    const struct list_transactions_request *request = call->request;
    *filter = (struct filter){ .request = request, .now_ms = now.wall_ms };
    mill_bytes pattern = request->transactional_id_pattern;
    if (pattern.len == 0)
        return KAFKA_NONE;
    if (!is_affordable(pattern))
        return KAFKA_INVALID_REGULAR_EXPRESSION;
    char *text = call_array(call, arena_alloc(call->arena, pattern.len + 5));
    if (!text)
        return KAFKA_NONE;
    snprintf(text, pattern.len + 5, "^(%.*s)$", (int)pattern.len, (const char *)pattern.data);
    filter->has_pattern = regcomp(&filter->pattern, text, REG_EXTENDED | REG_NOSUB) == 0;
    return filter->has_pattern ? KAFKA_NONE : KAFKA_INVALID_REGULAR_EXPRESSION;
}

static bool has_state(const struct filter *filter, const struct transaction *txn)
{
    const struct wire_strings *states = &filter->request->state_filters;
    for (int32_t i = 0; i < states->count; i++)
        if (mill_bytes_equal(states->items[i], mill_string(txn_status_name(txn->values.status))))
            return true;
    return states->count <= 0;
}

static bool has_producer(const struct filter *filter, const struct transaction *txn)
{
    const struct wire_int64s *ids = &filter->request->producer_id_filters;
    for (int32_t i = 0; i < ids->count; i++)
        if (ids->items[i] == txn->values.producer_id)
            return true;
    return ids->count <= 0;
}

static bool passes(const struct filter *filter, const struct transaction *txn)
{
    int64_t duration_ms = filter->request->duration_filter;
    bool is_old_enough = duration_ms < 0 || (txn->values.start_ms >= 0 && filter->now_ms - txn->values.start_ms > duration_ms);
    return has_state(filter, txn) && has_producer(filter, txn) && is_old_enough &&
           (!filter->has_pattern || regexec(&filter->pattern, txn->name, 0, NULL, 0) == 0);
}

static void list_unknown_states(struct call *call)
{
    const struct list_transactions_request *request = call->request;
    struct list_transactions_response *response = call->response;
    int32_t count = request->state_filters.count;
    enum txn_status status;
    if (count <= 0)
        return;
    mill_bytes *items = call_array(call, arena_alloc(call->arena, (size_t)count * sizeof *items));
    int32_t unknown = 0;
    for (int32_t i = 0; items && i < count; i++)
        if (!txn_status_parse(request->state_filters.items[i], &status))
            items[unknown++] = request->state_filters.items[i];
    response->unknown_state_filters = (struct wire_strings){ items, items ? unknown : 0 };
}

static void list(struct call *call, const struct filter *filter)
{
    struct list_transactions_response *response = call->response;
    const struct txn_coordinator *coordinator = &call->broker->txns;
    int32_t count = 0;
    size_t at = 0;
    for (const struct transaction *txn; (txn = txn_coordinator_next(coordinator, &at)) != NULL;)
        count += passes(filter, txn);
    struct list_transactions_response_state *items = call_array(call, list_transactions_response_state_array(call->arena, count));
    at = 0;
    int32_t filled = 0;
    for (const struct transaction *txn; items && (txn = txn_coordinator_next(coordinator, &at)) != NULL;)
        if (passes(filter, txn)) {
            items[filled].transactional_id = call_copy(call, txn->id);
            items[filled].producer_id = txn->values.producer_id;
            items[filled++].transaction_state = mill_string(txn_status_name(txn->values.status));
        }
    response->transaction_states.items = items;
    response->transaction_states.count = items ? count : 0;
}

void handle_list_transactions(struct call *call, struct io_time now)
{
    struct list_transactions_response *response = call->response;
    struct filter filter;
    list_unknown_states(call);
    response->error_code = call->broker->txns.loader ? KAFKA_COORDINATOR_LOAD_IN_PROGRESS : make_filter(&filter, call, now);
    if (response->error_code == KAFKA_NONE) {
        list(call, &filter);
        if (filter.has_pattern)
            regfree(&filter.pattern);
    }
    call_reply(call, now);
}
