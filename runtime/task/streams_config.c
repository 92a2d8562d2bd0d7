#include "task/streams_config.h"

#include <string.h>

static const struct config_key KEYS[] = {
    { "application.id", CONFIG_STRING, NULL, 0, 0, NULL,
      "Names the consumer group, the internal topics and the state directory." },
    { "bootstrap.servers", CONFIG_STRING, NULL, 0, 0, NULL,
      "Brokers to join as host:port, separated by commas; without it the broker runs inside this program." },
    { "listeners", CONFIG_STRING, "PLAINTEXT://127.0.0.1:9092", 0, 0, NULL,
      "Where the embedded broker listens; port 0 takes a free one." },
    { "state.dir", CONFIG_STRING, NULL, 0, 0, NULL,
      "Where state and, with the broker inside, its log live; default $XDG_STATE_HOME/millstream, never below /tmp." },
    { "client.id", CONFIG_STRING, NULL, 0, 0, NULL, "Prefix of the client ids that brokers see; default the application id." },
    { "group.instance.id", CONFIG_STRING, NULL, 0, 0, NULL,
      "Makes this program a static member: a restart within session.timeout.ms moves no task." },
    { "num.stream.threads", CONFIG_INT, "1", 1, 256, NULL, "Threads that process." },
    { "commit.interval.ms", CONFIG_INT, "30000", 0, INT64_MAX, NULL,
      "How often results and positions are committed; where exactly once is wanted and nothing is set, 100." },
    { "statestore.cache.max.bytes", CONFIG_INT, "67108864", 0, INT64_MAX, NULL,
      "Memory for updates not yet on disk, and as much again, with what they leave of it, for what is kept of the others, over "
      "all threads; 0 forwards each update at once." },
    { "max.task.idle.ms", CONFIG_INT, "0", -1, INT64_MAX, NULL,
      "How long a task with several inputs waits for one that is empty; 0 while the broker has more of it, -1 never." },
    { "processing.guarantee", CONFIG_STRING, "at_least_once", 0, 0, "at_least_once|exactly_once_v2",
      "What a crash may do to results: repeat some, or nothing, for readers with isolation.level=read_committed." },
    { "replication.factor", CONFIG_INT, "-1", -1, 32767, NULL, "Of internal topics; -1 is the broker's default." },
    { "auto.offset.reset", CONFIG_STRING, "earliest", 0, 0, NULL,
      "Where to begin without a committed offset: earliest, latest, none, or by_duration:PT1H (records that are younger)." },
    { "session.timeout.ms", CONFIG_INT, "45000", 1, INT32_MAX, NULL,
      "After this much silence the group gives our tasks to others." },
    { "heartbeat.interval.ms", CONFIG_INT, "3000", 1, INT32_MAX, NULL, "How often the group hears of us." },
    { "max.poll.interval.ms", CONFIG_INT, "300000", 1, INT32_MAX, NULL, "How long the group waits for us in a rebalance." },
    { "metadata.max.age.ms", CONFIG_INT, "300000", 1, INT32_MAX, NULL,
      "How old knowledge of the topics may be; as often new ones are looked for that match a pattern." },
    { "task.timeout.ms", CONFIG_INT, "300000", 0, INT64_MAX, NULL,
      "How long a task retries what the broker does not answer before its thread fails; delivery.timeout.ms and "
      "default.api.timeout.ms of its clients are raised to as much." },
    { "deserialization.exception.handler", CONFIG_STRING, "fail", 0, 0,
      "fail|continue|LogAndFailExceptionHandler|LogAndContinueExceptionHandler|org.apache.kafka.streams.errors."
      "LogAndFailExceptionHandler|org.apache.kafka.streams.errors.LogAndContinueExceptionHandler",
      "What becomes of a record that a source's check refuses." },
    { "processing.exception.handler", CONFIG_STRING, "fail", 0, 0,
      "fail|continue|LogAndFailProcessingExceptionHandler|LogAndContinueProcessingExceptionHandler|org.apache.kafka.streams."
      "errors.LogAndFailProcessingExceptionHandler|org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler",
      "What becomes of a record at which an operator fails." },
    { "production.exception.handler", CONFIG_STRING, "fail", 0, 0,
      "fail|continue|DefaultProductionExceptionHandler|org.apache.kafka.streams.errors.DefaultProductionExceptionHandler",
      "What becomes of a record that cannot be written." },
    { "errors.dead.letter.queue.topic.name", CONFIG_STRING, NULL, 0, 0, NULL,
      "Where records go that the three handlers skip or fail at; the topic is the user's to create." },
    { "windowstore.changelog.additional.retention.ms", CONFIG_INT, "86400000", 0, INT64_MAX, NULL,
      "How much longer than its store a windowed changelog keeps records." },
    { "repartition.purge.interval.ms", CONFIG_INT, "30000", 0, INT64_MAX, NULL,
      "How often what has been read of repartition topics is deleted." },
    { "__emit.interval.ms.kstreams.windowed.aggregation__", CONFIG_INT, "1000", 0, INT64_MAX, NULL,
      "How often, at most, windows that emit on close look for closed ones; Kafka Streams' internal name." },
    { "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", CONFIG_INT, "1000", 0, INT64_MAX, NULL,
      "How often, at most, left and outer joins look for records without a partner; Kafka Streams' internal name." },
    { "topology.optimization", CONFIG_STRING, "none", 0, 0, NULL,
      "none, all, or of reuse.ktable.source.topics, merge.repartition.topics, single.store.self.join, separated by commas." },
    { "ensure.explicit.internal.resource.naming", CONFIG_BOOL, "false", 0, 0, NULL,
      "Refuses generated names of internal topics and stores, which change with the pipeline and lose state." },
    { "mill.compat", CONFIG_STRING, "none", 0, 0, "none|kafka",
      "kafka: results exactly as of Kafka Streams, also where they are known to surprise; each operator says where that is." },
    { "mill.idle.ms", CONFIG_INT, "0", 0, INT64_MAX, NULL,
      "After this much wall time without a record the time of windows goes on with the clock, so that they close; 0 never." },
    { "mill.state.sync", CONFIG_STRING, "safe", 0, 0, "safe|fast",
      "How LMDB syncs: fast is quicker, and rebuilds the stores from their changelogs after a power cut." },
    { "mill.state.check", CONFIG_BOOL, "false", 0, 0, NULL, "Checks every stored entry at start, also after a clean stop." },
    { "mill.state.map.bytes", CONFIG_INT, "17179869184", 1 << 20, INT64_MAX, NULL,
      "Address space reserved for each task's LMDB file; doubled when it is full." },
    { "mill.state.restore.bytes", CONFIG_INT, "268435456", 1 << 20, INT64_MAX, NULL,
      "Memory for records that are restored from changelogs, over all threads." },
    { "mill.trace.level", CONFIG_STRING, "warn", 0, 0, "debug|info|warn|error|off", "What is told on standard error." },
};

