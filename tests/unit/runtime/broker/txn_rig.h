/*
 * Transactions in the words of a test: what a transactional producer sends, and what readers of both kinds see.
 */
#ifndef TXN_RIG_H
#define TXN_RIG_H

#include "broker_rig.h"

#include "wire/api/add_offsets_to_txn.h"
#include "wire/api/add_partitions_to_txn.h"
#include "wire/api/describe_transactions.h"
#include "wire/api/end_txn.h"
#include "wire/api/list_offsets.h"
#include "wire/api/offset_commit.h"
#include "wire/api/offset_fetch.h"
#include "wire/api/txn_offset_commit.h"

/* A producer; with `version` 2 it speaks KIP-890's protocol, with 0 the one before. */
struct txn_client {
    const char *id;
    int version;
    int64_t producer_id;
    int16_t epoch;
    int32_t sequences[4]; /* next one, of each partition */
};

static inline void ask_init(struct ask *ask, const struct txn_client *client, int32_t timeout_ms, bool names_itself)
{
    struct init_producer_id_request *request = ask_new(ask, API_INIT_PRODUCER_ID, 4);
    request->transactional_id = mill_string(client->id);
    request->transaction_timeout_ms = timeout_ms;
    if (names_itself) {
        request->producer_id = client->producer_id;
        request->producer_epoch = client->epoch;
    }
}

static inline int16_t init_answer(struct ask *ask, struct txn_client *client)
{
    const struct init_producer_id_response *response = ask->request->response.body;
    assert_non_null(response);
    if (response->error_code == KAFKA_NONE) {
        client->producer_id = response->producer_id;
        client->epoch = response->producer_epoch;
        memset(client->sequences, 0, sizeof client->sequences);
    }
    int16_t error = response->error_code;
    ask_end(ask);
    return error;
}

static inline int16_t txn_init_with(struct rig *rig, struct txn_client *client, int32_t timeout_ms, bool names_itself)
{
    struct ask ask;
    ask_init(&ask, client, timeout_ms, names_itself);
    rig_ask(rig, &ask);
    return init_answer(&ask, client);
}

static inline int16_t txn_init(struct rig *rig, struct txn_client *client)
{
    return txn_init_with(rig, client, 60000, false);
}

static inline void ask_add(struct ask *ask, const struct txn_client *client, const char *topic, int32_t partition)
{
    struct add_partitions_to_txn_request *request = ask_new(ask, API_ADD_PARTITIONS_TO_TXN, 3);
    struct arena *arena = &ask->request->arena;
    request->v3_and_below_transactional_id = mill_string(client->id);
    request->v3_and_below_producer_id = client->producer_id;
    request->v3_and_below_producer_epoch = client->epoch;
    request->v3_and_below_topics.items = add_partitions_to_txn_topic_array(arena, 1);
    request->v3_and_below_topics.count = 1;
    request->v3_and_below_topics.items[0].name = mill_string(topic);
    request->v3_and_below_topics.items[0].partitions.items = arena_alloc(arena, sizeof(int32_t));
    request->v3_and_below_topics.items[0].partitions.items[0] = partition;
    request->v3_and_below_topics.items[0].partitions.count = 1;
}

static inline int16_t txn_add(struct rig *rig, const struct txn_client *client, const char *topic, int32_t partition)
{
    struct ask ask;
    ask_add(&ask, client, topic, partition);
    const struct add_partitions_to_txn_response *response = rig_ask(rig, &ask);
    assert_non_null(response);
    int16_t error = response->results_by_topic_v3_and_below.items[0].results_by_partition.items[0].partition_error_code;
    ask_end(&ask);
    return error;
}

static inline void ask_txn_produce(struct rig *rig, struct ask *ask, const struct txn_client *client, const char *topic,
                                   int32_t partition, const char *value)
{
    struct batch_spec spec = { .key = "k",
                               .value = value,
                               .idempotent = true,
                               .transactional = true,
                               .producer_id = client->producer_id,
                               .producer_epoch = client->epoch,
                               .sequence = client->sequences[partition] };
    ask_produce(rig, ask, topic, partition, spec);
    ask->request->api_version = client->version >= 2 ? 12 : 11;
    ((struct produce_request *)ask->request->body)->transactional_id = mill_string(client->id);
}

