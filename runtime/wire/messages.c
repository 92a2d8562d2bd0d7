/*
 * The constants behind every message: its fields as the interpreter sees them, made from the same lists as the structs.
 *
 * This is the one file that sees the lists' options as more than decoration.
 */
#define WIRE_DEFINE_LAYOUTS

#define SINCE(v)        .first = (v), .last = INT16_MAX
#define BETWEEN(v, w)   .first = (v), .last = (w)
#define NULLABLE(v)     .nullable_plus_one = (v) + 1
#define DEFAULT(number) .default_value = (number)
#define NULL_DEFAULT    .null_default = true
#define TAG(number)     .tag_plus_one = (number) + 1
#define IGNORABLE       .ignorable = true

#define ONE(TYPE)               .type = TYPE, .shape = WIRE_ONE
#define MANY(TYPE)              .type = TYPE, .shape = WIRE_MANY
#define DESCRIBE_BOOL           ONE(WIRE_BOOL)
#define DESCRIBE_INT8           ONE(WIRE_INT8)
#define DESCRIBE_INT16          ONE(WIRE_INT16)
#define DESCRIBE_UINT16         ONE(WIRE_UINT16)
#define DESCRIBE_INT32          ONE(WIRE_INT32)
#define DESCRIBE_UINT32         ONE(WIRE_UINT32)
#define DESCRIBE_INT64          ONE(WIRE_INT64)
#define DESCRIBE_FLOAT64        ONE(WIRE_FLOAT64)
#define DESCRIBE_UUID           ONE(WIRE_UUID)
#define DESCRIBE_STRING         ONE(WIRE_STRING)
#define DESCRIBE_BYTES          ONE(WIRE_BYTES)
#define DESCRIBE_RECORDS        ONE(WIRE_RECORDS)
#define DESCRIBE_ARRAY_INT8     MANY(WIRE_INT8)
#define DESCRIBE_ARRAY_INT16    MANY(WIRE_INT16)
#define DESCRIBE_ARRAY_INT32    MANY(WIRE_INT32)
#define DESCRIBE_ARRAY_INT64    MANY(WIRE_INT64)
#define DESCRIBE_ARRAY_STRING   MANY(WIRE_STRING)
#define DESCRIBE_ARRAY_UUID     MANY(WIRE_UUID)
#define DESCRIBE_ARRAY(PART)    MANY(WIRE_PART), .part = &PART##_layout
#define DESCRIBE_STRUCT(PART)   ONE(WIRE_PART), .part = &PART##_layout
#define DESCRIBE_OPTIONAL(PART) .type = WIRE_PART, .shape = WIRE_OPTIONAL, .null_default = true, .part = &PART##_layout

#define DESCRIBE_FIELD(T, TYPE, NAME, ...) { .name = #NAME, .offset = offsetof(struct T, NAME), DESCRIBE_##TYPE, __VA_ARGS__ },

#define WIRE_STRUCT(T, FIELDS)                                                   \
    WIRE_STRUCT_DECLARE(T, FIELDS)                                               \
    static const struct wire_field T##_fields[] = { FIELDS(DESCRIBE_FIELD, T) }; \
    const struct wire_layout T##_layout = {                                      \
        .name = #T,                                                              \
        .size = sizeof(struct T),                                                \
        .field_count = sizeof T##_fields / sizeof(struct wire_field),            \
        .fields = T##_fields,                                                    \
    };

#define WIRE_MESSAGE(T, FIELDS, min, max, flexible) \
    WIRE_STRUCT(T, FIELDS)                          \
    extern const struct wire_message T##_message;   \
    const struct wire_message T##_message = { &T##_layout, min, max, flexible };

#include "wire/api/add_offsets_to_txn.h"
#include "wire/api/add_partitions_to_txn.h"
#include "wire/api/api_versions.h"
#include "wire/api/create_partitions.h"
#include "wire/api/create_topics.h"
#include "wire/api/delete_groups.h"
#include "wire/api/delete_records.h"
#include "wire/api/delete_topics.h"
#include "wire/api/describe_cluster.h"
#include "wire/api/describe_configs.h"
#include "wire/api/describe_groups.h"
#include "wire/api/describe_producers.h"
#include "wire/api/describe_topic_partitions.h"
#include "wire/api/describe_transactions.h"
#include "wire/api/end_txn.h"
#include "wire/api/fetch.h"
#include "wire/api/find_coordinator.h"
#include "wire/api/heartbeat.h"
#include "wire/api/incremental_alter_configs.h"
#include "wire/api/init_producer_id.h"
#include "wire/api/join_group.h"
#include "wire/api/leave_group.h"
#include "wire/api/list_groups.h"
#include "wire/api/list_offsets.h"
#include "wire/api/list_transactions.h"
#include "wire/api/metadata.h"
#include "wire/api/offset_commit.h"
#include "wire/api/offset_fetch.h"
#include "wire/api/offset_for_leader_epoch.h"
#include "wire/api/produce.h"
#include "wire/api/sasl_handshake.h"
#include "wire/api/sync_group.h"
#include "wire/api/txn_offset_commit.h"
#include "wire/api/write_txn_markers.h"
#include "wire/group_records.h"
#include "wire/metadata_records.h"
#include "wire/txn_records.h"
