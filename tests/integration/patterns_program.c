/*
 * A pipeline of sources by pattern, for patterns_check.sh: what comes from "logs-..." is copied with its topic, "orders-..."
 * counted; and topics of different sizes are merged.
 */
#include <stdio.h>

#include "millstream/millstream.h"

static int name_topic(mill_context *context, void *self, const mill_record *record)
{
    char text[400];
    int len = snprintf(text, sizeof text, "%s %.*s", mill_context_metadata(context).topic, (int)record->value.len,
                       (const char *)record->value.data);
    mill_record named = { .key = record->key, .value = mill_bytes_of(text, (size_t)len), .timestamp_ms = record->timestamp_ms };
    return mill_forward(context, &named);
}

static const mill_processor_type NAME_TOPIC = { .name = "name topic", .process = name_topic };

int main(int argc, char **argv)
{
    mill_topology *topology = mill_topology_new();
    mill_stream *logs = mill_topology_stream_pattern(topology, "logs-.*", NULL);
    mill_stream_to(mill_stream_process(logs, (mill_processor_supplier){ .type = &NAME_TOPIC }, NULL, 0), "copies");
    mill_stream *orders = mill_topology_stream_pattern(topology, "orders-[a-z]+", NULL);
    mill_table_to(mill_grouped_count(mill_stream_group_by_key(orders), mill_as("orders")), "counts");
    mill_stream *few = mill_topology_stream(topology, "few", NULL);
    mill_stream *many = mill_topology_stream(topology, "many", NULL);
    mill_stream_to(mill_stream_merge(few, many), "merged");
    return mill_main(argc, argv, "patterns", topology);
}
