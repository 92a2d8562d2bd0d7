/*
 * Properties: Kafka's names, typed, with defaults, checked.
 *
 * A table of `struct config_key` describes what exists; `struct config` holds values for one table. Later sources win: built-in,
 * file, environment, -X. An unknown key is an error that suggests the nearest name. Keys that start with one of the table's
 * prefixes (`topic.`, `consumer.`) are kept as strings for whoever reads them. Thread: read-only after parsing.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash_map.h"

enum config_type { CONFIG_STRING, CONFIG_INT, CONFIG_BOOL, CONFIG_LIST /* comma separated */ };

struct config_key {
    const char *name;
    enum config_type type;
    const char *default_value; /* NULL: none */
    int64_t min, max;          /* CONFIG_INT */
    const char *values;        /* CONFIG_STRING: allowed ones, separated by |; NULL any */
    const char *doc;           /* one sentence for --help and the manual */
};

struct config_table {
    const struct config_key *keys;
    size_t count;
    const char *const *prefixes; /* NULL-terminated; may be NULL */
};

struct config {
    const struct config_table *table;
    struct hash_map values;
    struct error_text error;
};

void config_init(struct config *config, const struct config_table *table);
void config_release(struct config *config);
int config_copy(struct config *to, const struct config *from); /* `to` is initialised */

/* 0, MILL_EINVALID with config->error, or MILL_ENOMEM. `value` NULL removes. */
int config_set(struct config *config, const char *name, const char *value);
int config_set_pair(struct config *config, const char *pair); /* "name=value" */

/*
 * Java .properties text: #, ! comments, = or : or blank, backslash continuation and escapes; blanks at a line's end are dropped.
 * `source` names it in errors. Stops at the first bad line, with what came before it set. MILL_ETOOLARGE: a line above 64 KiB.
 */
int config_parse(struct config *config, const char *text, size_t len, const char *source);

/* Set explicitly, or NULL. The string lives until the key is set again. */
const char *config_get_set(const struct config *config, const char *name);

/*
 * Set or default; asserts that the table has the key with that type (a list is read as a string). With neither: NULL, 0, false. A
 * string lives until the key is set again.
 */
const char *config_string(const struct config *config, const char *name);
int64_t config_int(const struct config *config, const char *name);
bool config_bool(const struct config *config, const char *name);

/* The known name nearest to `name` by edit distance, or NULL when none is near. */
const char *config_nearest(const struct config_table *table, const char *name);

#endif
