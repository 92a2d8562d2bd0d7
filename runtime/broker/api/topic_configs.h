/*
 * A topic's configs as answers show them; shared by CreateTopics and DescribeConfigs.
 */
#ifndef BROKER_API_TOPIC_CONFIGS_H
#define BROKER_API_TOPIC_CONFIGS_H

#include "broker/call.h"
#include "broker/config.h"
#include "broker/topic.h"

struct topic_config_entry {
    const char *name; /* static */
    mill_bytes value; /* in force, in the key's own unit; in the call's arena */
    enum config_source source;
};

/* Key `index` of topic_config_table(). `topic` NULL: as a new topic would have it. */
void topic_config_describe(struct call *call, const struct topic *topic, size_t index, struct topic_config_entry *entry);

#endif
