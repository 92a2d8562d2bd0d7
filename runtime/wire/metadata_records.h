/*
 * Records of `__cluster_metadata`: the state of the cluster as a log of changes.
 *
 * A record's value is an unsigned varint frame version (1), one for the type (below), one for the version, and the flexible
 * body; its key is null. wire_append and wire_decode take the body. A record of an unknown type must stop whoever replays: what
 * it changes is unknown.
 */
#ifndef WIRE_METADATA_RECORDS_H
#define WIRE_METADATA_RECORDS_H

#include "wire/codec.h"

enum { METADATA_FRAME_VERSION = 1 };

/* X(type, NAME, name): the struct is <name>_record, its message <name>_record_message. */
#define METADATA_RECORDS(X)                                       \
    X(0, REGISTER_BROKER, register_broker)                        \
    X(1, UNREGISTER_BROKER, unregister_broker)                    \
    X(2, TOPIC, topic)                                            \
    X(3, PARTITION, partition)                                    \
    X(4, CONFIG, config)                                          \
    X(5, PARTITION_CHANGE, partition_change)                      \
    X(7, FENCE_BROKER, fence_broker)                              \
    X(8, UNFENCE_BROKER, unfence_broker)                          \
    X(9, REMOVE_TOPIC, remove_topic)                              \
    X(12, FEATURE_LEVEL, feature_level)                           \
    X(15, PRODUCER_IDS, producer_ids)                             \
    X(17, BROKER_REGISTRATION_CHANGE, broker_registration_change) \
    X(20, NO_OP, no_op)                                           \
    X(23, BEGIN_TRANSACTION, begin_transaction)                   \
    X(24, END_TRANSACTION, end_transaction)                       \
    X(25, ABORT_TRANSACTION, abort_transaction)                   \
    X(27, REGISTER_CONTROLLER, register_controller)

enum metadata_record_type {
#define METADATA_RECORD_ENUM(type, NAME, name) METADATA_RECORD_##NAME = type,
    METADATA_RECORDS(METADATA_RECORD_ENUM)
#undef METADATA_RECORD_ENUM
};

/* A broker has come. */
#define REGISTER_BROKER_RECORD_END_POINT_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                      \
    FIELD(T, STRING, host, SINCE(0))                      \
    FIELD(T, UINT16, port, SINCE(0))                      \
    FIELD(T, INT16, security_protocol, SINCE(0))
WIRE_STRUCT(register_broker_record_end_point, REGISTER_BROKER_RECORD_END_POINT_FIELDS)

#define REGISTER_BROKER_RECORD_FEATURE_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                    \
    FIELD(T, INT16, min_supported_version, SINCE(0))    \
    FIELD(T, INT16, max_supported_version, SINCE(0))
WIRE_STRUCT(register_broker_record_feature, REGISTER_BROKER_RECORD_FEATURE_FIELDS)

#define REGISTER_BROKER_RECORD_FIELDS(FIELD, T)                             \
    FIELD(T, INT32, broker_id, SINCE(0))                                    \
    FIELD(T, BOOL, is_migrating_zk_broker, SINCE(2))                        \
    FIELD(T, UUID, incarnation_id, SINCE(0))                                \
    FIELD(T, INT64, broker_epoch, SINCE(0))                                 \
    FIELD(T, ARRAY(register_broker_record_end_point), end_points, SINCE(0)) \
    FIELD(T, ARRAY(register_broker_record_feature), features, SINCE(0))     \
    FIELD(T, STRING, rack, SINCE(0), NULLABLE(0))                           \
    FIELD(T, BOOL, fenced, SINCE(0), DEFAULT(true))                         \
    FIELD(T, BOOL, in_controlled_shutdown, SINCE(1))                        \
    FIELD(T, ARRAY_UUID, log_dirs, SINCE(3), TAG(0))                        \
    FIELD(T, ARRAY_UUID, cordoned_log_dirs, SINCE(4), NULLABLE(4), NULL_DEFAULT, TAG(1))
WIRE_MESSAGE(register_broker_record, REGISTER_BROKER_RECORD_FIELDS, 0, 4, 0)

/* A broker has gone for good. */
#define UNREGISTER_BROKER_RECORD_FIELDS(FIELD, T) \
    FIELD(T, INT32, broker_id, SINCE(0))          \
    FIELD(T, INT64, broker_epoch, SINCE(0))
WIRE_MESSAGE(unregister_broker_record, UNREGISTER_BROKER_RECORD_FIELDS, 0, 0, 0)

/* A topic exists. */
#define TOPIC_RECORD_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))  \
    FIELD(T, UUID, topic_id, SINCE(0))
