/*
 * WriteTxnMarkers (key 27): the coordinator's word to partitions that a transaction has ended; also an administrator's, about one
 * that hangs.
 */
#ifndef WIRE_API_WRITE_TXN_MARKERS_H
#define WIRE_API_WRITE_TXN_MARKERS_H

#include "wire/codec.h"

#define WRITE_TXN_MARKERS_REQUEST_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                     \
    FIELD(T, ARRAY_INT32, partition_indexes, SINCE(0))
WIRE_STRUCT(write_txn_markers_request_topic, WRITE_TXN_MARKERS_REQUEST_TOPIC_FIELDS)

#define WRITE_TXN_MARKERS_REQUEST_MARKER_FIELDS(FIELD, T)              \
    FIELD(T, INT64, producer_id, SINCE(0))                             \
    FIELD(T, INT16, producer_epoch, SINCE(0))                          \
    FIELD(T, BOOL, transaction_result, SINCE(0))                       \
    FIELD(T, ARRAY(write_txn_markers_request_topic), topics, SINCE(0)) \
    FIELD(T, INT32, coordinator_epoch, SINCE(0))                       \
    FIELD(T, INT8, transaction_version, SINCE(2), IGNORABLE)
WIRE_STRUCT(write_txn_markers_request_marker, WRITE_TXN_MARKERS_REQUEST_MARKER_FIELDS)

#define WRITE_TXN_MARKERS_REQUEST_FIELDS(FIELD, T) FIELD(T, ARRAY(write_txn_markers_request_marker), markers, SINCE(0))
WIRE_MESSAGE(write_txn_markers_request, WRITE_TXN_MARKERS_REQUEST_FIELDS, 1, 2, 1)

#define WRITE_TXN_MARKERS_RESPONSE_PARTITION_FIELDS(FIELD, T) \
    FIELD(T, INT32, partition_index, SINCE(0))                \
    FIELD(T, INT16, error_code, SINCE(0))
WIRE_STRUCT(write_txn_markers_response_partition, WRITE_TXN_MARKERS_RESPONSE_PARTITION_FIELDS)

#define WRITE_TXN_MARKERS_RESPONSE_TOPIC_FIELDS(FIELD, T) \
    FIELD(T, STRING, name, SINCE(0))                      \
    FIELD(T, ARRAY(write_txn_markers_response_partition), partitions, SINCE(0))
WIRE_STRUCT(write_txn_markers_response_topic, WRITE_TXN_MARKERS_RESPONSE_TOPIC_FIELDS)

#define WRITE_TXN_MARKERS_RESPONSE_MARKER_FIELDS(FIELD, T) \
    FIELD(T, INT64, producer_id, SINCE(0))                 \
    FIELD(T, ARRAY(write_txn_markers_response_topic), topics, SINCE(0))
WIRE_STRUCT(write_txn_markers_response_marker, WRITE_TXN_MARKERS_RESPONSE_MARKER_FIELDS)

#define WRITE_TXN_MARKERS_RESPONSE_FIELDS(FIELD, T) FIELD(T, ARRAY(write_txn_markers_response_marker), markers, SINCE(0))
WIRE_MESSAGE(write_txn_markers_response, WRITE_TXN_MARKERS_RESPONSE_FIELDS, 1, 2, 1)

#endif
