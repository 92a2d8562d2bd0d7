/*
 * The requests that exist here, by API key: names, versions, messages.
 *
 * The versions are those that an Apache Kafka 4.3 broker advertises: clients switch features on and off by them. Produce is
 * advertised from 0 on, because old librdkafka reads "no gzip" out of anything else, but only 3 and above are served.
 */
#ifndef WIRE_API_TABLE_H
#define WIRE_API_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/codec.h"

/* X(key, NAME, name, Name, lowest version to advertise): wire/api/<name>.h has struct <name>_request and <name>_response. */
#define WIRE_APIS(X)                                                                        \
    X(0, PRODUCE, produce, Produce, 0)                                                      \
    X(1, FETCH, fetch, Fetch, 4)                                                            \
    X(2, LIST_OFFSETS, list_offsets, ListOffsets, 1)                                        \
    X(3, METADATA, metadata, Metadata, 0)                                                   \
    X(8, OFFSET_COMMIT, offset_commit, OffsetCommit, 2)                                     \
    X(9, OFFSET_FETCH, offset_fetch, OffsetFetch, 1)                                        \
    X(10, FIND_COORDINATOR, find_coordinator, FindCoordinator, 0)                           \
    X(11, JOIN_GROUP, join_group, JoinGroup, 0)                                             \
    X(12, HEARTBEAT, heartbeat, Heartbeat, 0)                                               \
    X(13, LEAVE_GROUP, leave_group, LeaveGroup, 0)                                          \
    X(14, SYNC_GROUP, sync_group, SyncGroup, 0)                                             \
    X(15, DESCRIBE_GROUPS, describe_groups, DescribeGroups, 0)                              \
    X(16, LIST_GROUPS, list_groups, ListGroups, 0)                                          \
    X(17, SASL_HANDSHAKE, sasl_handshake, SaslHandshake, 0)                                 \
    X(18, API_VERSIONS, api_versions, ApiVersions, 0)                                       \
    X(19, CREATE_TOPICS, create_topics, CreateTopics, 2)                                    \
    X(20, DELETE_TOPICS, delete_topics, DeleteTopics, 1)                                    \
    X(21, DELETE_RECORDS, delete_records, DeleteRecords, 0)                                 \
    X(22, INIT_PRODUCER_ID, init_producer_id, InitProducerId, 0)                            \
    X(23, OFFSET_FOR_LEADER_EPOCH, offset_for_leader_epoch, OffsetForLeaderEpoch, 2)        \
    X(24, ADD_PARTITIONS_TO_TXN, add_partitions_to_txn, AddPartitionsToTxn, 0)              \
    X(25, ADD_OFFSETS_TO_TXN, add_offsets_to_txn, AddOffsetsToTxn, 0)                       \
    X(26, END_TXN, end_txn, EndTxn, 0)                                                      \
    X(27, WRITE_TXN_MARKERS, write_txn_markers, WriteTxnMarkers, 1)                         \
    X(28, TXN_OFFSET_COMMIT, txn_offset_commit, TxnOffsetCommit, 0)                         \
    X(32, DESCRIBE_CONFIGS, describe_configs, DescribeConfigs, 1)                           \
    X(37, CREATE_PARTITIONS, create_partitions, CreatePartitions, 0)                        \
    X(42, DELETE_GROUPS, delete_groups, DeleteGroups, 0)                                    \
    X(44, INCREMENTAL_ALTER_CONFIGS, incremental_alter_configs, IncrementalAlterConfigs, 0) \
    X(60, DESCRIBE_CLUSTER, describe_cluster, DescribeCluster, 0)                           \
    X(61, DESCRIBE_PRODUCERS, describe_producers, DescribeProducers, 0)                     \
    X(65, DESCRIBE_TRANSACTIONS, describe_transactions, DescribeTransactions, 0)            \
    X(66, LIST_TRANSACTIONS, list_transactions, ListTransactions, 0)                        \
    X(75, DESCRIBE_TOPIC_PARTITIONS, describe_topic_partitions, DescribeTopicPartitions, 0)

enum api_key {
#define API_KEY_ENUM(key, NAME, name, Name, advertised) API_##NAME = key,
    WIRE_APIS(API_KEY_ENUM)
#undef API_KEY_ENUM
};

struct api {
    int16_t key;
    int16_t advertised_min;             /* as ApiVersions answers it; version_min of the messages is what can be decoded */
    const char *name;                   /* "OffsetCommit" */
    const struct wire_message *request; /* request and response have the same versions */
    const struct wire_message *response;
};

/* All rows, in the order of their keys. */
extern const struct api api_table[];
extern const int api_table_count;

/* NULL: not a request that exists here. */
const struct api *api_find(int16_t key);

static inline bool api_has_version(const struct api *api, int16_t version)
{
    return version >= api->request->version_min && version <= api->request->version_max;
}

/* Request header: 2 when the version is flexible, else 1. */
static inline int api_request_header_version(const struct api *api, int16_t version)
{
    return version >= api->request->flexible_since ? 2 : 1;
}

/*
 * Response header: 1 when the version is flexible, else 0; always 0 for ApiVersions, which clients read before they know
 * versions.
 */
static inline int api_response_header_version(const struct api *api, int16_t version)
{
    return version >= api->response->flexible_since && api->key != API_API_VERSIONS ? 1 : 0;
}

#endif
