/* What all joins do alike: which records they refuse, and how a result goes on. */
#include "join/join.h"

#include <string.h>

bool join_drops(mill_context *context, const mill_record *record, mill_bytes key, bool left)
{
    if (mill_is_null(record->value))
        mill_context_drop(context, "null-value");
    else if (mill_is_null(key) && !left)
        mill_context_drop(context, "null-key");
    else
        return false;
    return true;
}

/* What the joiner gave back as it was may be a store's view, which the next look-up below would take away: it is kept. */
static int keep_view(mill_context *context, mill_bytes view, mill_bytes *value)
{
    uintptr_t begin = (uintptr_t)view.data;
    uintptr_t at = (uintptr_t)value->data;
    if (value->len == 0 || at < begin || at >= begin + view.len)
        return 0;
    uint8_t *copy = mill_context_alloc(context, value->len);
    if (copy == NULL)
        return MILL_ENOMEM;
    memcpy(copy, value->data, value->len);
    value->data = copy;
    return 0;
}

int join_forward(mill_context *context, mill_joiner joiner, void *ctx, const mill_record *record, mill_bytes left,
                 mill_bytes right, int64_t timestamp_ms)
{
    mill_record result = *record;
    result.timestamp_ms = timestamp_ms;
    result.value = mill_null();
    int code = joiner(record->key, left, right, &result.value, context, ctx);
    if (code >= 0)
        code = keep_view(context, left.data == record->value.data ? right : left, &result.value);
    return code < 0 ? code : mill_forward(context, &result);
}
