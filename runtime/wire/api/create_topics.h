/*
 * CreateTopics (key 19): new topics with partitions, replicas or explicit assignments, and configs.
 *
 * From version 4 on -1 partitions or replicas mean the broker's default, 5 answers with the configs, 7 with the topic id.
 */
#ifndef WIRE_API_CREATE_TOPICS_H
#define WIRE_API_CREATE_TOPICS_H

#include "wire/codec.h"

#define CREATE_TOPICS_REQUEST_ASSIGNMENT_FIELDS(FIELD, T) \
    FIELD(T, INT32, partition_index, SINCE(0))            \
    FIELD(T, ARRAY_INT32, broker_ids, SINCE(0))
WIRE_STRUCT(create_topics_request_assignment, CREATE_TOPICS_REQUEST_ASSIGNMENT_FIELDS)

#define CREATE_TOPICS_REQUEST_CONFIG_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                  \
    FIELD(T, STRING, value, SINCE(0), NULLABLE(0))
WIRE_STRUCT(create_topics_request_config, CREATE_TOPICS_REQUEST_CONFIG_FIELDS)

#define CREATE_TOPICS_REQUEST_TOPIC_FIELDS(FIELD, T)                         \
    FIELD(T, STRING, name, SINCE(0))                                         \
    FIELD(T, INT32, num_partitions, SINCE(0))                                \
    FIELD(T, INT16, replication_factor, SINCE(0))                            \
    FIELD(T, ARRAY(create_topics_request_assignment), assignments, SINCE(0)) \
    FIELD(T, ARRAY(create_topics_request_config), configs, SINCE(0))
WIRE_STRUCT(create_topics_request_topic, CREATE_TOPICS_REQUEST_TOPIC_FIELDS)

#define CREATE_TOPICS_REQUEST_FIELDS(FIELD, T)                     \
    FIELD(T, ARRAY(create_topics_request_topic), topics, SINCE(0)) \
    FIELD(T, INT32, timeout_ms, SINCE(0), DEFAULT(60000))          \
    FIELD(T, BOOL, validate_only, SINCE(1))
WIRE_MESSAGE(create_topics_request, CREATE_TOPICS_REQUEST_FIELDS, 2, 7, 5)

#define CREATE_TOPICS_RESPONSE_CONFIG_FIELDS(FIELD, T)              \
    FIELD(T, STRING, name, SINCE(5))                                \
    FIELD(T, STRING, value, SINCE(5), NULLABLE(5))                  \
    FIELD(T, BOOL, read_only, SINCE(5))                             \
    FIELD(T, INT8, config_source, SINCE(5), DEFAULT(-1), IGNORABLE) \
    FIELD(T, BOOL, is_sensitive, SINCE(5))
WIRE_STRUCT(create_topics_response_config, CREATE_TOPICS_RESPONSE_CONFIG_FIELDS)

#define CREATE_TOPICS_RESPONSE_TOPIC_FIELDS(FIELD, T)                     \
    FIELD(T, STRING, name, SINCE(0))                                      \
    FIELD(T, UUID, topic_id, SINCE(7), IGNORABLE)                         \
    FIELD(T, INT16, error_code, SINCE(0))                                 \
    FIELD(T, STRING, error_message, SINCE(1), NULLABLE(0))                \
    FIELD(T, INT16, topic_config_error_code, SINCE(5), TAG(0), IGNORABLE) \
    FIELD(T, INT32, num_partitions, SINCE(5), DEFAULT(-1), IGNORABLE)     \
    FIELD(T, INT16, replication_factor, SINCE(5), DEFAULT(-1), IGNORABLE) \
    FIELD(T, ARRAY(create_topics_response_config), configs, SINCE(5), NULLABLE(5), IGNORABLE)
WIRE_STRUCT(create_topics_response_topic, CREATE_TOPICS_RESPONSE_TOPIC_FIELDS)

#define CREATE_TOPICS_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(2)) \
    FIELD(T, ARRAY(create_topics_response_topic), topics, SINCE(0))
WIRE_MESSAGE(create_topics_response, CREATE_TOPICS_RESPONSE_FIELDS, 2, 7, 5)

#endif
