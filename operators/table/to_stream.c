/* From updates to records: only the new value goes on, null for a deletion. */
#include "table/table.h"

static int process(mill_context *context, void *self, const mill_record *record)
{
    mill_record update = *record;
    update.old_value = mill_null();
    update.is_outdated = false;
    return mill_forward(context, &update);
}

const mill_processor_type to_stream_type = { .name = "to-stream", .process = process };
