#include "wire/kafka_error.h"

#include <stddef.h>

#include "millstream/error.h"

struct row {
    int16_t code;
    bool retriable;
    const char *name;
    const char *text;
};

static const struct row ROWS[] = {
#define KAFKA_ERROR_ROW(code, name, retriable, text) { code, retriable, #name, text },
    KAFKA_ERRORS(KAFKA_ERROR_ROW)
#undef KAFKA_ERROR_ROW
};

/* Codes run without gap from -1 on; the loop only guards against one. */
static const struct row *find(int16_t code)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (ROWS[i].code == code)
            return &ROWS[i];
    return NULL;
}

const char *kafka_error_name(int16_t code)
{
    const struct row *row = find(code);
    return row ? row->name : "UNKNOWN_ERROR_CODE";
}

const char *kafka_error_text(int16_t code)
{
    const struct row *row = find(code);
    return row ? row->text : "an error newer than this program";
}

bool kafka_error_retriable(int16_t code)
{
    const struct row *row = find(code);
    return row && row->retriable;
}

int16_t kafka_error_from_mill(int code)
{
    switch (code) {
    case MILL_OK:
        return KAFKA_NONE;
    case MILL_ECORRUPT:
        return KAFKA_CORRUPT_MESSAGE;
    case MILL_EINVALID:
    case MILL_EPROTOCOL:
    case MILL_ETRUNCATED:
        return KAFKA_INVALID_REQUEST;
    case MILL_EIO:
    case MILL_EDISKFULL:
        return KAFKA_KAFKA_STORAGE_ERROR;
    case MILL_ETOOLARGE:
        return KAFKA_MESSAGE_TOO_LARGE;
    case MILL_EUNSUPPORTED:
        return KAFKA_UNSUPPORTED_VERSION;
    case MILL_ETIMEOUT:
        return KAFKA_REQUEST_TIMED_OUT;
    case MILL_ECONNECTION:
    case MILL_EREFUSED:
    case MILL_ECLOSED:
        return KAFKA_NETWORK_EXCEPTION;
    case MILL_EOUTOFRANGE:
        return KAFKA_OFFSET_OUT_OF_RANGE;
    case MILL_EAGAIN:
        return KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
    default:
        return KAFKA_UNKNOWN_SERVER_ERROR;
    }
}

int kafka_error_to_mill(int16_t code)
{
    switch (code) {
    case KAFKA_NONE:
        return MILL_OK;
    case KAFKA_OFFSET_OUT_OF_RANGE:
        return MILL_EOUTOFRANGE;
    case KAFKA_CORRUPT_MESSAGE:
        return MILL_ECORRUPT;
    case KAFKA_INVALID_RECORD:
    case KAFKA_INVALID_TIMESTAMP:
        return MILL_EINVALID;
    case KAFKA_UNKNOWN_TOPIC_OR_PARTITION:
    case KAFKA_UNKNOWN_TOPIC_ID:
    case KAFKA_GROUP_ID_NOT_FOUND:
        return MILL_ENOTFOUND;
    case KAFKA_TOPIC_ALREADY_EXISTS:
        return MILL_EEXISTS;
    case KAFKA_REQUEST_TIMED_OUT:
        return MILL_ETIMEOUT;
    case KAFKA_MESSAGE_TOO_LARGE:
    case KAFKA_RECORD_LIST_TOO_LARGE:
        return MILL_ETOOLARGE;
    case KAFKA_UNSUPPORTED_VERSION:
        return MILL_EUNSUPPORTED;
    case KAFKA_INVALID_PRODUCER_EPOCH:
    case KAFKA_PRODUCER_FENCED:
    case KAFKA_FENCED_INSTANCE_ID:
    case KAFKA_FENCED_MEMBER_EPOCH:
        return MILL_EFENCED;
    case KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER: /* of a producer, who begins anew */
    case KAFKA_UNKNOWN_PRODUCER_ID:
    case KAFKA_INVALID_PRODUCER_ID_MAPPING:
    case KAFKA_INVALID_TXN_STATE:
    case KAFKA_TRANSACTION_ABORTABLE:
        return MILL_EAGAIN;
    case KAFKA_TOPIC_AUTHORIZATION_FAILED:
    case KAFKA_GROUP_AUTHORIZATION_FAILED:
    case KAFKA_CLUSTER_AUTHORIZATION_FAILED:
    case KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case KAFKA_SASL_AUTHENTICATION_FAILED:
        return MILL_EACCESS;
    default:
        return MILL_EBROKER;
    }
}
