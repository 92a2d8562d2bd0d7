#include "conformance/generate.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/operators.h"
#include "conformance/refused.h"

enum { RECORDS_MAX = 3000, TRIES_MAX = 100, DRAFTS_MAX = 2000, EVENTS_LEAST = 50, TOPICS_MAX = 10, GAP_MOST = 12 };

/* A topology in the making. `full`: a node did not fit any more, or nothing fits: begin again. */
struct draft {
    struct prng *prng;
    struct test_case *test;
    bool used[CASE_NODES_MAX]; /* something takes it */
    int64_t scale;             /* of times */
    int topic_count;
    bool full;
};

static size_t below(struct draft *draft, size_t bound)
{
    return (size_t)prng_below(draft->prng, bound);
}

/* ---- pairs ----------------------------------------------------------------------------------------------------------------- */

void coverage_init(struct coverage *coverage)
{
    coverage->operator_count = OPERATOR_COUNT;
    coverage->pairs = calloc(OPERATOR_COUNT * OPERATOR_COUNT, sizeof *coverage->pairs);
    if (coverage->pairs == NULL)
        abort();
}

void coverage_release(struct coverage *coverage)
{
    free(coverage->pairs);
}

static uint32_t *pair(struct coverage *coverage, size_t first, size_t second)
{
    return &coverage->pairs[first * coverage->operator_count + second];
}

/* The place at which `second` takes what `first` gives; CASE_INPUTS_MAX: nowhere. */
static size_t place(const struct operator_type *first, const struct operator_type *second, size_t from)
{
    if ((second->needs & NEEDS_PLAIN_KEYS) != 0 && first->keys != KEYS_KEPT && first->keys != KEYS_PLAIN)
        return CASE_INPUTS_MAX;
    if ((second->needs & NEEDS_WINDOWED_KEYS) != 0 && first->keys == KEYS_PLAIN)
        return CASE_INPUTS_MAX;
    if (!operators_suit_kafka(first, second))
        return CASE_INPUTS_MAX;
    for (size_t i = from; i < operator_inputs(second); i++)
        if (second->takes[i] == first->gives)
            return i;
    return CASE_INPUTS_MAX;
}

struct coverage_summary coverage_summary(const struct coverage *coverage)
{
    struct coverage_summary summary = { .least = UINT32_MAX };
    for (size_t i = 0; i < OPERATOR_COUNT * OPERATOR_COUNT; i++) {
        const struct operator_type *first = &OPERATORS[i / OPERATOR_COUNT], *second = &OPERATORS[i % OPERATOR_COUNT];
        if (place(first, second, 0) == CASE_INPUTS_MAX)
            continue;
        summary.pairs++;
        if (coverage->pairs[i] < summary.least)
            summary = (struct coverage_summary){ summary.pairs, coverage->pairs[i], first->name, second->name };
    }
    return summary;
}

/* The rarest of a few pairs. */
static void choose_pair(struct prng *prng, struct coverage *coverage, size_t *first, size_t *second)
{
    uint32_t rarest = UINT32_MAX;
    for (int found = 0; found < 8;) {
        size_t a = (size_t)prng_below(prng, OPERATOR_COUNT), b = (size_t)prng_below(prng, OPERATOR_COUNT);
        if (place(&OPERATORS[a], &OPERATORS[b], 0) == CASE_INPUTS_MAX)
            continue;
        found++;
        if (*pair(coverage, a, b) >= rarest)
            continue;
        rarest = *pair(coverage, a, b);
        *first = a;
        *second = b;
    }
}

static void count_pairs(const struct test_case *test, struct coverage *coverage)
{
    for (size_t i = 0; i < test->node_count; i++)
        for (size_t j = 0; j < operator_inputs(node_operator(&test->nodes[i])); j++)
            ++*pair(coverage, test->nodes[test->nodes[i].inputs[j]].type, test->nodes[i].type);
}

/* ---- nodes ----------------------------------------------------------------------------------------------------------------- */

static bool is_source(const struct operator_type *type)
{
    return operator_inputs(type) == 0;
}

