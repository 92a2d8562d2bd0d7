/*
 * What the coordinator's verdicts are called by those who pass them on.
 */
#ifndef BROKER_TXN_TXN_ERRORS_H
#define BROKER_TXN_TXN_ERRORS_H

#include <stdint.h>

#include "wire/kafka_error.h"

/* PRODUCER_FENCED is newer than the transactions: versions before `known_since` of an API call it INVALID_PRODUCER_EPOCH. */
static inline int16_t txn_error(int16_t error, int16_t version, int16_t known_since)
{
    return error == KAFKA_PRODUCER_FENCED && version < known_since ? KAFKA_INVALID_PRODUCER_EPOCH : error;
}

/*
 * For Produce: what is over soon is NOT_ENOUGH_REPLICAS, which every producer tries again without asking for metadata; 11 brings
 * TRANSACTION_ABORTABLE, 12 knows CONCURRENT_TRANSACTIONS (KIP-890).
 */
static inline int16_t txn_produce_error(int16_t error, int16_t version)
{
    switch (error) {
    case KAFKA_TRANSACTION_ABORTABLE:
        return version >= 11 ? error : KAFKA_INVALID_TXN_STATE;
    case KAFKA_CONCURRENT_TRANSACTIONS:
        return version >= 12 ? error : KAFKA_NOT_ENOUGH_REPLICAS;
    case KAFKA_COORDINATOR_LOAD_IN_PROGRESS:
    case KAFKA_COORDINATOR_NOT_AVAILABLE:
    case KAFKA_NOT_COORDINATOR:
        return KAFKA_NOT_ENOUGH_REPLICAS;
    case KAFKA_PRODUCER_FENCED:
        return KAFKA_INVALID_PRODUCER_EPOCH;
    default:
        return error;
    }
}

/* For TxnOffsetCommit, whose version 4 brings TRANSACTION_ABORTABLE, and 5 CONCURRENT_TRANSACTIONS. */
static inline int16_t txn_commit_error(int16_t error, int16_t version)
{
    switch (error) {
    case KAFKA_TRANSACTION_ABORTABLE:
        return version >= 4 ? error : KAFKA_INVALID_TXN_STATE;
    case KAFKA_CONCURRENT_TRANSACTIONS:
        return version >= 5 ? error : KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
    case KAFKA_PRODUCER_FENCED:
        return KAFKA_INVALID_PRODUCER_EPOCH;
    default:
        return error;
    }
}

#endif
