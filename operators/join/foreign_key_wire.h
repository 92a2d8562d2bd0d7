/*
 * What both sides of a foreign-key join write to each other, and what the right side keeps, in Kafka Streams' forms:
 *
 *   subscription, under the foreign key: "tell the row `primary key` about you"
 *      | no hash (1 bit), version (7) | instruction (1) | hash (16) or nothing | primary key ... | partition (4) |
 *      Version 0 has no partition. It is also the value under which the right side keeps it, with the key
 *      | bytes of foreign key (4) | foreign key ... | primary key ... |
 *      so that all rows that look at a foreign key lie side by side.
 *
 *   response, under the primary key: "this is what you asked about"
 *      | no hash (1 bit), version 0 (7) | hash (16) or nothing | value of the right row ...; empty: there is none |
 *
 * The hash is that of the left row's value (murmur3_128), none for a deletion: an answer to a value that is no longer the row's
 * is dropped. The partition is the left row's: it need not be the one that a partitioner would choose by the primary key.
 */
#ifndef JOIN_FOREIGN_KEY_WIRE_H
#define JOIN_FOREIGN_KEY_WIRE_H

#include "base/buffer.h"
#include "millstream/processor.h"

enum { FOREIGN_KEY_HASH_BYTES = 16 };

enum foreign_key_instruction {
    SUBSCRIPTION_DELETE = 0,            /* forget the row */
    SUBSCRIPTION_DELETE_AND_ANSWER = 1, /* and say that nothing is there, so that its result goes */
    SUBSCRIPTION_ANSWER = 2,            /* keep it; answer, also that nothing is there */
    SUBSCRIPTION_ANSWER_IF_THERE = 3    /* keep it; answer if there is something */
};

enum { SUBSCRIPTION_INSTRUCTIONS = 4, SUBSCRIPTION_NO_PARTITION = -1 };

struct subscription {
    enum foreign_key_instruction instruction;
    mill_bytes hash; /* null: none */
    mill_bytes primary_key;
    int32_t partition; /* of the left row, SUBSCRIPTION_NO_PARTITION: not told */
};

struct foreign_response {
    mill_bytes hash;  /* null: none */
    mill_bytes value; /* null: there is no right row */
};

/* Into a buffer, which is cleared first: a change may be told to more rows than a record's memory has room for. */
MILL_MUST_USE int foreign_response_write(struct buffer *buffer, const struct foreign_response *response, mill_bytes *bytes);

/* The next two make bytes that live as long as the record. 0 or MILL_ENOMEM. */
MILL_MUST_USE int subscription_write(mill_context *context, const struct subscription *subscription, mill_bytes *bytes);

/* `primary_key` null: the prefix of all rows that look at the foreign key. */
MILL_MUST_USE int subscription_key_write(mill_context *context, mill_bytes foreign_key, mill_bytes primary_key,
                                         mill_bytes *bytes);

/* Views of `bytes`. False: they are of another form, or of a version that is not known. */
bool subscription_read(mill_bytes bytes, struct subscription *subscription);
bool foreign_response_read(mill_bytes bytes, struct foreign_response *response);
bool subscription_key_read(mill_bytes bytes, mill_bytes *foreign_key, mill_bytes *primary_key);

#endif
