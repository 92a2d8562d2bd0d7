/* What the internal topics of tables carry, read from a stranger: changes of groups, and both sides of a foreign-key join. */
#include "base/assert.h"
#include "fuzz/fuzz.h"
#include "join/foreign_key_wire.h"
#include "table/change.h"

/* A view of `from`, or null. */
static void check(mill_bytes view, mill_bytes from)
{
    mill_assert(mill_is_null(view) || (view.data >= from.data && view.data + view.len <= from.data + from.len));
    fuzz_touch(view.data, view.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    mill_bytes bytes = mill_bytes_of(data, len);
    mill_bytes first;
    mill_bytes second;
    if (change_read(bytes, &first, &second)) {
        mill_assert(!mill_is_null(first) || !mill_is_null(second));
        check(first, bytes);
        check(second, bytes);
    }
    struct subscription subscription;
    if (subscription_read(bytes, &subscription)) {
        mill_assert(!mill_is_null(subscription.primary_key));
        check(subscription.hash, bytes);
        check(subscription.primary_key, bytes);
    }
    if (subscription_key_read(bytes, &first, &second)) {
        mill_assert(first.len + second.len + 4 == len);
        check(first, bytes);
        check(second, bytes);
    }
    struct foreign_response response;
    if (foreign_response_read(bytes, &response)) {
        check(response.hash, bytes);
        check(response.value, bytes);
    }
    return 0;
}