/* A topic of its own, but now and then that of another source of the same kind. */
static int64_t choose_topic(struct draft *draft, size_t type)
{
    const struct test_case *test = draft->test;
    for (size_t i = 0; i < test->node_count; i++)
        if (test->nodes[i].type == type && OPERATORS[type].gives == KIND_STREAM && below(draft, 8) == 0)
            return test->nodes[i].parameters[0];
    if (draft->topic_count == TOPICS_MAX)
        draft->full = true;
    return draft->topic_count++;
}

static bool has_sized_windows(const struct operator_type *type)
{
    return (type->gives == KIND_TIME_WINDOWED || type->gives == KIND_WINDOWED_COGROUPED) && type->parameters[0].least > 0;
}

/* Every other time the size of windows is that of others: keys of two sizes never meet in a join, and cannot be awaited. */
static void choose_size(struct draft *draft, struct case_node *node)
{
    bool alone = !has_sized_windows(node_operator(node)) || below(draft, 2) == 0;
    for (size_t i = 0; !alone && i < draft->test->node_count; i++)
        if (has_sized_windows(node_operator(&draft->test->nodes[i])))
            node->parameters[0] = draft->test->nodes[i].parameters[0];
}

static void choose_parameters(struct draft *draft, struct case_node *node)
{
    const struct operator_type *type = node_operator(node);
    for (size_t i = 0; i < operator_parameters(type); i++) {
        const struct parameter *range = &type->parameters[i];
        node->parameters[i] = range->least + (int64_t)below(draft, (size_t)(range->most - range->least + 1));
        if (range->is_time)
            node->parameters[i] *= draft->scale;
    }
    choose_size(draft, node);
    if (is_source(type))
        node->parameters[0] = choose_topic(draft, node->type);
}

static size_t add_node(struct draft *draft, size_t type, const size_t *inputs)
{
    struct test_case *test = draft->test;
    if (test->node_count == CASE_NODES_MAX)
        draft->full = true;
    if (draft->full)
        return 0;
    struct case_node *node = &test->nodes[test->node_count];
    *node = (struct case_node){ .type = type };
    for (size_t i = 0; i < operator_inputs(&OPERATORS[type]); i++) {
        node->inputs[i] = inputs[i];
        draft->used[inputs[i]] = true;
    }
    choose_parameters(draft, node);
    draft->used[test->node_count] = false;
    return test->node_count++;
}

static size_t make(struct draft *draft, enum kind kind, enum keys keys, int depth);

static bool suits(const struct operator_type *type, enum keys keys)
{
    return ((type->needs & NEEDS_PLAIN_KEYS) == 0 || keys == KEYS_PLAIN) &&
           ((type->needs & NEEDS_WINDOWED_KEYS) == 0 || keys != KEYS_PLAIN);
}

/* Of what comes into an operator that replaces them. */
static enum keys choose_replaced_keys(struct draft *draft, const struct operator_type *type)
{
    bool windowed = suits(type, KEYS_TIME_WINDOWED) && below(draft, 4) == 0;
    return !windowed ? KEYS_PLAIN : below(draft, 3) != 0 ? KEYS_TIME_WINDOWED : KEYS_SESSION_WINDOWED;
}

/* An operator with inputs made for it; `known` (or CASE_NODES_MAX) is taken at `at`. Its keys come out as `keys`. */
static size_t make_operator(struct draft *draft, size_t type, size_t known, size_t at, enum keys keys, int depth)
{
    const struct operator_type *operator_type = &OPERATORS[type];
    enum keys inner = operator_type->keys == KEYS_KEPT ? keys : choose_replaced_keys(draft, operator_type);
    if (known != CASE_NODES_MAX)
        inner = case_keys(draft->test, known);
    size_t inputs[CASE_INPUTS_MAX] = { 0 };
    for (size_t i = 0; i < operator_inputs(operator_type) && !draft->full; i++) {
        enum keys wanted = i == 1 && (operator_type->needs & NEEDS_PLAIN_SECOND) != 0 ? KEYS_PLAIN : inner;
        bool is_known = i == at && known != CASE_NODES_MAX;
        inputs[i] = is_known ? known : make(draft, operator_type->takes[i], wanted, depth - 1);
    }
    return add_node(draft, type, inputs);
}

