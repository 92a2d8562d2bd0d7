#include "broker/api/topic_configs.h"

#include "broker/internal.h"

void topic_config_describe(struct call *call, const struct topic *topic, size_t index, struct topic_config_entry *entry)
{
    const struct config *broker = &call->broker->config;
    const struct config *own = topic ? &topic->config : NULL;
    char text[CONFIG_TEXT_BYTES];
    struct config_synonym synonyms[CONFIG_SYNONYMS_MAX];
    topic_config_synonyms(broker, own, index, synonyms);
    topic_config_text(broker, own, index, text);
    entry->name = topic_config_table()->keys[index].name;
    entry->source = synonyms[0].source;
    entry->value = call_copy(call, mill_string(text));
}