/* Kafka Streams' own: readers see nothing of a transaction before it is committed. */
enum { EXACTLY_ONCE_COMMIT_INTERVAL_MS = 100 };

static const char *const PREFIXES[] = { "topic.",         "producer.",         "consumer.",
                                        "main.consumer.", "restore.consumer.", "global.consumer.",
                                        "admin.",         "broker.",           NULL };

const struct config_table streams_config_table = { KEYS, sizeof KEYS / sizeof KEYS[0], PREFIXES };

int streams_config_set_all(struct config *config, const char *const *properties)
{
    for (size_t i = 0; properties != NULL && properties[i] != NULL; i += 2) {
        int code = config_set(config, properties[i], properties[i + 1]);
        if (code < 0)
            return code;
    }
    return 0;
}

/* The units of an ISO 8601 duration, in order; those before the T are days. */
static const struct duration_unit {
    char letter;
    bool of_time;
    int64_t ms;
} UNITS[] = { { 'D', false, 86400000 }, { 'H', true, 3600000 }, { 'M', true, 60000 }, { 'S', true, 1000 } };

/* PnDTnHnMnS, whole numbers, at least one of them. False: it is none. */
static bool parse_duration(const char *text, int64_t *ms)
{
    size_t next_unit = 0;
    size_t found = 0;
    bool of_time = false;
    *ms = 0;
    if (*text++ != 'P')
        return false;
    while (*text != '\0') {
        if (*text == 'T' && !of_time) {
            of_time = true;
            text++;
        }
        int64_t number = 0;
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 9)
            return false;
        for (size_t i = 0; i < digits; i++)
            number = number * 10 + (text[i] - '0');
        text += digits;
        while (next_unit < sizeof UNITS / sizeof UNITS[0] &&
               (UNITS[next_unit].letter != *text || UNITS[next_unit].of_time != of_time))
            next_unit++;
        if (next_unit == sizeof UNITS / sizeof UNITS[0])
            return false;
        *ms += number * UNITS[next_unit++].ms;
        found++;
        text++;
    }
    return found > 0;
}

int streams_config_reset(struct config *config, mill_reset_policy *policy, int64_t *duration_ms)
{
    static const char by_duration[] = "by_duration:";
    const char *value = streams_config_text(config, "auto.offset.reset");
    *duration_ms = 0;
    if (strncmp(value, by_duration, sizeof by_duration - 1) == 0) {
        *policy = MILL_RESET_BY_DURATION;
        if (parse_duration(value + sizeof by_duration - 1, duration_ms))
            return 0;
        return error_set(&config->error, MILL_EINVALID, "auto.offset.reset: \"%s\" has no duration like PT1H or P7DT12H", value);
    }
    *policy = strcmp(value, "earliest") == 0 ? MILL_RESET_EARLIEST
              : strcmp(value, "latest") == 0 ? MILL_RESET_LATEST
                                             : MILL_RESET_NONE;
    if (*policy != MILL_RESET_NONE || strcmp(value, "none") == 0)
        return 0;
    return error_set(&config->error, MILL_EINVALID,
                     "auto.offset.reset: \"%s\" is none of earliest, latest, none, by_duration:PT1H", value);
}

int64_t streams_config_ms(const struct config *config, const char *name)
{
    const int64_t forever_ms = INT64_MAX / 4000;
    int64_t set_ms = config_int(config, name);
    return set_ms < forever_ms ? set_ms : forever_ms;
}

bool streams_exactly_once(const struct config *config)
{
    return strcmp(config_string(config, "processing.guarantee"), "exactly_once_v2") == 0;
}

int64_t streams_commit_interval_ms(const struct config *config)
{
    if (streams_exactly_once(config) && config_get_set(config, "commit.interval.ms") == NULL)
        return EXACTLY_ONCE_COMMIT_INTERVAL_MS;
    return streams_config_ms(config, "commit.interval.ms");
}

const char *streams_config_text(const struct config *config, const char *name)
{
    const char *set = config_get_set(config, name);
    for (size_t i = 0; set == NULL && i < streams_config_table.count; i++)
        if (strcmp(KEYS[i].name, name) == 0)
            set = KEYS[i].default_value;
    return set;
}
