/*
 * Makes any number of records from one. The emitter pushes each to its end while the user's function runs, so that nothing is
 * collected and the function may reuse its memory; an error below stays with the emitter in case the function ignores it.
 */
#include "stateless/stateless.h"

struct mill_emitter {
    mill_context *context;
    const mill_record *input;
    bool keeps_key;
    int code;
};

int mill_emit(mill_emitter *out, const mill_record *record)
{
    if (out->code < 0)
        return out->code;
    mill_record kept;
    if (out->keeps_key) {
        kept = *record;
        kept.key = out->input->key;
        record = &kept;
    }
    out->code = mill_forward(out->context, record);
    return out->code;
}

mill_context *mill_emitter_context(mill_emitter *out)
{
    return out->context;
}

struct flat_map {
    const struct flat_map_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct flat_map *)self)->argument = argument;
    return 0;
}

static int run(mill_context *context, const struct flat_map *self, const mill_record *record, bool keeps_key)
{
    mill_emitter out = { .context = context, .input = record, .keeps_key = keeps_key };
    int code = self->argument->mapper(record, &out, self->argument->ctx);
    return code < 0 ? code : out.code;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    return run(context, self, record, false);
}

static int process_values(mill_context *context, void *self, const mill_record *record)
{
    return run(context, self, record, true);
}

const mill_processor_type flat_map_type = {
    .name = "flat-map", .self_bytes = sizeof(struct flat_map), .init = init, .process = process
};

const mill_processor_type flat_map_values_type = {
    .name = "flat-map-values", .self_bytes = sizeof(struct flat_map), .init = init, .process = process_values
};
