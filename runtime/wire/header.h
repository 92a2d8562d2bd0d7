/*
 * What stands before a message in a frame, after its int32 length.
 *
 * The request header is version 2 where the message is flexible, else version 1; the response header is version 1 where it is
 * flexible, else 0, and always 0 for ApiVersions.
 */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include "wire/codec.h"

/* Version 2 of it is flexible but for the client id. */
#define REQUEST_HEADER_FIELDS(FIELD, T)            \
    FIELD(T, INT16, request_api_key, SINCE(0))     \
    FIELD(T, INT16, request_api_version, SINCE(0)) \
    FIELD(T, INT32, correlation_id, SINCE(0))      \
    FIELD(T, STRING, client_id, SINCE(1), NULLABLE(1))
WIRE_MESSAGE(request_header, REQUEST_HEADER_FIELDS, 1, 2, 2)

/* Version 0: the correlation id alone. */
#define RESPONSE_HEADER_FIELDS(FIELD, T) FIELD(T, INT32, correlation_id, SINCE(0))
WIRE_MESSAGE(response_header, RESPONSE_HEADER_FIELDS, 0, 1, 1)

#endif