WIRE_MESSAGE(topic_record, TOPIC_RECORD_FIELDS, 0, 0, 0)

/* A partition exists. */
#define PARTITION_RECORD_FIELDS(FIELD, T)                                                        \
    FIELD(T, INT32, partition_id, SINCE(0), DEFAULT(-1))                                         \
    FIELD(T, UUID, topic_id, SINCE(0))                                                           \
    FIELD(T, ARRAY_INT32, replicas, SINCE(0))                                                    \
    FIELD(T, ARRAY_INT32, isr, SINCE(0))                                                         \
    FIELD(T, ARRAY_INT32, removing_replicas, SINCE(0))                                           \
    FIELD(T, ARRAY_INT32, adding_replicas, SINCE(0))                                             \
    FIELD(T, INT32, leader, SINCE(0), DEFAULT(-1))                                               \
    FIELD(T, INT8, leader_recovery_state, SINCE(0), TAG(0))                                      \
    FIELD(T, INT32, leader_epoch, SINCE(0), DEFAULT(-1))                                         \
    FIELD(T, INT32, partition_epoch, SINCE(0), DEFAULT(-1))                                      \
    FIELD(T, ARRAY_UUID, directories, SINCE(1))                                                  \
    FIELD(T, ARRAY_INT32, eligible_leader_replicas, SINCE(2), NULLABLE(2), NULL_DEFAULT, TAG(1)) \
    FIELD(T, ARRAY_INT32, last_known_elr, SINCE(2), NULLABLE(2), NULL_DEFAULT, TAG(2))
WIRE_MESSAGE(partition_record, PARTITION_RECORD_FIELDS, 0, 2, 0)

/* A config is set, or with a null value reset. */
#define CONFIG_RECORD_FIELDS(FIELD, T)        \
    FIELD(T, INT8, resource_type, SINCE(0))   \
    FIELD(T, STRING, resource_name, SINCE(0)) \
    FIELD(T, STRING, name, SINCE(0))          \
    FIELD(T, STRING, value, SINCE(0), NULLABLE(0))
WIRE_MESSAGE(config_record, CONFIG_RECORD_FIELDS, 0, 0, 0)

/* What has changed in a partition; absent fields stay. */
#define PARTITION_CHANGE_RECORD_FIELDS(FIELD, T)                                                 \
    FIELD(T, INT32, partition_id, SINCE(0), DEFAULT(-1))                                         \
    FIELD(T, UUID, topic_id, SINCE(0))                                                           \
    FIELD(T, ARRAY_INT32, isr, SINCE(0), NULLABLE(0), NULL_DEFAULT, TAG(0))                      \
    FIELD(T, INT32, leader, SINCE(0), DEFAULT(-2), TAG(1))                                       \
    FIELD(T, ARRAY_INT32, replicas, SINCE(0), NULLABLE(0), NULL_DEFAULT, TAG(2))                 \
    FIELD(T, ARRAY_INT32, removing_replicas, SINCE(0), NULLABLE(0), NULL_DEFAULT, TAG(3))        \
    FIELD(T, ARRAY_INT32, adding_replicas, SINCE(0), NULLABLE(0), NULL_DEFAULT, TAG(4))          \
    FIELD(T, INT8, leader_recovery_state, SINCE(0), DEFAULT(-1), TAG(5))                         \
    FIELD(T, ARRAY_UUID, directories, SINCE(1), NULLABLE(1), NULL_DEFAULT, TAG(8))               \
    FIELD(T, ARRAY_INT32, eligible_leader_replicas, SINCE(2), NULLABLE(2), NULL_DEFAULT, TAG(6)) \
    FIELD(T, ARRAY_INT32, last_known_elr, SINCE(2), NULLABLE(2), NULL_DEFAULT, TAG(7))
WIRE_MESSAGE(partition_change_record, PARTITION_CHANGE_RECORD_FIELDS, 0, 2, 0)

/* A broker is fenced (before BrokerRegistrationChange took this over). */
#define FENCE_BROKER_RECORD_FIELDS(FIELD, T) \
    FIELD(T, INT32, id, SINCE(0))            \
    FIELD(T, INT64, epoch, SINCE(0))
WIRE_MESSAGE(fence_broker_record, FENCE_BROKER_RECORD_FIELDS, 0, 0, 0)

/* A broker is unfenced (before BrokerRegistrationChange took this over). */
#define UNFENCE_BROKER_RECORD_FIELDS(FIELD, T) \
    FIELD(T, INT32, id, SINCE(0))              \
    FIELD(T, INT64, epoch, SINCE(0))
WIRE_MESSAGE(unfence_broker_record, UNFENCE_BROKER_RECORD_FIELDS, 0, 0, 0)