/* Sends one record; the partition must be in the transaction, unless the client speaks version 2. */
static inline int16_t txn_produce(struct rig *rig, struct txn_client *client, const char *topic, int32_t partition,
                                  const char *value)
{
    struct ask ask;
    ask_txn_produce(rig, &ask, client, topic, partition, value);
    rig_ask(rig, &ask);
    int16_t error = produced(&ask)->error_code;
    if (error == KAFKA_NONE)
        client->sequences[partition]++;
    ask_end(&ask);
    return error;
}

/* Both steps, whichever the version takes. */
static inline int16_t txn_write(struct rig *rig, struct txn_client *client, const char *topic, int32_t partition,
                                const char *value)
{
    int16_t error = client->version >= 2 ? KAFKA_NONE : txn_add(rig, client, topic, partition);
    return error != KAFKA_NONE ? error : txn_produce(rig, client, topic, partition, value);
}

static inline void ask_end_txn(struct ask *ask, const struct txn_client *client, bool commit)
{
    struct end_txn_request *request = ask_new(ask, API_END_TXN, client->version >= 2 ? 5 : 3);
    request->transactional_id = mill_string(client->id);
    request->producer_id = client->producer_id;
    request->producer_epoch = client->epoch;
    request->committed = commit;
}

static inline int16_t end_answer(struct ask *ask, struct txn_client *client)
{
    const struct end_txn_response *response = ask->request->response.body;
    assert_non_null(response);
    int16_t error = response->error_code;
    if (error == KAFKA_NONE && client->version >= 2) {
        client->producer_id = response->producer_id;
        client->epoch = response->producer_epoch;
        memset(client->sequences, 0, sizeof client->sequences);
    }
    ask_end(ask);
    return error;
}

static inline int16_t txn_end(struct rig *rig, struct txn_client *client, bool commit)
{
    struct ask ask;
    ask_end_txn(&ask, client, commit);
    rig_ask(rig, &ask);
    return end_answer(&ask, client);
}

/* ---- offsets --------------------------------------------------------------------------------------------------------------- */

static inline int16_t txn_add_offsets(struct rig *rig, const struct txn_client *client, const char *group)
{
    struct ask ask;
    struct add_offsets_to_txn_request *request = ask_new(&ask, API_ADD_OFFSETS_TO_TXN, 3);
    request->transactional_id = mill_string(client->id);
    request->producer_id = client->producer_id;
    request->producer_epoch = client->epoch;
    request->group_id = mill_string(group);
    int16_t error = ((const struct add_offsets_to_txn_response *)rig_ask(rig, &ask))->error_code;
    ask_end(&ask);
    return error;
}

/* Partition 0 of `topic`. */
static inline int16_t txn_commit_offset(struct rig *rig, const struct txn_client *client, const char *group, const char *topic,
                                        int64_t offset, int32_t generation)
{
    struct ask ask;
    struct txn_offset_commit_request *request = ask_new(&ask, API_TXN_OFFSET_COMMIT, client->version >= 2 ? 5 : 3);
    struct arena *arena = &ask.request->arena;
    request->transactional_id = mill_string(client->id);
    request->group_id = mill_string(group);
    request->producer_id = client->producer_id;
    request->producer_epoch = client->epoch;
    request->generation_id = generation;
    request->member_id = mill_string(generation >= 0 ? "nobody" : "");
    request->topics.items = txn_offset_commit_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(topic);
    request->topics.items[0].partitions.items = txn_offset_commit_request_partition_array(arena, 1);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items[0].committed_offset = offset;
    request->topics.items[0].partitions.items[0].committed_metadata = mill_string("m");
    const struct txn_offset_commit_response *response = rig_ask(rig, &ask);
    assert_non_null(response);
    int16_t error = response->topics.items[0].partitions.items[0].error_code;
    ask_end(&ask);
    return error;
}

