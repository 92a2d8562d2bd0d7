/*
 * The properties of an application: Kafka Streams' names, and ours under `mill.`.
 *
 * One table for application, test driver and --help. Prefixed properties (`producer.linger.ms`, `topic.retention.ms`,
 * `broker.log.segment.bytes`) are kept as text for whoever they are meant for.
 */
#ifndef TASK_STREAMS_CONFIG_H
#define TASK_STREAMS_CONFIG_H

#include "base/config.h"
#include "millstream/topology.h"

extern const struct config_table streams_config_table;

/* Sets name, value, ..., NULL in order. 0, or the error of the first that fails, with config->error. `properties` may be NULL. */
int streams_config_set_all(struct config *config, const char *const *properties);

/*
 * auto.offset.reset: its policy, and with by_duration:PnDTnHnMnS (KIP-1106) the duration. 0, or MILL_EINVALID with
 * config->error.
 */
MILL_MUST_USE int streams_config_reset(struct config *config, mill_reset_policy *policy, int64_t *duration_ms);

bool streams_exactly_once(const struct config *config); /* processing.guarantee */

/* commit.interval.ms, whose default depends on processing.guarantee. */
int64_t streams_commit_interval_ms(const struct config *config);

/* A duration in milliseconds, cut to where it may still be counted in microseconds and added to any time. */
int64_t streams_config_ms(const struct config *config, const char *name);

/* The value of any property as text: set, else the default, else NULL. For operators (mill_context_property). */
const char *streams_config_text(const struct config *config, const char *name);

#endif
