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

static void put(mill_bytes bytes)
{
    mill_bytes shown = mill_is_null(bytes) ? mill_string("null") : bytes;
    if (shown.len > 0)
        (void)fwrite(shown.data, 1, shown.len, stdout);
}

static int process(mill_context *context, void *self, const mill_record *record)
{
    const struct print_argument *argument = ((struct print *)self)->argument;
    const char *label = argument->label ? argument->label : *argument->stream;
    flockfile(stdout); /* the lines of several threads do not mix */
    printf("[%s]: ", label);
    put(record->key);
    put(mill_string(", "));
    put(record->value);
    put(mill_string("\n"));
    funlockfile(stdout);
    return 0;
}

const mill_processor_type print_type = { .name = "print", .self_bytes = sizeof(struct print), .init = init, .process = process };