static inline int16_t plain_commit_offset(struct rig *rig, const char *group, const char *topic, int64_t offset)
{
    struct ask ask;
    struct offset_commit_request *request = ask_new(&ask, API_OFFSET_COMMIT, 8);
    struct arena *arena = &ask.request->arena;
    request->group_id = mill_string(group);
    request->generation_id_or_member_epoch = -1;
    request->topics.items = offset_commit_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(topic);
    request->topics.items[0].partitions.items = offset_commit_request_partition_array(arena, 1);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items[0].committed_offset = offset;
    request->topics.items[0].partitions.items[0].committed_metadata = mill_string("");
    const struct offset_commit_response *response = rig_ask(rig, &ask);
    assert_non_null(response);
    int16_t error = response->topics.items[0].partitions.items[0].error_code;
    ask_end(&ask);
    return error;
}

/* The offset of partition 0, -1 when there is none; below that a negated error. */
static inline int64_t committed_offset(struct rig *rig, const char *group, const char *topic, bool stable)
{
    struct ask ask;
    struct offset_fetch_request *request = ask_new(&ask, API_OFFSET_FETCH, 7);
    struct arena *arena = &ask.request->arena;
    request->group_id = mill_string(group);
    request->require_stable = stable;
    request->topics.items = offset_fetch_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(topic);
    request->topics.items[0].partition_indexes.items = arena_calloc(arena, 1, sizeof(int32_t));
    request->topics.items[0].partition_indexes.count = 1;
    const struct offset_fetch_response *response = rig_ask(rig, &ask);
    assert_non_null(response);
    const struct offset_fetch_response_partition *partition = &response->topics.items[0].partitions.items[0];
    int64_t offset = partition->error_code == KAFKA_NONE ? partition->committed_offset : -(int64_t)partition->error_code;
    if (response->error_code != KAFKA_NONE)
        offset = -(int64_t)response->error_code;
    ask_end(&ask);
    return offset;
}

/* ---- reading as clients do ------------------------------------------------------------------------------------------------- */

enum { VALUES_BYTES = 1 << 16 };

struct aborted_walk {
    const struct fetch_response_partition *answer;
    int32_t next;
    int64_t producers[64];
    int count;
};

static inline void walk_to(struct aborted_walk *walk, int64_t offset)
{
    const struct fetch_response_partition *answer = walk->answer;
    for (; walk->next < answer->aborted_transactions.count; walk->next++) {
        if (answer->aborted_transactions.items[walk->next].first_offset > offset)
            return;
        assert_true(walk->count < 64);
        walk->producers[walk->count++] = answer->aborted_transactions.items[walk->next].producer_id;
    }
}

static inline bool walk_is_in(struct aborted_walk *walk, int64_t producer_id, bool leave)
{
    for (int i = 0; i < walk->count; i++)
        if (walk->producers[i] == producer_id) {
            if (leave)
                walk->producers[i] = walk->producers[--walk->count];
            return true;
        }
    return false;
}

/* Appends the values of one batch to `values`, each with a space behind. */
static inline void take_values(mill_bytes batch, char *values)
{
    struct batch_reader reader;
    struct batch_record record;
    batch_reader_init(&reader, 1 << 20);
    assert_int_equal(batch_reader_open(&reader, batch, true), 0);
    while (batch_reader_next(&reader, &record) > 0) {
        size_t len = strlen(values);
        assert_true(len + record.record.value.len + 2 < VALUES_BYTES);
        snprintf(values + len, VALUES_BYTES - len, "%.*s ", (int)record.record.value.len, (const char *)record.record.value.data);
    }
    batch_reader_release(&reader);
}

static inline void take_batch(struct aborted_walk *walk, mill_bytes batch, const struct batch_header *header, char *values)
{
    walk_to(walk, batch_last_offset(header));
    if (batch_is_control(header)) {
        walk_is_in(walk, header->producer_id, true); /* a commit marker would leave nothing either: its producer is not listed */
        return;
    }
    if (!batch_is_transactional(header) || !walk_is_in(walk, header->producer_id, false))
        take_values(batch, values);
}