/* A node of that kind with keys of that form that is there already; CASE_NODES_MAX: none. */
static size_t find(struct draft *draft, enum kind kind, enum keys keys)
{
    size_t count = draft->test->node_count;
    for (size_t i = 0, start = count > 0 ? below(draft, count) : 0; i < count; i++) {
        size_t at = (start + i) % count;
        if (node_operator(&draft->test->nodes[at])->gives == kind && case_keys(draft->test, at) == keys)
            return at;
    }
    return CASE_NODES_MAX;
}

static bool can_give(size_t type, enum kind kind, enum keys keys)
{
    const struct operator_type *operator_type = &OPERATORS[type];
    if (operator_type->gives != kind)
        return false;
    return operator_type->keys == keys || (operator_type->keys == KEYS_KEPT && suits(operator_type, keys));
}

/* Some stores of Kafka Streams are on disk always, which takes milliseconds to open: what has them is seldom chosen by chance. */
static bool is_skipped(struct draft *draft, const struct operator_type *type)
{
    bool slow = strstr(type->name, "versioned") != NULL || strstr(type->name, "foreign") != NULL;
    return slow && below(draft, 12) != 0;
}

/* A node of that kind: sometimes one that is there, else made of new ones; at depth 0 by the shortest way. */
static size_t make(struct draft *draft, enum kind kind, enum keys keys, int depth)
{
    size_t there = below(draft, depth > 0 ? 4 : 2) == 0 ? find(draft, kind, keys) : CASE_NODES_MAX;
    if (there != CASE_NODES_MAX)
        return there;
    for (int tries = 0; tries < TRIES_MAX * 10 && !draft->full; tries++) {
        size_t type = below(draft, OPERATOR_COUNT);
        const struct operator_type *operator_type = &OPERATORS[type];
        if (!can_give(type, kind, keys) || operator_inputs(operator_type) > (depth > 0 ? CASE_INPUTS_MAX : 1))
            continue;
        if (is_skipped(draft, operator_type))
            continue;
        bool is_deeper = operator_inputs(operator_type) > 0 && operator_type->takes[0] == kind;
        if (depth <= 0 && is_deeper && tries < TRIES_MAX)
            continue;
        return make_operator(draft, type, CASE_NODES_MAX, 0, keys, depth);
    }
    draft->full = true;
    return 0;
}

/* ---- growth ---------------------------------------------------------------------------------------------------------------- */

/* About how many records come out of a node: what grows without bound takes minutes and shows nothing more. */
static double estimate_records(const struct draft *draft, const double *records, const struct case_node *node)
{
    const struct operator_type *type = node_operator(node);
    if (is_source(type))
        return (double)EVENTS_LEAST / draft->topic_count + 1;
    double all = 0;
    for (size_t i = 0; i < operator_inputs(type); i++)
        all += records[node->inputs[i]];
    if ((type->needs & MULTIPLIES) != 0)
        return records[node->inputs[0]] * records[node->inputs[1]] / 3;
    return all * ((type->needs & GROWS) != 0 ? 2.5 : 1);
}

static bool grows_too_much(const struct draft *draft)
{
    double records[CASE_NODES_MAX], all = 0;
    for (size_t i = 0; i < draft->test->node_count; i++)
        all += records[i] = estimate_records(draft, records, &draft->test->nodes[i]);
    return all > RECORDS_MAX;
}

/* ---- topologies ------------------------------------------------------------------------------------------------------------ */

