/* A line from a stranger's log through the examples' parsers: what comes out lies inside of what went in. */
#include <stdlib.h>
#include <string.h>

#include "access_log.h"
#include "base/assert.h"
#include "fuzz/fuzz.h"
#include "service_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct access_log_line hit;
    if (access_log_parse(mill_bytes_of(data, len), &hit)) {
        mill_assert(hit.time_ms >= 0);
        mill_assert(hit.page.len == 0 || memchr(hit.page.data, '?', hit.page.len) == NULL);
        fuzz_touch(hit.client.data, hit.client.len);
        fuzz_touch(hit.page.data, hit.page.len);
    }
    uint8_t *room = malloc(len + 1);
    struct service_log_line entry;
    if (service_log_parse(mill_bytes_of(data, len), room, &entry)) {
        mill_assert(entry.time_ms >= 0 && entry.service.len > 0 && entry.level.len > 0);
        fuzz_touch(entry.service.data, entry.service.len);
        fuzz_touch(entry.level.data, entry.level.len);
    }
    free(room);
    return 0;
}
