#include "window/kept_time.h"

#include <string.h>

int keep_time(mill_context *context, const char *of, int64_t *time_ms)
{
    static const char PREFIX[] = "at."; /* the store of a node may have its name */
    size_t len = strlen(of);
    char *name = mill_context_alloc(context, sizeof PREFIX + len);
    *time_ms = -1;
    if (name == NULL)
        return MILL_ENOMEM;
    memcpy(name, PREFIX, sizeof PREFIX - 1);
    memcpy(name + sizeof PREFIX - 1, of, len + 1);
    return mill_context_keep(context, name, time_ms);
}