/* One fetch; returns where the next one begins. */
static inline int64_t read_once(struct rig *rig, const char *topic, int32_t partition, int64_t offset, bool committed,
                                char *values, int64_t *stable)
{
    struct ask ask;
    struct fetch_request *request = ask_fetch(&ask, topic, partition, offset, 0, 0);
    request->isolation_level = committed;
    request->topics.items[0].partitions.items[0].partition_max_bytes = 700; /* several answers, so that aborts span them */
    rig_ask(rig, &ask);
    const struct fetch_response_partition *answer = fetched(&ask);
    assert_int_equal(answer->error_code, KAFKA_NONE);
    struct aborted_walk walk = { .answer = answer };
    uint8_t *joined = malloc(answer->records.len + 1);
    size_t len = 0;
    for (int32_t i = 0; i < answer->records.count; i++) {
        memcpy(joined + len, answer->records.slices[i].bytes.data, answer->records.slices[i].bytes.len);
        len += answer->records.slices[i].bytes.len;
    }
    mill_bytes region = mill_bytes_of(joined, len);
    mill_bytes batch;
    struct batch_header header;
    while (batch_next(&region, &batch, &header) > 0) {
        if (batch_last_offset(&header) >= offset)
            take_batch(&walk, batch, &header, values);
        offset = batch_next_offset(&header);
    }
    *stable = answer->last_stable_offset;
    free(joined);
    ask_end(&ask);
    return offset;
}

/* All that such a reader sees of the partition, "a b c "; valid until the next call. */
static inline const char *read_all(struct rig *rig, const char *topic, int32_t partition, bool committed)
{
    static char values[VALUES_BYTES];
    int64_t offset = 0;
    int64_t stable;
    values[0] = '\0';
    for (;;) {
        int64_t next = read_once(rig, topic, partition, offset, committed, values, &stable);
        if (next == offset)
            return values;
        offset = next;
    }
}

/* ListOffsets' latest. */
static inline int64_t end_offset(struct rig *rig, const char *topic, int32_t partition, bool committed)
{
    struct ask ask;
    struct list_offsets_request *request = ask_new(&ask, API_LIST_OFFSETS, 7);
    struct arena *arena = &ask.request->arena;
    request->isolation_level = committed;
    request->topics.items = list_offsets_request_topic_array(arena, 1);
    request->topics.count = 1;
    request->topics.items[0].name = mill_string(topic);
    request->topics.items[0].partitions.items = list_offsets_request_partition_array(arena, 1);
    request->topics.items[0].partitions.count = 1;
    request->topics.items[0].partitions.items[0].partition_index = partition;
    request->topics.items[0].partitions.items[0].timestamp = -1;
    const struct list_offsets_response *response = rig_ask(rig, &ask);
    assert_non_null(response);
    int64_t offset = response->topics.items[0].partitions.items[0].offset;
    ask_end(&ask);
    return offset;
}

/* "Ongoing", "Empty", ... */
static inline const char *txn_state(struct rig *rig, const char *id)
{
    static char name[32];
    struct ask ask;
    struct describe_transactions_request *request = ask_new(&ask, API_DESCRIBE_TRANSACTIONS, 0);
    request->transactional_ids.items = arena_alloc(&ask.request->arena, sizeof(mill_bytes));
    request->transactional_ids.items[0] = mill_string(id);
    request->transactional_ids.count = 1;
    const struct describe_transactions_response *response = rig_ask(rig, &ask);
    assert_non_null(response);
    const struct describe_transactions_response_state *found = &response->transaction_states.items[0];
    mill_bytes state =
        found->error_code == KAFKA_NONE ? found->transaction_state : mill_string(kafka_error_name(found->error_code));
    snprintf(name, sizeof name, "%.*s", (int)state.len, (const char *)state.data);
    ask_end(&ask);
    return name;
}

#endif
