/* Every message there is: those of the APIs, of group records and of metadata records. */
#ifndef TESTS_WIRE_ALL_MESSAGES_H
#define TESTS_WIRE_ALL_MESSAGES_H

#include "wire/api_table.h"
#include "wire/group_records.h"
#include "wire/metadata_records.h"
#include "wire/txn_records.h"

static const struct wire_message *const RECORD_MESSAGES[] = { &offset_commit_key_message,
                                                              &offset_commit_value_message,
                                                              &group_metadata_key_message,
                                                              &group_metadata_value_message,
                                                              &consumer_protocol_subscription_message,
                                                              &consumer_protocol_assignment_message,
                                                              &transaction_log_key_message,
                                                              &transaction_log_value_message,
#define METADATA_MESSAGE(type, NAME, name) &name##_record_message,
                                                              METADATA_RECORDS(METADATA_MESSAGE)
#undef METADATA_MESSAGE
};

enum { RECORD_MESSAGE_COUNT = sizeof RECORD_MESSAGES / sizeof *RECORD_MESSAGES };

static inline int all_message_count(void)
{
    return 2 * api_table_count + RECORD_MESSAGE_COUNT;
}

static inline const struct wire_message *all_message(int i)
{
    if (i < 2 * api_table_count)
        return i % 2 == 0 ? api_table[i / 2].request : api_table[i / 2].response;
    return RECORD_MESSAGES[i - 2 * api_table_count];
}

/* for (every message and each of its versions) */
#define FOR_EACH_MESSAGE_AND_VERSION(message, version)                                               \
    for (int message##_i = 0; message##_i < all_message_count(); message##_i++)                      \
        for (const struct wire_message *message = all_message(message##_i); message; message = NULL) \
            for (int version = message->version_min; version <= message->version_max; version++)

#endif
