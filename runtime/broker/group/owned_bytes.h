/*
 * Copies of peers' bytes that a group keeps: member ids, protocols, assignments, commit metadata.
 */
#ifndef BROKER_GROUP_OWNED_BYTES_H
#define BROKER_GROUP_OWNED_BYTES_H

#include <stdbool.h>

#include "base/alloc.h"
#include "millstream/bytes.h"

/* Null stays null, empty is a pointer and 0. False: no memory, `copy` is null. */
static inline bool owned_bytes_copy(mill_bytes *copy, mill_bytes bytes)
{
    *copy = mill_null();
    if (mill_is_null(bytes))
        return true;
    uint8_t *data = mem_alloc(bytes.len + 1);
    if (!data)
        return false;
    if (bytes.len > 0)
        memcpy(data, bytes.data, bytes.len);
    *copy = mill_bytes_of(data, bytes.len);
    return true;
}

static inline void owned_bytes_free(mill_bytes *bytes)
{
    mem_free((void *)(uintptr_t)bytes->data);
    *bytes = mill_null();
}

/* Frees what was there; on false it stays. */
static inline bool owned_bytes_replace(mill_bytes *owned, mill_bytes bytes)
{
    mill_bytes copy;
    if (!owned_bytes_copy(&copy, bytes))
        return false;
    owned_bytes_free(owned);
    *owned = copy;
    return true;
}

#endif
