/* What came out of a case, of either side, and whether both are the same. */
#ifndef CONFORMANCE_RESULT_H
#define CONFORMANCE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { RESULT_TEXT_MAX = 400, RESULT_EVENT_BUILD = -1, RESULT_EVENT_NONE = -2 };

/* Key and value are printed: `~` is null, else an apostrophe and bytes, what is no letter as %XX. */
struct result_output {
    int event; /* of the case, after which it was there */
    int topic; /* `out<number>` */
    char *key;
    char *value;
    int64_t timestamp_ms;
};

struct result {
    uint64_t number; /* of the case */
    struct result_output *outputs;
    size_t count;
    size_t capacity;
    int error_event; /* the event that failed; -1: the topology could not be built; RESULT_EVENT_NONE: all went well */
    char error[RESULT_TEXT_MAX];
    int64_t dropped;
};

void result_init(struct result *result, uint64_t number);
void result_release(struct result *result);

/* Copies the texts. */
void result_add(struct result *result, int event, int topic, const char *key, const char *value, int64_t timestamp_ms);

/* Forgets what came out of these topics. */
void result_leave_out(struct result *result, const bool topics[]);

/* As printed bytes; the caller frees it. */
char *result_print_bytes(const uint8_t *data, size_t len);

/*
 * True when every event gave the same records on both sides, per topic in the same order for each key, and failed or not. What an
 * event had put out before it failed does not count. Else `*event` is the first that differs.
 */
bool result_equal(const struct result *ours, const struct result *theirs, int *event);

/* The outputs of an event, or its error. */
void result_print_event(const struct result *result, int event, const char *prefix, FILE *to);

#endif