/* A topic is gone, with its partitions and configs. */
#define REMOVE_TOPIC_RECORD_FIELDS(FIELD, T) FIELD(T, UUID, topic_id, SINCE(0))
WIRE_MESSAGE(remove_topic_record, REMOVE_TOPIC_RECORD_FIELDS, 0, 0, 0)

/* A feature is finalized at a level; level 0 removes it. */
#define FEATURE_LEVEL_RECORD_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))          \
    FIELD(T, INT16, feature_level, SINCE(0))
WIRE_MESSAGE(feature_level_record, FEATURE_LEVEL_RECORD_FIELDS, 0, 0, 0)

/* Producer ids below `next_producer_id` are given out. */
#define PRODUCER_IDS_RECORD_FIELDS(FIELD, T)             \
    FIELD(T, INT32, broker_id, SINCE(0))                 \
    FIELD(T, INT64, broker_epoch, SINCE(0), DEFAULT(-1)) \
    FIELD(T, INT64, next_producer_id, SINCE(0))
WIRE_MESSAGE(producer_ids_record, PRODUCER_IDS_RECORD_FIELDS, 0, 0, 0)

/* What has changed in a broker; absent fields stay. */
#define BROKER_REGISTRATION_CHANGE_RECORD_FIELDS(FIELD, T)   \
    FIELD(T, INT32, broker_id, SINCE(0))                     \
    FIELD(T, INT64, broker_epoch, SINCE(0))                  \
    FIELD(T, INT8, fenced, SINCE(0), TAG(0))                 \
    FIELD(T, INT8, in_controlled_shutdown, SINCE(1), TAG(1)) \
    FIELD(T, ARRAY_UUID, log_dirs, SINCE(2), TAG(2))         \
    FIELD(T, ARRAY_UUID, cordoned_log_dirs, SINCE(3), NULLABLE(3), NULL_DEFAULT, TAG(3))
WIRE_MESSAGE(broker_registration_change_record, BROKER_REGISTRATION_CHANGE_RECORD_FIELDS, 0, 3, 0)

/* Nothing: keeps the log moving. */
#define NO_OP_RECORD_FIELDS(FIELD, T)
WIRE_MESSAGE(no_op_record, NO_OP_RECORD_FIELDS, 0, 0, 0)

/* The records up to EndTransaction apply together. */
#define BEGIN_TRANSACTION_RECORD_FIELDS(FIELD, T) FIELD(T, STRING, name, SINCE(0), NULLABLE(0), NULL_DEFAULT, TAG(0))
WIRE_MESSAGE(begin_transaction_record, BEGIN_TRANSACTION_RECORD_FIELDS, 0, 0, 0)

/* They are to be applied. */
#define END_TRANSACTION_RECORD_FIELDS(FIELD, T)
WIRE_MESSAGE(end_transaction_record, END_TRANSACTION_RECORD_FIELDS, 0, 0, 0)

/* They are to be forgotten. */
#define ABORT_TRANSACTION_RECORD_FIELDS(FIELD, T) FIELD(T, STRING, reason, SINCE(0), NULLABLE(0), NULL_DEFAULT, TAG(0))
WIRE_MESSAGE(abort_transaction_record, ABORT_TRANSACTION_RECORD_FIELDS, 0, 0, 0)

/* A controller has come. */
#define REGISTER_CONTROLLER_RECORD_END_POINT_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                          \
    FIELD(T, STRING, host, SINCE(0))                          \
    FIELD(T, UINT16, port, SINCE(0))                          \
    FIELD(T, INT16, security_protocol, SINCE(0))
WIRE_STRUCT(register_controller_record_end_point, REGISTER_CONTROLLER_RECORD_END_POINT_FIELDS)

#define REGISTER_CONTROLLER_RECORD_FEATURE_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                        \
    FIELD(T, INT16, min_supported_version, SINCE(0))        \
    FIELD(T, INT16, max_supported_version, SINCE(0))
WIRE_STRUCT(register_controller_record_feature, REGISTER_CONTROLLER_RECORD_FEATURE_FIELDS)

#define REGISTER_CONTROLLER_RECORD_FIELDS(FIELD, T)                             \
    FIELD(T, INT32, controller_id, SINCE(0))                                    \
    FIELD(T, UUID, incarnation_id, SINCE(0))                                    \
    FIELD(T, BOOL, zk_migration_ready, SINCE(0))                                \
    FIELD(T, ARRAY(register_controller_record_end_point), end_points, SINCE(0)) \
    FIELD(T, ARRAY(register_controller_record_feature), features, SINCE(0))
WIRE_MESSAGE(register_controller_record, REGISTER_CONTROLLER_RECORD_FIELDS, 0, 0, 0)

#endif
