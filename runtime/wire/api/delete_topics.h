/*
 * DeleteTopics (key 20): by name (`topic_names`), from version 6 on by name or id (`topics`).
 */
#ifndef WIRE_API_DELETE_TOPICS_H
#define WIRE_API_DELETE_TOPICS_H

#include "wire/codec.h"

#define DELETE_TOPICS_REQUEST_TOPIC_FIELDS(FIELD, T)            \
    FIELD(T, STRING, name, SINCE(6), NULLABLE(6), NULL_DEFAULT) \
    FIELD(T, UUID, topic_id, SINCE(6))
WIRE_STRUCT(delete_topics_request_topic, DELETE_TOPICS_REQUEST_TOPIC_FIELDS)

#define DELETE_TOPICS_REQUEST_FIELDS(FIELD, T)                     \
    FIELD(T, ARRAY(delete_topics_request_topic), topics, SINCE(6)) \
    FIELD(T, ARRAY_STRING, topic_names, BETWEEN(0, 5), IGNORABLE)  \
    FIELD(T, INT32, timeout_ms, SINCE(0))
WIRE_MESSAGE(delete_topics_request, DELETE_TOPICS_REQUEST_FIELDS, 1, 6, 4)

#define DELETE_TOPICS_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0), NULLABLE(6))     \
    FIELD(T, UUID, topic_id, SINCE(6), IGNORABLE)     \
    FIELD(T, INT16, error_code, SINCE(0))             \
    FIELD(T, STRING, error_message, SINCE(5), NULLABLE(5), NULL_DEFAULT, IGNORABLE)
WIRE_STRUCT(delete_topics_response_topic, DELETE_TOPICS_RESPONSE_TOPIC_FIELDS)

#define DELETE_TOPICS_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT32, throttle_time_ms, SINCE(1)) \
    FIELD(T, ARRAY(delete_topics_response_topic), responses, SINCE(0))
WIRE_MESSAGE(delete_topics_response, DELETE_TOPICS_RESPONSE_FIELDS, 1, 6, 4)

#endif
