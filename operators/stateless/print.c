/* Prints each record to standard output, as Kafka Streams' Printed.toSysOut: `[label]: key, value`. */
#include <stdio.h>

#include "stateless/stateless.h"

struct print {
    const struct print_argument *argument;
};

static int init(mill_context *context, void *self, const void *argument)
{
    ((struct print *)self)->argument = argument;
    return 0;
}

static int length(mill_bytes bytes)
{
    return mill_is_null(bytes) ? 4 : (int)bytes.len;
}

static const char *text(mill_bytes bytes)
{
    return mill_is_null(bytes) ? "null" : (const char *)bytes.data;
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct print_argument *argument = ((struct print *)self)->argument;
    const char *label = argument->label ? argument->label : *argument->stream;
    /* One call, so that the lines of several threads do not mix. */
    printf("[%s]: %.*s, %.*s\n", label, length(record->key), text(record->key), length(record->value), text(record->value));
    return 0;
}

const mill_processor_type print_type = { .name = "print", .self_bytes = sizeof(struct print), .init = init, .process = process };
