/*
 * Keys and values of `__consumer_offsets`, and what members of a classic consumer group tell each other.
 *
 * A key and a value in the topic are an int16, then the body: wire_append and wire_decode take the body. For a key the number is
 * its type (below), for a value its version. A null value is a tombstone.
 *
 * Subscriptions and assignments have an int16 version in front, too; a reader takes a higher one for the highest that it knows,
 * as fields are only ever added behind. Their user data is opaque.
 */
#ifndef WIRE_GROUP_RECORDS_H
#define WIRE_GROUP_RECORDS_H

#include "wire/codec.h"

enum group_record_type {
    GROUP_RECORD_OFFSET_LEGACY = 0, /* read as GROUP_RECORD_OFFSET */
    GROUP_RECORD_OFFSET = 1,
    GROUP_RECORD_GROUP = 2,
};

/* The versions to write. */
enum { OFFSET_COMMIT_VALUE_VERSION = 3, GROUP_METADATA_VALUE_VERSION = 3 };

/* Whose position: type 1 (and 0, the same fields). */
#define OFFSET_COMMIT_KEY_FIELDS(FIELD, T) \
    FIELD(T, STRING, group, SINCE(0))      \
    FIELD(T, STRING, topic, SINCE(0))      \
    FIELD(T, INT32, partition, SINCE(0))
WIRE_MESSAGE(offset_commit_key, OFFSET_COMMIT_KEY_FIELDS, 0, 0, WIRE_NEVER)

/* A position. Version 3 is written: the highest that is not flexible; 1 had an expiry of its own. */
#define OFFSET_COMMIT_VALUE_FIELDS(FIELD, T)                                 \
    FIELD(T, INT64, offset, SINCE(0))                                        \
    FIELD(T, INT32, leader_epoch, SINCE(3), DEFAULT(-1), IGNORABLE)          \
    FIELD(T, STRING, metadata, SINCE(0))                                     \
    FIELD(T, INT64, commit_timestamp, SINCE(0))                              \
    FIELD(T, INT64, expire_timestamp, BETWEEN(1, 1), DEFAULT(-1), IGNORABLE) \
    FIELD(T, UUID, topic_id, SINCE(4), TAG(0), IGNORABLE)
WIRE_MESSAGE(offset_commit_value, OFFSET_COMMIT_VALUE_FIELDS, 0, 4, 4)

/* Which classic group: type 2. */
#define GROUP_METADATA_KEY_FIELDS(FIELD, T) FIELD(T, STRING, group, SINCE(0))
WIRE_MESSAGE(group_metadata_key, GROUP_METADATA_KEY_FIELDS, 0, 0, WIRE_NEVER)

/* A classic group at the end of a rebalance. Version 3 is written. */
#define GROUP_METADATA_VALUE_MEMBER_FIELDS(FIELD, T)                                    \
    FIELD(T, STRING, member_id, SINCE(0))                                               \
    FIELD(T, STRING, group_instance_id, SINCE(3), NULLABLE(3), NULL_DEFAULT, IGNORABLE) \
    FIELD(T, STRING, client_id, SINCE(0))                                               \
    FIELD(T, STRING, client_host, SINCE(0))                                             \
    FIELD(T, INT32, rebalance_timeout, SINCE(1), DEFAULT(-1), IGNORABLE)                \
    FIELD(T, INT32, session_timeout, SINCE(0))                                          \
    FIELD(T, BYTES, subscription, SINCE(0))                                             \
    FIELD(T, BYTES, assignment, SINCE(0))
WIRE_STRUCT(group_metadata_value_member, GROUP_METADATA_VALUE_MEMBER_FIELDS)

#define GROUP_METADATA_VALUE_FIELDS(FIELD, T)                                  \
    FIELD(T, STRING, protocol_type, SINCE(0))                                  \
    FIELD(T, INT32, generation, SINCE(0))                                      \
    FIELD(T, STRING, protocol, SINCE(0), NULLABLE(0))                          \
    FIELD(T, STRING, leader, SINCE(0), NULLABLE(0))                            \
    FIELD(T, INT64, current_state_timestamp, SINCE(2), DEFAULT(-1), IGNORABLE) \
    FIELD(T, ARRAY(group_metadata_value_member), members, SINCE(0))
WIRE_MESSAGE(group_metadata_value, GROUP_METADATA_VALUE_FIELDS, 0, 4, 4)

/* What a consumer brings to JoinGroup: topics wanted and, for cooperative rebalances, partitions owned. */
#define CONSUMER_PROTOCOL_SUBSCRIPTION_OWNED_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, STRING, topic, SINCE(1))                                   \
    FIELD(T, ARRAY_INT32, partitions, SINCE(1))
WIRE_STRUCT(consumer_protocol_subscription_owned_partition, CONSUMER_PROTOCOL_SUBSCRIPTION_OWNED_PARTITION_FIELDS)

#define CONSUMER_PROTOCOL_SUBSCRIPTION_FIELDS(FIELD, T)                                                    \
    FIELD(T, ARRAY_STRING, topics, SINCE(0))                                                               \
    FIELD(T, BYTES, user_data, SINCE(0), NULLABLE(0), NULL_DEFAULT)                                        \
    FIELD(T, ARRAY(consumer_protocol_subscription_owned_partition), owned_partitions, SINCE(1), IGNORABLE) \
    FIELD(T, INT32, generation_id, SINCE(2), DEFAULT(-1), IGNORABLE)                                       \
    FIELD(T, STRING, rack_id, SINCE(3), NULLABLE(3), NULL_DEFAULT, IGNORABLE)
WIRE_MESSAGE(consumer_protocol_subscription, CONSUMER_PROTOCOL_SUBSCRIPTION_FIELDS, 0, 3, WIRE_NEVER)

/* What the leader gives to a consumer through SyncGroup. */
#define CONSUMER_PROTOCOL_ASSIGNMENT_ASSIGNED_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, STRING, topic, SINCE(0))                                    \
    FIELD(T, ARRAY_INT32, partitions, SINCE(0))
WIRE_STRUCT(consumer_protocol_assignment_assigned_partition, CONSUMER_PROTOCOL_ASSIGNMENT_ASSIGNED_PARTITION_FIELDS)

#define CONSUMER_PROTOCOL_ASSIGNMENT_FIELDS(FIELD, T)                                               \
    FIELD(T, ARRAY(consumer_protocol_assignment_assigned_partition), assigned_partitions, SINCE(0)) \
    FIELD(T, BYTES, user_data, SINCE(0), NULLABLE(0), NULL_DEFAULT)
WIRE_MESSAGE(consumer_protocol_assignment, CONSUMER_PROTOCOL_ASSIGNMENT_FIELDS, 0, 3, WIRE_NEVER)

#endif
