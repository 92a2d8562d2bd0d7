/*
 * SaslHandshake (key 17): chooses a mechanism. After version 0 raw token frames follow, after 1 SaslAuthenticate requests.
 */
#ifndef WIRE_API_SASL_HANDSHAKE_H
#define WIRE_API_SASL_HANDSHAKE_H

#include "wire/codec.h"

#define SASL_HANDSHAKE_REQUEST_FIELDS(FIELD, T) FIELD(T, STRING, mechanism, SINCE(0))
WIRE_MESSAGE(sasl_handshake_request, SASL_HANDSHAKE_REQUEST_FIELDS, 0, 1, WIRE_NEVER)

#define SASL_HANDSHAKE_RESPONSE_FIELDS(FIELD, T) \
    FIELD(T, INT16, error_code, SINCE(0))        \
    FIELD(T, ARRAY_STRING, mechanisms, SINCE(0))
WIRE_MESSAGE(sasl_handshake_response, SASL_HANDSHAKE_RESPONSE_FIELDS, 0, 1, WIRE_NEVER)

#endif