/* How far a kind is from an output topic. */
static int distance(enum kind kind)
{
    static const int DISTANCES[KIND_COUNT] = { [KIND_NONE] = 0,
                                               [KIND_STREAM] = 1,
                                               [KIND_BRANCHES] = 2,
                                               [KIND_TABLE] = 2,
                                               [KIND_VERSIONED] = 2,
                                               [KIND_GLOBAL_TABLE] = 2,
                                               [KIND_GROUPED] = 3,
                                               [KIND_COGROUPED] = 3,
                                               [KIND_TIME_WINDOWED] = 3,
                                               [KIND_GROUPED_TABLE] = 3,
                                               [KIND_WINDOWED_COGROUPED] = 3,
                                               [KIND_SESSION_WINDOWED] = 3,
                                               [KIND_SESSION_COGROUPED] = 3 };
    return DISTANCES[kind];
}

/* Puts an operator on what is there: `closer` ones lead to an output topic. */
static void go_on(struct draft *draft, size_t node, bool closer)
{
    const struct operator_type *first = node_operator(&draft->test->nodes[node]);
    for (int tries = 0; tries < TRIES_MAX * 10 && !draft->full; tries++) {
        size_t type = below(draft, OPERATOR_COUNT);
        const struct operator_type *second = &OPERATORS[type];
        size_t at = place(first, second, 0);
        if (at == CASE_INPUTS_MAX || (closer && distance(second->gives) >= distance(first->gives)))
            continue;
        if (is_skipped(draft, second))
            continue;
        if (!suits(second, case_keys(draft->test, node)))
            continue;
        make_operator(draft, type, node, at, KEYS_PLAIN, 1);
        return;
    }
    draft->full = true;
}

static void close_all(struct draft *draft)
{
    for (size_t i = 0; i < draft->test->node_count && !draft->full; i++)
        if (!draft->used[i] && node_operator(&draft->test->nodes[i])->gives != KIND_NONE)
            go_on(draft, i, true);
}

static bool make_topology(struct draft *draft, size_t first, size_t second)
{
    const struct operator_type *types[] = { &OPERATORS[first], &OPERATORS[second] };
    enum keys windowed = below(draft, 3) != 0 ? KEYS_TIME_WINDOWED : KEYS_SESSION_WINDOWED;
    enum keys keys = below(draft, 4) != 0 ? KEYS_PLAIN : windowed;
    if (!suits(types[0], keys) || !suits(types[1], keys))
        keys = suits(types[0], KEYS_PLAIN) && suits(types[1], KEYS_PLAIN) ? KEYS_PLAIN : windowed;
    if (types[0]->keys != KEYS_KEPT)
        keys = types[0]->keys;
    size_t at = make_operator(draft, first, CASE_NODES_MAX, 0, keys, 2);
    size_t where = place(types[0], types[1], 0);
    size_t other = place(types[0], types[1], where + 1);
    if (other != CASE_INPUTS_MAX && below(draft, 2) == 0)
        where = other;
    if (!draft->full)
        make_operator(draft, second, at, where, KEYS_PLAIN, 1);
    for (size_t more = below(draft, 4); more > 0 && !draft->full; more--) {
        size_t node = below(draft, draft->test->node_count);
        if (node_operator(&draft->test->nodes[node])->gives != KIND_NONE)
            go_on(draft, node, false);
    }
    close_all(draft);
    return !draft->full && !grows_too_much(draft) && case_is_well_formed(draft->test) && case_suits_kafka(draft->test);
}

/* ---- records --------------------------------------------------------------------------------------------------------------- */

/* What the records of a case are like. */
struct manner {
    size_t key_count;
    size_t null_keys; /* one of so many; 0: none */
    size_t null_values;
    size_t jitter; /* of timestamps, in steps of the scale */
    size_t step;
    bool fails; /* a value that begins with f makes some mappers fail */
};

static struct case_word choose_key(struct draft *draft, const struct manner *manner)
{
    struct case_word word = { .is_null = manner->null_keys > 0 && below(draft, manner->null_keys) == 0 };
    if (!word.is_null)
        word.text[0] = (char)('a' + below(draft, manner->key_count));
    return word;
}

static struct case_word choose_value(struct draft *draft, const struct manner *manner)
{
    struct case_word word = { .is_null = below(draft, manner->null_values) == 0 };
    if (word.is_null)
        return word;
    size_t length = below(draft, 12) == 0 ? 0 : 1 + below(draft, 3);
    for (size_t i = 0; i < length; i++)
        word.text[i] = "abcdexyz"[below(draft, 8)];
    if (manner->fails && below(draft, 60) == 0)
        word.text[0] = 'f';
    return word;
}

static int choose_input(struct draft *draft)
{
    for (;;) {
        const struct case_node *node = &draft->test->nodes[below(draft, draft->test->node_count)];
        if (is_source(node_operator(node)))
            return (int)node->parameters[0];
    }
}

/*
 * Kafka Streams' cache of sessions on disk looks a gap back and fails on a time below 0 that is as long as a segment, a minute or
 * more: "segment interval has changed".
 */
static bool fails_near_zero(const struct test_case *test)
{
    return test->cache && !test->memory;
}

/* A null key that is to wait for a versioned table is the end of a case, on both sides: few of them are enough. */
static bool fails_on_null_keys(const struct test_case *test)
{
    for (size_t i = 0; i < test->node_count; i++)
        if (strcmp(node_operator(&test->nodes[i])->name, "left_join_versioned") == 0)
            return true;
    return false;
}

static void make_events(struct draft *draft)
{
    static const size_t KEYS[] = { 1, 2, 3, 3, 5, 12 }, JITTERS[] = { 1, 1, 4, 12, 40 }, STEPS[] = { 1, 2, 3, 8 };
    struct manner manner = { .key_count = KEYS[below(draft, 6)],
                             .null_keys = below(draft, 3) == 0 ? 1000 : 20,
                             .null_values = below(draft, 3) == 0 ? 1000 : 8,
                             .jitter = JITTERS[below(draft, 5)],
                             .step = STEPS[below(draft, 4)],
                             .fails = below(draft, 40) == 0 };
    struct test_case *test = draft->test;
    if (fails_on_null_keys(test) && below(draft, 20) != 0)
        manner.null_keys = 0;
    int64_t now = fails_near_zero(test) ? GAP_MOST : 0;
    test->event_count = EVENTS_LEAST + below(draft, 20);
    for (size_t i = 0; i < test->event_count; i++) {
        now += (int64_t)below(draft, manner.step);
        struct case_event *event = &test->events[i];
        *event = (struct case_event){ .topic = choose_input(draft),
                                      .key = choose_key(draft, &manner),
                                      .value = choose_value(draft, &manner),
                                      .time_ms = (now + (int64_t)below(draft, manner.jitter)) * draft->scale };
        if (below(draft, 200) == 0)
            event->time_ms += 200 * draft->scale;
        if (below(draft, 40) == 0)
            *event = (struct case_event){ .is_advance = true, .time_ms = 1 + (int64_t)below(draft, 2000) };
    }
}

static bool make_draft(struct draft *draft, struct prng *prng, uint64_t number, struct test_case *test, size_t first,
                       size_t second)
{
    static const int64_t SCALES[] = { 1, 1, 1, 7, 10000 };
    *test = (struct test_case){ .number = number };
    *draft = (struct draft){ .prng = prng, .test = test };
    draft->scale = SCALES[below(draft, 5)];
    test->cache = below(draft, 2) == 0;
    test->memory = below(draft, 24) != 0;
    return make_topology(draft, first, second);
}

/* Some pairs fit into few topologies, so that a pair is tried often before another has its turn: else those stay rare. */
void generate_case(struct prng *prng, struct coverage *coverage, uint64_t number, struct test_case *test)
{
    struct draft draft;
    bool may_be_refused = prng_below(prng, REFUSED_KEPT) == 0, refused = false, made = false;
    size_t first = 0, second = 0;
    for (int drafts = 0; !made; drafts++) {
        if (drafts % DRAFTS_MAX == 0)
            choose_pair(prng, coverage, &first, &second);
        made = make_draft(&draft, prng, number, test, first, second);
        refused = made && case_is_refused(test);
        made &= may_be_refused || !refused;
    }
    make_events(&draft);
    if (!refused)
        count_pairs(test, coverage);
}
